"""The two learners by which data are judged, a boosted and a linear one, and the matrices that they take."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from understudy.core.dataset import Dataset
from understudy.core.schema import Column
from understudy.metrics.cells import LevelCodes
from understudy.modalities.encoding import is_quantity, numeric

MOST_LEVELS = 60


class Classifier(Protocol):
    """What says how likely each class is."""

    classes_: np.ndarray

    def predict_proba(self, matrix: np.ndarray | sparse.csr_matrix) -> np.ndarray:
        """Return class probabilities, shape (rows, classes)."""


Regressor = HistGradientBoostingRegressor | Ridge


@dataclass(frozen=True)
class LinearDesign:
    """Columns for linear models: standardised quantities, indicators of missing ones, one-hot levels.

    A missing quantity takes the median; levels beyond the most frequent 60 share one place.
    """

    quantities: tuple[Column, ...]
    discrete: tuple[LevelCodes, ...]
    median: np.ndarray
    scale: np.ndarray
    has_missing: np.ndarray

    @classmethod
    def fit(cls, dataset: Dataset, columns: tuple[Column, ...]) -> LinearDesign:
        """Note medians, deviations and levels of `columns` in `dataset`."""
        quantities = tuple(c for c in columns if is_quantity(c))
        discrete = tuple(LevelCodes.fit(dataset, c, MOST_LEVELS) for c in columns if not is_quantity(c))
        values = _stack(dataset, quantities)
        blank = np.isnan(values).all(axis=0)
        median = np.nanmedian(np.where(blank, 0.0, values), axis=0)
        deviation = np.where(np.isnan(values), median, values).std(axis=0)
        scale = np.where(deviation > 1e-12, deviation, 1.0)
        return cls(quantities, discrete, median, scale, np.isnan(values).any(axis=0))

    @property
    def owners(self) -> tuple[str, ...]:
        """The column behind each feature."""
        names = [column.name for column in self.quantities]
        names += [column.name for column, gap in zip(self.quantities, self.has_missing, strict=True) if gap]
        return (*names, *(d.column.name for d in self.discrete for _ in range(d.size)))

    def transform(self, dataset: Dataset) -> sparse.csr_matrix:
        """Return the matrix, shape (rows, features)."""
        values = _stack(dataset, self.quantities)
        missing = np.isnan(values)
        dense = (np.where(missing, self.median, values) - self.median) / self.scale
        # Far outliers of other tables would make a linear model say anything.
        parts = [np.clip(dense, -20, 20), missing[:, self.has_missing].astype(np.float64)]
        hot = [_one_hot(d.transform(dataset), d.size) for d in self.discrete]
        return sparse.csr_matrix(sparse.hstack([sparse.csr_matrix(np.concatenate(parts, axis=1)), *hot]))


def _stack(dataset: Dataset, columns: tuple[Column, ...]) -> np.ndarray:
    if not columns:
        return np.zeros((dataset.rows, 0))
    return np.column_stack([numeric(dataset, column) for column in columns])


def _one_hot(codes: np.ndarray, size: int) -> sparse.csr_matrix:
    rows = len(codes)
    return sparse.csr_matrix((np.ones(rows), (np.arange(rows), codes)), shape=(rows, size))


def boosted_classifier(trees: int, learning_rate: float, state: int) -> HistGradientBoostingClassifier:
    """Return boosted trees of 15 leaves, without early stopping so that results depend on nothing hidden."""
    return HistGradientBoostingClassifier(
        max_iter=trees,
        learning_rate=learning_rate,
        max_leaf_nodes=15,
        early_stopping=False,
        random_state=state,
    )


def boosted_regressor(trees: int, learning_rate: float, state: int) -> HistGradientBoostingRegressor:
    """Return boosted regression trees of 15 leaves."""
    return HistGradientBoostingRegressor(
        max_iter=trees,
        learning_rate=learning_rate,
        max_leaf_nodes=15,
        early_stopping=False,
        random_state=state,
    )


def without_blanks(matrix: np.ndarray) -> np.ndarray:
    """Return the matrix to learn from, zeros in place of columns without any value: trees cannot bin those."""
    blank = np.isnan(matrix).all(axis=0)
    return np.where(blank, 0.0, matrix) if blank.any() else matrix


def logistic(
    matrix: sparse.csr_matrix, classes: np.ndarray, weights: np.ndarray | None = None
) -> LogisticRegression:
    """Fit a logistic regression (ridge penalty 1); a slow end of the optimiser is good enough here."""
    model = LogisticRegression(C=1.0, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(matrix, classes, sample_weight=weights)


def ridge(matrix: sparse.csr_matrix, values: np.ndarray) -> Ridge:
    """Fit a ridge regression (penalty 1)."""
    return Ridge(alpha=1.0).fit(matrix, values)
