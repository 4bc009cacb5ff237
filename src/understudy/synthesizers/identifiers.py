"""Keys and direct identifiers of a table: made anew, patients with as many rows each as real ones have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from understudy.core.dataset import CANONICAL, Dataset
from understudy.core.schema import Column, Kind, Role
from understudy.core.seeds import Seed
from understudy.synthesizers.fresh import Fresh

_FEWEST = 5
_CONSTANT = 0.98
_MOST_LEVELS = 30
_ROWS_A_GROUP = 10


@dataclass(frozen=True)
class Sizes:
    """How many rows one patient (or one value of a key) has.

    Attributes:
        rows: numbers of rows, shape (sizes,); those of fewer than 5 patients are pooled at their mean.
        share: share of patients with each, shape (sizes,).
    """

    rows: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, groups: np.ndarray) -> Sizes:
        """Count the rows of each group, groups as integers from 0 of shape (rows,)."""
        sizes, people = np.unique(np.bincount(groups), return_counts=True)
        pool = np.zeros(len(sizes), dtype=np.int64)
        number, held = 0, 0
        for place in range(len(sizes)):
            pool[place] = number
            held += people[place]
            if held >= _FEWEST and people[place + 1 :].sum() >= _FEWEST:
                number, held = number + 1, 0
        total = np.bincount(pool, people)
        mean = np.maximum(np.round(np.bincount(pool, people * sizes) / total), 1).astype(np.int64)
        return cls(mean, total / total.sum())

    @property
    def is_one(self) -> bool:
        """Whether each has a single row."""
        return bool((self.rows == 1).all())

    def starts(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return which of `n` rows begin a new group, bool of shape (n,)."""
        is_start = np.zeros(n, dtype=bool)
        if self.is_one or not n:
            return ~is_start
        mean = float((self.rows * self.share).sum())
        sizes = rng.choice(self.rows, int(n / mean * 1.2) + 20, p=self.share)
        while sizes.sum() < n:
            sizes = np.concatenate([sizes, sizes])
        begins = np.cumsum(sizes) - sizes
        is_start[begins[begins < n]] = True
        return is_start


