"""Conditions and known cells as limits on variables: which codes, or which stretch of normal scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
from scipy.special import ndtri

from understudy.core.conditions import Between, OneOf, Where
from understudy.core.schema import Column, Kind, Schema
from understudy.modalities.wishes import holds
from understudy.sampling.variables import MISSING, PRESENT, ColumnModel, Variable

_EDGE = 1e-9
_EPOCH = 1e6
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Limit:
    """What one variable may be.

    Attributes:
        codes: for a discrete variable, the allowed codes, bool of shape (size,).
        low, high: for a continuous one, the ends of the allowed intervals of normal scores, shape (intervals,).
    """

    codes: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def limits_of(
    where: Sequence[Where], schema: Schema, columns: Sequence[ColumnModel], variables: Sequence[Variable]
) -> dict[int, Limit]:
    """Return the limit of each variable that resolved conditions speak of, by its index."""
    found: dict[int, Limit] = {}
    for model in columns:
        mine = [w for w in where if w.column == model.column.name]
        if not mine:
            continue
        value = None if model.value is None else variables[model.value]
        limit = None if value is None else _value_limit(model, value, mine, schema)
        if model.state is not None:
            states = _state_limit(model, variables[model.state].size, mine, limit, schema)
            known = found.get(model.state)
            both = states if known is None or known.codes is None else states & known.codes
            found[model.state] = Limit(codes=both)
        if limit is not None and model.value is not None:
            found[model.value] = limit
    return found


def _value_limit(model: ColumnModel, variable: Variable, where: Sequence[Where], schema: Schema) -> Limit:
    if not variable.is_continuous:
        return Limit(codes=_satisfied(_level_cells(model), model.column, where, schema))
    assert model.margin is not None
    low, high = np.array([-np.inf]), np.array([np.inf])
    unit = 10.0**-model.margin.decimals
    for condition in where:
        stretches = np.array(_stretches(condition, model, unit)).reshape(-1, 2)
        ends = stretches + np.array([-unit / 2, unit / 2])
        u = model.margin.probability(ends.ravel(), np.tile([0.0, 1.0], len(ends))).reshape(-1, 2)
        z = ndtri(np.clip(u[np.argsort(u[:, 0], kind="stable")], 0.0, 1.0))
        if isinstance(condition, OneOf) and condition.exclude:
            low, high = _common(low, high, np.append(-np.inf, z[:, 1]), np.append(z[:, 0], np.inf))
        else:
            low, high = _common(low, high, z[:, 0], z[:, 1])
    return Limit(low=low, high=high)


def _stretches(condition: Where, model: ColumnModel, unit: float) -> list[tuple[float, float]]:
    """Return the closed stretches of drawable values that a condition names, in units of the resolution."""
    scale = model.resolution
    if isinstance(condition, OneOf):
        return [(v, v) for v in (_named(v, model.column) / scale for v in condition.values if v is not None)]
    start, stop = (_number(limit, model.column) for limit in (condition.low, condition.high))
    first, last = -np.inf, np.inf
    if start is not None:
        first = np.ceil(start / scale / unit - _EDGE) * unit
        first += unit if condition.low_open and first <= start / scale + _EDGE * unit else 0.0
    if stop is not None:
        last = np.floor(stop / scale / unit + _EDGE) * unit
        last -= unit if condition.high_open and last >= stop / scale - _EDGE * unit else 0.0
    return [(first, last)] if first <= last else []


def _number(limit: float | None, column: Column) -> float | None:
    """Return a limit of a range as the column counts: numbers as they are, years as seconds since 1970."""
    if limit is None or column.kind is Kind.NUMBER:
        return limit
    return _named(f"{int(limit):04d}-01-01", column)


def _named(value: str, column: Column) -> float:
    if column.kind is Kind.NUMBER:
        return float(value)
    return (datetime.fromisoformat(value).replace(tzinfo=UTC) - _START).total_seconds()


def _common(
    low: np.ndarray, high: np.ndarray, starts: np.ndarray, stops: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what two unions of intervals share; where that is nothing, one empty interval."""
    both_low, both_high = np.maximum.outer(low, starts).ravel(), np.minimum.outer(high, stops).ravel()
    is_real = both_high > both_low
    if not is_real.any():
        return np.zeros(1), np.zeros(1)
    return both_low[is_real], both_high[is_real]


def _state_limit(
    model: ColumnModel, size: int, where: Sequence[Where], limit: Limit | None, schema: Schema
) -> np.ndarray:
    allowed = np.zeros(size, dtype=bool)
    missing = pl.Series(model.column.name, [None], dtype=_dtype(model.column))
    allowed[MISSING] = bool(_satisfied(missing, model.column, where, schema)[0])
    if limit is None:
        cells = _cells(model.column, [model.constant])
        allowed[PRESENT] = model.constant is not None and bool(
            _satisfied(cells, model.column, where, schema)[0]
        )
    elif limit.codes is not None:
        allowed[PRESENT] = bool(limit.codes.any())
    elif limit.low is not None and limit.high is not None:
        allowed[PRESENT] = bool((limit.high > limit.low).any())
    if model.spikes:
        spikes = _cells(model.column, [s * model.resolution for s in model.spikes])
        allowed[PRESENT + 1 : PRESENT + 1 + len(model.spikes)] = _satisfied(
            spikes, model.column, where, schema
        )
    return allowed


def _level_cells(model: ColumnModel) -> pl.Series:
    if model.column.kind in (Kind.NUMBER, Kind.DATETIME):
        return _cells(model.column, [float(v) * model.resolution for v in model.levels])
    return _cells(model.column, list(model.levels))


def _cells(column: Column, values: Sequence[str | float | None]) -> pl.Series:
    if column.kind is Kind.BOOLEAN:
        return pl.Series(column.name, [None if v is None else v == "true" for v in values], dtype=pl.Boolean)
    if column.kind is Kind.DATETIME:
        micros = [None if v is None else int(float(v) * _EPOCH) for v in values]
        return pl.Series(column.name, micros, dtype=pl.Int64).cast(pl.Datetime("us"))
    return pl.Series(column.name, list(values), dtype=_dtype(column))


def _dtype(column: Column) -> pl.DataType:
    kinds = {Kind.NUMBER: pl.Float64(), Kind.BOOLEAN: pl.Boolean(), Kind.DATETIME: pl.Datetime("us")}
    return kinds.get(column.kind, pl.String())


def _satisfied(cells: pl.Series, column: Column, where: Sequence[Where], schema: Schema) -> np.ndarray:
    mine = [holds(w, schema) for w in where if isinstance(w, OneOf | Between) and w.column == column.name]
    return pl.DataFrame([cells]).select(pl.all_horizontal(mine)).to_series().to_numpy().astype(bool)
