"""How strongly each pair of columns is related, whatever their kinds, as one matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.stats import rankdata

from understudy.core.dataset import Dataset
from understudy.core.schema import Column
from understudy.metrics.cells import LevelCodes
from understudy.modalities.encoding import is_quantity, numeric


@dataclass(frozen=True)
class Coded:
    """A table made ready for association matrices.

    Attributes:
        values: quantities, missing as NaN, shape (rows, quantities).
        codes: codes of the discrete columns, shape (rows, discrete columns).
        sizes: number of codes of each discrete column.
    """

    values: np.ndarray
    codes: np.ndarray
    sizes: tuple[int, ...]

    def take(self, rows: np.ndarray) -> Coded:
        """Return these rows."""
        return Coded(self.values[rows], self.codes[rows], self.sizes)


@dataclass(frozen=True)
class AssociationCoding:
    """The columns of an association matrix: quantities first, then discrete ones, rare levels rolled up."""

    quantities: tuple[Column, ...]
    discrete: tuple[LevelCodes, ...]

    @classmethod
    def fit(cls, dataset: Dataset, columns: tuple[Column, ...], most_levels: int) -> AssociationCoding:
        """Note the levels of the discrete `columns` in `dataset`."""
        return cls(
            tuple(c for c in columns if is_quantity(c)),
            tuple(LevelCodes.fit(dataset, c, most_levels) for c in columns if not is_quantity(c)),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in the order of the matrix."""
        return (*(c.name for c in self.quantities), *(d.column.name for d in self.discrete))

    def transform(self, dataset: Dataset) -> Coded:
        """Return the coded rows."""
        values = [numeric(dataset, column) for column in self.quantities]
        codes = [d.transform(dataset) for d in self.discrete]
        return Coded(
            np.column_stack(values) if values else np.empty((dataset.rows, 0)),
            np.column_stack(codes) if codes else np.empty((dataset.rows, 0), dtype=np.int64),
            tuple(d.size for d in self.discrete),
        )


def association(table: Coded) -> np.ndarray:
    """Return the association of every pair of columns, shape (columns, columns), ones on the diagonal.

    Two quantities: Spearman's rank correlation, signed; missing values take the mean rank. Two discrete
    columns: bias-corrected Cramér's V, 0 to 1. A discrete column and a quantity: bias-corrected correlation
    ratio of the ranks (the square root of epsilon squared), 0 to 1. Constant columns have no association.

    Reference:
        Bergsma, A bias-correction for Cramér's V and Tschuprow's T, Journal of the Korean Statistical
        Society 42 (2013); Kelley, An unbiased correlation ratio measure, PNAS 21 (1935).
    """
    rows, quantities = table.values.shape
    size = quantities + table.codes.shape[1]
    found = np.zeros((size, size))
    ranks = _standard_ranks(table.values)
    found[:quantities, :quantities] = ranks.T @ ranks / max(rows, 1)
    if size > quantities and rows > 1:
        starts = np.concatenate([[0], np.cumsum(table.sizes)])[:-1]
        places = (table.codes + starts).ravel()
        pointers = np.arange(rows + 1) * table.codes.shape[1]
        hot = sparse.csr_array(
            (np.ones(len(places)), places, pointers), shape=(rows, int(np.sum(table.sizes)))
        )
        counts = np.asarray(hot.sum(axis=0)).ravel()
        levels = np.add.reduceat((counts > 0).astype(np.float64), starts)
        ratio = _correlation_ratio(hot.T @ ranks, counts, starts, levels, rows)
        found[quantities:, :quantities], found[:quantities, quantities:] = ratio, ratio.T
        found[quantities:, quantities:] = _cramer((hot.T @ hot).toarray(), counts, starts, levels, rows)
    np.fill_diagonal(found, 1.0)
    return np.clip(found, -1.0, 1.0)


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks with mean 0 and variance 1 per column; zeros for constant columns."""
    if not values.size:
        return np.zeros(values.shape)
    missing = np.isnan(values)
    ranks = rankdata(np.where(missing, -np.inf, values), axis=0)
    # Missing values rank lowest here, so the present ones stand that many places too high.
    ranks = ranks - missing.sum(axis=0)
    ranks = np.where(missing, (len(values) - missing.sum(axis=0) + 1) / 2, ranks)
    centred = ranks - ranks.mean(axis=0)
    deviation = centred.std(axis=0)
    return np.asarray(np.where(deviation > 1e-9, centred / np.where(deviation > 1e-9, deviation, 1), 0.0))


def _correlation_ratio(
    sums: np.ndarray, counts: np.ndarray, starts: np.ndarray, levels: np.ndarray, rows: int
) -> np.ndarray:
    """Return the corrected correlation ratio, shape (discrete columns, quantities)."""
    between = sums**2 / np.maximum(counts, 1)[:, None]
    share = np.add.reduceat(between, starts, axis=0) / rows if sums.shape[1] else np.zeros((len(starts), 0))
    corrected = 1 - (1 - share) * (rows - 1) / np.maximum(rows - levels, 1)[:, None]
    return np.asarray(np.sqrt(np.clip(corrected, 0.0, 1.0)) * (share > 0))


def _cramer(
    table: np.ndarray, counts: np.ndarray, starts: np.ndarray, levels: np.ndarray, rows: int
) -> np.ndarray:
    """Return the corrected Cramér's V, shape (discrete columns, discrete columns)."""
    expected = np.outer(counts, counts) / rows
    terms = (table - expected) ** 2 / np.where(expected > 0, expected, 1)
    square = np.add.reduceat(np.add.reduceat(terms, starts, axis=0), starts, axis=1) / rows
    square = np.maximum(square - np.outer(levels - 1, levels - 1) / (rows - 1), 0.0)
    corrected = levels - (levels - 1) ** 2 / (rows - 1)
    smaller = np.minimum.outer(corrected, corrected) - 1
    return np.asarray(np.where(smaller > 1e-9, np.sqrt(square / np.where(smaller > 1e-9, smaller, 1)), 0.0))
