"""The copy checks: verbatim and near copies, one-of-a-kind numbers, and the distance to the closest record."""

import numpy as np
import polars as pl
import pytest

from tests.unit.metrics.privacy_tables import comparison, jittered, planted, release
from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.results import Estimate, Outcome, pool
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.core.seeds import Seed
from understudy.metrics.closest_record import ClosestRecord
from understudy.metrics.copies import EXACT, EXCESS, HOLDOUT, NEAR, SYNTHETIC, UNIQUE, Copies
from understudy.metrics.measures import ALL
from understudy.metrics.membership import Membership
from understudy.metrics.proportions import difference, wilson
from understudy.metrics.single_values import SingleValues

FRESH = comparison(600, 300)
METRICS = (Copies(), ClosestRecord(), Membership(), SingleValues())


def value(estimate: Estimate | None) -> float:
    assert estimate is not None
    return estimate.value


def low(estimate: Estimate | None) -> float:
    assert estimate is not None
    assert estimate.low is not None
    return estimate.low


def test_a_verbatim_copy_under_new_keys_fails_every_privacy_metric() -> None:
    copy = release(FRESH, planted(FRESH.synthetic, FRESH.real, 1.0))
    copies, closest, membership, single = (metric.measure(copy) for metric in METRICS)
    assert value(copies.estimate) == 1.0
    assert value(closest.estimate) > 0.99
    assert value(membership.estimate) > 0.99
    assert low(copies.estimate) > 0.9
    assert low(closest.estimate) > 0.9
    assert low(single.estimate) > 0.5


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_planted_copies_are_counted_to_half_a_point(share: float) -> None:
    large = comparison(2000, 900)
    result = Copies().measure(release(large, planted(large.synthetic, large.real, share)))
    assert value(result.estimate) == pytest.approx(share, abs=0.005)
    assert low(result.estimate) > 0
    assert low(result.detail(UNIQUE, EXCESS).estimate) > 0


def test_rows_that_agree_by_chance_are_no_copies() -> None:
    coarse = [part.select(["sex", "race", "disease"]) for part in (FRESH.real, FRESH.synthetic)]
    assert FRESH.holdout is not None
    result = Copies().measure(
        Comparison(coarse[0], coarse[1], FRESH.holdout.select(["sex", "race", "disease"]))
    )
    assert value(result.detail(EXACT, SYNTHETIC).estimate) > 0.95
    assert value(result.detail(EXACT, HOLDOUT).estimate) > 0.95
    assert low(result.estimate) == 0
    assert "no more than by chance" in result.reading


def test_jittered_patients_are_near_copies_though_no_row_is_equal() -> None:
    result = Copies().measure(release(FRESH, jittered(FRESH.real, 0.15)))
    assert value(result.estimate) < 0.05
    assert low(result.detail(NEAR, EXCESS).estimate) > 0.3
    assert "near copies" in result.reading


def test_fresh_patients_hold_neither_copies_nor_near_copies() -> None:
    result = Copies().measure(FRESH)
    assert low(result.estimate) == 0
    assert low(result.detail(NEAR, EXCESS).estimate) == 0


def finely_measured(seed: int, people: int = 600, held: int = 300) -> Comparison:
    """Compare people whose body mass index is written to six decimals, so that nobody shares one."""
    plain = comparison(people, held, seed)
    assert plain.holdout is not None
    fine = plain.real.schema.with_table(
        plain.real.table.replacing([Column(name="bmi", kind=Kind.NUMBER, decimals=6)])
    )
    parts = (plain.real, plain.synthetic, plain.holdout)
    real, fresh, holdout = (
        jittered(part, 0.01, 3 * seed + k).with_schema(fine) for k, part in enumerate(parts)
    )
    return Comparison(real, fresh, holdout, Seed(seed))


def test_numbers_that_single_people_out_are_noticed_when_taken_over() -> None:
    of = finely_measured(0)
    assert of.holdout is not None
    taken = SingleValues().measure(Comparison(of.real, of.independent, of.holdout))
    assert low(taken.detail(ALL, EXCESS).estimate) > 0.1
    assert low(taken.detail("bmi").estimate) > 0.95
    assert "beyond doubt: " in taken.reading
    assert "bmi" in taken.reading
    assert value(taken.detail("sex=female").estimate) > 0.1
    assert value(SingleValues().measure(of).detail("bmi").estimate) < 0.05


