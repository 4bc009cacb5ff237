"""What the cells of one column hold, counted once and shared by all who look at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from understudy.core.schema import Column, Storage
from understudy.modalities.tabular import spelled

SAMPLE = 2000


@dataclass(frozen=True)
class Cells:
    """One raw column, tidied: text stripped, blanks and NaN missing.

    Attributes:
        name: the column's name.
        raw: the cells in row order, as they came apart from tidying.
    """

    name: str
    raw: pl.Series

    @classmethod
    def of(cls, raw: pl.Series) -> Cells:
        """Tidy a raw column."""
        if raw.dtype.is_float():
            raw = raw.fill_nan(None)
        if raw.dtype in (pl.Categorical, pl.Enum):
            raw = raw.cast(pl.String)
        if raw.dtype == pl.String:
            raw = raw.str.strip_chars()
            raw = raw.set(raw == "", None) if (raw == "").any() else raw
        return cls(raw.name, raw)

    @property
    def rows(self) -> int:
        """Number of cells, missing ones included."""
        return len(self.raw)

    @cached_property
    def present(self) -> pl.Series:
        """The cells that are not missing."""
        return self.raw.drop_nulls()

    @property
    def filled(self) -> int:
        """Number of cells that are not missing."""
        return len(self.present)

    @cached_property
    def distinct(self) -> int:
        """Number of different values."""
        return self.present.n_unique()

    @property
    def uniqueness(self) -> float:
        """Different values per filled cell, 0 to 1."""
        return self.distinct / self.filled if self.filled else 0.0

    @property
    def is_text(self) -> bool:
        """Whether the cells came as text."""
        return self.raw.dtype == pl.String

    @property
    def is_numeric(self) -> bool:
        """Whether the cells came as numbers."""
        return self.raw.dtype.is_numeric()

    @cached_property
    def levels(self) -> pl.DataFrame:
        """Columns `text` and `count`: each value as schemas spell it, most frequent first."""
        counts = spelled(self.present.rename("text")).value_counts(sort=False, name="count")
        return counts.sort(["count", "text"], descending=[True, False])

    @cached_property
    def some(self) -> pl.DataFrame:
        """At most `SAMPLE` of the levels, evenly spaced over their frequencies."""
        levels = self.levels if self.distinct <= 10 * SAMPLE else self._levels_of_some_rows
        step = max(levels.height // SAMPLE, 1)
        return levels.gather_every(step)

    @property
    def _levels_of_some_rows(self) -> pl.DataFrame:
        some = self.present.gather_every(max(self.filled // (10 * SAMPLE), 1))
        return Cells(self.name, some).levels

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The levels as schemas spell them, most frequent first; ask only where they are few."""
        return tuple(self.levels["text"])

    def matching(self, pattern: str) -> float:
        """Return the share of (sampled) cells whose whole text matches a regular expression, 0 to 1."""
        return share_of(self.some, self.some["text"].str.contains(f"(?s)^(?:{pattern})$"))

    @cached_property
    def numbers(self) -> np.ndarray:
        """The filled cells of a numeric column as float64, shape (filled,)."""
        return np.asarray(self.present.cast(pl.Float64).to_numpy(), dtype=np.float64)

    def without(self, tokens: tuple[str, ...]) -> Cells:
        """Return the same column with the given spellings missing."""
        if not tokens:
            return self
        odd = spelled(self.raw).is_in(list(tokens)).fill_null(value=False)
        return Cells(self.name, self.raw.set(odd, None))

    @property
    def storage(self) -> Storage:
        """How the cells were written."""
        dtype = self.raw.dtype
        if dtype.is_integer():
            return Storage.INTEGER
        if dtype.is_numeric():
            return Storage.FLOAT
        if isinstance(dtype, pl.Datetime):
            return Storage.DATETIME
        named = {pl.Boolean: Storage.BOOLEAN, pl.Date: Storage.DATE}
        return next((storage for kind, storage in named.items() if dtype == kind), Storage.TEXT)


@dataclass(frozen=True)
class Guess:
    """What a column is taken for, with its confidence and reason inside, and what a person should know.

    Attributes:
        column: the proposal.
        notes: remarks that do not fit the column's own reason.
        suspects: spellings that may stand for missing values, but too uncertainly to change the data.
    """

    column: Column
    notes: tuple[str, ...] = ()
    suspects: tuple[str, ...] = field(default=())


def share_of(levels: pl.DataFrame, hits: pl.Series) -> float:
    """Return the share of cells whose level is hit, 0 to 1.

    Args:
        levels: columns `text` and `count`.
        hits: for each level, whether it is hit.
    """
    total = int(levels["count"].sum())
    return int(levels["count"].filter(hits).sum()) / total if total else 0.0


def percent(share: float) -> str:
    """Spell a share for a note; never rounds to nothing or to everything."""
    if 0 < share < 0.001:
        return "less than 0.1 %"
    if 0.999 < share < 1:
        return "more than 99.9 %"
    return f"{100 * share:.3g} %"


def cells_counted(count: int) -> str:
    """Spell a number of cells."""
    return "1 cell" if count == 1 else f"{count} cells"
