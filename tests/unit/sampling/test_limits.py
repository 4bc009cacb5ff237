"""Conditions become limits: no value that satisfies them is shut out, and none that does not gets in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from tests.unit.sampling.simulated import START, dataset, patients
from understudy.core.conditions import Between, Conditions, OneOf, parse_where
from understudy.core.schema import Column, Kind
from understudy.modalities.wishes import resolve
from understudy.sampling.limits import limits_of
from understudy.sampling.variables import MISSING, PRESENT, Variables

REAL = dataset(patients(1_500))
LEARNED, _ = Variables.fit(REAL, REAL.columns, np.random.default_rng(0))
MODELS: dict[str, Any] = {m.column.name: m for m in LEARNED.columns}


def limits(*texts):
    given_ = resolve(Conditions(where=tuple(parse_where(t) for t in texts)), REAL.schema)
    return limits_of(given_.where, REAL.schema, LEARNED.columns, LEARNED.variables)


def on(column, *texts):
    """Return the limits of a column's value and state, None where there is none."""
    found, model = limits(*texts), MODELS[column]
    return found.get(model.value), found.get(model.state)


def share(limit):
    """Return the probability of a limit on a normal score."""
    return float((ndtr(limit.high) - ndtr(limit.low)).sum())


def decoded(column, limit, points=400):
    """Return what the margin gives for normal scores all over the allowed intervals."""
    rng = np.random.default_rng(0)
    low, high = ndtr(limit.low), ndtr(limit.high)
    which = rng.integers(len(low), size=points)
    u = low[which] + (high[which] - low[which]) * rng.uniform(0.001, 0.999, points)
    return MODELS[column].margin.quantile(u)


@given(st.integers(18, 95), st.integers(0, 30), st.booleans(), st.booleans())
def test_a_range_of_whole_numbers_lets_through_exactly_its_numbers(low, width, low_open, high_open):
    ages = REAL.frame["age"]
    condition = Between(
        column="age", low=low, high=low + width, low_open=low_open, high_open=high_open and width > 0
    )
    limit = limits_of([condition], REAL.schema, LEARNED.columns, LEARNED.variables)[MODELS["age"].value]
    asked = (ages > low if low_open else ages >= low) & (
        ages < low + width if condition.high_open else ages <= low + width
    )
    assert share(limit) == pytest.approx(asked.mean(), abs=0.02)
    if share(limit) > 0:
        drawn = decoded("age", limit)
        assert (drawn > low).all() if low_open else (drawn >= low).all()
        assert (drawn <= low + width).all()


def test_equality_lets_through_one_rounded_number():
    value, _ = on("age", "age = 67")
    assert set(decoded("age", value)) == {67.0}
    assert share(value) == pytest.approx((REAL.frame["age"] == 67).mean(), abs=0.01)


def test_open_ranges_have_one_end():
    above, _ = on("bmi", "bmi > 30")
    below, _ = on("bmi", "bmi <= 30")
    assert above.high[0] == np.inf
    assert below.low[0] == -np.inf
    assert share(above) + share(below) == pytest.approx(1, abs=1e-9)


def test_two_ranges_on_a_column_both_hold():
    value, _ = on("bmi", "bmi >= 25", "bmi < 30")
    drawn = decoded("bmi", value)
    assert drawn.min() >= 25
    assert drawn.max() < 30


def test_a_set_of_numbers_lets_through_its_members_only():
    value, _ = on("age", "age in (50, 60, 70)")
    assert set(decoded("age", value)) == {50.0, 60.0, 70.0}
    assert share(value) == pytest.approx(REAL.frame["age"].is_in([50.0, 60, 70]).mean(), abs=0.02)


def test_an_excluded_set_lets_through_all_others():
    inside, _ = on("age", "age in (50, 60, 70)")
    outside, _ = on("age", "age not in (50, 60, 70)")
    assert share(inside) + share(outside) == pytest.approx(1, abs=1e-9)
    assert not {50.0, 60.0, 70.0} & set(decoded("age", outside))


