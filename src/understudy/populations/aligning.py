"""Aligning margins with what a model draws, so that quantities are distributed in every group as in the survey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtr, ndtri

from understudy.core.conditions import Between, OneOf, Where
from understudy.populations.model import PopulationModel
from understudy.populations.strata import AGES, GROUPS, stacked, unstacked
from understudy.sampling.drawing import Restriction
from understudy.sampling.margins import Margin
from understudy.sampling.variables import ColumnModel

PEOPLE = 10_000
_PRIOR = 12.0
_GRID = np.linspace(-5.0, 5.0, 401)
_NARROWEST = 1e-6


def aligned(model: PopulationModel, rng: np.random.Generator, people: int = PEOPLE) -> PopulationModel:
    """Return the model with margins that undo how far what it draws has drifted from the survey.

    Each observation is drawn given drawn ones, and people who break a rule of plausibility are left out; errors
    of many steps add up. So people of each group are drawn, and the shares of each margin's bins replaced by
    the shares of what was drawn for them: the bins then come as often as they do in the survey.

    Args:
        model: the model as it was learned.
        rng: source of randomness.
        people: how many to draw of each group.
    """
    scores: dict[int, list[np.ndarray]] = {}
    weights: dict[int, list[np.ndarray]] = {}
    pools: dict[int, list[np.ndarray]] = {}
    for group in range(GROUPS):
        values, chance = model.drawn(people, rng, Restriction(where=_group(group)))
        for index, column in enumerate(model.variables.columns):
            if column.column.name in model.places:
                has = values.active[index] & (chance > 0)
                place = model.places[column.column.name][group]
                scores.setdefault(index, []).append(values.drawn[index][has])
                weights.setdefault(index, []).append(chance[has])
                pools.setdefault(index, []).append(np.full(int(has.sum()), place))
    columns = tuple(
        _aligned(column, *(np.concatenate(parts[index]) for parts in (scores, weights, pools)))
        if column.column.name in model.places
        else column
        for index, column in enumerate(model.variables.columns)
    )
    return replace(model, variables=replace(model.variables, columns=columns))


def _group(number: int) -> tuple[Where, ...]:
    """Return the conditions of the group of this number; see `strata.groups`."""
    line, place = divmod(number, len(AGES) + 1)
    edges = (None, *AGES, None)
    high = edges[place + 1]
    return (
        Between(column="age", low=edges[place], high=None if high is None else high - 1),
        OneOf(column="sex", values=("male" if line % 2 else "female",)),
        OneOf(column="diabetes_diagnosed", values=("true" if line // 2 else "false",)),
    )


def _aligned(column: ColumnModel, scores: np.ndarray, weights: np.ndarray, pools: np.ndarray) -> ColumnModel:
    assert column.margin is not None
    count = round(float(column.margin.cumulative[-1]))
    parts = []
    for place in range(count):
        mine = pools == place
        parts.append(_placed(unstacked(column.margin, place), scores[mine], weights[mine]))
    return replace(column, margin=stacked(parts))


def _placed(margin: Margin, scores: np.ndarray, weights: np.ndarray) -> Margin:
    """Return a margin whose bins end where drawn scores reach the share that each bin ends at.

    Far out, where few were drawn, the shift and scale of the drawn scores tell more than their number.
    """
    if not len(scores):
        return margin
    size = float(weights.sum() ** 2 / (weights**2).sum())
    middle = float(np.average(scores, weights=weights))
    spread = float(np.sqrt(np.average((scores - middle) ** 2, weights=weights)))
    order = np.argsort(scores, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    counted = below[np.searchsorted(scores[order], _GRID, side="right")]
    expected = ndtr((_GRID - middle) / spread)
    is_low = expected < 0.5
    tail = np.where(is_low, expected, 1 - expected)
    found = np.where(is_low, counted, 1 - counted)
    tail = tail * (size * found + _PRIOR) / (size * tail + _PRIOR)
    drawn = np.maximum.accumulate(ndtri(np.clip(np.where(is_low, tail, 1 - tail), 1e-12, 1 - 1e-12)))
    ends = ndtr(np.interp(ndtri(margin.cumulative[1:-1]), drawn, _GRID))
    width = np.maximum(np.diff(np.concatenate([[0.0], ends, [1.0]])), _NARROWEST)
    cumulative = np.concatenate([[0.0], np.cumsum(width)])
    return replace(margin, cumulative=cumulative / cumulative[-1])
