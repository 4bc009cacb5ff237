"""Learning one variable given the earlier ones: a linear trend, and trees for what it leaves unexplained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from understudy.core.values import Value
from understudy.sampling.dependence import Features, Split, Tree, VariableModel, find_leaves
from understudy.sampling.leaves import LevelLeaves, NormalLeaves
from understudy.sampling.splits import find_splits
from understudy.sampling.variables import Values, Variable

_ONE_HOT_LEVELS = 6
_FEWEST_ROWS = 20
_PRUNING_ROWS = 250.0
_PRUNING_DECAY = 2.0
_BACK_ROWS = 2_000.0
_KERNEL_ROWS = 20_000.0
_EMBEDDED = 6
_SHOWN_LEVELS = 8
_PROFILE_SHRINKAGE = 20.0
_LINEAR_TARGETS = 3


class TreeSettings(Value):
    """How closely trees follow the training rows."""

    leaf: float = Field(
        default=10.0,
        gt=0,
        le=1000,
        description="Smallest leaf is leaf x rows^leaf_power people, at most a fifth of the rows, at least 5.",
    )
    leaf_power: float = Field(default=0.2, ge=0, le=1, description="How leaves grow with the number of rows.")
    kernel: float = Field(
        default=0.6,
        ge=0,
        le=2,
        description="Smoothing of draws, as a share of a leaf's spread; falls in large tables.",
    )
    back: float = Field(
        default=14.0,
        ge=0,
        description="Weight, in people, of a leaf's parent against the leaf; falls as the table grows.",
    )
    trees: int = Field(
        default=8,
        ge=1,
        le=50,
        description="Most trees per column; each value is drawn from one. Fewer grow as the table does.",
    )
    tree_cells: int = Field(
        default=15_000, ge=1, description="Cells of the table that one tree is enough for, roughly."
    )
    pruning: float = Field(
        default=9.0, ge=0, description="Splits that gain less, in units of noise, are not made."
    )
    structure_rows: int = Field(
        default=35_000, ge=100, description="Rows that splits are sought on, at most."
    )
    ridge: float = Field(default=15.0, ge=0, description="Penalty of the linear trend.")

    def pruned(self, rows: int) -> float:
        """Return the gain, in units of noise, that a split must bring: much in small tables, little in large."""
        return float(self.pruning / (1 + (rows / _PRUNING_ROWS) ** _PRUNING_DECAY))

    def smoothing(self, rows: int) -> float:
        """Return the width of the kernel, as a share of a leaf's spread; it falls as the table grows."""
        return float(self.kernel / (1 + rows / _KERNEL_ROWS) ** 0.5)

    def parent_weight(self, rows: int) -> float:
        """Return the weight, in people, that a leaf's parent has against the leaf."""
        return self.back / (1 + rows / _BACK_ROWS)

    def tree_count(self, rows: int, columns: int) -> int:
        """Return how many trees to grow for a variable that depends on `columns` earlier ones."""
        return max(1, min(self.trees, round(self.trees * self.tree_cells / max(rows * columns, 1))))

    def smallest_leaf(self, rows: int) -> int:
        """Return the fewest people that a leaf may hold when `rows` rows are learned from."""
        wanted: int = round(self.leaf * float(rows) ** self.leaf_power)
        return max(FEWEST_IN_LEAF, min(wanted, rows // 5))


FEWEST_IN_LEAF = 5

__all__ = [
    "FEWEST_IN_LEAF",
    "Features",
    "Tree",
    "TreeSettings",
    "VariableModel",
    "find_leaves",
    "fit_variable",
]


def fit_variable(
    index: int,
    earlier: tuple[int, ...],
    variables: tuple[Variable, ...],
    values: Values,
    settings: TreeSettings,
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
    top: Sequence[Split] = (),
) -> VariableModel:
    """Learn one variable from the rows where it exists.

    Args:
        index: the variable.
        earlier: variables that are drawn before it.
        variables: all variables.
        values: encoded training rows.
        settings: how closely to follow the rows.
        rng: chooses rows for each tree.
        weights: survey weights of mean 1 over the rows that count, 0 for rows that do not, shape (rows,).
        top: splits that every tree makes first where enough people remain: earlier variables that have an
            order, and the score up to which people go left.
    """
    variable = variables[index]
    rows = np.flatnonzero(values.active[index] if weights is None else values.active[index] & (weights > 0))
    target = values.drawn[index][rows]
    weights = None if weights is None else weights[rows]
    smallest = settings.smallest_leaf(len(rows))
    if not earlier or len(rows) < max(2 * smallest, _FEWEST_ROWS) or variable.size == 1:
        return VariableModel(None, None, None, (_stump(variable, target, settings, weights),))
    known = values.take(rows)
    components = _components(variable, target, variables, earlier, known)
    features = Features.fit(variables, earlier, known, components, weights)
    matrix, linear = features.matrices(variables, known)
    slope, intercept = _ridge(linear, components[:, :_LINEAR_TARGETS], settings.ridge, weights)
    trend = linear @ slope + intercept
    matrix = np.column_stack([matrix, trend.astype(np.float32)])
    if variable.is_continuous:
        components = components - trend[:, :1]
    count = settings.tree_count(len(rows), len(earlier) + 1)
    trees = tuple(
        _grow(
            variable,
            matrix,
            components,
            target,
            smallest,
            count > 1,
            settings,
            rng,
            weights,
            features.placed(variables, top),
        )
        for _ in range(count)
    )
    return VariableModel(features, slope, intercept, trees)


def _stump(
    variable: Variable, target: np.ndarray, settings: TreeSettings, weights: np.ndarray | None = None
) -> Tree:
    root = np.zeros(1, dtype=np.int64)
    leaf = np.zeros(len(target), dtype=np.int64)
    leaves: NormalLeaves | LevelLeaves = NormalLeaves.standard()
    if not variable.is_continuous:
        leaves = LevelLeaves.fit(leaf, root, target, variable.size, 0.0, weights)
    return Tree(root, np.zeros(1), root - 1, root - 1, leaves)


def _grow(
    variable: Variable,
    matrix: np.ndarray,
    components: np.ndarray,
    target: np.ndarray,
    smallest: int,
    is_bagged: bool,
    settings: TreeSettings,
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
    top: Sequence[Split] = (),
) -> Tree:
    rows = len(target)
    chosen = np.arange(rows)
    if rows > settings.structure_rows:
        chosen = rng.choice(rows, settings.structure_rows, replace=False)
    if is_bagged:
        chosen = rng.choice(chosen, int(0.7 * len(chosen)), replace=False)
    shown = None if weights is None else weights[chosen]
    noise = _noise(components[chosen], shown)
    feature, threshold, left, right = find_splits(
        matrix[chosen],
        components[chosen],
        shown,
        settings.pruned(rows) * noise,
        max(FEWEST_IN_LEAF, round(smallest * len(chosen) / rows)),
        top,
        int(rng.integers(2**31)),
    )
    parent = np.zeros(len(left), dtype=np.int64)
    for children in (left, right):
        inner = np.flatnonzero(children >= 0)
        parent[children[inner]] = inner
    leaf, back = find_leaves(feature, threshold, left, right, matrix), settings.parent_weight(rows)
    leaves: NormalLeaves | LevelLeaves
    if variable.is_continuous:
        leaves = NormalLeaves.fit(leaf, parent, components[:, 0], settings.smoothing(rows), back, weights)
    else:
        leaves = LevelLeaves.fit(leaf, parent, target, variable.size, back, weights)
    return Tree(feature, threshold, left, right, leaves)


def _components(
    variable: Variable,
    target: np.ndarray,
    variables: tuple[Variable, ...],
    earlier: tuple[int, ...],
    known: Values,
) -> np.ndarray:
    """Return what the trees regress on, shape (rows, components): scores, indicators, or embedded levels."""
    if variable.is_continuous:
        return np.asarray(target[:, None])
    if variable.score is not None:
        return np.asarray(variable.score[target][:, None])
    if variable.size == 2:
        return np.asarray((target == 1).astype(np.float64)[:, None])
    if variable.size <= _ONE_HOT_LEVELS:
        indicators = np.eye(variable.size)[target]
        return np.asarray(indicators[:, np.argsort(-indicators.mean(axis=0), kind="stable")])
    return _embedded(variable, target, variables, earlier, known)


def _embedded(
    variable: Variable,
    target: np.ndarray,
    variables: tuple[Variable, ...],
    earlier: tuple[int, ...],
    known: Values,
) -> np.ndarray:
    """Place each level where its people lie in the earlier variables: the leading directions of their means."""
    profile = []
    for index in earlier:
        drawn = known.drawn[index]
        if variables[index].is_continuous:
            profile.append(np.where(known.active[index], drawn, 0.0))
        elif (score := variables[index].score) is not None:
            profile.append(np.append(score, 0.0)[drawn])
        else:
            count = np.bincount(drawn, minlength=variables[index].size + 1)
            shown = np.argsort(-count, kind="stable")[:_SHOWN_LEVELS]
            profile += [(drawn == code).astype(np.float64) for code in shown if 0 < count[code] < len(drawn)]
    if not profile:
        return np.asarray((target == np.bincount(target).argmax()).astype(np.float64)[:, None])
    matrix = np.column_stack(profile)
    matrix = (matrix - matrix.mean(axis=0)) / np.maximum(matrix.std(axis=0), 1e-9)
    count = np.bincount(target, minlength=variable.size)
    sums = np.column_stack([np.bincount(target, column, variable.size) for column in matrix.T])
    means = sums / (count + _PROFILE_SHRINKAGE)[:, None]
    left, size, _ = np.linalg.svd(means * np.sqrt(count)[:, None], full_matrices=False)
    place = left[:, :_EMBEDDED] * size[:_EMBEDDED] / np.sqrt(np.maximum(count, 1))[:, None]
    return np.asarray(place[target])


def _noise(components: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the variance of a mean of the components, given how many people weights are worth (Kish)."""
    if weights is None:
        return float(components.var(axis=0).mean() / len(components))
    centre = np.average(components, axis=0, weights=weights)
    variance = np.average((components - centre) ** 2, axis=0, weights=weights).mean()
    return float(variance * (weights**2).sum() / weights.sum() ** 2)


def _ridge(
    features: np.ndarray, target: np.ndarray, penalty: float, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return slope and intercept of a ridge regression on standardised features."""
    if weights is not None:
        return _weighted_ridge(features, target, penalty, weights)
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread < 1e-9, 1.0, spread)
    scaled = (features - mean) / spread
    gram = scaled.T @ scaled
    gram[np.diag_indices_from(gram)] += max(penalty, 1e-6)
    slope = np.linalg.solve(gram, scaled.T @ (target - target.mean(axis=0))) / spread[:, None]
    return slope, target.mean(axis=0) - mean @ slope


def _weighted_ridge(
    features: np.ndarray, target: np.ndarray, penalty: float, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    mean = np.average(features, axis=0, weights=weights)
    spread = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=weights))
    spread = np.where(spread < 1e-9, 1.0, spread)
    scaled = (features - mean) / spread
    centre = np.average(target, axis=0, weights=weights)
    gram = (scaled * weights[:, None]).T @ scaled
    gram[np.diag_indices_from(gram)] += max(penalty, 1e-6)
    slope = np.linalg.solve(gram, (scaled * weights[:, None]).T @ (target - centre)) / spread[:, None]
    return slope, centre - mean @ slope
