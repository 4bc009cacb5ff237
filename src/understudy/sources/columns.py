"""Typed columns of any origin as the few types that the rest of the project knows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from understudy.core.errors import SourceError
from understudy.sources.cells import LARGEST_EXACT
from understudy.sources.limits import in_words


def plain(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Return the frame with columns of type Int64, Float64, Boolean, String, Date or Datetime, with notes.

    Integers beyond 2^53 become text, infinities and NaN missing, durations seconds; columns of lists,
    structures or bytes are left out.
    """
    columns, notes = [], []
    for values in frame.get_columns():
        plain_values, note = _plain(values)
        if plain_values is not None:
            columns.append(plain_values.alias(values.name))
        if note:
            notes.append(f"Column {values.name!r}: {note}.")
    return pl.DataFrame(columns), notes


def _plain(values: pl.Series) -> tuple[pl.Series | None, str]:
    dtype = values.dtype
    if dtype in (pl.String, pl.Boolean, pl.Date) or isinstance(dtype, pl.Datetime):
        return values, ""
    if dtype.is_integer():
        return _integers(values)
    if dtype.is_float():
        return _floats(values)
    if isinstance(dtype, pl.Decimal):
        return values.cast(pl.Float64), ""
    if isinstance(dtype, pl.Duration):
        return values.dt.total_microseconds() / 1e6, "a duration, read in seconds"
    if isinstance(dtype, pl.Categorical | pl.Enum) or dtype in (pl.Null, pl.Time):
        return values.cast(pl.String), ""
    return None, f"left out, because cells of type {dtype} are no single values"


def _integers(values: pl.Series) -> tuple[pl.Series, str]:
    low, high = values.min(), values.max()
    if isinstance(low, int) and isinstance(high, int) and max(-low, high) > LARGEST_EXACT:
        return values.cast(pl.String), "read as text, because its integers go beyond 2^53"
    return values.cast(pl.Int64), ""


def _floats(values: pl.Series) -> tuple[pl.Series, str]:
    if values.dtype != pl.Float64:
        # By way of text, so that 0.1 in single precision stays 0.1.
        values = values.cast(pl.Float32).cast(pl.String).cast(pl.Float64)
    values = values.fill_nan(None)
    infinite = int(values.is_infinite().sum())
    if not infinite:
        return values, ""
    finite = pl.select(pl.when(values.is_finite()).then(values)).to_series()
    return finite, f"{infinite} infinite values are read as missing"


def is_flat(kind: pa.DataType) -> bool:
    """Say whether a column of this Arrow type holds single values."""
    if pa.types.is_dictionary(kind):
        return is_flat(kind.value_type) and not pa.types.is_dictionary(kind.value_type)
    tests = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
        pa.types.is_decimal,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_date,
        pa.types.is_timestamp,
        pa.types.is_time,
        pa.types.is_duration,
        pa.types.is_null,
    )
    return any(test(kind) for test in tests)


def left_out(fields: list[pa.Field]) -> list[str]:
    """Say which columns do not hold single values."""
    return [
        f"Column {field.name!r}: left out, because cells of type {str(field.type)[:60]} are no single values."
        for field in fields
        if not is_flat(field.type)
    ]


def frame_of(where: str, table: pa.Table, names: list[str], budget: int) -> tuple[pl.DataFrame, list[str]]:
    """Return an Arrow table as a plain frame under new column names.

    Args:
        where: the table, for messages.
        table: flat columns; text may be held as codes of a dictionary.
        names: one per column.
        budget: bytes that spelling out such codes may take.

    Raises:
        SourceError: if it would take more.
    """
    columns = []
    for name, column in zip(names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            _refuse_swelling(where, name, column, budget)
            column = pa.chunked_array(
                [chunk.dictionary_decode() for chunk in column.chunks], type=column.type.value_type
            )
        columns.append(pl.Series(name, pl.from_arrow(column)))
    return plain(pl.DataFrame(columns))


def without_views(where: str, batch: pa.RecordBatch, budget: int) -> pa.Table:
    """Return a batch as a table whose texts lie in the plain layout, which alone can be sampled.

    Args:
        where: the table, for messages.
        batch: flat columns; texts may be views, many of which may share one long text.
        budget: bytes that writing out such views may take.

    Raises:
        SourceError: if it would take more.
    """
    columns = [_without_view(where, name, batch.column(name), budget) for name in batch.schema.names]
    return pa.Table.from_arrays(columns, names=batch.schema.names)


def _without_view(where: str, name: str, column: pa.Array, budget: int) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        words = _without_view(where, name, column.dictionary, budget)
        return pa.DictionaryArray.from_arrays(column.indices, words)
    if not pa.types.is_string_view(column.type):
        return column
    views = np.frombuffer(column.buffers()[1], dtype=np.int32).reshape(-1, 4)
    # Each view of 16 bytes begins with the length of its text.
    lengths = views[column.offset : column.offset + len(column), 0]
    _refuse_size(where, name, int(lengths.sum(dtype=np.int64)), budget)
    return column.cast(pa.large_string())


def _refuse_swelling(where: str, name: str, column: pa.ChunkedArray, budget: int) -> None:
    kind = column.type.value_type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return
    size = 0
    for chunk in column.chunks:
        lengths = pc.cast(pc.binary_length(chunk.dictionary), pa.int64())
        size += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    _refuse_size(where, name, size, budget)


def _refuse_size(where: str, name: str, size: int, budget: int) -> None:
    if size > budget:
        raise SourceError(
            f"{where}: column {name!r} repeats long texts that would take {in_words(size)}, expected at most "
            f"{in_words(budget)}: drop the column, or ask for fewer rows"
        )
