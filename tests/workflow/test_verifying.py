"""`understudy verify` and `report`: every changed byte is found, and a stored release is told anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.unit.cli.calling import call
from tests.workflow.simulated import patients, plan_of
from understudy.core.errors import ArtifactError
from understudy.workflow.plan import MEMORY
from understudy.workflow.release import verify
from understudy.workflow.run import run

FLIPS = 200


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("verify") / "release"
    run(plan_of(patients(), "marginals", "pairs"), out, frames={MEMORY: patients()})
    return out


@pytest.fixture
def release(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "release"))


def is_intact(release: Path) -> bool:
    try:
        return not verify(release)
    except ArtifactError:
        return False


def test_a_release_is_intact_as_it_was_written_also_elsewhere(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(monkeypatch, "verify", str(release))
    assert said.code == 0
    assert "intact" in said.out


def test_every_flipped_bit_is_found_in_whatever_file(release: Path) -> None:
    rng = np.random.default_rng(0)
    files = sorted(path for path in release.rglob("*") if path.is_file())
    for number in range(FLIPS):
        path = files[number % len(files)]
        content = bytearray(path.read_bytes())
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        before = path.read_bytes()
        path.write_bytes(content)
        assert not is_intact(release), path.name
        path.write_bytes(before)
    assert is_intact(release)


def test_every_byte_of_the_manifest_counts(release: Path) -> None:
    path = release / "manifest.json"
    before = path.read_bytes()
    for place in range(0, len(before), 7):
        path.write_bytes(before[:place] + before[place + 1 :])
        assert not is_intact(release), place
    path.write_bytes(before + b" ")
    assert not is_intact(release)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda r: (r / "card.md").unlink(), "card.md is missing"),
        (lambda r: (r / "more.csv").write_text("x"), "more.csv is not in the manifest"),
        (lambda r: (r / "data/more.csv").write_text("x"), "data/more.csv is not in the manifest"),
        (lambda r: (r / "link").symlink_to("/etc/hostname"), "link is not in the manifest"),
        (lambda r: (r / "card.md").write_text(""), "card.md was changed"),
        (lambda r: shutil.move(r / "data", r / "withheld"), "data/patients.csv is missing"),
    ],
)
def test_what_is_missing_added_or_changed_is_named_and_ends_with_four(
    release: Path, damage, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(release)
    told = call(monkeypatch, "verify", str(release), "--json")
    assert told.code == 4
    document = json.loads(told.out)
    assert not document["is_intact"]
    assert any(said in problem for problem in document["problems"])


def test_a_file_that_became_a_link_is_found_even_if_the_bytes_agree(release: Path, tmp_path: Path) -> None:
    shutil.move(release / "card.md", tmp_path / "card.md")
    (release / "card.md").symlink_to(tmp_path / "card.md")
    assert not is_intact(release)


def test_a_folder_that_is_no_release_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(monkeypatch, "verify", str(tmp_path))
    assert said.code == 2
    assert "has no manifest.json" in said.err


def test_a_manifest_of_a_newer_format_is_refused(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = release / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    said = call(monkeypatch, "verify", str(release))
    assert said.code == 2
    assert "format 99" in said.err


def test_the_report_is_composed_anew_from_a_release_or_an_evaluation_alone(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (release / "report.html").read_bytes()
    alone = Path(shutil.copy(release / "evaluation.json", tmp_path / "stored.json"))
    shutil.rmtree(release / "data")
    for number, source in enumerate((release, alone)):
        out = tmp_path / f"{number}.html"
        assert call(monkeypatch, "report", str(source), "--out", str(out)).code == 0
        assert out.read_bytes() == page


def test_a_report_of_chosen_sections_and_another_renderer_is_shorter(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "short.md"
    options = ("--renderer", "markdown", "--sections", "provenance", "--out", str(out))
    assert call(monkeypatch, "report", str(release), *options).code == 0
    assert 0 < len(out.read_bytes()) < len((release / "report.html").read_bytes()) / 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sections", "fidelty"), "Did you mean 'fidelity'?"),
        (("--renderer", "htm"), "Did you mean 'html'?"),
    ],
)
def test_a_section_or_renderer_that_does_not_exist_is_refused(
    release: Path, tmp_path: Path, options: tuple[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = call(monkeypatch, "report", str(release), "--out", str(tmp_path / "r"), *options)
    assert told.code == 2
    assert said in told.err
    assert not (tmp_path / "r").exists()


def test_a_file_that_is_no_evaluation_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "e.json").write_text("{}")
    told = call(monkeypatch, "report", str(tmp_path / "e.json"), "--out", str(tmp_path / "r.html"))
    assert told.code == 2
    assert "is no evaluation" in told.err