@dataclass(frozen=True)
class Identifiers:
    """How the columns that are never learned are made.

    Attributes:
        of_rows: columns whose values belong to single rows, with how often each value repeats.
        of_patients: columns that are constant for a patient, its key first.
        patients: how many rows patients have.
        constant: learned columns of levels that do not change within a patient.
        is_contiguous: whether the rows of a patient stand together.
    """

    of_rows: tuple[tuple[Fresh, Sizes], ...] = ()
    of_patients: tuple[Fresh, ...] = ()
    patients: Sizes | None = None
    constant: tuple[str, ...] = ()
    is_contiguous: bool = False

    @classmethod
    def fit(cls, train: Dataset, seed: Seed) -> Identifiers:
        """Note the form of keys and identifiers, not their values."""
        columns = [c for c in train.columns if not c.is_learned]
        if not columns or not train.rows:
            return cls()
        fresh = {c.name: Fresh.fit(train.frame[c.name], c, seed.child(c.name).rng()) for c in columns}
        groups = train.patients
        is_one = not train.table.having(Role.PATIENT) or groups.max() + 1 == train.rows
        if is_one:
            pairs = [(fresh[c.name], Sizes.of(_numbers(train.frame[c.name]))) for c in columns]
            return cls(of_rows=tuple(pairs))
        key = train.table.having(Role.PATIENT)[0]
        shared = [c for c in columns if c.name == key or _constancy(train.frame[c.name], groups) >= _CONSTANT]
        shared.sort(key=lambda c: c.name != key)
        own = [c for c in columns if c not in shared]
        return cls(
            of_rows=tuple((fresh[c.name], Sizes.of(_numbers(train.frame[c.name]))) for c in own),
            of_patients=tuple(fresh[c.name] for c in shared),
            patients=Sizes.of(groups),
            constant=_constant(train, groups),
            is_contiguous=int((np.diff(groups) != 0).sum()) + 1 == int(groups.max()) + 1,
        )

    def make(
        self, frame: pl.DataFrame | None, n: int, seed: Seed, *, in_order: bool = False
    ) -> tuple[dict[str, pl.Series], np.ndarray]:
        """Make the columns for `n` rows.

        Args:
            frame: the other columns; patients are made of rows that agree in what never changes.
            n: number of rows.
            seed: source of randomness.
            in_order: leave the rows where they are, though patients stood together in the real table.

        Returns:
            The columns by name, and the order that the rows of `frame` shall take, shape (n,).
        """
        order, made = np.arange(n), {}
        if self.patients is not None and self.of_patients:
            order, groups = self._grouped(frame, n, seed.child("patients").rng(), in_order)
            for fresh in self.of_patients:
                made[fresh.column.name] = _column(fresh, groups, frame, order, seed)
        for fresh, sizes in self.of_rows:
            starts = sizes.starts(n, seed.child(f"{fresh.column.name}/sizes").rng())
            made[fresh.column.name] = _column(fresh, np.cumsum(starts) - 1, frame, order, seed)
        return made, order

    def _grouped(
        self, frame: pl.DataFrame | None, n: int, rng: np.random.Generator, in_order: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the order of rows and the patient of each row in that order."""
        assert self.patients is not None
        alike = np.zeros(n, dtype=np.int64)
        names = [] if frame is None else [name for name in self.constant if name in frame.columns]
        if frame is not None and names:
            alike = _numbers(frame.select(pl.struct(names).alias("alike"))["alike"])
        key = self.of_patients[0].column.name
        is_near = frame is not None and key in frame.columns
        near = frame[key].fill_null(0.0).to_numpy() if frame is not None and is_near else rng.random(n)
        order = np.lexsort((near, alike))
        starts = self.patients.starts(n, rng)
        starts[1:] |= np.diff(alike[order]) != 0
        patient = np.empty(n, dtype=np.int64)
        patient[order] = np.cumsum(starts) - 1
        names_of = rng.permutation(int(patient.max()) + 1)
        patient = names_of[patient]
        if self.is_contiguous and not in_order:
            order = np.argsort(patient, kind="stable")
            return order, patient[order]
        return np.arange(n), patient


def _column(
    fresh: Fresh, groups: np.ndarray, frame: pl.DataFrame | None, order: np.ndarray, seed: Seed
) -> pl.Series:
    """Return one made column: one new value for each group of rows."""
    name, dtype = fresh.column.name, CANONICAL[fresh.column.kind]
    rng, n = seed.child(name).rng(), len(groups)
    if fresh.style == "none":
        return pl.Series(name, [None] * n, dtype=dtype)
    count = int(groups.max()) + 1
    near = None
    if frame is not None and name in frame.columns:
        first = np.zeros(count, dtype=np.int64)
        first[groups[::-1]] = np.arange(n)[::-1]
        near = frame[name].cast(pl.Float64, strict=False).fill_null(0.0).to_numpy()[order][first]
    values = pl.Series(name, fresh.make(count, rng, near).tolist(), dtype=pl.String)[groups]
    if not fresh.missing:
        return values.alias(name)
    gone = pl.Series(rng.random(n) < fresh.missing)
    return pl.select(pl.when(~gone).then(values)).to_series().alias(name)


def _numbers(cells: pl.Series) -> np.ndarray:
    """Return the values as integers from 0; each missing one is a value of its own."""
    ranks = (
        cells.rank("dense")
        if cells.dtype != pl.Struct
        else cells.struct.unnest().select(pl.struct(pl.all()).rank("dense")).to_series()
    )
    numbers = ranks.cast(pl.Int64).to_numpy().astype(np.float64)
    missing = np.isnan(numbers)
    numbers[missing] = (
        np.nan_to_num(numbers[~missing].max() if (~missing).any() else 0.0) + 1 + np.arange(missing.sum())
    )
    return np.asarray(np.unique(numbers, return_inverse=True)[1])


def _constancy(cells: pl.Series, groups: np.ndarray) -> float:
    """Return the share of patients with several rows for whom the column does not change."""
    several = (
        pl.DataFrame({"group": groups, "cell": cells})
        .group_by("group")
        .agg(pl.len().alias("rows"), pl.col("cell").n_unique().alias("values"))
        .filter(pl.col("rows") > 1)
    )
    return float((several["values"] == 1).sum() / several.height) if several.height else 0.0


def _constant(train: Dataset, groups: np.ndarray) -> tuple[str, ...]:
    """Return columns of few levels that do not change within patients, as long as enough rows agree in all."""
    found: list[str] = []
    candidates: Sequence[Column] = [
        c for c in train.columns if c.is_learned and c.kind in (Kind.CATEGORY, Kind.BOOLEAN)
    ]
    combinations = 1
    for column in sorted(candidates, key=lambda c: train.frame[c.name].n_unique()):
        cells = train.frame[column.name]
        levels = cells.n_unique()
        if 1 < levels <= _MOST_LEVELS and _constancy(cells, groups) >= _CONSTANT:
            combinations *= levels
            if combinations * _ROWS_A_GROUP > train.rows:
                break
            found.append(column.name)
    return tuple(found)
