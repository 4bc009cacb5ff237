"""Conditions on tables: from a person's words to canonical values of columns, and to a row filter."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from understudy.core.conditions import Balanced, Between, Conditions, OneOf, Share
from understudy.core.dataset import Dataset
from understudy.core.errors import ConditionError, UnknownNameError
from understudy.core.schema import Column, Kind, Schema

_TRUE = ("true", "1", "yes", "y", "t")
_FALSE = ("false", "0", "no", "n", "f")


def resolve(given: Conditions, schema: Schema) -> Conditions:
    """Return the conditions with the schema's own column names and canonical values.

    Names and levels may differ in case; booleans may be spelled in any usual way; dates are ISO 8601.

    Raises:
        UnknownNameError: if a column or level does not exist; suggests the nearest.
        ConditionError: if a condition does not suit its column's kind, or contradicts another.
    """
    where = tuple(_where(w, _column(w.column, schema)) for w in given.where)
    shares = tuple(_share(s, _column(s.column, schema)) for s in given.shares)
    _refuse_contradictions(where, schema)
    return given.model_copy(update={"where": where, "shares": shares})


def holds(where: OneOf | Between, schema: Schema) -> pl.Expr:
    """Return the expression that is true for rows that satisfy a resolved condition."""
    column = schema.table.column(where.column)
    values = pl.col(column.name)
    if isinstance(where, Between):
        low, high = _limit(where.low, column), _limit(where.high, column)
        inside = pl.lit(value=True)
        if low is not None:
            inside = inside & ((values > low) if where.low_open else (values >= low))
        if high is not None:
            inside = inside & ((values < high) if where.high_open else (values <= high))
        return inside.fill_null(value=False)
    named = [v for v in where.values if v is not None]
    listed = values.is_in([_canonical(v, column) for v in named]) if named else pl.lit(value=False)
    member = listed.fill_null(value=False) | (
        values.is_null() if None in where.values else pl.lit(value=False)
    )
    return ~member if where.exclude else member


def matching(dataset: Dataset, given: Conditions) -> Dataset:
    """Return the rows that satisfy all resolved `where` conditions."""
    if not given.where:
        return dataset
    return dataset.with_frame(dataset.frame.filter([holds(w, dataset.schema) for w in given.where]))


def _column(name: str, schema: Schema) -> Column:
    names = {c.name.casefold(): c for c in schema.table.columns}
    found = names.get(name.strip().casefold())
    if found is None:
        raise UnknownNameError("column", name, schema.table.names)
    if not found.is_learned:
        raise ConditionError(
            f"column {found.name!r} is an identifier that is made anew; it cannot be conditioned on"
        )
    return found


def _where(where: OneOf | Between, column: Column) -> OneOf | Between:
    if isinstance(where, Between):
        if column.kind not in (Kind.NUMBER, Kind.DATETIME):
            raise ConditionError(
                f"{where.says()!r} is a range, but column {column.name!r} is a {column.kind.value}; "
                f"write {column.name}=VALUE"
            )
        return where.model_copy(update={"column": column.name})
    if (
        column.kind is Kind.NUMBER
        and not where.exclude
        and len(where.values) == 1
        and where.values[0] is not None
    ):
        number = float(str(_canonical(where.values[0], column)))
        return Between(column=column.name, low=number, high=number)
    values = tuple(None if v is None else _spelling(v, column) for v in where.values)
    return where.model_copy(update={"column": column.name, "values": values})


def _share(share: Share | Balanced, column: Column) -> Share | Balanced:
    if not column.is_discrete:
        raise ConditionError(
            f"a share needs a column of levels; {column.name!r} is a {column.kind.value}. Use a range condition."
        )
    if isinstance(share, Balanced):
        return share.model_copy(update={"column": column.name})
    return share.model_copy(update={"column": column.name, "value": _spelling(share.value, column)})


def _spelling(value: str, column: Column) -> str:
    found = _canonical(value, column)
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if column.kind is not Kind.NUMBER else f"{float(str(found)):g}"


def _canonical(value: str, column: Column) -> str | float | bool | datetime:
    if column.kind is Kind.NUMBER:
        try:
            return float(value)
        except ValueError as error:
            raise ConditionError(f"column {column.name!r} holds numbers; {value!r} is none") from error
    if column.kind is Kind.BOOLEAN:
        return _truth(value, column)
    if column.kind is Kind.DATETIME:
        try:
            return datetime.fromisoformat(value).replace(tzinfo=None)
        except ValueError as error:
            raise ConditionError(
                f"column {column.name!r} holds dates; write {value!r} as YYYY-MM-DD"
            ) from error
    if column.values is None:
        return value
    if value in column.values:
        return value
    same = [level for level in column.values if level.casefold() == value.strip().casefold()]
    if len(same) == 1:
        return same[0]
    raise UnknownNameError(f"level of column {column.name!r}", value, column.values)


def _truth(value: str, column: Column) -> bool:
    word = value.strip().casefold()
    false, true = (s.casefold() for s in column.spelling or ("false", "true"))
    if word in (true, *_TRUE) and word != false:
        return True
    if word in (false, *_FALSE):
        return False
    raise UnknownNameError(f"value of column {column.name!r}", value, column.spelling or ("false", "true"))


def _limit(limit: float | None, column: Column) -> float | datetime | None:
    if limit is None or column.kind is Kind.NUMBER:
        return limit
    return datetime(int(limit), 1, 1)  # noqa: DTZ001 - canonical datetimes carry no zone; a range is in years


def _refuse_contradictions(where: tuple[OneOf | Between, ...], schema: Schema) -> None:
    for name in dict.fromkeys(w.column for w in where):
        ranges = [w for w in where if w.column == name and isinstance(w, Between)]
        low = max((w.low for w in ranges if w.low is not None), default=float("-inf"))
        high = min((w.high for w in ranges if w.high is not None), default=float("inf"))
        column = schema.table.column(name)
        bound_low = float("-inf") if column.low is None else column.low
        bound_high = float("inf") if column.high is None else column.high
        if low > high:
            raise ConditionError(f"{' and '.join(w.says() for w in ranges)} exclude each other")
        if ranges and (low > bound_high or high < bound_low):
            raise ConditionError(
                f"the condition on {name!r} lies outside its bounds {bound_low:g} to {bound_high:g}; "
                f"nearest feasible: {name} {'<=' if low > bound_high else '>='} "
                f"{bound_high if low > bound_high else bound_low:g}"
            )
        sets = [w for w in where if w.column == name and isinstance(w, OneOf) and not w.exclude]
        if sets and not set.intersection(*(set(w.values) for w in sets)):
            said = " and ".join(w.says() for w in sets)
            raise ConditionError(f"{said} exclude each other")
