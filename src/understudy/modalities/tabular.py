"""Tables: from cells as they were written to canonical form and back, and a look at the first rows."""

from __future__ import annotations

import polars as pl

from understudy.core.blocks import Block, TableBlock
from understudy.core.dataset import CANONICAL, Dataset, Violation
from understudy.core.schema import Column, Kind, Schema, Storage

DECIMAL_COMMA = "decimal comma"
_CLUTTER = r"[\s\u00a0'%$€£<>≤≥]|[A-Za-zµ/^]+[A-Za-z0-9µ/^]*$"


def canonical(frame: pl.DataFrame, schema: Schema) -> tuple[Dataset, list[Violation]]:
    """Read a raw table into canonical form, as its schema says.

    Sentinels and cells that cannot be read as their column's kind become missing; the latter are reported.

    Args:
        frame: the raw table; it may hold further columns, which are left out.
        schema: the meaning of its columns; all must be present.

    Returns:
        The dataset, and one warning per column with unreadable cells.
    """
    columns, problems = [], []
    for column in schema.table.columns:
        raw = frame[column.name]
        cleaned = _without_sentinels(raw, column)
        values = _parse(cleaned, column)
        columns.append(values.alias(column.name))
        lost = int((values.is_null() & cleaned.is_not_null()).sum())
        if lost:
            # The cells themselves stay out of the words: these travel with a release.
            odd = cleaned.filter(values.is_null() & cleaned.is_not_null()).cast(pl.String).unique().sort()
            kind = column.kind.value
            problems.append(
                Violation(
                    f"table {schema.table.name!r}: column {column.name!r}",
                    f"{lost} {'value' if lost == 1 else 'values'} cannot be read as {kind}: learned as missing. "
                    "Change the kind, or list their spellings as sentinels.",
                    lost,
                    "warning",
                    tuple(text[:40] for text in odd.head(3)),
                )
            )
    return Dataset.of(schema, pl.DataFrame(columns)), problems


def spelled(values: pl.Series) -> pl.Series:
    """Return each value as the text by which schemas and conditions name it (1.0 is `1`, True is `true`)."""
    if values.dtype.is_float():
        whole = values.is_finite() & (values == values.round())
        text = pl.select(
            pl.when(whole.fill_null(value=False))
            .then(values.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(values.cast(pl.String))
        ).to_series()
        return text.alias(values.name)
    if values.dtype in (pl.Categorical, pl.Enum):
        return values.cast(pl.String)
    return values.cast(pl.String, strict=False)


def present(dataset: Dataset) -> pl.DataFrame:
    """Return the only table as it would have been written: integers, spelled booleans, formatted dates."""
    return pl.DataFrame([_write(dataset.frame[c.name], c) for c in dataset.columns])


def preview(dataset: Dataset, rows: int = 8) -> Block:
    """Return the first rows as a table block."""
    frame = present(dataset.with_frame(dataset.frame.head(rows)))
    cells = tuple(tuple("" if v is None else str(v) for v in row) for row in frame.rows())
    align = "".join("r" if dtype.is_numeric() else "l" for dtype in frame.dtypes)
    return TableBlock(columns=tuple(frame.columns), rows=cells, align=align)


def _without_sentinels(raw: pl.Series, column: Column) -> pl.Series:
    if raw.dtype.is_float():
        raw = raw.fill_nan(None)
    if raw.dtype == pl.String:
        raw = raw.str.strip_chars()
        raw = pl.select(pl.when(raw != "").then(raw)).to_series()
    if not column.sentinels:
        return raw
    return pl.select(pl.when(~spelled(raw).is_in(list(column.sentinels))).then(raw)).to_series()


def _parse(raw: pl.Series, column: Column) -> pl.Series:
    if column.kind is Kind.NUMBER:
        return _numbers(raw, column)
    if column.kind is Kind.BOOLEAN:
        return _booleans(raw, column)
    if column.kind is Kind.DATETIME:
        return _datetimes(raw, column)
    dtype = CANONICAL.get(column.kind, pl.String)
    return spelled(raw).cast(dtype, strict=False)


def _numbers(raw: pl.Series, column: Column) -> pl.Series:
    if raw.dtype != pl.String:
        numbers = raw.cast(pl.Float64, strict=False)
    else:
        text = raw.str.replace_all(_CLUTTER, "")
        if column.format == DECIMAL_COMMA:
            text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        else:
            text = text.str.replace_all(",", "", literal=True)
        numbers = text.cast(pl.Float64, strict=False)
        if column.format != DECIMAL_COMMA:  # there 1.234 is a thousand and more
            numbers = raw.cast(pl.Float64, strict=False).fill_null(numbers)
    return pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()


def _booleans(raw: pl.Series, column: Column) -> pl.Series:
    if raw.dtype == pl.Boolean:
        return raw
    false, true = column.spelling or ("false", "true")
    text = spelled(raw)
    return pl.select(
        pl.when(text == true).then(pl.lit(value=True)).when(text == false).then(pl.lit(value=False))
    ).to_series()


def _datetimes(raw: pl.Series, column: Column) -> pl.Series:
    if raw.dtype.is_numeric() and column.format:  # 20200131
        raw = spelled(raw)
    if raw.dtype == pl.String:
        raw = raw.str.to_datetime(column.format, strict=False, time_unit="us", ambiguous="earliest")
    if isinstance(raw.dtype, pl.Datetime) and raw.dtype.time_zone:
        raw = raw.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return raw.cast(pl.Datetime("us"), strict=False)


def _write(values: pl.Series, column: Column) -> pl.Series:
    if column.kind is Kind.NUMBER:
        if column.decimals is None:
            return values
        rounded = values.round(column.decimals)
        return rounded.cast(pl.Int64) if column.decimals == 0 else rounded
    if column.kind is Kind.BOOLEAN and column.storage is not Storage.BOOLEAN:
        false, true = column.spelling or ("false", "true")
        text = pl.select(pl.when(values).then(pl.lit(true)).when(~values).then(pl.lit(false))).to_series()
        return _as_stored(text.alias(values.name), column)
    if column.kind is Kind.DATETIME:
        if column.storage is Storage.DATE:
            return values.cast(pl.Date)
        if column.storage is Storage.DATETIME or column.format is None:
            return values
        return _as_stored(values.dt.strftime(column.format), column)
    return _as_stored(values, column)


def _as_stored(text: pl.Series, column: Column) -> pl.Series:
    numeric = {Storage.INTEGER: pl.Int64, Storage.FLOAT: pl.Float64}.get(column.storage)
    if numeric is None or text.dtype != pl.String:
        return text
    numbers = text.cast(numeric, strict=False)
    return text if numbers.null_count() > text.null_count() else numbers
