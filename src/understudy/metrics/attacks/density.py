"""Kernel density of a table at given points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_CHUNK = 1024


@dataclass(frozen=True)
class Density:
    """A Gaussian kernel density whose kernel has the table's covariance, scaled by Silverman's factor.

    Attributes:
        points: whitened by the kernel, float32, shape (rows, dimensions).
        whiten: matrix that whitens, shape (dimensions, dimensions).
        log_scale: log of the kernel's value at its centre.

    Reference:
        Silverman, Density Estimation for Statistics and Data Analysis (1986), eq. 4.14.
    """

    points: np.ndarray
    whiten: np.ndarray
    centre: np.ndarray
    log_scale: float

    @classmethod
    def fit(cls, table: np.ndarray, floor: float = 0.0) -> Density:
        """Estimate the density of `table`, shape (rows, dimensions); at least two rows.

        Args:
            floor: least variance of a coordinate, for tables that are degenerate in some direction.
        """
        rows, dimensions = table.shape
        factor = (rows * (dimensions + 2) / 4) ** (-1 / (dimensions + 4))
        covariance = np.atleast_2d(np.cov(table, rowvar=False))
        scale = np.trace(covariance) / dimensions
        ridge = max(floor, 1e-9 * scale, 1e-12)
        kernel = factor**2 * (covariance + ridge * np.eye(dimensions))
        whiten = np.linalg.inv(np.linalg.cholesky(kernel)).T
        log_scale = -0.5 * (dimensions * math.log(2 * math.pi) + float(np.linalg.slogdet(kernel)[1]))
        centre = table.mean(axis=0)
        return cls(((table - centre) @ whiten).astype(np.float32), whiten, centre, log_scale)

    def place(self, queries: np.ndarray) -> np.ndarray:
        """Return points in whitened coordinates, float32, shape (queries, dimensions)."""
        return np.asarray(((queries - self.centre) @ self.whiten).astype(np.float32))

    def log(self, queries: np.ndarray) -> np.ndarray:
        """Return the log density at each query, shape (queries,)."""
        found = np.empty(len(queries))
        squares = np.einsum("ij,ij->i", self.points, self.points)
        placed = self.place(queries)
        for start in range(0, len(placed), _CHUNK):
            part = placed[start : start + _CHUNK]
            exponent = part @ self.points.T
            exponent -= squares / 2
            exponent -= (np.einsum("ij,ij->i", part, part) / 2)[:, None]
            top = exponent.max(axis=1, keepdims=True)
            exponent -= top
            np.exp(exponent, out=exponent)
            found[start : start + _CHUNK] = np.log(exponent.sum(axis=1)) + top[:, 0]
        return found + self.log_scale - math.log(len(self.points))
