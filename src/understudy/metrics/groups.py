"""The groups whose patients must be treated alike: levels of protected columns, bands of age, intersections."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.schema import Column
from understudy.metrics.anchors import NotApplicable
from understudy.metrics.histograms import FEWEST_PEOPLE
from understudy.modalities.encoding import is_quantity, levels_of, numeric

AGE_CUTS = (40.0, 65.0)
MOST_LEVELS = 8
MOST_GROUPS = 12
FEWEST_IN_GROUP = 30
_AGE = re.compile(r"(^|[^a-z])age([^a-z]|$)|(^|[a-z_ ])age_?(years|yrs)|_age$|^age", re.IGNORECASE)


@dataclass(frozen=True)
class Grouping:
    """A way to tell patients apart: one protected column, or several crossed.

    Attributes:
        name: the column, or the columns joined by ` × `.
        groups: the names of the groups, such as `sex=female`.
        parts: of each crossed column, the column with its cut points or levels.
    """

    name: str
    groups: tuple[str, ...]
    parts: tuple[tuple[Column, tuple[float, ...] | tuple[str, ...]], ...]

    def membership(self, dataset: Dataset) -> np.ndarray:
        """Return the position in `groups` of each row, -1 for a missing or rare value, shape (rows,)."""
        found = np.zeros(dataset.rows, dtype=np.int64)
        known = np.ones(dataset.rows, dtype=bool)
        for column, marks in self.parts:
            code, size = _codes(dataset, column, marks)
            known &= code >= 0
            found = found * size + code
        return np.where(known, found, -1)

    def contrasts(self, sizes: Mapping[int, int]) -> list[tuple[int, int]]:
        """Return which groups are compared: each with the largest one that differs from it in a single column.

        Args:
            sizes: people of the groups that are large enough, by their position in `groups`.
        """
        shape = [len(marks) + is_quantity(column) for column, marks in self.parts]
        cells = {tuple(int(k) for k in np.unravel_index(place, shape)): place for place in sizes}
        found = []
        for axis in range(len(shape)):
            people: dict[int, int] = {}
            for cell, place in cells.items():
                people[cell[axis]] = people.get(cell[axis], 0) + sizes[place]
            largest = max(people, key=lambda level: people[level])
            for cell, place in cells.items():
                other = (*cell[:axis], largest, *cell[axis + 1 :])
                if other != cell and other in cells:
                    found.append((place, cells[other]))
        return found


@dataclass(frozen=True)
class Group:
    """The patients of one group of a protected column."""

    name: str
    way: Grouping
    place: int

    def rows(self, dataset: Dataset) -> np.ndarray:
        """Return which rows belong to the group, booleans of shape (rows,)."""
        return np.asarray(self.way.membership(dataset) == self.place)


def protected_groups(comparison: Comparison) -> tuple[Group, ...]:
    """Return the groups of each protected column, at most 12; none where no column is protected."""
    try:
        ways = [way for way in groupings(comparison) if len(way.parts) == 1]
    except NotApplicable:
        return ()
    every = [Group(name, way, place) for way in ways for place, name in enumerate(way.groups)]
    return tuple(every[:MOST_GROUPS])


def groupings(comparison: Comparison) -> tuple[Grouping, ...]:
    """Return one grouping for each protected column, then one for each pair of them.

    Ages in years are cut at 40 and 65, other quantities at their rounded thirds in the real training rows.
    Levels are the up to 8 most frequent ones of the real training rows, held by at least 11 people.

    Raises:
        NotApplicable: if no column is protected.
    """
    real = comparison.real
    columns = [real.table.column(name) for name in comparison.protected]
    single = [g for g in (_of_column(real, column) for column in columns) if len(g.groups) > 1]
    if not single:
        raise NotApplicable("the schema names no protected column with at least two groups")
    return (*single, *(_crossed(a, b) for a, b in combinations(single, 2)))


def _of_column(real: Dataset, column: Column) -> Grouping:
    if is_quantity(column):
        cuts = _cuts(real, column)
        names = [f"{column.name} <{cuts[0]:g}"] if cuts else []
        names += [f"{column.name} {a:g} to <{b:g}" for a, b in pairwise(cuts)]
        names += [f"{column.name} {cuts[-1]:g}+"] if cuts else []
        return Grouping(column.name, tuple(names), ((column, cuts),))
    counts = levels_of(real, column).rename("level").value_counts(name="rows")
    ranked = counts.sort(["rows", "level"], descending=[True, False])
    missing = real.frame[column.name].null_count()
    levels = [
        str(level)
        for level, rows in ranked.iter_rows()
        if rows >= FEWEST_PEOPLE and not (missing and rows == missing and "\x00" in level)
    ][:MOST_LEVELS]
    return Grouping(column.name, tuple(f"{column.name}={v}" for v in levels), ((column, tuple(levels)),))


def _cuts(real: Dataset, column: Column) -> tuple[float, ...]:
    values = numeric(real, column)
    values = values[~np.isnan(values)]
    if not len(values):
        return ()
    if _AGE.search(column.name) and values.max() <= 130:
        cuts: Sequence[float] = AGE_CUTS
    else:
        cuts = [float(f"{q:.2g}") for q in np.quantile(values, [1 / 3, 2 / 3])]
    return tuple(sorted({c for c in cuts if values.min() < c <= values.max()}))


def _codes(
    dataset: Dataset, column: Column, marks: tuple[float, ...] | tuple[str, ...]
) -> tuple[np.ndarray, int]:
    if is_quantity(column):
        values = numeric(dataset, column)
        codes = np.searchsorted(np.array(marks, dtype=np.float64), values, side="right")
        return np.where(np.isnan(values), -1, codes), len(marks) + 1
    text = levels_of(dataset, column)
    codes = text.replace_strict(list(marks), list(range(len(marks))), default=-1).to_numpy()
    return codes.astype(np.int64), len(marks)


def _crossed(a: Grouping, b: Grouping) -> Grouping:
    names = tuple(f"{x} × {y}" for x in a.groups for y in b.groups)
    return Grouping(f"{a.name} × {b.name}", names, (*a.parts, *b.parts))
