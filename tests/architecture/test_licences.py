"""What a user installs may be used for anything: the run-time dependencies are permissive."""

import re
import tomllib
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

PERMISSIVE = re.compile(
    r"(the )?(0BSD|Apache([- ]2(\.0)?)?( Software)?|BSD([- ][23][- ]Clause)?|CC0-1\.0|ISC|MIT(-0)?"
    r"|PSF(-2\.0)?|Python Software Foundation|Unlicense|Zlib)( License)?( \(ISCL\))?",
    re.IGNORECASE,
)
RESTRICTIVE = re.compile(
    r"\b[AL]?GPL|General Public|BUSL|Business Source|SSPL|Non-?Commercial", re.IGNORECASE
)


def licence_of(item: Distribution) -> str:
    """The licence as an expression: the declared one, else the classifiers, else the free field."""
    metadata = item.metadata
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License :: ") and line.count(" :: ") > 1
    ]
    free = " ".join(metadata.get_all("License") or ["unknown"]).strip().splitlines()[0]
    return " AND ".join(classifiers) if classifiers else free


def is_permissive(expression: str) -> bool:
    """Whether one alternative of an SPDX-like expression holds permissive licences only."""
    alternatives = re.split(r"\s+OR\s+", expression.replace("(ISCL)", "").replace("(", " ").replace(")", " "))
    return any(
        all(PERMISSIVE.fullmatch(part.strip()) for part in re.split(r"\s+AND\s+", alternative))
        for alternative in alternatives
    )


def runtime_closure() -> dict[str, Distribution]:
    """Every distribution that a base install brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting: list[str] = list(project["dependencies"])
    found: dict[str, Distribution] = {}
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found[name] = distribution(name)
        waiting += found[name].requires or []
    return found


def test_the_base_install_is_permissive() -> None:
    found = {name: licence_of(item) for name, item in runtime_closure().items()}
    assert {"numpy", "polars", "scikit-learn", "joblib", "pydantic-core"} <= set(found)
    assert not {name: licence for name, licence in found.items() if not is_permissive(licence)}


def test_the_base_install_has_no_deep_learning_framework() -> None:
    assert not {"torch", "tensorflow", "jax"} & set(runtime_closure())


def test_nothing_installed_is_restrictive() -> None:
    found = {item.name: licence_of(item) for item in distributions()}
    assert not {name: licence for name, licence in found.items() if RESTRICTIVE.search(licence)}


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "BSD License",
        "Apache-2.0 OR GPL-3.0-only",
        "BSD-3-Clause AND 0BSD AND Zlib",
        "ISC License (ISCL)",
    ],
)
def test_permissive_licences_are_accepted(expression: str) -> None:
    assert is_permissive(expression)


@pytest.mark.parametrize(
    "expression",
    ["GPL-3.0-only", "BUSL-1.1", "MIT AND LGPL-2.1", "MPL-2.0", "unknown", "Apache-2.0 WITH Commons-Clause"],
)
def test_other_licences_are_refused(expression: str) -> None:
    assert not is_permissive(expression)


@pytest.mark.parametrize(
    "expression", ["GPLv3", "AGPL-3.0-or-later", "GNU Lesser General Public License v3 (LGPLv3)", "BUSL-1.1"]
)
def test_restrictive_licences_are_recognised(expression: str) -> None:
    assert RESTRICTIVE.search(expression)
