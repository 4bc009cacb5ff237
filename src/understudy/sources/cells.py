"""From cells as text to numbers, where every cell of a column is one and none loses anything by it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "None", "NULL", "#N/A", "<NA>")
# The largest integer that no other one shares its double-precision number with.
LARGEST_EXACT = 2**53 - 1
# A leading zero or plus belongs to an identifier: 00123, +44123.
_IDENTIFIER = r"^(?:\+|-?0[0-9])"
_WHOLE = r"^-?[0-9]+$"


def typed(raw: pl.Series, missing: Sequence[str] = MISSING) -> tuple[pl.Series, list[str]]:
    """Return a text column as Int64 or Float64 where that loses nothing, else as text, with notes.

    Stays text: any cell that is no number, leading zeros or plus signs, integers beyond 2^53, booleans, dates.
    Infinities in a column of numbers become missing.

    Args:
        raw: the cells as String.
        missing: spellings that mean a missing value, compared without outer blanks.
    """
    cells = raw.str.strip_chars()
    is_missing = cells.is_in(list({*missing, ""})).fill_null(value=True)
    cells = _without(cells, is_missing)
    numbers = _as_numbers(cells)
    if numbers is None:
        return _without(raw, is_missing), _missing_notes(raw, is_missing)
    infinite = numbers.is_infinite().fill_null(value=False) if numbers.dtype.is_float() else None
    if infinite is None or not infinite.any():
        return numbers, []
    note = f"Column {raw.name!r}: {int(infinite.sum())} infinite values are read as missing."
    return _without(numbers, infinite), [note]


def _as_numbers(cells: pl.Series) -> pl.Series | None:
    """The cells as Int64 or Float64, or None where they must stay text."""
    if cells.null_count() == len(cells) or cells.str.contains(_IDENTIFIER).any():
        return None
    numbers = cells.cast(pl.Float64, strict=False)
    if numbers.null_count() > cells.null_count() or not numbers.is_finite().any():
        return None
    whole = cells.str.contains(_WHOLE)
    if (numbers.filter(whole.fill_null(value=False)).abs() > LARGEST_EXACT).any():
        return None
    if whole.all():
        return cells.cast(pl.Int64)
    return numbers.fill_nan(None)


def _without(values: pl.Series, mask: pl.Series) -> pl.Series:
    if not mask.any():
        return values
    kept = pl.DataFrame([values.alias("values"), mask.alias("mask")])
    return kept.select(pl.when(~pl.col("mask")).then(pl.col("values"))).to_series().alias(values.name)


def _missing_notes(raw: pl.Series, is_missing: pl.Series) -> list[str]:
    """Name the spellings that a text column loses: `None` may be a level of its own there."""
    written = raw.filter(is_missing).drop_nulls().str.strip_chars()
    written = written.filter(written != "")
    if not len(written) or len(written) == len(raw):
        return []
    shown = ", ".join(repr(v) for v in written.unique().sort().head(3))
    return [f"Column {raw.name!r}: {len(written):,} cells written {shown} are read as missing."]
