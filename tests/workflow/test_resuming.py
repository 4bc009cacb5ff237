"""Runs that stop half-way, run again, or may not write: finished steps are kept, half releases never seen."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.cli.calling import call
from tests.workflow.simulated import FILES, QUICK, patients, plan_of, tables, written
from understudy.core.errors import OutputError
from understudy.core.events import Finished, Started
from understudy.workflow.plan import MEMORY
from understudy.workflow.run import run

FRAMES = {MEMORY: patients()}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return written(patients(), tmp_path / "patients.csv")


def finished(out: Path, plan) -> dict[str, bool]:
    """Carry out a plan; gives by step whether it was reused."""
    events: list = []
    run(plan, out, frames=FRAMES, notify=events.append)
    return {event.step: event.reused for event in events if isinstance(event, Finished)}


def test_a_second_run_with_the_same_inputs_reuses_every_finished_step(tmp_path: Path) -> None:
    plan = plan_of(patients(), "marginals", "pairs")
    first = finished(tmp_path / "release", plan)
    assert not first["fit"]
    assert not first["sample"]
    measured = sorted((tmp_path / "release.work/measure").iterdir())
    second = finished(tmp_path / "release", plan)
    assert second["fit"]
    assert second["sample"]
    assert sorted((tmp_path / "release.work/measure").iterdir()) == measured


def test_only_what_depends_on_a_change_is_done_again(tmp_path: Path) -> None:
    plan = plan_of(patients())
    finished(tmp_path / "release", plan)
    more = finished(tmp_path / "release", plan.model_copy(update={"rows": 50}))
    assert more["fit"]
    assert not more["sample"]
    other = finished(tmp_path / "release", plan.model_copy(update={"seed": 1}))
    assert not other["fit"]


def test_a_second_synthesis_says_which_steps_it_took_from_the_first(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("synthesize", str(table), "--out", str(tmp_path / "release"), *QUICK)
    first, second = (call(monkeypatch, *options).err.count("taken from the earlier run") for _ in range(2))
    assert (first, second) == (0, 2)


@pytest.mark.parametrize("step", ["fit", "sample", "evaluate", "release"])
def test_an_interrupted_run_leaves_no_release_and_goes_on_afterwards(tmp_path: Path, step: str) -> None:
    plan, out = plan_of(patients()), tmp_path / "release"

    def interrupt(event) -> None:
        if isinstance(event, Started) and event.step == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(plan, out, frames=FRAMES, notify=interrupt)
    assert not out.exists()
    assert not list(tmp_path.rglob(".*partial*"))
    after = finished(out, plan)
    assert after["fit"] == (step != "fit")
    assert after["sample"] == (step in ("evaluate", "release"))
    assert sorted(path.name for path in out.iterdir()) == FILES


def test_a_signal_ends_with_130_and_the_same_command_goes_on(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "release"
    command = [sys.executable, "-m", "understudy.cli.app", "synthesize", str(table), "--out", str(out)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(tmp_path.glob("release.work/measure/*")):
        time.sleep(0.02)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "goes on where it stopped" in said
    assert "Traceback" not in said
    assert not out.exists()
    assert not list(tmp_path.rglob(".*partial*"))
    kept = sorted(p.name for p in (tmp_path / "release.work/fit").iterdir())
    again = subprocess.run(
        [*command, "--holdout", "0.2", "--json"], capture_output=True, text=True, check=False, timeout=120
    )
    assert again.returncode in (0, 3)
    assert json.loads(again.stdout)["seconds"]
    assert set(kept) <= {p.name for p in (tmp_path / "release.work/fit").iterdir()}


# --- where the release is written ----------------------------------------------------------------


def test_an_earlier_release_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "release"
    run(plan_of(patients()), out, frames=FRAMES)
    (out / "left-over.txt").write_text("from another time")
    run(plan_of(patients(), rows=33), out, frames=FRAMES)
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert tables(out).height == 33
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release", "release.work"]


def test_an_earlier_release_stays_while_the_new_one_fails(tmp_path: Path) -> None:
    out = tmp_path / "release"
    run(plan_of(patients()), out, frames=FRAMES)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def interrupt(event) -> None:
        if isinstance(event, Started) and event.step == "release":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(plan_of(patients(), rows=33), out, frames=FRAMES, notify=interrupt)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_folder_that_holds_other_things_is_refused_and_untouched(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years of work")
    said = call(monkeypatch, "synthesize", str(table), "--out", str(tmp_path / "mine"), *QUICK)
    assert said.code == 2
    assert "holds other files; nothing was written" in said.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    assert not (tmp_path / "mine.work").exists()


def test_an_empty_folder_is_taken(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "release").mkdir()
    assert call(monkeypatch, "synthesize", str(table), "--out", str(tmp_path / "release"), *QUICK).code == 0


@pytest.mark.parametrize("place", ["patients.csv", "patients.csv/release", "/proc/nowhere/release"])
def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    table: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = table.read_bytes()
    said = call(monkeypatch, "synthesize", str(table), "--out", str(tmp_path / place), *QUICK)
    assert said.code == 2
    assert "cannot write" in said.err
    assert "Learning" not in said.err
    assert table.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["patients.csv"]


@pytest.mark.parametrize("verb", ["plan", "profile"])
def test_a_document_that_cannot_be_written_is_refused(
    table: Path, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(monkeypatch, verb, str(table), "--out", "/proc/nowhere/file.yaml")
    assert said.code == 2
    assert "cannot write" in said.err


def test_a_full_disk_ends_with_a_clear_error_and_no_half_release(tmp_path: Path) -> None:
    out, plan = tmp_path / "release", plan_of(patients())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails with an error, as on a full disk
    run(plan, tmp_path / "warm", work=tmp_path / "work", frames=FRAMES)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
        with pytest.raises(OutputError, match="cannot write"):
            run(plan, out, work=tmp_path / "work", frames=FRAMES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert not out.exists()
    assert sorted(os.listdir(tmp_path)) == ["warm", "work"]
