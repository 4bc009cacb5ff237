"""Survey weights: equal ones change nothing, others count as so many people, and none counts as a person."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.sampling.leaves import LevelLeaves, NormalLeaves
from understudy.sampling.trees import TreeSettings, fit_variable
from understudy.sampling.variables import Values, Variable

VARIABLES = (Variable("x", "continuous"), Variable("g", "levels", 3), Variable("y", "continuous"))


def survey(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=rows), rng.integers(0, 3, rows)
    y = 0.7 * x + 0.5 * (g == 2) + 0.5 * rng.normal(size=rows)
    everywhere = {i: np.ones(rows, dtype=bool) for i in range(3)}
    return Values(rows, {0: x, 1: g, 2: y}, everywhere)


def fitted(values, weights, target=2):
    earlier = tuple(i for i in range(3) if i != target)
    settings = TreeSettings(trees=1, pruning=4)
    return fit_variable(target, earlier, VARIABLES, values, settings, np.random.default_rng(1), weights)


@pytest.mark.parametrize("target", [1, 2])
def test_equal_weights_give_the_unweighted_model(target):
    values = survey()
    plain, weighted = fitted(values, None, target), fitted(values, np.ones(600), target)
    assert np.array_equal(plain.trees[0].feature, weighted.trees[0].feature)
    assert plain.slope == pytest.approx(weighted.slope)
    mine, theirs = plain.trees[0].leaves, weighted.trees[0].leaves
    if target == 2:
        assert mine.centres == pytest.approx(theirs.centres, abs=1e-5)
    else:
        assert mine.count == pytest.approx(theirs.count)


def test_rows_of_weight_zero_are_not_learned_from():
    values, weights = survey(), np.ones(600)
    weights[300:] = 0
    few = fitted(values.take(np.arange(300)), np.ones(300))
    assert fitted(values, weights).trees[0].leaves.centres == pytest.approx(few.trees[0].leaves.centres)


def test_quantiles_of_a_leaf_are_those_of_the_people_that_weights_stand_for():
    rng = np.random.default_rng(3)
    values, weights = rng.normal(size=2_000), rng.integers(1, 5, 2_000)
    leaf, parent = np.zeros(2_000, dtype=np.int64), np.zeros(1, dtype=np.int64)
    weighted = NormalLeaves.fit(leaf, parent, values, 0.3, 5.0, weights.astype(float))
    repeated = np.repeat(values, weights)
    many = NormalLeaves.fit(np.zeros(len(repeated), dtype=np.int64), parent, repeated, 0.3, 5.0)
    assert weighted.centres == pytest.approx(many.centres, abs=0.01)


def test_levels_of_a_leaf_have_the_shares_of_their_weights():
    codes, weights = np.repeat([0, 1], 50), np.repeat([1.0, 3.0], 50)
    leaves = LevelLeaves.fit(
        np.zeros(100, dtype=np.int64), np.zeros(1, dtype=np.int64), codes, 2, 5.0, weights
    )
    shares = [leaves.probability(np.zeros(1, dtype=np.int64), np.array([code]))[0] for code in (0, 1)]
    assert shares == pytest.approx([0.25, 0.75])


def test_a_leaf_holds_enough_people_however_heavy_one_of_them_is():
    values, weights = survey(), np.ones(600)
    weights[::50] = 40
    tree = fitted(values, weights).trees[0]
    people = np.bincount(tree.leaf(_matrix(values, weights)), minlength=len(tree.left))
    assert people[tree.left < 0].min() >= TreeSettings(trees=1).smallest_leaf(600)


def _matrix(values, weights):
    model = fitted(values, weights)
    return model._inputs(VARIABLES, values)[0]
