"""The clinical metric: rules of the knowledge base, on the real rows first."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import polars as pl
import pytest

from tests.unit.metrics.patients import comparison, simulate
from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.results import MetricResult, Outcome
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.metrics.catalog import CATALOG
from understudy.metrics.clinical import ASIDE, EXCESS


def measure(compared: Comparison) -> MetricResult:
    return CATALOG.create("clinical").measure(compared)


def changed(rows: Dataset, *columns: pl.Expr) -> Dataset:
    return rows.with_frame(rows.frame.with_columns(columns))


def test_swapped_pressures_are_found_and_counted() -> None:
    fresh = comparison()
    swapped = changed(
        fresh.synthetic, pl.col("systolic").alias("diastolic"), pl.col("diastolic").alias("systolic")
    )
    result = measure(replace(fresh, synthetic=swapped))
    assert result.estimate is not None
    assert result.estimate.value == pytest.approx(1.0)
    part = next(d for d in result.details if d.measure == EXCESS)
    assert part.rows == swapped.rows
    assert "diastolic" in part.name.casefold()


def test_a_rule_that_the_real_data_break_too_is_set_aside() -> None:
    fresh = comparison()
    assert fresh.holdout is not None
    tenfold = [
        changed(rows, pl.col("systolic") * 10) for rows in (fresh.real, fresh.synthetic, fresh.holdout)
    ]
    result = measure(Comparison(tenfold[0], tenfold[1], tenfold[2], fresh.seed))
    assert result.estimate is not None
    assert result.estimate.value == 0
    assert any(d.measure == ASIDE for d in result.details)
    assert "set aside" in result.reading


def test_only_the_violations_beyond_the_real_ones_count() -> None:
    fresh = comparison()
    some = (pl.int_range(pl.len()) < 12).cast(pl.Float64) * 250
    dirty = [changed(rows, pl.col("diastolic") + some) for rows in (fresh.real, fresh.synthetic)]
    result = measure(Comparison(dirty[0], dirty[1], fresh.holdout, fresh.seed))
    assert result.estimate is not None
    assert result.estimate.value == pytest.approx(0.0)
    assert result.detail("real rows").estimate is not None


def test_a_table_of_unknown_columns_does_not_apply() -> None:
    schema = Schema(tables=(Table(columns=(Column(name="zorg", kind=Kind.NUMBER),)),))
    rows = Dataset.of(schema, pl.DataFrame({"zorg": [1.0, 2.0, 3.0]}))
    assert measure(Comparison(rows, rows)).outcome is Outcome.NOT_APPLICABLE


def test_five_thousand_rows_take_less_than_half_a_second() -> None:
    fresh = Comparison(simulate(5000), simulate(5000, 1), simulate(2500, 2))
    measure(fresh)
    began = process_time()
    measure(Comparison(simulate(5000, 3), simulate(5000, 1), simulate(2500, 2)))
    assert process_time() - began < 0.5
