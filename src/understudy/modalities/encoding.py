"""Tables as matrices: the encodings that learners, distances and classifiers need, fitted on one dataset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.schema import Column, Kind

_MISSING_LEVEL = "\x00missing"


def numeric(dataset: Dataset, column: Column) -> np.ndarray:
    """Return a number, boolean or datetime column as float64 of shape (rows,), missing as NaN.

    Datetimes are seconds since 1970; booleans 0 and 1.
    """
    return plain_numbers(dataset.frame[column.name], column)


def plain_numbers(cells: pl.Series, column: Column) -> np.ndarray:
    """Return cells of a number, boolean or datetime column as `numeric` does."""
    if column.kind is Kind.DATETIME:
        cells = cells.dt.epoch("us").cast(pl.Float64) / 1e6
    elif not cells.dtype.is_numeric() or cells.dtype.is_decimal():
        cells = cells.cast(pl.Float64)
    # Missing numbers arrive as NaN; casts take longer than small columns are worth.
    return np.array(cells.to_numpy(), dtype=np.float64)


def is_quantity(column: Column) -> bool:
    """Say whether the column's values have distances: numbers and points in time."""
    return column.kind in (Kind.NUMBER, Kind.DATETIME)


def levels_of(dataset: Dataset, column: Column) -> pl.Series:
    """Return a discrete column as text with missing as a level of its own, shape (rows,)."""
    return dataset.frame[column.name].cast(pl.String).fill_null(_MISSING_LEVEL)


@dataclass(frozen=True)
class OrdinalEncoding:
    """Columns as float64: quantities as they are (missing NaN), levels as integers by falling frequency.

    Levels that the fitted data do not hold become -1; a missing level is a level of its own.

    Attributes:
        columns: the encoded columns, in the order of the matrix.
        levels: the levels of each discrete column, most frequent first.
    """

    columns: tuple[Column, ...]
    levels: dict[str, tuple[str, ...]]

    @classmethod
    def fit(cls, dataset: Dataset, columns: tuple[Column, ...]) -> OrdinalEncoding:
        """Note the levels of `columns` in `dataset`."""
        levels = {}
        for column in columns:
            if not is_quantity(column):
                counts = levels_of(dataset, column).value_counts(sort=False)
                name = counts.columns[0]
                levels[column.name] = tuple(counts.sort(["count", name], descending=[True, False])[name])
        return cls(columns, levels)

    def transform(self, dataset: Dataset) -> np.ndarray:
        """Return the matrix, shape (rows, columns)."""
        parts = [
            numeric(dataset, c) if is_quantity(c) else self._codes(dataset, c).astype(np.float64)
            for c in self.columns
        ]
        return np.column_stack(parts) if parts else np.empty((dataset.rows, 0))

    @property
    def discrete(self) -> np.ndarray:
        """Which matrix columns hold levels, shape (columns,)."""
        return np.array([not is_quantity(c) for c in self.columns], dtype=bool)

    def _codes(self, dataset: Dataset, column: Column) -> np.ndarray:
        levels = self.levels[column.name]
        text = levels_of(dataset, column)
        if not levels:
            return np.full(dataset.rows, -1)
        codes = text.replace_strict(list(levels), list(range(len(levels))), default=-1, return_dtype=pl.Int64)
        return codes.to_numpy()


@dataclass(frozen=True)
class DistanceEncoding:
    """Columns scaled so that the L1 distance of two rows is their Gower distance, from 0 to about 1.

    Quantities are divided by their 1-99 % range and clipped half a range beyond it; a missing quantity takes
    the median and differs by one in its own indicator; two different levels differ by one (two halves of a
    one-hot code; levels beyond the most frequent `most_levels` share one place).

    Reference:
        Gower, A general coefficient of similarity and some of its properties, Biometrics 27 (1971).
    """

    ordinal: OrdinalEncoding
    low: np.ndarray
    width: np.ndarray
    median: np.ndarray
    has_missing: np.ndarray
    most_levels: int = 60

    @classmethod
    def fit(cls, dataset: Dataset, columns: tuple[Column, ...], most_levels: int = 60) -> DistanceEncoding:
        """Note ranges and levels of `columns` in `dataset`."""
        ordinal = OrdinalEncoding.fit(dataset, columns)
        quantities = ordinal.transform(dataset)[:, ~ordinal.discrete]
        blank = (
            np.isnan(quantities).all(axis=0) if len(quantities) else np.ones(quantities.shape[1], dtype=bool)
        )
        safe = np.where(blank, 0.0, quantities) if len(quantities) else np.zeros((1, quantities.shape[1]))
        # numpy refuses quantiles of no columns at all: a table of levels only.
        low, median, high = (
            np.nanquantile(safe, [0.01, 0.5, 0.99], axis=0) if safe.size else np.zeros((3, safe.shape[1]))
        )
        width = np.where(high > low, high - low, 1.0)
        return cls(ordinal, low, width, median, np.isnan(quantities).any(axis=0), most_levels)

    def transform(self, dataset: Dataset) -> np.ndarray:
        """Return the matrix as float32, shape (rows, features)."""
        matrix = self.ordinal.transform(dataset)
        discrete = self.ordinal.discrete
        quantities = matrix[:, ~discrete]
        filled = np.where(np.isnan(quantities), self.median, quantities)
        parts = [np.clip((filled - self.low) / self.width, -0.5, 1.5)]
        parts.append(np.isnan(quantities[:, self.has_missing]).astype(np.float64))
        for position, column in zip(
            np.flatnonzero(discrete), np.array(self.ordinal.columns, dtype=object)[discrete], strict=True
        ):
            size = min(len(self.ordinal.levels[column.name]), self.most_levels) + 1
            codes = matrix[:, position].astype(np.int64)
            codes = np.where((codes < 0) | (codes >= size - 1), size - 1, codes)
            parts.append(np.eye(size)[codes] / 2)
        return (np.concatenate(parts, axis=1) / max(len(discrete), 1)).astype(np.float32)


@dataclass(frozen=True)
class LinearEncoding:
    """Columns for linear models: standardised quantities, missing indicators, one-hot levels (most frequent).

    The first level of each discrete column is kept too; regularised models do not mind.
    """

    distance: DistanceEncoding
    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, dataset: Dataset, columns: tuple[Column, ...], most_levels: int = 60) -> LinearEncoding:
        """Note levels, means and standard deviations of `columns` in `dataset`."""
        distance = DistanceEncoding.fit(dataset, columns, most_levels)
        matrix = distance.transform(dataset).astype(np.float64)
        scale = matrix.std(axis=0) if len(matrix) else np.ones(matrix.shape[1])
        centre = matrix.mean(axis=0) if len(matrix) else np.zeros(matrix.shape[1])
        return cls(distance, centre, np.where(scale > 1e-9, scale, 1.0))

    def transform(self, dataset: Dataset) -> np.ndarray:
        """Return the matrix, shape (rows, features)."""
        return np.asarray((self.distance.transform(dataset) - self.centre) / self.scale)
