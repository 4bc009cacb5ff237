"""The documentation does what it says: its code runs, its links lead somewhere, its reference is of this code."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from docs.build import pages as reference_pages
from docs.pages import ROOT, blocks, run_page

PAGES = sorted(
    [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    + [path for path in (ROOT / "docs").rglob("*.md") if path.name != "0000-template.md"]
)
RUN = [
    page
    for page in PAGES
    if page.name not in ("ARCHITECTURE.md", "CONTRIBUTING.md")
    and any(code.is_run for code in blocks(page.read_text(encoding="utf-8")))
]
ROWS = 1000  # the fewest that are judged on one split
_LINK = re.compile(r"!?\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for finished steps that all pages share, also those of other test processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "documentation-store"
    folder.mkdir(exist_ok=True)
    return folder


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", RUN, ids=_name)
def test_code_of_a_page_does_what_the_page_says(page: Path, tmp_path: Path, store: Path) -> None:
    assert list(run_page(page, tmp_path, store, ROWS))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for found in _LINK.finditer(text):
        target, _, anchor = found["target"].partition("#")
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        goal = (page.parent / target).resolve() if target else page
        if not goal.exists() or (anchor and anchor not in _anchors(goal)):
            broken.append(found["target"])
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_shown_output_is_empty(page: Path) -> None:
    shown = [code for code in blocks(page.read_text(encoding="utf-8")) if code.language == "text"]
    assert all(code.body.strip() for code in shown)


def test_the_reference_is_that_of_this_code() -> None:
    stale = [
        path.name
        for path, text in reference_pages()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, "run `make docs` and commit docs/reference"


def test_every_field_and_setting_of_the_reference_has_a_meaning() -> None:
    unexplained = [
        f"{path.name}: {line}"
        for path, text in reference_pages()
        for line in text.splitlines()
        if line.startswith("| `") and line.endswith("|  |") and "`'" not in line
    ]
    assert not unexplained


def test_every_page_of_the_documentation_is_in_its_contents() -> None:
    contents = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    folders = ("how-to", "explanation")
    pages = [
        path.relative_to(ROOT / "docs").as_posix() for f in folders for path in (ROOT / "docs" / f).iterdir()
    ]
    assert [page for page in pages if f"({page})" not in contents] == []


def test_the_architecture_fits_in_150_lines() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) < 150


def test_the_picture_of_a_report_is_small_enough_to_load_with_the_page() -> None:
    assert 10_000 < (ROOT / "docs" / "images" / "report.png").stat().st_size <= 400_000
