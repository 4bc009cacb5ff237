"""One variable given the earlier ones: a linear trend, and trees for what it leaves unexplained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from understudy.core.values import Value
from understudy.sampling.leaves import LevelLeaves, NormalLeaves
from understudy.sampling.splits import Split, find_splits
from understudy.sampling.variables import Values, Variable

_ABSENT = -6.0
_ONE_HOT_LEVELS = 6
_FEWEST_ROWS = 20
_PRUNING_ROWS = 250.0
_PRUNING_DECAY = 2.0
_BACK_ROWS = 2_000.0
_EMBEDDED = 6
_SHOWN_LEVELS = 8
_MEAN_SHRINKAGE = 10.0
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
        default=0.6, ge=0, le=2, description="Smoothing of draws, as a share of a leaf's spread."
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
        default=18.0, ge=0, description="Splits that gain less, in units of noise, are not made."
    )
    structure_rows: int = Field(
        default=35_000, ge=100, description="Rows that splits are sought on, at most."
    )
    ridge: float = Field(default=15.0, ge=0, description="Penalty of the linear trend.")

    def pruned(self, rows: int) -> float:
        """Return the gain, in units of noise, that a split must bring: much in small tables, little in large."""
        return float(self.pruning / (1 + (rows / _PRUNING_ROWS) ** _PRUNING_DECAY))

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
        leaves = NormalLeaves.fit(leaf, parent, components[:, 0], settings.kernel, back, weights)
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
