"""Conditions and known cells as limits on variables: which codes, or which stretch of normal scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtri

from understudy.core.conditions import Between, OneOf, Where
from understudy.core.schema import Column, Kind, Schema
from understudy.modalities.wishes import holds
from understudy.sampling.variables import MISSING, PRESENT, ColumnModel, Variable

_EDGE = 1e-9
_EPOCH = 1e6


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
        for start, stop, excluded in _stretches(condition, model, unit):
            ends = (start - unit / 2, stop + unit / 2)
            u = model.margin.probability(np.array(ends), np.array([0.0, 1.0]))
            z = ndtri(np.clip(u, 0.0, 1.0))
            low, high = _without(low, high, z) if excluded else _inside(low, high, z)
    return Limit(low=low, high=high)


def _stretches(condition: Where, model: ColumnModel, unit: float) -> list[tuple[float, float, bool]]:
    """Return closed stretches of drawable values, in units of the resolution, and whether each is excluded."""
    scale = model.resolution
    if isinstance(condition, Between):
        start, stop = (_number(limit, model.column) for limit in (condition.low, condition.high))
        first, last = -np.inf, np.inf
        if start is not None:
            first = np.ceil(start / scale / unit - _EDGE) * unit
            first += unit if condition.low_open and first <= start / scale + _EDGE else 0.0
        if stop is not None:
            last = np.floor(stop / scale / unit + _EDGE) * unit
            last -= unit if condition.high_open and last >= stop / scale - _EDGE else 0.0
        return [(first, last, False)]
    numbers = [
        float(v) / scale for v in condition.values if v is not None and model.column.kind is Kind.NUMBER
    ]
    if condition.exclude:
        return [(number, number, True) for number in numbers]
    return [(min(numbers), max(numbers), False)] if numbers else [(np.inf, -np.inf, False)]


def _number(limit: float | None, column: Column) -> float | None:
    if limit is None or column.kind is Kind.NUMBER:
        return limit
    return (
        float(pl.Series([f"{int(limit):04d}-01-01"]).str.to_datetime(time_unit="us").cast(pl.Int64)[0])
        / _EPOCH
    )


def _inside(low: np.ndarray, high: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(low, z[0]), np.maximum(np.minimum(high, z[1]), np.maximum(low, z[0]))


def _without(low: np.ndarray, high: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    starts = np.concatenate([low, np.maximum(low, z[1])])
    stops = np.concatenate([np.minimum(high, z[0]), high])
    is_real = stops > starts
    return (starts[is_real], stops[is_real]) if is_real.any() else (starts[:1], starts[:1])


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
