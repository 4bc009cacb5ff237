"""Modules, functions and classes stay small, and the habits that hurt stay out."""

import ast
import graphlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from sys import stdlib_module_names

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.rules import RULES, Source

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "understudy"

# What may break a rule, and why: {rule: {"module" or "module:name": reason}}. A folder ends in "/".
ALLOWED: dict[str, dict[str, str]] = {
    "hidden_import": {
        "__init__.py": "public names are loaded on first use, so that `import understudy` stays quick",
        "core/catalog.py": "Catalog.create is the one place where a recipe's module is loaded",
        "synthesizers/training.py": "networks need the extra `deep`; their code is loaded when one is trained",
        "cli/": "a verb loads the workflow when it runs, so that --help stays quick",
    },
    "broad_except": {
        "workflow/evaluate.py": "a metric of any maker may break; its failure is a result and the others still count",
    },
    "printing": {"cli/": "the command line is the one that speaks"},
}

LARGEST_FILE = 1_500_000  # bytes
# The parameters of a population ship with the package: aggregates only, 3 MB at most.
LARGER_FILES = {"src/understudy/populations/data/us_adults.npz": 3_000_000}
MOCKS_PER_TEST = 0.1
FOREIGN_PLACES = re.compile(
    rb"(?<![\w./~-])/(?:work|root|home/\w+|opt/(?:pypi|wheels))/"
    # Spelled so that the pattern does not find itself.
    rb"|\b(?:p[y]pi|python[h]osted|npm[j]s|yarn[p]kg)\.(?:org|com)\b|\.\./\.[a-z]"
)


