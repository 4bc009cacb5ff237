"""Finished steps are kept by what determines them, and appear complete or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from understudy.core.errors import OutputError
from understudy.store.artifacts import ArtifactStore, unwritable, writing


def _make(text: str, calls: list[str]):
    def make(folder: Path) -> None:
        calls.append(text)
        (folder / "result.txt").write_text(text)

    return make


def test_a_step_is_made_once_for_the_same_inputs(tmp_path: Path) -> None:
    store, calls = ArtifactStore(tmp_path / "work"), list[str]()
    first = store.once("fit", {"a": 1, "b": [2, 3]}, _make("x", calls))
    second = store.once("fit", {"b": [2, 3], "a": 1}, _make("y", calls))
    assert calls == ["x"]
    assert (first.is_reused, second.is_reused) == (False, True)
    assert (second.folder / "result.txt").read_text() == "x"


@pytest.mark.parametrize(("step", "inputs"), [("fit", {"a": 2}), ("fit", {}), ("sample", {"a": 1})])
def test_other_inputs_or_another_step_are_made_anew(tmp_path: Path, step: str, inputs: dict) -> None:
    store, calls = ArtifactStore(tmp_path), list[str]()
    store.once("fit", {"a": 1}, _make("x", calls))
    assert not store.once(step, inputs, _make("y", calls)).is_reused
    assert calls == ["x", "y"]


def test_a_step_that_fails_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)

    def breaks(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.once("fit", {}, breaks)
    assert not list((tmp_path / "fit").iterdir())
    assert not store.once("fit", {}, _make("x", [])).is_reused


def test_results_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    made = ArtifactStore(tmp_path / "work").once("fit", {}, _make("x", []))
    assert made.folder.stat().st_mode & 0o077 == 0


def test_a_replaced_folder_is_the_old_one_until_it_is_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "release"
    with writing(target) as partial:
        (partial / "a").write_text("old")
    with writing(target) as partial:
        (partial / "b").write_text("new")
        assert [p.name for p in target.iterdir()] == ["a"]
    assert [p.name for p in target.iterdir()] == ["b"]
    assert [p.name for p in tmp_path.iterdir()] == ["release"]


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    def breaks() -> None:
        with writing(tmp_path / "release") as partial:
            (partial / "a").write_text("x")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="the disk is full"):
        breaks()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_named_with_its_reason() -> None:
    error = unwritable(Path("out"), PermissionError(errno.EACCES, "Permission denied"))
    assert "cannot write 'out': Permission denied" in str(error)
