"""Leaves hold proper distributions: densities integrate to one, and restricted draws weigh what they should."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from understudy.sampling.leaves import LevelLeaves, NormalLeaves

PARENT = np.array([0, 0, 0])  # a root and its two leaves


def rng(seed=0):
    return np.random.default_rng(seed)


def normal_leaves(back=5.0, kernel=0.35, people=60):
    leaf = np.repeat([1, 2], people)
    values = np.concatenate([rng(1).normal(-1, 0.5, people), rng(2).normal(2, 1, people)])
    return NormalLeaves.fit(leaf, PARENT, values, kernel, back), leaf, values


def level_leaves(back=5.0):
    leaf = np.repeat([1, 2], [40, 60])
    codes = np.concatenate([np.repeat([0, 1], [30, 10]), np.repeat([1, 2, 4], [20, 35, 5])])
    return LevelLeaves.fit(leaf, PARENT, codes, 5, back), leaf, codes


def mass(leaves, leaf, low, high):
    one = np.array([leaf])
    return leaves.draw_within(one, np.array([[low]]), np.array([[high]]), rng())[1][0]


@pytest.mark.parametrize("leaf", [1, 2])
def test_the_density_of_a_leaf_integrates_to_one(leaf):
    leaves, *_ = normal_leaves()
    cuts = np.linspace(-8, 8, 81)
    pieces = [mass(leaves, leaf, a, b) for a, b in pairwise(cuts)]
    assert sum(pieces) == pytest.approx(1, abs=1e-6)
    assert mass(leaves, leaf, -np.inf, np.inf) == pytest.approx(1, abs=1e-12)


def test_mean_and_spread_of_each_leaf_are_kept_despite_the_kernel():
    leaves, leaf, values = normal_leaves(back=0.0, people=4_000)
    for node in (1, 2):
        draws = leaves.draw(np.full(40_000, node), rng())
        mine = values[leaf == node]
        assert draws.mean() == pytest.approx(mine.mean(), abs=0.02)
        assert draws.std() == pytest.approx(mine.std(), rel=0.04)


def test_draws_are_smooth_and_never_a_training_value():
    leaves, _, values = normal_leaves()
    draws = leaves.draw(np.ones(20_000, dtype=np.int64), rng()).astype(np.float32)
    assert not set(draws) & set(values.astype(np.float32))


def test_the_parent_is_drawn_from_as_often_as_its_weight_says():
    leaves, *_ = normal_leaves(back=20.0)
    draws = leaves.draw(np.ones(40_000, dtype=np.int64), rng())
    from_right = 20 / 80 * np.mean(leaves.draw(np.zeros(40_000, dtype=np.int64), rng(1)) > 0.8)
    assert np.mean(draws > 0.8) == pytest.approx(from_right, abs=0.01)


def test_the_standard_leaf_is_the_standard_normal():
    draws = NormalLeaves.standard().draw(np.zeros(20_000, dtype=np.int64), rng())
    assert kstest(draws, "norm").pvalue > 0.001


@given(st.floats(-6, 6), st.floats(0.001, 4), st.floats(0.001, 4), st.integers(0, 2**32))
def test_restricted_draws_are_always_inside(start, width, gap, seed):
    leaves, *_ = normal_leaves()
    low = np.array([[start, start + width + gap]] * 50)
    high = np.array([[start + width, start + 2 * width + gap]] * 50)
    draws, chance = leaves.draw_within(rng(seed).integers(1, 3, 50), low, high, rng(seed))
    inside = ((draws[:, None] >= low) & (draws[:, None] <= high)).any(axis=1)
    assert inside[chance > 0].all()
    assert ((chance >= 0) & (chance <= 1 + 1e-12)).all()


def test_restricted_draws_and_their_mass_equal_rejection():
    leaves, *_ = normal_leaves()
    n, low, high = 60_000, [-1.2, 0.5], [-0.7, 2.4]
    leaf = np.full(n, 1)
    free = leaves.draw(leaf, rng(1))
    kept = free[((free >= low[0]) & (free <= high[0])) | ((free >= low[1]) & (free <= high[1]))]
    draws, chance = leaves.draw_within(leaf, np.tile(low, (n, 1)), np.tile(high, (n, 1)), rng(2))
    assert chance.mean() == pytest.approx(len(kept) / n, abs=0.008)
    levels = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(np.quantile(draws, levels), np.quantile(kept, levels), atol=0.04)


def test_far_tails_keep_their_precision():
    leaves = NormalLeaves.standard()
    leaf, low = np.zeros(2_000, dtype=np.int64), np.full((2_000, 1), 9.0)
    draws, chance = leaves.draw_within(leaf, low, np.full((2_000, 1), np.inf), rng())
    assert chance[0] == pytest.approx(1.1286e-19, rel=1e-3)
    assert (draws >= 9).all()
    assert draws.std() > 0.05
    flipped, _ = leaves.draw_within(leaf, np.full((2_000, 1), -np.inf), -low, rng())
    assert (flipped <= -9).all()


def test_an_empty_interval_has_no_mass_and_gives_its_place():
    leaves, *_ = normal_leaves()
    draws, chance = leaves.draw_within(np.array([1]), np.array([[50.0]]), np.array([[50.0]]), rng())
    assert chance[0] == 0
    assert draws[0] == 50


def test_many_rows_are_drawn_alike_in_chunks():
    leaves, *_ = normal_leaves()
    n = 50_010
    draws, chance = leaves.draw_within(np.ones(n, int), np.full((n, 1), -1.0), np.full((n, 1), 1.0), rng())
    assert np.unique(chance).size == 1
    assert abs(draws[:25_000].mean() - draws[25_000:].mean()) < 0.02


def test_level_probabilities_add_up_to_one_and_match_what_is_drawn():
    leaves, *_ = level_leaves()
    for leaf in (1, 2):
        many = np.full(5, leaf)
        chance = leaves.probability(many, np.arange(5))
        assert chance.sum() == pytest.approx(1)
        drawn = np.bincount(leaves.draw(np.full(60_000, leaf), rng(leaf)), minlength=5) / 60_000
        np.testing.assert_allclose(drawn, chance, atol=0.008)


def test_level_shares_mix_leaf_and_parent_as_counted():
    leaves, leaf, codes = level_leaves(back=5.0)
    own = np.bincount(codes[leaf == 1], minlength=5) / 40
    everyone = np.bincount(codes, minlength=5) / 100
    expected = 40 / 45 * own + 5 / 45 * everyone
    np.testing.assert_allclose(leaves.probability(np.ones(5, dtype=int), np.arange(5)), expected)


@given(st.lists(st.booleans(), min_size=5, max_size=5), st.sampled_from([0.0, 5.0]))
def test_levels_drawn_among_allowed_ones_are_allowed_and_weigh_their_probability(allowed, back):
    leaves, *_ = level_leaves(back)
    mask, leaf = np.array(allowed), np.repeat([1, 2], 40)
    codes, chance = leaves.draw_among(leaf, mask, rng())
    for node in (1, 2):
        wanted = leaves.probability(np.full(5, node), np.arange(5))[mask].sum()
        assert chance[leaf == node] == pytest.approx(wanted)
    assert mask[codes[chance > 0]].all()


def test_levels_among_allowed_ones_keep_their_ratios():
    leaves, *_ = level_leaves()
    codes, _ = leaves.draw_among(np.full(60_000, 2), np.array([False, True, True, False, False]), rng())
    chance = leaves.probability(np.full(2, 2), np.array([1, 2]))
    assert np.mean(codes == 1) == pytest.approx(chance[0] / chance.sum(), abs=0.01)


def test_a_tree_of_one_node_falls_back_on_nothing():
    root = np.zeros(1, dtype=np.int64)
    leaves = LevelLeaves.fit(np.zeros(9, dtype=np.int64), root, np.repeat([0, 2], [6, 3]), 3, 5.0)
    np.testing.assert_allclose(leaves.probability(np.zeros(3, dtype=int), np.arange(3)), [2 / 3, 0, 1 / 3])