def test_one_column_in_which_one_number_in_ten_returns_is_named() -> None:
    of = finely_measured(1)
    some = pl.Series(np.arange(of.real.rows) < of.real.rows / 10)
    bmi = of.real.frame["bmi"].zip_with(some, of.synthetic.frame["bmi"])
    result = SingleValues().measure(
        release(of, of.synthetic.with_frame(of.synthetic.frame.with_columns(bmi)))
    )
    assert low(result.detail("bmi").estimate) > 0
    assert result.reading.endswith("beyond doubt: bmi.")


def test_fresh_people_return_no_more_single_numbers_than_chance_among_many_columns() -> None:
    alarms = 0
    for seed in range(40):
        result = SingleValues().measure(comparison(300, 150, seed))
        alarms += any(low(d.estimate) > 0 for d in result.details if d.scope == "column" and d.estimate)
        alarms += low(result.estimate) > 0
    assert alarms <= 5


def test_too_few_single_numbers_are_inconclusive_and_none_at_all_is_no_question() -> None:
    few = comparison(60, 5)
    assert SingleValues().measure(few).outcome is Outcome.INCONCLUSIVE
    assert few.holdout is not None
    real, fresh, held = (part.select(["sex", "race"]) for part in (few.real, few.synthetic, few.holdout))
    assert SingleValues().measure(Comparison(real, fresh, held)).outcome is Outcome.NOT_APPLICABLE


def test_minus_zero_missing_values_and_trailing_digits_do_not_hide_a_copy() -> None:
    columns = tuple(Column(name=name, kind=Kind.NUMBER, decimals=1) for name in ("a", "b"))
    schema = Schema(tables=(Table(columns=columns),))
    rows = [(0.0, None), (1.0, 2.0), (None, 0.5)]
    same = [(-0.0, None), (1.0 + 1e-12, 2.04), (None, 0.5)]
    other = [(7.0 + i, 8.0) for i in range(3)]
    real, synthetic, holdout = (
        Dataset.of(schema, pl.DataFrame(r, schema=["a", "b"], orient="row")) for r in (rows, same, other)
    )
    assert value(Copies().measure(Comparison(real, synthetic, holdout)).estimate) == 1.0


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: type(metric).__name__)
def test_privacy_metrics_refuse_to_run_without_a_holdout(metric) -> None:
    result = metric.measure(Comparison(FRESH.real, FRESH.synthetic))
    assert result.outcome is Outcome.NOT_APPLICABLE
    assert result.estimate is None
    assert "holdout" in result.reason


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: type(metric).__name__)
def test_more_copies_are_never_better(metric) -> None:
    found = [
        metric.measure(release(FRESH, planted(FRESH.synthetic, FRESH.real, s))) for s in (0.0, 0.2, 0.6, 1.0)
    ]
    values = [value(result.estimate) for result in found]
    assert values == sorted(values)
    assert all(r.estimate is not None and r.estimate.holds(r.estimate.value) for r in found)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: type(metric).__name__)
def test_tables_of_one_row_or_of_constants_are_answered(metric) -> None:
    assert FRESH.holdout is not None
    for real, holdout in (
        (FRESH.real.take(np.array([0])), FRESH.holdout),
        (FRESH.real, FRESH.holdout.take(np.array([0]))),
    ):
        result = metric.measure(Comparison(real, FRESH.synthetic, holdout))
        assert result.outcome is not Outcome.FAILED
    constant = FRESH.real.select(["site"])
    result = metric.measure(Comparison(constant, constant, constant))
    assert result.outcome is Outcome.NOT_APPLICABLE


def test_the_closest_record_is_as_often_a_training_row_as_at_equal_sizes() -> None:
    estimates = [ClosestRecord().measure(comparison(400, 150, seed)).estimate for seed in range(20)]
    assert np.mean([value(e) for e in estimates]) == pytest.approx(0.5, abs=0.03)
    assert sum(e is not None and e.holds(0.5) for e in estimates) >= 18


def test_the_closest_record_calls_itself_a_copy_check() -> None:
    result = ClosestRecord().measure(FRESH)
    assert "copy check" in result.title
    assert "says nothing of membership risk" in result.reading


def test_copies_of_repeated_splits_pool_and_are_explained_anew() -> None:
    splits = []
    for seed in range(3):
        one = comparison(200, 90, seed)
        splits.append(Copies().measure(release(one, planted(one.synthetic, one.real, 0.3))))
    pooled = Copies().explain(pool(splits, 0.45))
    assert value(pooled.estimate) == pytest.approx(0.3, abs=0.02)
    assert "30.0%" in pooled.reading


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # Newcombe 1998, table II, method 10: 56/70 - 48/80.
    found = difference(wilson(56 / 70, 70), wilson(48 / 80, 80))
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0524, abs=1e-4)
    assert found.high == pytest.approx(0.3339, abs=1e-4)
