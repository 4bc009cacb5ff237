"""What an attacker holds: the synthetic table, other real people for reference, and records to judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.core.seeds import Seed
from understudy.metrics.neighbours import Neighbours, nearest

NEIGHBOURS = 5


@dataclass(frozen=True)
class Rows:
    """One table in the encodings that attacks use.

    Attributes:
        distance: Gower features, float32, shape (rows, features); L1 is the distance.
        columns: one number per column for tree models (levels as integers), shape (rows, columns).
    """

    distance: np.ndarray
    columns: np.ndarray

    def __len__(self) -> int:
        return len(self.distance)

    def take(self, chosen: np.ndarray) -> Rows:
        """Return some of the rows (mask or positions)."""
        return Rows(self.distance[chosen], self.columns[chosen])


@dataclass(frozen=True)
class Space:
    """Few uncorrelated coordinates in which densities can be estimated, float64.

    Attributes:
        queries, synthetic, reference: shapes (rows, dimensions).
    """

    queries: np.ndarray
    synthetic: np.ndarray
    reference: np.ndarray

    @classmethod
    def of(cls, queries: Rows, synthetic: Rows, reference: Rows, dimensions: int) -> Space:
        """Project on the leading principal directions of synthetic and reference rows, each of variance one.

        The judged records take no part in finding the directions, so members and others are treated alike.
        """
        known = [
            rows.distance[: max(len(synthetic), len(reference))].astype(np.float64)
            for rows in (synthetic, reference)
        ]
        centre = (known[0].mean(axis=0) + known[1].mean(axis=0)) / 2
        spread = sum(np.atleast_2d(np.cov(part, rowvar=False)) for part in known) / 2
        values, vectors = np.linalg.eigh(np.asarray(spread))
        kept = np.flatnonzero(values > max(values[-1], 1e-12) * 1e-4)[::-1][:dimensions]
        axes = vectors[:, kept] / np.sqrt(values[kept])
        return cls(*((rows.distance - centre) @ axes for rows in (queries, synthetic, reference)))


@dataclass(frozen=True)
class Scene:
    """All that an attack may use; which of the queries are members is not part of it.

    The reference rows are real, from the same population, and neither members nor queries.

    Attributes:
        to_synthetic, to_reference: the nearest rows of each query there.
        seed: source of an attack's randomness.
    """

    queries: Rows
    synthetic: Rows
    reference: Rows
    space: Space
    to_synthetic: Neighbours
    to_reference: Neighbours
    seed: Seed

    @classmethod
    def of_numbers(
        cls, queries: np.ndarray, synthetic: np.ndarray, reference: np.ndarray, seed: Seed
    ) -> Scene:
        """Return the scene of plain numeric matrices: Euclidean distances, densities in all dimensions."""
        rows = [Rows(m.astype(np.float64), m.astype(np.float64)) for m in (queries, synthetic, reference)]
        to_synthetic, to_reference = (
            nearest(rows[0].distance, part.distance, NEIGHBOURS, "euclidean") for part in rows[1:]
        )
        space = Space(*(part.distance for part in rows))
        return cls(rows[0], rows[1], rows[2], space, to_synthetic, to_reference, seed)
