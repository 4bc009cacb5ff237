"""A margin keeps the distribution of a column and gives back nobody's own number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from understudy.sampling.margins import ATOM, POOLED, Margin, decimals_of

PLAIN = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)
WHOLE = st.integers(-50, 50).map(float)
COLUMNS = st.one_of(
    arrays(np.float64, st.integers(1, 120), elements=PLAIN),
    arrays(np.float64, st.integers(1, 120), elements=WHOLE),
)
SKEWED = np.random.default_rng(1).lognormal(1, 1, 2_000)


def drawn(margin, n=20_000, seed=0):
    return margin.quantile(np.random.default_rng(seed).random(n))


def held_by(values):
    return dict(zip(*np.unique(values, return_counts=True), strict=True))


@given(COLUMNS)
def test_quantiles_rise_and_are_finite(values):
    margin = Margin.fit(values, decimals_of(values))
    grid = margin.quantile(np.linspace(0, 1, 501))
    assert np.isfinite(grid).all()
    assert (np.diff(grid) >= 0).all()


@given(COLUMNS)
def test_bins_do_not_overlap_and_shares_add_up_to_one(values):
    margin = Margin.fit(values, decimals_of(values))
    ends, starts = margin.centre + margin.half, margin.centre - margin.half
    slack = 1e-9 * np.maximum(1, np.abs(ends[:-1]))
    assert (starts[1:] >= ends[:-1] - slack).all()
    assert margin.cumulative[0] == 0
    assert margin.cumulative[-1] == 1
    assert (np.diff(margin.cumulative) > 0).all()


@given(COLUMNS)
def test_the_mean_is_kept_up_to_the_people_whom_an_atom_swallows(values):
    margin = Margin.fit(values, 12)
    mean = (np.diff(margin.cumulative) * margin.centre).sum()
    swallows = (np.unique(values, return_counts=True)[1] >= ATOM).any()
    if not swallows:
        assert mean == pytest.approx(values.mean(), rel=1e-6, abs=1e-6 * max(1, np.abs(values).max()))
    assert values.min() - 1e-6 <= mean <= values.max() + 1e-6


@given(COLUMNS)
def test_probability_undoes_quantile_between_atoms(values):
    margin = Margin.fit(values, 12)
    u = np.linspace(0.01, 0.99, 99)
    index = np.searchsorted(margin.cumulative, u, side="right") - 1
    width = margin.half[index]
    wide = width > 1e-6 * np.maximum(1, np.abs(margin.centre[index]))
    back = margin.probability(margin.quantile(u), np.full(99, 0.5))
    np.testing.assert_allclose(back[wide], u[wide], atol=1e-4)


@given(COLUMNS)
def test_probability_rises_from_zero_to_one(values):
    margin = Margin.fit(values, 12)
    points = np.sort(np.concatenate([[-1e9], values, [1e9]]))
    found = margin.probability(points, np.zeros(len(points)))
    assert found[0] == 0
    assert found[-1] == 1
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("rows", [30, 300, 3_000])
def test_no_value_of_fewer_than_five_people_comes_back_from_a_continuous_column(rows):
    values = np.random.default_rng(rows).normal(70, 12, rows)
    margin = Margin.fit(values, decimals_of(values))
    assert not set(drawn(margin, 50_000)) & set(values)


@pytest.mark.parametrize("rows", [20, 200, 2_000])
def test_real_extremes_are_not_republished(rows):
    values = np.random.default_rng(rows).lognormal(0, 1, rows)
    grid = Margin.fit(values, decimals_of(values)).quantile(np.linspace(0, 1, 20_001))
    assert values.min() not in grid
    assert values.max() not in grid


def test_a_value_that_eleven_share_comes_back_exactly_and_as_often():
    values = np.concatenate([np.full(30, 0.1), np.random.default_rng(0).normal(5, 1, 270)])
    share = (drawn(Margin.fit(values, 12), 50_000) == 0.1).mean()
    assert share == pytest.approx(0.1, abs=0.005)


def test_a_number_of_few_people_beyond_an_atom_becomes_the_atom():
    values = np.concatenate([np.full(200, 80.0), [95.0, 96.0]])
    assert set(drawn(Margin.fit(values, 0))) == {80.0}


def test_an_atom_at_either_end_has_all_its_probability():
    values = np.concatenate([np.zeros(20), np.linspace(1, 2, 60), np.full(20, 3.0)])
    margin = Margin.fit(values, 2)
    assert margin.probability(np.array([0.0, 0.0, 3.0, 3.0]), np.array([0.0, 1.0, 0.0, 1.0])) == (
        pytest.approx([0.0, 0.2, 0.8, 1.0])
    )


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 0.75, 0.95])
def test_quantiles_of_a_skewed_column_are_kept(share):
    margin = Margin.fit(SKEWED, 12)
    near = np.mean(margin.quantile(np.array([share]))[0] >= SKEWED)
    assert near == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize("rows", [60, 500, 5_000])
def test_mean_and_spread_of_a_column_with_a_long_tail_are_kept(rows):
    values = np.random.default_rng(rows).lognormal(0, 1.2, rows)
    draws = drawn(Margin.fit(values, 12), 200_000)
    assert draws.mean() == pytest.approx(values.mean(), rel=0.03)
    assert draws.std() == pytest.approx(values.std(), rel=0.12)


def test_a_long_tail_does_not_reach_back_over_the_other_values():
    values = np.concatenate([np.linspace(1, 2, 95), [50, 60, 90, 200, 400]])
    draws = drawn(Margin.fit(values, 12), 50_000)
    assert draws.min() > 0.9
    assert (draws > 10).mean() == pytest.approx(0.05, abs=0.01)


def test_weights_move_probability_but_not_protection():
    values = np.concatenate([np.zeros(50), np.full(50, 1.0), [7.0, 7.0]])
    weights = np.concatenate([np.ones(50), np.full(50, 3.0), [90.0, 90.0]])
    margin = Margin.fit(values, 0, weights)
    assert set(drawn(margin)) == {0.0, 1.0}
    assert Margin.fit(values[:100], 0, weights[:100]).cumulative[1] == pytest.approx(0.25)


def test_people_of_no_weight_do_not_disturb_the_others():
    values = np.arange(100.0)
    margin = Margin.fit(values, 0, (values >= 50).astype(float))
    assert drawn(margin).min() >= 49
    equal = Margin.fit(values, 0, np.zeros(100))
    np.testing.assert_array_equal(equal.cumulative, Margin.fit(values, 0).cumulative)


def test_bins_of_whole_numbers_hold_at_least_five_people():
    values = np.random.default_rng(0).integers(0, 40, 150).astype(float)
    margin = Margin.fit(values, 0)
    counts = held_by(values)
    exact = margin.centre[margin.half == 0]
    assert all(counts[value] >= POOLED for value in exact)


@pytest.mark.parametrize("size", [1e-20, 1e-270, 1e15, 1e300])
def test_magnitude_does_not_matter(size):
    values = np.random.default_rng(0).normal(3, 1, 400) * size
    margin = Margin.fit(values, decimals_of(values))
    draws = drawn(margin)
    assert np.isfinite(draws).all()
    assert np.mean(draws / size) == pytest.approx(np.mean(values / size), rel=0.02)


def test_two_people_give_values_around_their_mean():
    draws = drawn(Margin.fit(np.array([50.0, 60.0]), 1))
    assert draws.mean() == pytest.approx(55, abs=0.2)
    assert draws.std() == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([1, 2, 300], 0),
        ([1.5, 2.25, 3.0], 2),
        ([0.1 + 0.2, 0.7], 1),
        ([0.0, 0.0, 0.125], 3),
        ([1 / 3, 2 / 3, 1 / 7], 12),
        ([1 / 3e15, 2 / 3e15], 25),
        ([-0.5, 0.5], 1),
        ([0.0], 0),
    ],
)
def test_decimals_are_counted(values, digits):
    assert decimals_of(np.array(values, dtype=float)) == digits


def test_few_longer_numbers_do_not_count_as_decimals():
    values = np.concatenate([np.arange(100.0), [0.12345]])
    assert decimals_of(values) == 0


def test_fitting_leaves_the_values_as_they_are():
    values = SKEWED[:100].copy()
    Margin.fit(values, 2)
    np.testing.assert_array_equal(values, SKEWED[:100])