def test_a_set_and_a_range_meet():
    value, _ = on("age", "age in (50, 60, 70)", "age > 55", "age != 70")
    assert set(decoded("age", value)) == {60.0}


def test_a_spike_is_reached_through_its_state():
    _, state = on("insulin", "insulin = 0")
    assert state.codes.tolist() == [False, False, True]
    value, state = on("insulin", "insulin > 0")
    assert state.codes.tolist() == [False, True, False]
    assert share(value) == pytest.approx(1, abs=1e-6)


def test_missing_as_a_condition_speaks_of_the_state():
    _, state = on("crp", "crp is missing")
    assert state.codes[MISSING]
    assert not state.codes[PRESENT]
    _, state = on("crp", "crp is not missing")
    assert not state.codes[MISSING]
    assert state.codes[PRESENT]


def test_conditions_on_two_columns_of_one_state_meet():
    _, state = on("crp", "crp > 1", "glucose is missing")
    assert not state.codes.any()


def test_a_missing_value_satisfies_no_range():
    _, state = on("glucose", "glucose > 90")
    assert not state.codes[MISSING]


def test_levels_are_allowed_by_name():
    value, _ = on("stage", "stage in (I, III)")
    assert value.codes.tolist() == [True, False, True]
    value, _ = on("dead", "dead = true")
    assert [MODELS["dead"].levels[i] for i in np.flatnonzero(value.codes)] == ["true"]


@pytest.mark.parametrize("text", ["bmi > 500", "bmi = 3.33", "crp < -1"])
def test_what_no_patient_has_leaves_nothing(text):
    column = text.split()[0]
    value, _ = on(column, text)
    assert share(value) == 0


def test_years_limit_dates():
    value, _ = on("visit", "visit >= 2017", "visit < 2018")
    days = decoded("visit", value)
    moments = [START.replace(year=1970) + timedelta(days=d) for d in (days.min(), days.max())]
    assert [m.year for m in moments] == [2017, 2017]
    assert share(value) == pytest.approx((REAL.frame["visit"].dt.year() == 2017).mean(), abs=0.01)


def test_a_date_and_a_set_of_dates_are_limits_too():
    value, _ = on("visit", "visit = 2017-03-05")
    day = (START.replace(year=2017, month=3, day=5) - START.replace(year=1970)).days
    assert set(decoded("visit", value)) == {float(day)}
    value, _ = on("visit", "visit in (2017-03-05, 2017-03-09)")
    assert set(decoded("visit", value)) == {float(day), float(day + 4)}


def test_a_frequent_first_and_last_number_are_wholly_inside_or_outside():
    frame = pl.DataFrame({"x": [0.0] * 40 + list(np.linspace(1, 3, 100)) + [4.0] * 60})
    real = dataset(frame, Column(name="x", kind=Kind.NUMBER, decimals=2))
    learned, _ = Variables.fit(real, real.columns, np.random.default_rng(0))
    for condition, wanted in (
        (Between(column="x", low=4), 0.3),
        (Between(column="x", low=0, low_open=True), 0.8),
        (Between(column="x", high=0), 0.2),
        (Between(column="x", high=4, high_open=True), 0.7),
        (OneOf(column="x", values=("0", "4")), 0.5),
    ):
        found = limits_of([condition], real.schema, learned.columns, learned.variables)
        model: Any = learned.columns[0]
        spiked = {0.0: 0.2, 4.0: 0.3}
        allowed = 0.0
        if model.value in found:
            allowed += share(found[model.value]) * (1 - sum(spiked[s] for s in model.spikes))
        if model.state is not None:
            codes: Any = found[model.state].codes
            allowed += sum(
                spiked[s] for s, let in zip(model.spikes, codes[PRESENT + 1 :], strict=True) if let
            )
        assert allowed == pytest.approx(wanted, abs=0.02)
