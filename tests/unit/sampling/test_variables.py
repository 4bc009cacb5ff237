"""Columns become variables and come back, without what only few people hold."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sampling.simulated import COLUMNS, START, dataset, number, patients
from understudy.core.dataset import CANONICAL
from understudy.core.schema import Column, Kind
from understudy.sampling.variables import PRESENT, RARE_LEVEL, WITHHELD_TEXT, Variables


def learn(frame, *columns, seed=0):
    real = dataset(frame, *columns)
    return Variables.fit(real, real.columns, np.random.default_rng(seed))


def back(frame, *columns, seed=0):
    """Return what encoding while fitting and decoding make of the rows."""
    variables, values = learn(frame, *columns, seed=seed)
    return variables.decode(values)


def one(values, column, seed=0):
    series = pl.Series(column.name, values, dtype=CANONICAL[column.kind])
    return back(pl.DataFrame([series]), column, seed=seed)[column.name]


numbers = st.lists(
    st.one_of(st.none(), st.integers(-5, 60).map(float), st.floats(-1e5, 1e5, allow_subnormal=False)),
    min_size=1,
    max_size=60,
)
texts = st.lists(
    st.one_of(st.none(), st.sampled_from(["a", "b", "c", "Ω", "1", ""])), min_size=1, max_size=60
)


@given(numbers, st.integers(0, 3))
def test_any_numbers_survive_with_their_missingness(values, decimals):
    values = [None if v is None else round(v, decimals) for v in values]
    result = one(values, number(decimals=decimals))
    assert result.is_null().to_list() == [v is None for v in values]
    assert result.drop_nulls().is_finite().all()
    rounded = result.drop_nulls().round(decimals)
    np.testing.assert_allclose(result.drop_nulls().to_numpy(), rounded.to_numpy(), rtol=1e-12)


@given(texts)
def test_any_levels_survive_with_their_missingness(values):
    result = one(values, Column(name="x", kind=Kind.CATEGORY))
    assert result.is_null().to_list() == [v is None for v in values]
    assert set(result.drop_nulls()) <= {v for v in values if v is not None} | {RARE_LEVEL}


@given(st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=40))
def test_booleans_come_back_as_they_were(values):
    assert one(values, Column(name="x", kind=Kind.BOOLEAN)).to_list() == values


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**9)), min_size=1, max_size=40))
def test_any_moments_survive_with_their_missingness(seconds):
    values = [None if s is None else START + timedelta(seconds=s) for s in seconds]
    result = one(values, Column(name="x", kind=Kind.DATETIME))
    assert result.dtype == pl.Datetime("us")
    assert result.is_null().to_list() == [v is None for v in values]


def test_decoded_numbers_are_close_to_the_encoded_ones():
    real = patients(2_000)
    again = back(real)
    for name in ("age", "bmi", "crp"):
        one, other = pl.DataFrame([real[name], again[name].alias("again")]).drop_nulls().to_numpy().T
        assert np.abs(one - other).mean() < 0.05 * one.std()
        assert np.corrcoef(one, other)[0, 1] > 0.98


def test_levels_booleans_and_days_come_back():
    real = patients(2_000)
    again = back(real)
    for name in ("sex", "stage", "site", "dead"):
        assert again[name].equals(real[name])
    days = (again["visit"] - real["visit"]).dt.total_days().abs()
    assert days.mean() < 10
    assert again.schema == real.schema


def test_encoding_given_cells_is_close_to_what_they_were_learned_from():
    real = patients(2_000)
    variables, values = learn(real)
    again = variables.encode(real, real.columns, np.random.default_rng(1))
    assert set(again.drawn) == set(values.drawn)
    for index, variable in enumerate(variables.variables):
        active = values.active[index]
        np.testing.assert_array_equal(again.active[index], active)
        if variable.is_continuous:
            assert np.abs(again.drawn[index] - values.drawn[index])[active].mean() < 0.06
        else:
            np.testing.assert_array_equal(again.drawn[index], values.drawn[index])


def test_learned_scores_are_standard_normal():
    variables, values = learn(patients(3_000))
    for index, variable in enumerate(variables.variables):
        if variable.is_continuous:
            z = values.drawn[index][values.active[index]]
            assert abs(z.mean()) < 0.02
            assert z.std() == pytest.approx(1, abs=0.02)


def test_columns_that_miss_together_share_a_state_and_others_do_not():
    variables, _ = learn(patients(500))
    model = {m.column.name: m for m in variables.columns}
    assert model["glucose"].state is not None
    assert model["glucose"].state == model["crp"].state
    assert model["insulin"].state not in (None, model["crp"].state)
    assert model["age"].state is None


def test_a_given_cell_speaks_for_the_columns_that_share_its_state():
    frame = patients(500)
    variables, _ = learn(frame)
    given = frame.filter(pl.col("crp").is_not_null()).with_columns(glucose=pl.lit(None, dtype=pl.Float64))
    for names in (["glucose", "crp"], ["crp", "glucose"]):
        values = variables.encode(given.select(names), names, np.random.default_rng(0))
        state = next(m.state for m in variables.columns if m.column.name == "crp")
        assert (values.drawn[state] == PRESENT).all()


def test_a_frequent_zero_among_quantities_is_a_spike_and_exact():
    real = patients(800)
    variables, _ = learn(real)
    model = next(m for m in variables.columns if m.column.name == "insulin")
    assert model.spikes == (0.0,)
    again = back(real)["insulin"]
    assert ((again == 0) == (real["insulin"] == 0)).all()


def test_twenty_numbers_of_one_person_each_beside_a_spike_are_not_republished():
    own = np.round(np.random.default_rng(0).uniform(1, 9, 20), 3)
    result = one([*np.zeros(200), *own], number())
    assert not set(result) & set(own)
    assert (result == 0).sum() == 200


def test_a_column_of_few_numbers_does_not_collapse_to_its_only_frequent_one():
    values = [*np.arange(40.0, 58.0), 60, 60, 60, 60, 60]
    result = one(values, number(decimals=0))
    assert result.n_unique() > 10
    assert result.mean() == pytest.approx(np.mean(values), abs=1)


def test_few_frequent_numbers_are_levels_and_rare_ones_join_the_nearest():
    result = one([1.0] * 40 + [2.0] * 30 + [7.0] * 20 + [6.5] * 2, number())
    assert result.value_counts().sort("x").rows() == [(1.0, 40), (2.0, 30), (7.0, 22)]


def test_rare_levels_are_drawn_from_the_others_and_declared_ones_kept():
    values = ["a"] * 50 + ["b"] * 30 + ["only one"]
    assert set(one(values, Column(name="x", kind=Kind.CATEGORY))) == {"a", "b"}
    declared = Column(name="x", kind=Kind.CATEGORY, values=("a", "b", "only one"))
    assert one(values, declared).to_list() == values


@pytest.mark.parametrize("kind", [Kind.CATEGORY, Kind.CODE])
def test_ten_thousand_levels_of_one_person_each_are_protected(kind):
    values = [f"C{i}" for i in range(10_000)]
    assert set(one(values, Column(name="x", kind=kind))) == {RARE_LEVEL}


def test_ten_thousand_shared_levels_come_back():
    values = [f"C{i:05d}" for i in range(10_000)] * 5
    assert one(values, Column(name="x", kind=Kind.CODE)).to_list() == values


def test_free_text_is_withheld_unless_many_share_it():
    values = ["no complaints"] * 11 + ["seen with her daughter Ann"] * 10 + [None]
    result = one(values, Column(name="x", kind=Kind.TEXT))
    assert result.to_list() == ["no complaints"] * 11 + [WITHHELD_TEXT] * 10 + [None]


def test_synthetic_rows_with_stand_ins_can_be_learned_again():
    values = [f"C{i}" for i in range(100)]
    once = one(values, Column(name="x", kind=Kind.CATEGORY))
    again = one(once.to_list() + ["known"] * 20, Column(name="x", kind=Kind.CATEGORY))
    assert again.to_list() == [RARE_LEVEL] * 100 + ["known"] * 20


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: c.name)
def test_a_column_that_misses_everywhere_stays_so(column):
    assert one([None] * 30, column).to_list() == [None] * 30


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: c.name)
def test_a_column_that_misses_in_all_but_one_row_does_not_show_that_value(column):
    value = patients(50)[column.name].drop_nulls()[3]
    result = one([None] * 30 + [value], column)
    assert result[:30].null_count() == 30
    assert result[30] is not None
    if column.kind in (Kind.NUMBER, Kind.DATETIME):
        assert result[30] != value


@pytest.mark.parametrize("rows", [1, 2])
def test_tables_of_one_or_two_rows_give_rows_of_the_same_kinds(rows):
    frame = patients(50).head(rows)
    again = back(frame)
    assert again.schema == frame.schema
    assert again.height == rows


def test_constants_come_back_exactly_when_enough_people_share_them():
    moment = datetime(2020, 5, 17, 13, 45)  # noqa: DTZ001 - canonical datetimes carry no zone
    frame = pl.DataFrame({"n": [67.25] * 6, "t": ["x"] * 6, "b": [True] * 6, "d": [moment] * 6})
    columns = (
        number("n"),
        Column(name="t", kind=Kind.CATEGORY),
        Column(name="b", kind=Kind.BOOLEAN),
        Column(name="d", kind=Kind.DATETIME),
    )
    assert back(frame, *columns).equals(frame)


def test_the_only_date_of_few_people_shows_its_year_at_most():
    moment = datetime(2020, 5, 17, 13, 45)  # noqa: DTZ001 - canonical datetimes carry no zone
    assert one([moment] * 2, Column(name="x", kind=Kind.DATETIME))[0] == datetime(2020, 1, 1)  # noqa: DTZ001


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)])
def test_dates_keep_their_resolution(step):
    rng = np.random.default_rng(0)
    values = [START + int(k) * step for k in rng.integers(0, 5_000, 300)]
    result = one(values, Column(name="x", kind=Kind.DATETIME))
    assert all((v - START) % step == timedelta(0) for v in result)


def test_very_large_numbers_survive():
    values = np.random.default_rng(0).normal(3, 1, 200) * 1e200
    result = one(values, number())
    assert result.is_finite().all()
    assert np.corrcoef(result.to_numpy() / 1e200, values / 1e200)[0, 1] > 0.98


def test_drawn_numbers_stay_inside_declared_bounds():
    values = np.random.default_rng(0).exponential(5, 60)
    result = one(values, number(low=0.0, high=20.0))
    assert result.is_between(0, 20).all()


def test_a_level_never_learned_is_taken_as_the_rare_one_and_a_number_out_of_range_as_the_nearest():
    frame = pl.DataFrame({"x": ["a"] * 10 + [f"r{i}" for i in range(30)], "y": np.arange(40.0)})
    columns = (Column(name="x", kind=Kind.CATEGORY), number("y"))
    variables, values = learn(frame, *columns)
    odd = pl.DataFrame({"x": ["never seen"], "y": [1e9]})
    codes = variables.encode(odd, ["x", "y"], np.random.default_rng(0))
    by_name = {m.column.name: m for m in variables.columns}
    level = by_name["x"].levels[codes.drawn[by_name["x"].value][0]]
    assert level == RARE_LEVEL
    assert codes.drawn[by_name["y"].value][0] >= values.drawn[by_name["y"].value].max() - 1e-9


def test_the_same_randomness_gives_the_same_variables():
    first, second = (learn(patients(200), seed=3)[1] for _ in range(2))
    for index, drawn in first.drawn.items():
        np.testing.assert_array_equal(drawn, second.drawn[index])


def test_learning_leaves_the_rows_as_they_are():
    frame, untouched = patients(200), patients(200)
    learn(frame)
    assert frame.equals(untouched)
