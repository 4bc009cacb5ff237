"""Agreement with published figures: what agrees, what does not, and whether it is said."""

from __future__ import annotations

import polars as pl
import pytest

from understudy.core.dataset import Dataset
from understudy.core.results import MetricResult, Outcome
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.core.seeds import Seed
from understudy.metrics.clinical import without_real
from understudy.metrics.reference import against_published, read_by_reference
from understudy.populations.cohorts import narrowed
from understudy.populations.us_adults import UsAdults

PEOPLE = narrowed(UsAdults().build(), read_by_reference({})).sample(4_000, Seed(3))
DIABETES = {"type_2_diabetes": "diabetes_diagnosed"}


def changed(name: str, change: pl.Expr) -> Dataset:
    return PEOPLE.with_frame(PEOPLE.frame.with_columns(change.alias(name)))


def gaps(result: MetricResult, name: str) -> list[float]:
    return [d.estimate.value for d in result.details if d.name.startswith(name) and d.estimate]


def test_people_of_the_survey_agree_with_its_figures() -> None:
    result = against_published(PEOPLE)
    assert result.estimate is not None
    assert result.estimate.value > 0.9
    assert len(result.details) > 80


def test_a_shifted_column_is_found_in_every_group() -> None:
    result = against_published(changed("systolic_bp", pl.col("systolic_bp") + 8))
    means = [
        d for d in result.details if d.name.startswith("Systolic") and d.name.endswith("mean") and d.estimate
    ]
    assert len(means) == 3
    assert all(d.estimate and d.estimate.value > 1 for d in means)


def test_a_wider_spread_is_found_where_the_mean_agrees() -> None:
    middle = float(PEOPLE.frame["bmi"].mean() or 0)  # type: ignore[arg-type]
    result = against_published(changed("bmi", middle + 1.5 * (pl.col("bmi") - middle)))
    spreads = [d for d in result.details if "standard deviation" in d.name and d.name.startswith("Body mass")]
    assert spreads
    assert all(d.estimate and d.estimate.value > 1 for d in spreads)


def test_a_wrong_prevalence_is_found() -> None:
    result = against_published(changed("history_stroke", pl.lit(value=True)))
    assert max(gaps(result, "History of stroke")) > 10
    assert "History of stroke" in result.reading


def test_the_prevalence_of_a_condition_is_compared_by_sex_age_and_race() -> None:
    more = len(against_published(PEOPLE, DIABETES).details) - len(against_published(PEOPLE).details)
    assert more >= 8


def test_columns_without_a_published_figure_do_not_apply() -> None:
    schema = Schema(tables=(Table(columns=(Column(name="zorg", kind=Kind.NUMBER),)),))
    rows = Dataset.of(schema, pl.DataFrame({"zorg": [1.0] * 200}))
    assert against_published(rows).outcome is Outcome.NOT_APPLICABLE


def test_people_of_the_population_break_no_hard_rule_and_a_slip_is_counted() -> None:
    fine = without_real(PEOPLE)
    assert fine.estimate is not None
    assert fine.estimate.value == 0
    slipped = pl.when(pl.int_range(pl.len()) < 40).then(30.0).otherwise(pl.col("systolic_bp"))
    result = without_real(changed("systolic_bp", slipped))
    assert result.estimate is not None
    assert result.estimate.value == pytest.approx(0.01)
