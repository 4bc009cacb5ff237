"""Groups of people by diagnosed diabetes, sex and age, in which a quantity has a distribution of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from understudy.sampling.margins import Margin
from understudy.sampling.variables import ColumnModel, Values, Variables

AGES = (30, 40, 50, 60, 70, 80)
"""Ages in years at which the groups of one sex part."""

GROUPS = 4 * (len(AGES) + 1)
GROUP = -1
"""Where the group of each person is kept among the values of the variables."""

MOST_BELOW = 1 - 1e-9

Places = Mapping[str, tuple[int, ...]]
"""By quantity, which of its stacked margins each group uses."""


def groups(age: np.ndarray, is_male: np.ndarray, has_diabetes: np.ndarray) -> np.ndarray:
    """Return the group of each person, shape (rows,): by diabetes, then sex, then age."""
    line = 2 * has_diabetes.astype(np.int64) + is_male.astype(np.int64)
    return np.asarray(line * (len(AGES) + 1) + np.searchsorted(AGES, age, side="right"))


def groups_of(variables: Variables, values: Values) -> np.ndarray:
    """Return the group of each drawn person; age, sex and diabetes must have been drawn."""
    models = {model.column.name: model for model in variables.columns}
    age = variables.decode_column(models["age"], values).to_numpy()
    male, told = (
        (variables.decode_column(models[name], values) == level).to_numpy()
        for name, level in (("sex", "male"), ("diabetes_diagnosed", True))
    )
    return groups(age, male, told)


def pooled(group: np.ndarray, fewest: int) -> tuple[int, ...]:
    """Return for each group the number of the pool whose margin it shares.

    Neighbouring ages of one sex are pooled until `fewest` people are in each pool; what is left over by sexes
    that have too few in all is pooled, alone or with the largest pool.

    Args:
        group: group of each person who has the quantity.
        fewest: smallest number of people in a pool.
    """
    people = np.bincount(group, minlength=GROUPS)
    width = len(AGES) + 1
    pools: list[list[int]] = []
    for line in range(0, GROUPS, width):
        own = [[place] for place in range(line, line + width)]
        while len(own) > 1 and min(size := [int(people[pool].sum()) for pool in own]) < fewest:
            least = size.index(min(size))
            beside = [place for place in (least - 1, least + 1) if 0 <= place < len(own)]
            first, second = sorted((least, min(beside, key=lambda place: size[place])))
            own[first : second + 1] = [own[first] + own[second]]
        pools += own
    whole = [pool for pool in pools if people[pool].sum() >= fewest]
    rest = [place for pool in pools if people[pool].sum() < fewest for place in pool]
    if whole and people[rest].sum() < fewest:
        max(whole, key=lambda pool: int(people[pool].sum())).extend(rest)
    else:
        whole.append(rest)
    number = {place: n for n, pool in enumerate(whole) for place in pool}
    return tuple(number[place] for place in range(GROUPS))


def stacked(margins: Sequence[Margin]) -> Margin:
    """Return margins one after the other: number `k` is the stretch of probabilities from k to k + 1."""
    ends = [margin.cumulative[:-1] + place for place, margin in enumerate(margins)]
    return Margin(
        np.concatenate([*ends, [float(len(margins))]]),
        np.concatenate([margin.centre for margin in margins]),
        np.concatenate([margin.half for margin in margins]),
        margins[0].decimals,
    )


def unstacked(margin: Margin, place: int) -> Margin:
    """Return one of the margins that `stacked` joined."""
    first, last = np.searchsorted(margin.cumulative, (place - 1e-9, place + 1 - 1e-9))
    inside = slice(int(first), int(last))
    ends = np.append(margin.cumulative[inside] - place, 1.0)
    return replace(margin, cumulative=ends, centre=margin.centre[inside], half=margin.half[inside])


def numbers(model: ColumnModel, values: Values, places: Places) -> np.ndarray:
    """Return the quantities that normal scores stand for in the group of each person, shape (rows,)."""
    assert model.margin is not None
    assert model.value is not None
    below = np.minimum(ndtr(values.drawn[model.value]), MOST_BELOW)
    if model.column.name in places:
        below = below + np.array(places[model.column.name])[values.drawn[GROUP]]
    low = -np.inf if model.column.low is None else model.column.low
    high = np.inf if model.column.high is None else model.column.high
    return np.asarray(np.clip(model.margin.quantile(below), low, high))
