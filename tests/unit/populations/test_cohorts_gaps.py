"""Gaps of a cohort: as frequent as in the survey, together where they arise together, aggregates only."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from understudy.core.seeds import Seed
from understudy.populations.cohorts import narrowed
from understudy.populations.gaps import FEWEST, FILE, gaps, measure_gaps, with_gaps, write_gaps
from understudy.populations.nhanes import read_adults
from understudy.populations.us_adults import UsAdults

NAMES = ("age", "systolic_bp", "diastolic_bp", "total_cholesterol", "hdl", "triglycerides", "ldl", "waist", "egfr",
         "creatinine", "phq9_total")  # fmt: skip
WHOLE = narrowed(UsAdults().build(), NAMES).sample(6_000, Seed(1))
RAW = Path(os.environ.get("UNDERSTUDY_SHARED", Path(__file__).parents[4] / "shared")) / "data/nhanes/raw"


def missing(frame: pl.DataFrame, name: str) -> float:
    return 100 * frame[name].null_count() / frame.height


def test_values_are_missing_as_often_as_in_the_survey() -> None:
    frame = with_gaps(WHOLE, Seed(2)).frame
    for low, high in ((20, 40), (40, 60), (60, 200)):
        group = frame.filter((pl.col("age") >= low) & (pl.col("age") < high))
        known = next(g.percent for g in gaps() if (g.block, g.observation, g.age) == ("P_BPXO", "", low))
        assert missing(group, "systolic_bp") == pytest.approx(known, abs=2)


def test_what_is_measured_together_is_missing_together() -> None:
    frame = with_gaps(WHOLE, Seed(2)).frame
    assert frame.filter(pl.col("systolic_bp").is_null() != pl.col("diastolic_bp").is_null()).is_empty()
    assert missing(frame, "ldl") < missing(frame, "hdl") + 4


def test_what_follows_from_a_missing_value_is_missing() -> None:
    frame = with_gaps(WHOLE, Seed(2)).frame
    assert frame.filter(pl.col("hdl").is_null() & pl.col("ldl").is_not_null()).is_empty()
    assert frame.filter(pl.col("creatinine").is_null() != pl.col("egfr").is_null()).is_empty()


def test_columns_that_people_were_chosen_by_stay_complete() -> None:
    frame = with_gaps(WHOLE, Seed(2), complete=("systolic_bp",)).frame
    assert frame["systolic_bp"].null_count() == 0
    assert frame["diastolic_bp"].null_count() > 0


def test_who_is_chosen_by_a_computed_value_has_what_it_is_computed_from() -> None:
    frame = with_gaps(WHOLE, Seed(2), complete=("egfr", "ldl")).frame
    for name in ("egfr", "creatinine", "total_cholesterol", "hdl", "triglycerides"):
        assert frame[name].null_count() == 0
    assert frame["waist"].null_count() > 0


def test_values_that_are_there_are_unchanged_and_the_seed_decides() -> None:
    one, same, other = (with_gaps(WHOLE, Seed(s)).frame for s in (2, 2, 3))
    assert one.equals(same)
    assert not one.equals(other)
    kept = one["waist"].is_not_null()
    assert one["waist"].filter(kept).equals(WHOLE.frame["waist"].filter(kept))


def test_no_gap_rests_on_fewer_than_eleven_people() -> None:
    for gap in gaps():
        # Weights move a share away from the count, by less than a factor of three in this survey.
        assert gap.percent / 100 * gap.people >= FEWEST / 3


@pytest.mark.skipif(not RAW.is_dir(), reason="the survey's raw files are not here")
def test_the_gaps_that_ship_are_those_of_the_survey() -> None:
    shipped = files("understudy.populations").joinpath("data", FILE).read_text(encoding="utf-8")
    assert write_gaps(measure_gaps(read_adults(RAW))) == shipped
