"""Columns as few integer codes: rare levels rolled up, quantities in bins; the same codes for every table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.schema import Column
from understudy.modalities.encoding import is_quantity, levels_of, numeric


@dataclass(frozen=True)
class LevelCodes:
    """The most frequent levels of a discrete column by falling frequency; all others share the last code.

    A missing level is a level of its own.
    """

    column: Column
    levels: tuple[str, ...]

    @classmethod
    def fit(cls, dataset: Dataset, column: Column, most: int) -> LevelCodes:
        """Note the `most` most frequent levels of `dataset`."""
        counts = levels_of(dataset, column).rename("level").value_counts(name="rows")
        ranked = counts.sort(["rows", "level"], descending=[True, False])["level"]
        return cls(column, tuple(ranked.head(most)))

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.levels) + 1

    def transform(self, dataset: Dataset) -> np.ndarray:
        """Return the code of each row, shape (rows,)."""
        text = levels_of(dataset, self.column)
        codes = text.replace_strict(
            list(self.levels), list(range(len(self.levels))), default=self.size - 1, return_dtype=pl.Int64
        )
        return codes.to_numpy()


@dataclass(frozen=True)
class BinCodes:
    """A quantity cut at its quantiles; a missing value has the last code."""

    column: Column
    cuts: np.ndarray

    @classmethod
    def fit(cls, dataset: Dataset, column: Column, most: int) -> BinCodes:
        """Note the cut points of at most `most` bins that hold about equally many rows of `dataset`."""
        values = numeric(dataset, column)
        values = values[~np.isnan(values)]
        if not len(values):
            return cls(column, np.empty(0))
        return cls(column, np.unique(np.quantile(values, np.arange(1, most) / most, method="higher")))

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.cuts) + 2

    def transform(self, dataset: Dataset) -> np.ndarray:
        """Return the code of each row, shape (rows,)."""
        values = numeric(dataset, self.column)
        return np.where(
            np.isnan(values), self.size - 1, np.searchsorted(self.cuts, values, side="right")
        ).astype(np.int64)


def cells(dataset: Dataset, column: Column, levels: int, bins: int) -> LevelCodes | BinCodes:
    """Fit the coding of a column: at most `levels` levels, or `bins` bins."""
    if is_quantity(column):
        return BinCodes.fit(dataset, column, bins)
    return LevelCodes.fit(dataset, column, levels)
