"""Rows under conditions are compared with real rows as asked; privacy is asked of everyone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.unit.metrics.patients import comparison, simulate
from understudy.core.catalog import Choice
from understudy.core.conditions import Balanced, Conditions, Share, parse_where
from understudy.core.contracts import Comparison
from understudy.core.events import silent
from understudy.core.seeds import Seed
from understudy.store.artifacts import ArtifactStore
from understudy.workflow.asked import as_asked
from understudy.workflow.evaluate import evaluate

TRAIN, HELD = simulate(800), simulate(500, seed=1)


def share(frame: pl.DataFrame, name: str, value: object) -> float:
    return float((frame[name] == value).mean())  # type: ignore[arg-type]


def test_without_conditions_all_rows_are_compared() -> None:
    asked = as_asked(TRAIN, HELD, Conditions(), Seed(0))
    assert asked.train is TRAIN
    assert asked.holdout is HELD
    assert asked.note == ""


def test_both_sides_are_thinned_to_the_proportions_asked_for_and_no_row_is_repeated() -> None:
    given = Conditions(shares=(Share(column="sex", value="male", proportion=0.8), Balanced(column="died")))
    asked = as_asked(TRAIN, HELD, given, Seed(0))
    assert asked.holdout is not None
    for part in (asked.train, asked.holdout):
        assert share(part.frame, "sex", "male") == pytest.approx(0.8, abs=0.02)
        assert share(part.frame, "died", True) == pytest.approx(0.5, abs=0.02)
        assert part.frame["mrn"].is_unique().all()
    assert "80 % sex = male" in asked.note


def test_proportions_hold_among_the_rows_that_satisfy_the_ranges() -> None:
    given = Conditions(
        where=(parse_where("age>=50"),), shares=(Share(column="sex", value="male", proportion=0.3),)
    )
    asked = as_asked(TRAIN, HELD, given, Seed(0))
    assert asked.train.frame["age"].min() >= 50  # type: ignore[operator]
    assert share(asked.train.frame, "sex", "male") == pytest.approx(0.3, abs=0.01)


def test_too_few_rows_as_asked_are_said_and_all_are_compared() -> None:
    asked = as_asked(TRAIN, HELD, Conditions(where=(parse_where("age>=92"),)), Seed(0))
    assert asked.train is TRAIN
    assert "Fewer than 50 real rows are as asked" in asked.note


def test_what_was_asked_for_is_no_infidelity_and_copies_of_those_left_out_are_found(tmp_path: Path) -> None:
    plain = comparison(600)
    given = Conditions(shares=(Share(column="sex", value="male", proportion=0.9),))
    wide = simulate(3000, seed=5)
    male = np.flatnonzero((wide.frame["sex"] == "male").to_numpy())[:540]
    female = np.flatnonzero((plain.real.frame["sex"] == "female").to_numpy())[:60]
    made = plain.real.with_frame(pl.concat([wide.frame[male], plain.real.frame[female]]))
    asked = as_asked(plain.real, plain.holdout, given, Seed(0))
    everyone = Comparison(plain.real, made, plain.holdout, Seed(1))
    choices = [Choice(name="marginals"), Choice(name="copies")]

    def measured(like: Comparison) -> tuple[float, float]:
        found = evaluate([lambda: like], choices, ArtifactStore(tmp_path), silent, everyone)
        values = [r.estimate.value for r in found.results if r.estimate is not None]
        return values[0], values[1]

    unlike, _ = measured(everyone)
    alike, copied = measured(Comparison(asked.train, made, asked.holdout, Seed(1)))
    assert alike > unlike + 0.02
    assert copied == pytest.approx(0.1, abs=0.001)
