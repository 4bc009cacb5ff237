"""What counts as the content of a row when privacy metrics compare rows, and what is equal in it."""

from __future__ import annotations

import polars as pl

from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.results import Estimate
from understudy.core.schema import Column, Kind
from understudy.metrics.anchors import NotApplicable, judged

_SIGNIFICANT_DIGITS = 9
_TIMES = "times seen"


def content_columns(dataset: Dataset) -> tuple[Column, ...]:
    """Return the columns by which rows are compared.

    Keys and direct identifiers are made anew, a constant says nothing of anyone, and free text, signals
    and images have comparisons of their own: none of them counts.

    Raises:
        NotApplicable: if no column is left.
    """
    columns = tuple(c for c in judged(dataset) if dataset.frame[c.name].n_unique() > 1)
    if not columns:
        raise NotApplicable("no column tells the rows apart: all are constant")
    return columns


def tables(comparison: Comparison, least: int = 1) -> tuple[Dataset, tuple[Column, ...]]:
    """Return the holdout and the columns that count, for a metric that cannot do without them.

    Raises:
        NotApplicable: if there is no holdout, or no column that counts.
    """
    if comparison.holdout is None or comparison.holdout.rows < least:
        raise NotApplicable(
            "it needs a holdout: only people whom the generator never saw show what is chance"
        )
    return comparison.holdout, content_columns(comparison.real)


def is_above(estimate: Estimate | None, chance: float) -> bool:
    """Say whether the whole interval lies above what chance gives."""
    return estimate is not None and (estimate.value if estimate.low is None else estimate.low) > chance


def times_seen(rows: Dataset, among: Dataset, columns: tuple[Column, ...]) -> pl.Series:
    """Count for each row how many rows of `among` equal it in `columns`; missing equals missing."""
    names = [column.name for column in columns]
    counts = written(among, columns).group_by(names).agg(pl.len().alias(_TIMES))
    found = written(rows, columns).join(counts, on=names, how="left", nulls_equal=True, maintain_order="left")
    return found[_TIMES].fill_null(0)


def written(dataset: Dataset, columns: tuple[Column, ...]) -> pl.DataFrame:
    """Return the columns as they would be written: numbers at the column's decimals, else at nine digits."""
    return dataset.frame.select([_written(column) for column in columns])


def _written(column: Column) -> pl.Expr:
    values = pl.col(column.name)
    if column.kind is not Kind.NUMBER:
        return values
    if column.decimals is None:
        return values.round_sig_figs(_SIGNIFICANT_DIGITS) + 0.0
    return values.round(column.decimals) + 0.0
