"""Figures of single columns that show the shape of the real data and nobody in it."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.results import Histogram
from understudy.core.schema import Column, Kind
from understudy.modalities.encoding import is_quantity, numeric

FEWEST_PEOPLE = 11
FEWEST_BINS = 5
PEOPLE_PER_BIN = 25
MOST_LEVELS = 20
OTHER = "other"
MISSING = "missing"
_UNIT_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TIME_STEPS_S = (60.0, 3600.0, 86400.0, 7 * 86400.0, 30 * 86400.0, 91 * 86400.0, 365.25 * 86400.0)


def histogram(real: Dataset, synthetic: Dataset, column: Column, bins: int = 25) -> Histogram:
    """Return shares of all rows per bin or level; no real share rests on fewer than 11 people.

    Small tables get fewer bins. Edges are round numbers between the 1 % and 99 % points of the real values;
    what lies outside counts in the first and last bin, so no real extreme can be read off. Levels held by
    fewer than 11 people, and levels of the synthetic table only, are merged into `other`. Where a single bin
    would be hidden, its smallest neighbour is hidden too: otherwise the rest would give it away.
    """
    if is_quantity(column):
        return _of_quantity(real, synthetic, column, bins)
    return _of_levels(real, synthetic, column)


def _of_quantity(real: Dataset, synthetic: Dataset, column: Column, bins: int) -> Histogram:
    values, others = numeric(real, column), numeric(synthetic, column)
    bins = min(bins, max(real.rows // PEOPLE_PER_BIN, FEWEST_BINS))
    edges = round_edges(values[~np.isnan(values)], column, bins)
    people = _people(_binned(values, edges), real.patients, len(edges) - 1)
    return Histogram(
        column=column.name,
        unit=column.unit,
        kind="datetime" if column.kind is Kind.DATETIME else "number",
        edges=tuple(float(edge) for edge in edges),
        real=_shown(np.bincount(_binned(values, edges), minlength=len(edges))[:-1] / real.rows, people),
        synthetic=_rounded(np.bincount(_binned(others, edges), minlength=len(edges))[:-1] / synthetic.rows),
    )


def _binned(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the bin of each value; a missing one gets the number of bins."""
    found = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return np.where(np.isnan(values), len(edges) - 1, found)


def round_edges(values: np.ndarray, column: Column, bins: int) -> np.ndarray:
    """Return about `bins` + 1 round edges over the 1-99 % range of `values` (without missing ones)."""
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = np.quantile(values, [0.01, 0.99])
    if column.is_integer and high - low + 1 <= bins:
        return np.arange(math.floor(low), math.floor(high) + 2) - 0.5
    if not high > low:
        step = 10.0 ** math.floor(math.log10(abs(low))) if low else 1.0
    else:
        step = _round_step(float(high - low) / bins, column)
    first, last = math.floor(low / step), math.ceil(high / step)
    return np.array([round(k * step, 12) for k in range(first, max(last, first + 1) + 1)])


def _round_step(step: float, column: Column) -> float:
    """Return the smallest round step that is at least `step`."""
    if column.kind is Kind.DATETIME:
        return next((s for s in _TIME_STEPS_S if s >= step), math.ceil(step / _TIME_STEPS_S[-1]) * 31557600.0)
    power = 10.0 ** math.floor(math.log10(step))
    found = next((unit * power for unit in _UNIT_STEPS if unit * power >= step * (1 - 1e-9)), 10 * power)
    return max(math.ceil(found), 1.0) if column.is_integer else found


def _of_levels(real: Dataset, synthetic: Dataset, column: Column) -> Histogram:
    names, codes = _levels(real, column)
    kinds, other_codes = _levels(synthetic, column)
    people = _people(codes, real.patients, len(names))
    counts = np.bincount(codes, minlength=len(names))
    ranked = sorted(np.flatnonzero(people >= FEWEST_PEOPLE), key=lambda i: (-counts[i], names[i]))
    named = [names[i] for i in ranked[:MOST_LEVELS]]
    place = {name: i for i, name in enumerate(named)}
    real_codes = np.array([place.get(t, len(named)) for t in names])[codes]
    synthetic_codes = np.array([place.get(t, len(named)) for t in kinds])[other_codes]
    size = len(named) + 1
    shares = np.bincount(real_codes, minlength=size) / real.rows
    drawn = np.bincount(synthetic_codes, minlength=size) / synthetic.rows
    keep = size if shares[-1] or drawn[-1] else size - 1
    shown = _shown(shares[:keep], _people(real_codes, real.patients, size)[:keep])
    return Histogram(
        column=column.name,
        unit=column.unit,
        kind="levels",
        levels=(*named, OTHER)[:keep],
        real=shown,
        synthetic=_rounded(drawn[:keep]),
    )


def _levels(dataset: Dataset, column: Column) -> tuple[list[str], np.ndarray]:
    """Return the levels as they are written, sorted, and the code of each row."""
    spelled = dict(zip(("false", "true"), column.spelling or ("false", "true"), strict=True))
    text = dataset.frame[column.name].cast(pl.String)
    if column.kind is Kind.BOOLEAN:
        text = text.replace(spelled)
    text = text.fill_null(MISSING)
    return text.unique().sort().to_list(), text.rank("dense").to_numpy().astype(np.int64) - 1


def _people(codes: np.ndarray, patients: np.ndarray, size: int) -> np.ndarray:
    """Return the number of different patients behind each code below `size`."""
    pairs = np.unique(np.stack([codes, patients]), axis=1)
    return np.bincount(pairs[0], minlength=size)[:size]


def _shown(shares: np.ndarray, people: np.ndarray) -> tuple[float | None, ...]:
    hidden = people < FEWEST_PEOPLE
    # An empty bin gives nothing away by subtraction, so only bins of 1 to 10 people need a companion.
    if (hidden & (people > 0)).sum() == 1 and not hidden.all():
        hidden[np.flatnonzero(~hidden)[np.argmin(people[~hidden])]] = True
    return tuple(None if hide else round(float(s), 5) for s, hide in zip(shares, hidden, strict=True))


def _rounded(shares: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(s), 5) for s in shares)
