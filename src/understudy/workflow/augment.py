"""Rows to be added to the real ones: how many, and of which levels, so that both together are balanced."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from understudy.core.conditions import Share
from understudy.core.dataset import Dataset
from understudy.core.errors import RequestError
from understudy.core.schema import Schema
from understudy.modalities.tabular import canonical
from understudy.sampling.margins import FEWEST

METRIC = "augmentation"
MOST_LEVELS = 20


@dataclass(frozen=True)
class Filling:
    """Synthetic rows that fill up the rarer levels of a column.

    Attributes:
        rows: how many.
        shares: their proportions.
        reason: in words.
    """

    rows: int
    shares: tuple[Share, ...]
    reason: str


def filling(known: pl.DataFrame, schema: Schema, column: str, rows: int | None) -> Filling:
    """Return which rows to draw so that the levels of a column come as near to balance as they can.

    Args:
        known: raw rows that are learned from.
        schema: their meaning.
        column: the column to balance.
        rows: how many rows to add; None for as many as balance needs.

    Raises:
        RequestError: if the column has no levels to balance, or is balanced.
    """
    real: Dataset = canonical(known, schema)[0]
    if not real.table.column(column).is_discrete:
        raise RequestError(f"--balance {column}: it is no column of levels; name one such as the target")
    counted = real.frame[column].drop_nulls().cast(pl.String).rename("level").value_counts(name="rows")
    sizes = dict(counted.filter(pl.col("rows") >= FEWEST).sort("level").iter_rows())
    if not 2 <= len(sizes) <= MOST_LEVELS:
        raise RequestError(
            f"--balance {column}: {len(sizes)} levels have {FEWEST} people or more; 2 to {MOST_LEVELS} can be balanced"
        )
    goal = max(sizes.values()) if rows is None else _water_level(list(sizes.values()), rows)
    missing = {level: max(goal - size, 0.0) for level, size in sizes.items()}
    total = sum(missing.values())
    if total < 1:
        raise RequestError(f"--balance {column}: its levels are equally frequent; there is nothing to add")
    shares = tuple(
        Share(column=column, value=level, proportion=round(own / total, 9)) for level, own in missing.items()
    )
    wanted = round(total) if rows is None else rows
    added = ", ".join(f"{level} {own:.0f}" for level, own in missing.items() if own >= 1)
    reason = f"to be added to the real rows, so that {column} comes near to balance: {added}"
    return Filling(wanted, shares, reason)


def _water_level(sizes: list[int], rows: int) -> float:
    """Return the height to which so many rows fill up the lowest of the sizes."""
    ordered = sorted(sizes)
    for count, next_size in enumerate([*ordered[1:], float("inf")], start=1):
        height = (sum(ordered[:count]) + rows) / count
        if height <= next_size:
            return height
    return float(ordered[-1])
