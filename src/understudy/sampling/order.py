"""The order in which variables are drawn: states first, then by how much each has to do with the others."""

from __future__ import annotations

import numpy as np

from understudy.sampling.variables import Values, Variable

MOST_ROWS = 5_000
MANY_LEVELS = 30
_SHOWN_LEVELS = 4


def drawing_order(variables: tuple[Variable, ...], values: Values) -> list[int]:
    """Return the variables' indices in drawing order.

    States come first, so that missingness is drawn jointly with the data that depend on it; then variables
    of falling total association; variables of many levels come last, where most is known about them.
    """
    total = association(variables, values)
    return sorted(
        range(len(variables)),
        key=lambda i: (
            variables[i].kind != "state",
            not variables[i].leads,
            variables[i].size > MANY_LEVELS,
            -total[i],
            i,
        ),
    )


def association(variables: tuple[Variable, ...], values: Values) -> np.ndarray:
    """Return each variable's sum of absolute correlations with the others, shape (variables,).

    Variables without an order are seen through indicators of their most frequent levels; of several views
    of a pair the strongest counts. At most `MOST_ROWS` rows are looked at, evenly spaced.
    """
    count = len(variables)
    if count < 2 or values.rows < 3:
        return np.zeros(count)
    rows = np.linspace(0, values.rows - 1, min(values.rows, MOST_ROWS)).astype(np.int64)
    views, owner = [], []
    for index, variable in enumerate(variables):
        for view in _views(variable, values.drawn[index][rows], values.active[index][rows]):
            views.append(view)
            owner.append(index)
    matrix = np.array(views)
    spread = matrix.std(axis=1, keepdims=True)
    scaled = (matrix - matrix.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)
    correlation = np.abs(scaled @ scaled.T) / len(rows)
    owners = np.array(owner)
    strongest = np.zeros((count, count))
    np.maximum.at(strongest, (owners[:, None], owners[None, :]), correlation)
    np.fill_diagonal(strongest, 0)
    return np.asarray(strongest.sum(axis=1))


def _views(variable: Variable, drawn: np.ndarray, active: np.ndarray) -> list[np.ndarray]:
    if variable.is_continuous:
        return [np.where(active, drawn, 0.0)]
    if variable.score is not None:
        return [np.append(variable.score, 0.0)[drawn]]
    counts = np.bincount(drawn, minlength=variable.size + 1)
    shown = np.argsort(-counts, kind="stable")[:_SHOWN_LEVELS]
    return [(drawn == level).astype(np.float64) for level in shown if 0 < counts[level] < len(drawn)] or [
        np.zeros(len(drawn))
    ]
