"""Tables in memory, of pandas, polars, pyarrow or another library that narwhals knows, and the way back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

import narwhals as nw
import polars as pl
import pyarrow as pa

from understudy.core.errors import SourceError
from understudy.sources.columns import plain
from understudy.sources.files import Reading
from understudy.sources.headers import clean_names

T = TypeVar("T")


def read_frame(table: Any, name: str = "the table") -> Reading:
    """Return a table in memory as a polars frame, as it stands; the table is left unchanged.

    Args:
        table: a data frame of pandas, polars, pyarrow, or anything else that narwhals accepts; lazy frames are
            collected.
        name: what messages call it.

    Raises:
        SourceError: if it is no table, has no rows or columns, or its names are doubled or not text.
    """
    native, notes = _with_text_names(table)
    try:
        wrapped = nw.from_native(native)
        eager = wrapped.collect() if isinstance(wrapped, nw.LazyFrame) else wrapped
        frame = _to_polars(eager)
    except (
        TypeError,
        ValueError,
        pa.ArrowException,
        pl.exceptions.PolarsError,
        nw.exceptions.NarwhalsError,
    ) as e:
        raise SourceError(
            f"{name} cannot be read ({type(table).__module__}.{type(table).__qualname__}: {str(e)[:200]}), "
            "expected a pandas, polars or pyarrow table whose columns hold one type of value each"
        ) from e
    if frame.width == 0 or frame.height == 0:
        raise SourceError(
            f"{name} has {frame.height} rows and {frame.width} columns, expected at least one of each"
        )
    names, said = clean_names(name, frame.columns)
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    frame, remarks = plain(frame)
    if frame.width == 0:
        raise SourceError(f"{name} has no column of single values: {' '.join(remarks[:2])}")
    return Reading(frame, (*notes, *said, *remarks), frame.height)


def like(original: T, frame: pl.DataFrame) -> T:
    """Return `frame` as a table of the library that `original` is of, with its column types where they fit.

    Args:
        original: a table that `read_frame` accepts.
        frame: any polars frame; columns that `original` lacks keep their own type.
    """
    if isinstance(original, pl.DataFrame | pl.LazyFrame):
        made = _cast_polars(original.collect_schema(), frame)
        return made.lazy() if isinstance(original, pl.LazyFrame) else made  # type: ignore[return-value]
    wrapped: Any = nw.from_native(original)
    is_lazy = isinstance(wrapped, nw.LazyFrame)
    backend: Any = nw.Implementation.PYARROW if is_lazy else wrapped.implementation
    arrow = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    native: Any = nw.from_arrow(arrow, backend=backend).to_native()
    if backend.is_pandas_like():
        return _cast_pandas(original, native)  # type: ignore[no-any-return]
    if backend.is_pyarrow() and not is_lazy:
        native = _cast_arrow(original, native)
    return native  # type: ignore[no-any-return]


def _to_polars(eager: Any) -> pl.DataFrame:
    frame: pl.DataFrame = eager.to_polars()
    return frame


def _with_text_names(table: Any) -> tuple[Any, list[str]]:
    """Give a pandas table what others have anyway: names that are text, columns of one type."""
    if not nw.dependencies.is_pandas_dataframe(table):
        return table, []
    notes = []
    if table.index.names != [None]:
        names = ", ".join(repr(name) for name in table.index.names)
        notes.append(f"The index {names} is left out: call reset_index() to keep it as a column.")
    native = table.rename(columns=str)
    if not native.columns.is_unique:
        return native, notes
    mixed = {name: native[name] for name in native.columns if _is_mixed(native[name])}
    as_text = {name: values.map(str, na_action="ignore") for name, values in mixed.items()}
    notes += [f"Column {name!r}: holds values of several types, read as text." for name in as_text]
    return native.assign(**as_text), notes


def _is_mixed(values: Any) -> bool:
    return bool(values.dtype == object) and len(set(map(type, values.dropna()))) > 1


def _cast_polars(schema: pl.Schema, frame: pl.DataFrame) -> pl.DataFrame:
    columns = []
    for values in frame.get_columns():
        wanted = schema.get(values.name, values.dtype)
        cast = values.cast(wanted, strict=False) if values.dtype != wanted else values
        columns.append(cast if cast.null_count() == values.null_count() else values)
    return pl.DataFrame(columns)


def _cast_arrow(original: Any, table: Any) -> Any:
    for place, field in enumerate(table.schema):
        where = original.schema.get_field_index(field.name)
        if where >= 0 and original.schema.field(where).type != field.type:
            with suppress(pa.ArrowException):
                kind = original.schema.field(where).type
                table = table.set_column(place, pa.field(field.name, kind), table.column(place).cast(kind))
    return table


def _cast_pandas(original: Any, table: Any) -> Any:
    types = {str(name): original[name].dtype for name in original.columns}
    for name in table.columns:
        wanted = types.get(name)
        if wanted is None or table[name].dtype == wanted:
            continue
        if getattr(wanted, "categories", None) is not None:
            known = set(wanted.categories)
            wanted = wanted if set(table[name].dropna()) <= known else "category"
        # What does not fit (missing values in an integer column) stays as it is.
        with suppress(TypeError, ValueError):
            table[name] = table[name].astype(wanted)
    names = {str(name): name for name in original.columns}
    return table.rename(columns=names)
