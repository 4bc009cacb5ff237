"""Columns that repeat others: constants, copies up to recoding, near copies, and labels that follow from codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from understudy.core.schema import Column, Kind

_FEW_LEVELS = 20
_MOST_COLUMNS = 120
_NEAR = 0.97
_PARALLEL = 0.999


@dataclass(frozen=True)
class Copies:
    """What repeats what.

    Attributes:
        same: a column -> the earlier column that holds the same, under other names or in the same numbers.
        equal: those of `same` that are numbers with equal values.
        near: (later, earlier, share of rows where one follows from the other), for pairs that nearly agree.
        follows: (determining, determined): each level of the first goes with one level of the second.
        parallel: (later, earlier, correlation), for numbers that say nearly the same on any scale.
    """

    same: Mapping[str, str] = field(default_factory=dict)
    equal: frozenset[str] = frozenset()
    near: tuple[tuple[str, str, float], ...] = ()
    follows: tuple[tuple[str, str], ...] = ()
    parallel: tuple[tuple[str, str, float], ...] = ()


def find_copies(frame: pl.DataFrame, columns: Sequence[Column], sample: np.ndarray) -> Copies:
    """Find columns that repeat others.

    Args:
        frame: all rows, canonical or as text; missing is null and counts as a level.
        columns: their meaning.
        sample: positions of rows that stand for all in the first look, shape (k,).
    """
    if frame.height < 20:
        return Copies()
    learned = [c for c in columns if c.is_learned and c.kind is not Kind.TEXT]
    codes = {c.name: _codes(frame[c.name]) for c in learned}
    informative = [c for c in learned if _is_informative(codes[c.name])]
    same, equal = _identical(frame, informative, codes)
    discrete = [c.name for c in informative if c.is_discrete and c.name not in same]
    few = [n for n in discrete if codes[n].max() < _FEW_LEVELS][:_MOST_COLUMNS]
    many = [n for n in discrete if codes[n].max() >= _FEW_LEVELS][:40]
    near, follows = _dependent(few, codes, sample)
    follows += _followed(many, [*few, *many], codes, sample)
    # A recoded copy of levels is a fixed combination too.
    twins = [(old, new) for new, old in same.items() if new not in equal]
    numbers = [c.name for c in informative if c.kind is Kind.NUMBER and c.name not in same]
    parallel = _parallel(frame[sample], numbers)
    return Copies(same, equal, tuple(near), (*twins, *_without_shortcuts(follows)), parallel)


def _parallel(frame: pl.DataFrame, names: Sequence[str]) -> tuple[tuple[str, str, float], ...]:
    """Return pairs of numbers whose correlation, over the rows that hold both, is nearly perfect."""
    shown = [n for n in names if frame[n].dtype.is_numeric() and frame[n].n_unique() >= _FEW_LEVELS][
        :_MOST_COLUMNS
    ]
    if len(shown) < 2:
        return ()
    matrix = frame.select(pl.col(shown).cast(pl.Float64)).to_numpy()
    is_there = np.isfinite(matrix).astype(np.float64)
    centred = np.where(is_there > 0, matrix - np.nanmean(matrix, axis=0), 0.0)
    both = np.maximum(is_there.T @ is_there, 1)
    sums, squares = centred.T @ is_there, centred**2
    variance = squares.T @ is_there - sums**2 / both
    covariance = centred.T @ centred - sums * sums.T / both
    correlation = covariance / np.sqrt(np.maximum(variance * variance.T, np.finfo(float).tiny))
    enough = both >= _FEW_LEVELS
    later, earlier = np.nonzero(np.tril((np.abs(correlation) >= _PARALLEL) & enough, -1))
    return tuple((shown[i], shown[j], float(correlation[i, j])) for i, j in zip(later, earlier, strict=True))


def _codes(values: pl.Series) -> np.ndarray:
    """Return each value as an integer by first appearance, shape (rows,): equal arrays are equal recodings."""
    order = values.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    _, first, inverse = np.unique(order, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse])


def _is_informative(codes: np.ndarray) -> bool:
    counts = np.bincount(codes)
    # Two rare flags that coincide in a few rows say nothing.
    return len(counts) > 1 and len(codes) - int(counts.max()) >= 5


def _identical(
    frame: pl.DataFrame, columns: Sequence[Column], codes: Mapping[str, np.ndarray]
) -> tuple[dict[str, str], frozenset[str]]:
    seen: dict[bytes, Column] = {}
    same: dict[str, str] = {}
    equal = set()
    for column in columns:
        code = codes[column.name]
        # Where nearly every value is unique any two columns are recodings of each other.
        unique = column.kind in (Kind.NUMBER, Kind.DATETIME) and code.max() > len(code) / 5
        key = (frame[column.name].hash(seed=1).to_numpy() if unique else code).tobytes()
        earlier = seen.setdefault(key, column)
        if earlier is not column:
            same[column.name] = earlier.name
            if column.kind is Kind.NUMBER and frame[column.name].equals(frame[earlier.name], null_equal=True):
                equal.add(column.name)
    return same, frozenset(equal)


def _dependent(
    names: Sequence[str], codes: Mapping[str, np.ndarray], sample: np.ndarray
) -> tuple[list[tuple[str, str, float]], list[tuple[str, str]]]:
    """Look at all pairs of columns with few levels through one cross-table of all levels."""
    if len(names) < 2:
        return [], []
    sizes = [int(codes[n].max()) + 1 for n in names]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    onehot = np.zeros((len(sample), int(ends[-1])), dtype=np.float32)
    for start, name in zip(ends, names, strict=False):
        onehot[np.arange(len(sample)), start + codes[name][sample]] = 1
    table = onehot.T @ onehot
    near: list[tuple[str, str, float]] = []
    follows: list[tuple[str, str]] = []
    for i, one in enumerate(names):
        for j in range(i + 1, len(names)):
            block = table[ends[i] : ends[i + 1], ends[j] : ends[j + 1]]
            forth, back = _gain(block), _gain(block.T)
            other = names[j]
            if forth == 1.0 and _determines(codes[one], codes[other]):
                follows.append((one, other))
            elif back == 1.0 and _determines(codes[other], codes[one]):
                follows.append((other, one))
            elif forth >= _NEAR and back >= _NEAR:
                agree = min(block.max(axis=1).sum(), block.max(axis=0).sum()) / len(sample)
                near.append((other, one, float(agree)))
    return near, follows


def _gain(block: np.ndarray) -> float:
    """Return how much knowing the row level lowers the error of guessing the column level, 0 to 1.

    Reference:
        Goodman and Kruskal, Measures of association for cross classifications, JASA 49 (1954): lambda.
    """
    total, most = block.sum(), block.sum(axis=0).max()
    return float((block.max(axis=1).sum() - most) / (total - most)) if total > most else 0.0


def _determines(one: np.ndarray, other: np.ndarray) -> bool:
    """Say whether each level of `one` goes with one level of `other`, in enough rows to be no accident."""
    levels = int(one.max()) + 1
    counts = np.bincount(other)
    if len(one) < 5 * levels or len(other) - int(counts.max()) < 30 or levels < len(counts):
        return False
    return len(np.unique(one * len(counts) + other)) == levels


def _followed(
    many: Sequence[str], others: Sequence[str], codes: Mapping[str, np.ndarray], sample: np.ndarray
) -> list[tuple[str, str]]:
    found = []
    for one in many:
        for other in others:
            if one == other:
                continue
            # Pairs that already contradict each other in the sample need no full look.
            a, b = codes[one][sample], codes[other][sample]
            if len(np.unique(a * (int(b.max()) + 1) + b)) > len(np.unique(a)):
                continue
            if _determines(codes[one], codes[other]):
                found.append((one, other))
    return found


def _without_shortcuts(follows: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    pairs = set(follows)
    return tuple(
        (a, c)
        for a, c in follows
        if not any((a, b) in pairs and (b, c) in pairs for b in {x for _, x in pairs} - {a, c})
    )
