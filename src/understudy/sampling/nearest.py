"""Why conditions cannot be met: which of them is the bottleneck, and what comes nearest to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from understudy.core.conditions import Between, OneOf, Where
from understudy.core.errors import ConditionError
from understudy.core.schema import Kind, Schema

_NONE = 1e-7
_SHOWN = 5


def refusal(
    where: Sequence[Where],
    schema: Schema,
    support: Callable[[Sequence[Where]], float],
    look: Callable[[Sequence[Where]], pl.DataFrame],
) -> ConditionError:
    """Return the error that explains why no patient satisfies all conditions.

    Args:
        where: resolved conditions.
        schema: the schema of the rows.
        support: estimates the probability of some conditions.
        look: draws some rows that satisfy some conditions; none where it finds none.
    """
    alone = [support([w]) for w in where]
    place = min(range(len(where)), key=lambda i: alone[i])
    if alone[place] > _NONE:
        place = max(range(len(where)), key=lambda i: support([*where[:i], *where[i + 1 :]]))
    others: list[Where] = []
    for condition in [*where[:place], *where[place + 1 :]]:
        if alone[place] > _NONE and support([*others, condition]) > _NONE:
            others.append(condition)
    bottleneck, rows = where[place], look(others)
    context = f" together with {'; '.join(w.says() for w in others)}" if others else ""
    return ConditionError(
        f"no patient that this generator knows satisfies {bottleneck.says()!r}{context}"
        f"{_nearest(bottleneck, rows, schema, is_alone=not others)}"
    )


def _nearest(wish: Where, rows: pl.DataFrame, schema: Schema, *, is_alone: bool) -> str:
    column = schema.table.column(wish.column)
    if wish.column not in rows.columns or not rows.height:
        return ". Relax the conditions."
    values = rows[wish.column]
    share = values.null_count() / len(values)
    if share == 1:
        return f": {wish.column!r} is always missing. Nearest feasible: {wish.column} is missing"
    if isinstance(wish, OneOf):
        return _nearest_levels(wish, values, share, is_alone=is_alone)
    if column.kind is Kind.DATETIME:
        values = values.dt.year().cast(pl.Float64)
    return _nearest_range(wish, values.drop_nulls().cast(pl.Float64), column.decimals)


def _nearest_levels(wish: OneOf, values: pl.Series, missing: float, *, is_alone: bool) -> str:
    if wish.values == (None,) and not wish.exclude and missing == 0:
        return f": {wish.column!r} is never missing. Nearest feasible: leave the condition out"
    text = values.drop_nulls().cast(pl.String)
    counted = text.value_counts(sort=True, name="rows")
    shown = counted.head(_SHOWN)[counted.columns[0]].to_list()
    more = f" and {counted.height - _SHOWN} more" if counted.height > _SHOWN else ""
    why = ": levels that few real patients have are protected and never drawn" if is_alone else ""
    return f"{why}. Nearest feasible: {wish.column} in ({', '.join(shown)}){more}"


def _nearest_range(wish: Between, values: pl.Series, decimals: int | None) -> str:
    digits = 6 if decimals is None else decimals
    low, high = float(str(values.min())), float(str(values.max()))
    span = f": {wish.column!r} runs from {round(low, digits):g} to {round(high, digits):g}"
    if wish.low is not None and wish.low >= high:
        near = values.quantile(0.95, "lower")
        return f"{span}. Nearest feasible: {wish.column} >= {round(near or high, digits):g}"
    if wish.high is not None and wish.high <= low:
        near = values.quantile(0.05, "higher")
        return f"{span}. Nearest feasible: {wish.column} <= {round(near or low, digits):g}"
    limits = [limit for limit in (wish.low, wish.high) if limit is not None]
    middle = sum(limits) / len(limits)
    nearest = float(values[int((values - middle).abs().arg_min() or 0)])
    return f"{span}. Nearest feasible: {wish.column} = {round(nearest, digits):g}"
