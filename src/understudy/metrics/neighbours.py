"""Nearest rows: exact where that is quick, else exact among the candidates of a projection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

EXACT_WORK = 2.5e9
_DIRECTIONS = 24
_FIT_ROWS = 5000
_CHUNK = 256


@dataclass(frozen=True)
class Neighbours:
    """The nearest target rows of each query row, closest first.

    Attributes:
        distances, positions: shape (queries, k).
    """

    distances: np.ndarray
    positions: np.ndarray

    def of(self, chosen: np.ndarray) -> Neighbours:
        """Return the neighbours of some queries (mask or positions)."""
        return Neighbours(self.distances[chosen], self.positions[chosen])


def nearest(
    queries: np.ndarray, targets: np.ndarray, k: int = 1, metric: str = "manhattan", exact: bool | None = None
) -> Neighbours:
    """Find the `k` nearest rows (all, if there are fewer) of `targets` for each row of `queries`.

    Large problems compare the full distance only among the nearest rows of a projection on the leading
    directions of the targets: equal rows are always found, others nearly always.

    Args:
        queries, targets: float32, shapes (queries, features) and (targets, features).
        metric: `manhattan` or `euclidean`.
        exact: True for all pairs, False for the projection, None to let the size decide.
    """
    k = min(k, len(targets))
    if exact is None:
        exact = len(queries) * len(targets) * queries.shape[1] <= EXACT_WORK
    if exact:
        return _search(queries, targets, k, metric)
    axes = _directions(targets)
    candidates = _search(queries @ axes, targets @ axes, min(max(4 * k, 16), len(targets)), "euclidean")
    distances, positions = [], []
    for start in range(0, len(queries), _CHUNK):
        found = candidates.positions[start : start + _CHUNK]
        gaps = targets[found] - queries[start : start + _CHUNK, None, :]
        full = np.abs(gaps).sum(axis=2) if metric == "manhattan" else np.sqrt((gaps**2).sum(axis=2))
        order = np.argsort(full, axis=1, kind="stable")[:, :k]
        distances.append(np.take_along_axis(full, order, axis=1))
        positions.append(np.take_along_axis(found, order, axis=1))
    return Neighbours(np.concatenate(distances), np.concatenate(positions))


def _search(queries: np.ndarray, targets: np.ndarray, k: int, metric: str) -> Neighbours:
    search = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute", n_jobs=1).fit(targets)
    distances, positions = search.kneighbors(queries)
    return Neighbours(distances, positions)


def _directions(targets: np.ndarray) -> np.ndarray:
    """Return the leading principal directions, shape (features, at most 24)."""
    sample = targets[:: max(len(targets) // _FIT_ROWS, 1)].astype(np.float64)
    covariance = np.atleast_2d(np.cov(sample, rowvar=False))
    return np.linalg.eigh(covariance)[1][:, ::-1][:, :_DIRECTIONS].astype(np.float32)
