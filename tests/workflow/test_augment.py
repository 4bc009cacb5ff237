"""`--augment` and `--balance`: rows to be added to the real ones, and whether they help a model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from tests.unit.cli.calling import Said, call
from tests.unit.metrics.patients import comparison
from tests.workflow.simulated import patients, quicker, tables, written
from understudy.core.contracts import Comparison
from understudy.core.schema import Role
from understudy.metrics.augmentation import smote, with_rows
from understudy.metrics.catalog import CATALOG
from understudy.metrics.task import task_of


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Plan the augmentation of a table of 300 people, of whom 60 have the outcome; no holdout."""
    frame = patients(300).with_columns(outcome=(pl.int_range(300) < 60).cast(pl.Int64))
    table = written(frame, tmp_path / "patients.csv")

    def plan(*options: str) -> Said:
        out = ("--out", str(tmp_path / "plan.yaml"))
        given = ("--synthesizer", "gaussian_copula", "--holdout", "none", "--target", "outcome")
        return call(monkeypatch, "plan", str(table), *given, *options, *out)

    return plan


@pytest.mark.parametrize(
    ("options", "rows", "cases"),
    [
        (("--balance", "outcome"), 180, 180),
        (("--balance", "outcome", "--augment", "100"), 100, 100),
        (("--balance", "outcome", "--augment", "300"), 300, 240),
        (("--augment", "50"), 50, None),
    ],
)
def test_added_rows_fill_up_the_rarer_level(
    planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options, rows: int, cases: int | None
) -> None:
    assert planned(*options).code == 0
    plan = yaml.safe_load((tmp_path / "plan.yaml").read_text())
    assert plan["rows"] == rows
    assert "to be added to the real rows" in plan["reasons"]["rows"]
    assert "augmentation" in [m if isinstance(m, str) else m["name"] for m in plan["metrics"]]
    quicker(tmp_path / "plan.yaml")
    out = tmp_path / "release"
    assert call(monkeypatch, "run", str(tmp_path / "plan.yaml"), "--out", str(out)).code in (0, 3)
    drawn = tables(out)
    assert drawn.height == rows
    if cases is not None:
        assert drawn["outcome"].sum() == cases


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--balance", "age"), "no column of levels"),
        (("--balance", "outcom"), "outcome"),
        (("--balance", "outcome", "--rows", "10"), "--rows"),
    ],
)
def test_what_cannot_be_balanced_is_refused(planned, options: tuple[str, ...], words: str) -> None:
    said = planned(*options)
    assert said.code == 2
    assert words in said.err


def test_whether_the_rows_help_is_said_with_its_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = written(patients(400), tmp_path / "patients.csv")
    plan, out = tmp_path / "plan.yaml", tmp_path / "release"
    given = ("--synthesizer", "gaussian_copula", "--target", "outcome", "--augment", "80", "--out", str(plan))
    assert call(monkeypatch, "plan", str(table), *given).code == 0
    quicker(plan, "augmentation")
    said = call(monkeypatch, "run", str(plan), "--out", str(out))
    assert "Adding 80 synthetic rows to 320 real ones changes AUROC by" in " ".join(said.out.split())
    (result,) = json.loads((out / "evaluation.json").read_text())["evaluation"]["results"]
    assert {d["name"] for d in result["details"]} >= {
        "real rows alone",
        "with the synthetic rows",
        "real rows and SMOTE",
    }


def test_rows_from_the_same_population_help_where_real_ones_are_few() -> None:
    whole = comparison(3000)
    few = Comparison(whole.real.take(np.arange(60)), whole.synthetic, whole.holdout, whole.seed)
    result = CATALOG.create("augmentation").measure(few)
    gain = result.detail("with the synthetic rows", "gain in AUROC").estimate
    assert gain is not None
    assert gain.low is not None
    assert gain.low > 0
    assert "it helps" in result.reading


def test_rows_whose_target_is_turned_round_do_harm_and_the_words_say_so() -> None:
    whole = comparison(1500)
    turned = whole.synthetic.with_frame(whole.synthetic.frame.with_columns(~pl.col("died")))
    many = with_rows(turned, with_rows(turned, turned))
    result = CATALOG.create("augmentation").measure(Comparison(whole.real, many, whole.holdout, whole.seed))
    assert "it does harm" in result.reading


def test_smote_makes_classes_equal_and_stays_between_neighbours() -> None:
    whole = comparison(600)
    task = task_of(whole)
    made = smote(task, whole.real, np.random.default_rng(0))
    both = with_rows(whole.real, made)
    sizes = both.frame[task.target.name].drop_nulls().value_counts()["count"]
    assert sizes.n_unique() == 1
    assert whole.real.table.having(Role.TARGET) == (task.target.name,)
    for column in ("systolic", "age"):
        low, high = whole.real.frame[column].min(), whole.real.frame[column].max()
        assert made.frame[column].min() >= low  # type: ignore[operator]
        assert made.frame[column].max() <= high  # type: ignore[operator]
