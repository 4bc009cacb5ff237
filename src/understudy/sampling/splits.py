"""The splits of a tree: some made first wherever enough people remain, the others where they gain most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn import config_context
from sklearn.tree import DecisionTreeRegressor

from understudy.sampling.dependence import Split


@dataclass
class Skeleton:
    """A tree as scikit-learn keeps it, growing: `left` and `right` are -1 at leaves."""

    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return feature, threshold, left and right, each of shape (nodes,)."""
        whole = (np.array(part, dtype=np.int64) for part in (self.feature, self.left, self.right))
        feature, left, right = whole
        return feature, np.array(self.threshold, dtype=np.float64), left, right

    def add(self, feature: int = 0, threshold: float = 0.0) -> int:
        """Add a leaf, or a node whose children are still to be told, and return its number."""
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.left.append(-1)
        self.right.append(-1)
        return len(self.feature) - 1

    def graft(self, grown: DecisionTreeRegressor) -> int:
        """Add a whole tree and return the number of its root."""
        tree, start = grown.tree_, len(self.feature)
        self.feature += tree.feature.tolist()
        self.threshold += tree.threshold.tolist()
        self.left += [child + start if child >= 0 else -1 for child in tree.children_left.tolist()]
        self.right += [child + start if child >= 0 else -1 for child in tree.children_right.tolist()]
        return start


def find_splits(
    matrix: np.ndarray,
    components: np.ndarray,
    weights: np.ndarray | None,
    gain: float,
    fewest: int,
    top: Sequence[Split],
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return feature, threshold, left and right of a tree, each of shape (nodes,).

    Args:
        matrix: features, shape (rows, features).
        components: what the tree regresses on, shape (rows, k).
        weights: survey weights, shape (rows,), or None.
        gain: smallest decrease of impurity, as a share of all rows, that a split must bring.
        fewest: smallest number of rows in a leaf.
        top: splits made first, one after the other, in each node that leaves `fewest` rows on both sides.
        seed: breaks ties.
    """
    skeleton = Skeleton([], [], [], [])
    total = float(len(matrix)) if weights is None else float(weights.sum())

    def grow(rows: np.ndarray, splits: Sequence[Split]) -> int:
        for place, (feature, threshold) in enumerate(splits):
            goes_left = matrix[rows, feature] <= threshold
            if fewest <= goes_left.sum() <= len(rows) - fewest:
                node = skeleton.add(feature, threshold)
                skeleton.left[node] = grow(rows[goes_left], splits[place + 1 :])
                skeleton.right[node] = grow(rows[~goes_left], splits[place + 1 :])
                return node
        mine = None if weights is None else weights[rows]
        share = (len(rows) if mine is None else float(mine.sum())) / total
        learner = DecisionTreeRegressor(
            min_samples_leaf=fewest, min_impurity_decrease=gain / share, random_state=seed
        )
        return skeleton.graft(learner.fit(matrix[rows], components[rows], mine, check_input=False))

    # Of small trees, checking the settings takes a tenth of the time.
    with config_context(skip_parameter_validation=True):
        grow(np.arange(len(matrix)), tuple(top))
    return skeleton.arrays()
