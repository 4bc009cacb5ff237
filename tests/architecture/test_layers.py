"""Imports point down only; the contracts stand in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def check_contracts(project: Path) -> subprocess.CompletedProcess[str]:
    """Hold the package in a project's `src` against the import contracts of pyproject.toml."""
    code = "import sys; sys.path.insert(0, 'src'); from importlinter import cli; cli.lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--no-logo", "--config", str(ROOT / "pyproject.toml")],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip


def write_package(project: Path, modules: dict[str, str]) -> Path:
    """Write a package named understudy that holds an empty core and the given modules."""
    for name, text in {"core/fine.py": "", **modules}.items():
        path = project / "src" / "understudy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for folder in (path.parent, project / "src" / "understudy"):
            (folder / "__init__.py").touch()
    return project


def test_the_code_keeps_every_import_contract() -> None:
    done = check_contracts(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_that_point_down_are_accepted(tmp_path: Path) -> None:
    modules = {
        "workflow/run.py": "import understudy.metrics.copies\nimport understudy.synthesizers.trees\n",
        "metrics/copies.py": "import understudy.core.fine\n",
        "synthesizers/trees.py": "import torch.nn\nimport understudy.privacy.noise\n",
        "privacy/noise.py": "",
    }
    done = check_contracts(write_package(tmp_path, modules))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("modules", "complaint"),
    [
        (
            {"core/schema.py": "import understudy.store.artifacts", "store/artifacts.py": ""},
            "core.schema -> understudy.store.artifacts",
        ),
        (
            {"metrics/copies.py": "import understudy.synthesizers.trees", "synthesizers/trees.py": ""},
            "understudy.metrics.copies -> understudy.synthesizers.trees",
        ),
        (
            {"reports/privacy.py": "import understudy.metrics.copies", "metrics/copies.py": ""},
            "understudy.reports.privacy -> understudy.metrics.copies",
        ),
        ({"workflow/run.py": "import torch"}, "understudy.workflow.run -> torch"),
        ({"metrics/__init__.py": "import torch"}, "understudy.metrics -> torch"),
        ({"strings/text.py": ""}, "understudy.strings"),
    ],
    ids=[
        "upward",
        "metric on synthesizer",
        "report on metric",
        "torch",
        "torch at once",
        "folder without a layer",
    ],
)
def test_a_planted_breach_is_refused(tmp_path: Path, modules: dict[str, str], complaint: str) -> None:
    done = check_contracts(write_package(tmp_path, modules))
    assert done.returncode == 1
    assert complaint in done.stdout
