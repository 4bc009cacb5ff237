"""The distribution of one variable given earlier ones: a linear trend, trees, and how values are drawn of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.sampling.leaves import LevelLeaves, NormalLeaves
from understudy.sampling.variables import Values, Variable

_ABSENT = -6.0
_MEAN_SHRINKAGE = 10.0

Split = tuple[int, float]
"""A column or a variable, and the number up to which rows go left."""


@dataclass(frozen=True)
class Features:
    """How earlier variables enter a tree and a linear trend.

    Attributes:
        earlier: indices of the earlier variables.
        means: for those without an order, the mean target components of each code, shape (size + 1, k).
    """

    earlier: tuple[int, ...]
    means: dict[int, np.ndarray]

    @classmethod
    def fit(
        cls,
        variables: tuple[Variable, ...],
        earlier: tuple[int, ...],
        values: Values,
        target: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> Features:
        """Code earlier variables without an order by their shrunken mean target, shape (rows, components)."""
        weighed = target if weights is None else target * weights[:, None]
        overall, means = np.average(target, axis=0, weights=weights), {}
        for index in earlier:
            variable = variables[index]
            if variable.is_continuous or variable.score is not None:
                continue
            codes, size = values.drawn[index], variable.size + 1
            count = np.bincount(codes, weights, minlength=size)
            means[index] = np.stack(
                [
                    (np.bincount(codes, weighed[:, k], size) + _MEAN_SHRINKAGE * overall[k])
                    / (count + _MEAN_SHRINKAGE)
                    - overall[k]
                    for k in range(min(target.shape[1], 2))
                ],
                axis=1,
            )
        return cls(earlier, means)

    def matrices(self, variables: tuple[Variable, ...], values: Values) -> tuple[np.ndarray, np.ndarray]:
        """Return the features of trees (absent = -6) and of the trend (absent = 0), shape (rows, features)."""
        for_trees, for_trend = [], []
        for index in self.earlier:
            drawn = values.drawn[index]
            if variables[index].is_continuous:
                active = values.active[index]
                for_trees.append(np.where(active, drawn, _ABSENT))
                for_trend.append(np.where(active, drawn, 0.0))
            elif (score := variables[index].score) is not None:
                for_trees.append(np.append(score, _ABSENT)[drawn])
                for_trend.append(np.append(score, 0.0)[drawn])
            else:
                columns = [self.means[index][drawn, k] for k in range(self.means[index].shape[1])]
                for_trees += columns
                for_trend += columns
        return np.column_stack(for_trees).astype(np.float32), np.column_stack(for_trend)

    def placed(self, variables: tuple[Variable, ...], splits: Sequence[Split]) -> tuple[Split, ...]:
        """Return splits of variables as splits of the columns of `matrices`; of others than these none."""
        place, column = {}, 0
        for index in self.earlier:
            place[index] = column
            column += self.means[index].shape[1] if index in self.means else 1
        return tuple((place[i], threshold) for i, threshold in splits if i in place)


@dataclass(frozen=True)
class Tree:
    """A binary tree and the distributions of its leaves.

    Attributes:
        feature, threshold, left, right: as in scikit-learn; `left` is -1 at leaves. Shape (nodes,).
        leaves: the distributions, by node.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaves: NormalLeaves | LevelLeaves

    def leaf(self, features: np.ndarray) -> np.ndarray:
        """Return the leaf of each row of `features`, shape (rows,)."""
        return find_leaves(self.feature, self.threshold, self.left, self.right, features)


def find_leaves(
    feature: np.ndarray, threshold: np.ndarray, left: np.ndarray, right: np.ndarray, features: np.ndarray
) -> np.ndarray:
    """Return the leaf that each row of `features` falls into, all rows one level deeper at a time."""
    node = np.zeros(len(features), dtype=np.int64)
    moving = np.flatnonzero(left[node] >= 0)
    while len(moving):
        at = node[moving]
        goes_left = features[moving, feature[at]] <= threshold[at]
        node[moving] = np.where(goes_left, left[at], right[at])
        moving = moving[left[node[moving]] >= 0]
    return node


@dataclass(frozen=True)
class VariableModel:
    """The distribution of one variable given the earlier ones.

    Attributes:
        features: None for a variable that depends on nothing.
        slope, intercept: the linear trend of the target components, shapes (features, k) and (k,); or None.
        trees: each value is drawn from one of them at random.
    """

    features: Features | None
    slope: np.ndarray | None
    intercept: np.ndarray | None
    trees: tuple[Tree, ...]

    def draw(
        self,
        variables: tuple[Variable, ...],
        variable: Variable,
        values: Values,
        rng: np.random.Generator,
        within: tuple[np.ndarray, np.ndarray] | np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw one value for each row of the earlier values.

        Args:
            variables: all variables of the chain.
            variable: the variable to draw.
            values: values of the earlier variables.
            rng: source of randomness.
            within: for a continuous variable the ends of allowed intervals, each of shape (rows, intervals);
                for a discrete one the allowed codes, bool of shape (size,), or (rows,) codes that are known.

        Returns:
            The values, and the probability of `within`, both of shape (rows,); None without `within`.
        """
        matrix, trend = self._inputs(variables, values)
        rows = values.rows
        drawn = np.empty(rows, dtype=np.float64 if variable.is_continuous else np.int64)
        mass = None if within is None else np.empty(rows)
        which = (
            rng.integers(len(self.trees), size=rows)
            if len(self.trees) > 1
            else np.zeros(rows, dtype=np.int64)
        )
        shift = trend if variable.is_continuous and trend is not None else np.zeros(rows)
        for number, tree in enumerate(self.trees):
            mine = np.flatnonzero(which == number)
            if not len(mine):
                continue
            leaf = np.zeros(len(mine), dtype=np.int64) if matrix is None else tree.leaf(matrix[mine])
            got, chance = _draw_leaves(tree.leaves, leaf, _rows_of(within, mine, shift), rng)
            drawn[mine] = got
            if mass is not None and chance is not None:
                mass[mine] = chance
        return (drawn + shift if variable.is_continuous else drawn), mass

    def _inputs(
        self, variables: tuple[Variable, ...], values: Values
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        if self.features is None:
            return None, None
        matrix, linear = self.features.matrices(variables, values)
        if self.slope is None or self.intercept is None:
            return matrix, None
        trend = linear @ self.slope + self.intercept
        return np.column_stack([matrix, trend.astype(np.float32)]), trend[:, 0]


def _rows_of(
    within: tuple[np.ndarray, np.ndarray] | np.ndarray | None, rows: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | np.ndarray | None:
    if isinstance(within, tuple):
        return within[0][rows] - shift[rows, None], within[1][rows] - shift[rows, None]
    return within[rows] if within is not None and within.dtype != bool else within


def _draw_leaves(
    leaves: NormalLeaves | LevelLeaves,
    leaf: np.ndarray,
    within: tuple[np.ndarray, np.ndarray] | np.ndarray | None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray | None]:
    if within is None:
        return leaves.draw(leaf, rng), None
    if isinstance(leaves, NormalLeaves):
        assert isinstance(within, tuple)
        return leaves.draw_within(leaf, within[0], within[1], rng)
    assert isinstance(within, np.ndarray)
    if within.dtype == bool:
        return leaves.draw_among(leaf, within, rng)
    return within, leaves.probability(leaf, within)
