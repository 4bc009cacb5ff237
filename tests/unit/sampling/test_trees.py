"""Trees follow what the earlier variables say, and no leaf rests on fewer than five people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sampling.simulated import dataset, patients
from understudy.sampling.leaves import LevelLeaves
from understudy.sampling.order import association, drawing_order
from understudy.sampling.trees import FEWEST_IN_LEAF, TreeSettings, find_leaves, fit_variable
from understudy.sampling.variables import Values, Variable, Variables

SCORE = Variable("x", "continuous")


def rng(seed=0):
    return np.random.default_rng(seed)


def values_of(*drawn):
    rows = len(drawn[0])
    everywhere = {i: np.ones(rows, dtype=bool) for i in range(len(drawn))}
    return Values(rows, dict(enumerate(drawn)), everywhere)


def test_find_leaves_walks_as_a_plain_loop_does():
    feature, threshold = np.array([0, 0, 1, 0, 0]), np.array([0.0, 0, 0.5, 0, 0])
    left, right = np.array([1, -1, 3, -1, -1]), np.array([2, -1, 4, -1, -1])
    rows = rng().normal(size=(200, 2))
    expected = [1 if a <= 0 else (3 if b <= 0.5 else 4) for a, b in rows]
    assert find_leaves(feature, threshold, left, right, rows).tolist() == expected


@given(st.integers(1, 10**6), st.floats(0.1, 100), st.floats(0, 1))
def test_the_smallest_leaf_never_falls_below_five(rows, leaf, power):
    assert TreeSettings(leaf=leaf, leaf_power=power).smallest_leaf(rows) >= FEWEST_IN_LEAF == 5


def test_leaves_grow_with_the_number_of_rows():
    settings = TreeSettings()
    assert settings.smallest_leaf(100_000) > settings.smallest_leaf(1_000) > settings.smallest_leaf(200)


@pytest.mark.parametrize("trees", [1, 3])
def test_no_leaf_of_a_tree_rests_on_fewer_than_five_people(trees):
    z, code = rng(1).normal(size=400), rng(2).integers(0, 3, 400)
    variables = (SCORE, Variable("y", "levels", 3))
    settings = TreeSettings(leaf=0.1, leaf_power=0, pruning=0, trees=trees)
    model = fit_variable(1, (0,), variables, values_of(z, code), settings, rng())
    for tree in model.trees:
        assert isinstance(tree.leaves, LevelLeaves)
        people = np.bincount(tree.leaves.key // 3, tree.leaves.count, minlength=len(tree.left))[tree.left < 0]
        assert len(people) > 5
        assert people.min() >= FEWEST_IN_LEAF


def test_a_curve_is_followed():
    x = rng(1).normal(size=3_000)
    y = x**2 + rng(2).normal(0, 0.3, 3_000)
    y = (y - y.mean()) / y.std()
    variables = (SCORE, Variable("y", "continuous"))
    model = fit_variable(1, (0,), variables, values_of(x, y), TreeSettings(), rng())
    new = rng(3).normal(size=3_000)
    drawn, mass = model.draw(variables, variables[1], values_of(new), rng(4))
    assert mass is None
    assert np.corrcoef(drawn, new**2)[0, 1] > 0.8
    assert abs(np.corrcoef(drawn, new)[0, 1]) < 0.1


def test_a_line_is_followed_beyond_the_steps_of_a_tree():
    x = rng(1).normal(size=1_000)
    y = 0.95 * x + 0.31 * rng(2).normal(size=1_000)
    variables = (SCORE, Variable("y", "continuous"))
    model = fit_variable(1, (0,), variables, values_of(x, y), TreeSettings(), rng())
    new = rng(3).normal(size=4_000)
    drawn, _ = model.draw(variables, variables[1], values_of(new), rng(4))
    assert np.corrcoef(drawn, new)[0, 1] == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("size", [2, 4, 300])
def test_levels_follow_a_level_that_comes_before(size):
    group = rng(1).integers(0, 2, 4_000)
    code = np.where(group == 1, rng(2).integers(0, size // 2, 4_000), rng(3).integers(size // 2, size, 4_000))
    variables = (Variable("g", "levels", 2, np.array([-1.0, 1.0])), Variable("y", "levels", size))
    model = fit_variable(1, (0,), variables, values_of(group, code), TreeSettings(), rng())
    drawn, _ = model.draw(variables, variables[1], values_of(group), rng(4))
    assert np.mean((drawn < size // 2) == (group == 1)) > 0.97
    np.testing.assert_allclose(
        np.bincount(drawn, minlength=size) / 4_000, np.bincount(code, minlength=size) / 4_000, atol=0.03
    )


def test_known_codes_come_back_with_their_probability():
    x, code = rng(1).normal(size=800), (rng(2).random(800) < 0.3).astype(int)
    variables = (SCORE, Variable("y", "levels", 2, np.array([-0.5, 1.0])))
    model = fit_variable(1, (0,), variables, values_of(x, code), TreeSettings(), rng())
    drawn, chance = model.draw(variables, variables[1], values_of(x), rng(3), code)
    assert chance is not None
    np.testing.assert_array_equal(drawn, code)
    assert chance[code == 1].mean() == pytest.approx(0.3, abs=0.08)
    assert ((chance > 0) & (chance < 1)).all()


def test_few_rows_are_not_split():
    variables = (SCORE, Variable("y", "continuous"))
    model = fit_variable(1, (0,), variables, values_of(np.arange(6.0), np.arange(6.0)), TreeSettings(), rng())
    assert model.features is None


def test_states_are_drawn_first_and_columns_of_many_levels_last():
    real = dataset(patients(400))
    learned, values = Variables.fit(real, real.columns, rng())
    variables = (*learned.variables, Variable("icd", "levels", 200))
    values.drawn[len(learned.variables)] = rng().integers(0, 200, 400)
    values.active[len(learned.variables)] = np.ones(400, dtype=bool)
    order = drawing_order(variables, values)
    kinds = [variables[i].kind == "state" for i in order]
    assert kinds == sorted(kinds, reverse=True)
    assert order[-1] == len(learned.variables)
    assert sorted(order) == list(range(len(variables)))


def test_what_has_to_do_with_others_comes_before_noise():
    x = rng(1).normal(size=500)
    values = values_of(rng(2).normal(size=500), x, x + rng(3).normal(0, 0.5, 500))
    variables = tuple(Variable(name, "continuous") for name in "abc")
    total = association(variables, values)
    assert total[0] < 0.3 < total[1]
    assert drawing_order(variables, values)[-1] == 0


def test_the_same_randomness_gives_the_same_trees():
    x, y = rng(1).normal(size=300), rng(2).normal(size=300)
    variables = (SCORE, Variable("y", "continuous"))
    models = [fit_variable(1, (0,), variables, values_of(x, y), TreeSettings(), rng(5)) for _ in range(2)]
    for one, two in zip(models[0].trees, models[1].trees, strict=True):
        np.testing.assert_array_equal(one.threshold, two.threshold)