@cache
def sources() -> list[Source]:
    return [
        Source(path.relative_to(PACKAGE).as_posix(), path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def is_allowed(rule: str, path: str, name: str) -> bool:
    return any(
        place in {path, f"{path}:{name}"} or (place.endswith("/") and path.startswith(place))
        for place in ALLOWED.get(rule, {})
    )


@pytest.mark.parametrize("rule", RULES)
def test_no_module_breaks_the_rule(rule: str) -> None:
    found = [
        f"src/understudy/{source.path}:{finding.line}: {finding.name} {finding.message}"
        for source in sources()
        for finding in RULES[rule](source)
        if not is_allowed(rule, source.path, finding.name)
    ]
    assert not found, "\n" + "\n".join(found)


def test_every_exception_to_a_rule_is_still_needed() -> None:
    unused = [
        f"{rule}: {place}"
        for rule, places in ALLOWED.items()
        for place in places
        if not place.endswith("/")
        and not any(
            place in {source.path, f"{source.path}:{finding.name}"}
            for source in sources()
            for finding in RULES[rule](source)
        )
    ]
    assert not unused, f"no longer needed, remove them: {unused}"


# One planted breach for each way to break each rule.
BREACHES = [
    ("module_length", "x = 1\n" * 601),
    ("function_length", "def f():\n" + "    x = 1\n" * 60),
    ("function_length", "class A:\n    async def f(self):\n" + "        x = 1\n" * 60),
    ("class_length", "class A:\n" + "    x = 1\n" * 300),
    ("hidden_import", "def f():\n    import json\n"),
    ("hidden_import", "class A:\n    def f(self):\n        if self:\n            from json import loads\n"),
    ("hidden_import", "from importlib import import_module\nx = import_module('json')\n"),
    ("hidden_import", "x = __import__('json')\n"),
    ("front_door", "import understudy\n"),
    ("front_door", "from understudy import synthesize\n"),
    ("printing", "print('done')\n"),
    ("broad_except", "try:\n    x = 1\nexcept:\n    pass\n"),
    ("broad_except", "try:\n    x = 1\nexcept Exception:\n    pass\n"),
    (
        "broad_except",
        "def f():\n    try:\n        x = 1\n    except (ValueError, BaseException):\n        pass\n",
    ),
    ("broad_except", "import contextlib\nwith contextlib.suppress(Exception):\n    x = 1\n"),
    ("open_signature", "def f(**settings): ...\n"),
    ("open_signature", "class A:\n    def __init__(self, **settings): ...\n"),
    ("open_signature", "if True:\n    async def f(**settings): ...\n"),
    ("code_from_data", "import pickle\n"),
    ("code_from_data", "from joblib import load\n"),
    ("code_from_data", "x = eval('1')\n"),
    ("code_from_data", "import yaml\nx = yaml.load('')\n"),
    ("code_from_data", "from yaml import unsafe_load as read\nx = read('')\n"),
    ("code_from_data", "import numpy as np\nx = np.load('x', allow_pickle=True)\n"),
    ("code_from_data", "import torch\nx = torch.load('x')\n"),
    ("global_random", "import numpy as np\nnp.random.seed(0)\n"),
    ("global_random", "import numpy as np\nx = np.random.rand(3)\n"),
    ("global_random", "from numpy.random import shuffle\n"),
    ("global_random", "import numpy as np\nx = np.random.default_rng()\n"),
    ("global_random", "import random\nrandom.seed(0)\n"),
    ("global_random", "from random import choice\n"),
    ("global_random", "import torch\ntorch.manual_seed(0)\n"),
]


@pytest.mark.parametrize(("rule", "text"), BREACHES)
def test_a_planted_breach_is_found(rule: str, text: str) -> None:
    assert list(RULES[rule](Source("core/subject.py", text)))


@pytest.mark.parametrize(
    "path", ["core/utils.py", "helpers/numbers.py", "store/base/__init__.py", "core/_common.py"]
)
def test_a_name_without_a_subject_is_found(path: str) -> None:
    assert list(RULES["name_without_subject"](Source(path, "")))


INNOCENT = '''
"""A docstring that says print(x), eval(x) and except Exception."""
import re
import random
import numpy as np
from typing import TYPE_CHECKING
from understudy import __version__
from understudy.core.seeds import Seed

if TYPE_CHECKING:
    from understudy.core.dataset import Dataset

def f(rng: np.random.Generator, pattern: str = "x") -> float:
    # print
    try:
        re.compile(pattern)
    except (ValueError, re.error):
        pass
    frame = rng.eval(pattern)
    return np.random.default_rng(3).random() + random.Random(3).random() + rng.random()

def _private(**given): ...

def outer():
    def inner(**given): ...
    return inner

class A:
    def __init_subclass__(cls, **given): ...
'''


@pytest.mark.parametrize("rule", RULES)
def test_innocent_code_passes(rule: str) -> None:
    assert not list(RULES[rule](Source("core/subject.py", INNOCENT)))


def test_comments_blank_lines_and_docstrings_do_not_count_as_code() -> None:
    text = 'def f():\n    """Say\n\n    more."""\n\n    # why\n    return {\n        1,\n    }\n'
    assert Source("core/subject.py", text).code_lines == {1, 7, 8, 9}


# --- imports -------------------------------------------------------------------------------------


@cache
def import_graph() -> grimp.ImportGraph:
    return grimp.build_graph("understudy", cache_dir=None)


def find_cycle(imports: dict[str, set[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return [str(module) for module in error.args[1]]
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = import_graph()
    # The package itself only names what api offers, and loads it later.
    modules = graph.modules - {"understudy"}
    cycle = find_cycle(
        {module: graph.find_modules_directly_imported_by(module) & modules for module in modules}
    )
    assert not cycle, " -> ".join(cycle)


def test_a_planted_circle_is_found() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert not find_cycle({"a": {"b", "c"}, "b": {"c"}})


def undeclared(source: Source, declared: set[str], providers: dict[str, list[str]]) -> Iterator[str]:
    """Modules that a source imports and that no declared dependency provides."""
    for node in ast.walk(source.tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for top in {name.split(".")[0] for name in names} - stdlib_module_names - {"understudy"}:
            if not declared & {canonicalize_name(name) for name in providers.get(top, [top])}:
                yield top


def test_only_declared_dependencies_are_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    requirements = project["dependencies"] + [
        line for name in extras if name != "dev" for line in extras[name]
    ]
    declared: set[str] = {canonicalize_name(Requirement(line).name) for line in requirements}
    providers = {top: list(names) for top, names in packages_distributions().items()}
    found = {
        f"{source.path}: {top}" for source in sources() for top in undeclared(source, declared, providers)
    }
    assert not found


def test_a_planted_undeclared_import_is_found() -> None:
    source = Source(
        "core/subject.py", "import json\nimport numpy.linalg\nfrom yaml import dump\nimport pandas as pd\n"
    )
    providers = {"yaml": ["PyYAML"], "numpy": ["numpy"], "pandas": ["pandas"]}
    assert list(undeclared(source, {"numpy", "pyyaml"}, providers)) == ["pandas"]


# --- files ---------------------------------------------------------------------------------------


@cache
def project_files() -> list[Path]:
    """Files that git tracks or would track."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_place_on_somebodys_machine_or_a_package_index() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in project_files()
        for match in FOREIGN_PLACES.finditer(path.read_bytes())
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "parts",
    [
        ("see ", "", "work", "x"),
        ("'", "", "root", "bin"),
        ("", "", "home", "ann", "x"),
        ("see ", "..", ".tools"),
        ("https:", "", "py" + "pi.org", "simple"),
    ],
)
def test_a_planted_place_is_found(parts: tuple[str, ...]) -> None:
    text = parts[0] + "/".join(parts[1:])
    assert FOREIGN_PLACES.search(text.encode())


@pytest.mark.parametrize(
    "parts", [("build", "work", "x"), ("the home", "work balance"), ("src", "understudy")]
)
def test_a_relative_path_is_no_foreign_place(parts: tuple[str, ...]) -> None:
    assert not FOREIGN_PLACES.search("/".join(parts).encode())


def test_no_file_is_large() -> None:
    large = [
        path.relative_to(ROOT).as_posix()
        for path in project_files()
        if path.stat().st_size > LARGER_FILES.get(path.relative_to(ROOT).as_posix(), LARGEST_FILE)
    ]
    assert not large


# --- mocks ---------------------------------------------------------------------------------------


def count_mocks_and_tests(text: str) -> tuple[int, int]:
    source = Source("test_subject.py", text)
    mocks = sum(name.startswith("unittest.mock.") for name, _ in source.calls())
    mocks += sum(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr)
        in {("monkeypatch", "setattr"), ("mocker", "patch"), ("mocker", "Mock")}
        for node in ast.walk(source.tree)
    )
    return mocks, sum(node.name.startswith("test_") for _, _, node in source.functions)


def test_mocks_are_rare() -> None:
    counts = [
        count_mocks_and_tests(path.read_text("utf-8")) for path in sorted((ROOT / "tests").rglob("*.py"))
    ]
    mocks, tests = (sum(column) for column in zip(*counts, strict=True))
    assert mocks < MOCKS_PER_TEST * tests, f"{mocks} mocks in {tests} tests"


def test_planted_mocks_are_counted() -> None:
    text = (
        "from unittest import mock\nfrom unittest.mock import MagicMock\n"
        "def test_a(monkeypatch):\n    monkeypatch.setattr('a', 1)\n    x = MagicMock()\n"
        "def test_b():\n    x = mock.patch('a')\n"
    )
    assert count_mocks_and_tests(text) == (3, 2)
