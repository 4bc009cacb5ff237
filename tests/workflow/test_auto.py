"""`--synthesizer auto`: chosen on rows set aside, judged on the untouched holdout, with the reason in the plan."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from tests.unit.cli.calling import call
from tests.workflow.simulated import patients, plan_of, written
from understudy.core.events import Event, Finished
from understudy.workflow import choose
from understudy.workflow.plan import MEMORY, Plan
from understudy.workflow.run import run


@pytest.fixture(autouse=True)
def few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask one thing of the candidates, on one split."""
    monkeypatch.setattr(choose, "QUESTIONS", ("pairs",))
    monkeypatch.setattr(choose, "tune_splits", lambda rows: 1)


def carried_out(plan: Plan, frame: pl.DataFrame, out: Path) -> tuple[dict, list[Event]]:
    """Carry out a plan; gives the plan that its release holds, and what was told."""
    told: list[Event] = []
    run(plan, out, frames={MEMORY: frame}, notify=told.append)
    return yaml.safe_load((out / "plan.yaml").read_text()), told


def test_the_plan_of_the_release_names_who_was_chosen_and_why(tmp_path: Path) -> None:
    plan = plan_of(patients(), synthesizer="auto", target="outcome")
    done, told = carried_out(plan, patients(), tmp_path / "release")
    assert done["synthesizer"]["name"] in (
        "sequential_trees",
        "gaussian_copula",
        "bayes_net",
        "adversarial_forest",
    )
    assert done["synthesizer"]["reason"].startswith("auto: ")
    assert "sequential_trees pairs 0." in done["synthesizer"]["reason"]
    assert "auto: " in (tmp_path / "release/report.html").read_text()
    assert "choose" in [event.step for event in told if isinstance(event, Finished)]


def test_the_holdout_has_no_say_in_the_choice(tmp_path: Path) -> None:
    frame = patients()
    plan = plan_of(frame, synthesizer="auto", target="outcome")
    learned = Plan.model_validate(plan.model_dump(by_alias=True))
    told = []
    for name, held in (("same", frame.tail(40)), ("other", frame.tail(40).with_columns(outcome=1, age=20))):
        own = learned.model_copy(update={"holdout": type(plan.holdout)(table="<held>")})
        frames = {MEMORY: frame.head(120), "<held>": held}
        run(own, tmp_path / name, frames=frames)
        told.append(yaml.safe_load((tmp_path / name / "plan.yaml").read_text())["synthesizer"])
    assert told[0] == told[1]


def test_a_second_run_tries_nobody_again(tmp_path: Path) -> None:
    plan = plan_of(patients(), synthesizer="auto")
    carried_out(plan, patients(), tmp_path / "release")
    trials = {path: path.stat().st_mtime_ns for path in (tmp_path / "release.work/trial").iterdir()}
    carried_out(plan, patients(), tmp_path / "release")
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "release.work/trial").iterdir()} == trials
    assert trials


def test_settings_without_a_synthesizer_to_take_them_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = written(patients(), tmp_path / "patients.csv")
    said = call(
        monkeypatch, "synthesize", str(table), "-s", "auto", "--set", "leaf=3", "--out", str(tmp_path / "r")
    )
    assert said.code == 2
    assert "auto" in said.err


def test_a_plan_may_leave_the_choice_to_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = written(patients(), tmp_path / "patients.csv")
    said = call(monkeypatch, "plan", str(table), "--synthesizer", "auto")
    assert said.code == 0, said.err
    assert yaml.safe_load(said.out)["synthesizer"]["name"] == "auto"
