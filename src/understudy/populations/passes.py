"""One pass through a population's variables: drawing people while conditions prune those who cannot meet them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from understudy.core.conditions import Between, Where
from understudy.core.schema import Schema
from understudy.modalities.wishes import holds
from understudy.populations.structure import ASKED, DRAWN, derive_all, made_for, needs
from understudy.sampling.drawing import Restriction
from understudy.sampling.limits import Limit, limits_of
from understudy.sampling.trees import VariableModel
from understudy.sampling.variables import ColumnModel, Values, Variables

_TRIES = 12
_TRIED_AT_ONCE = 200_000

Within = tuple[np.ndarray, np.ndarray] | np.ndarray | None


class Pass:
    """Draws rows variable by variable, and keeps only those that may still satisfy the conditions.

    Attributes:
        log_weight: logarithm of the importance weight of each row that is left.
        origin: the place of each of them among the rows that were begun.
    """

    def __init__(
        self,
        variables: Variables,
        models: Sequence[VariableModel],
        schema: Schema,
        restriction: Restriction,
        n: int,
        rng: np.random.Generator,
    ) -> None:
        self.variables, self.models, self.rng = variables, models, rng
        # Who was asked what depends on columns that are drawn, whether or not they are published.
        drawn = {model.column.name: model.column for model in variables.columns}
        published = {column.name: column for column in schema.table.columns}
        self.schema = schema.with_table(
            schema.table.model_copy(update={"columns": tuple((drawn | published).values())})
        )
        self.values = Values(n)
        self.log_weight, self.origin = np.zeros(n), np.arange(n)
        self._columns = {model.column.name: model for model in variables.columns}
        where = _with_asked(restriction.where)
        self._limits = limits_of(
            [w for w in where if w.column in self._columns],
            self.schema,
            variables.columns,
            variables.variables,
        )
        self._wishes = self._placed([w for w in where if w.column not in self._columns])
        self._last = max([*self._limits, *self._wishes], default=-1)
        self._gates: dict[tuple[Where, ...], np.ndarray] = {}

    def _placed(self, where: Sequence[Where]) -> dict[int, list[Where]]:
        """Return the conditions on computed columns by the variable whose drawing completes their inputs."""
        index = {name: number for number, name in enumerate(self._columns)}
        placed: dict[int, list[Where]] = {}
        for wish in where:
            last = max(index[name] for name in needs([wish.column]))
            placed.setdefault(last, []).append(wish)
        return placed

    def run(self) -> dict[str, np.ndarray[Any, Any]]:
        """Draw everything and return the drawn columns as arrays by name."""
        for index in range(len(self.variables.variables)):
            self._draw(index)
            if index <= self._last and (index in self._limits or index in self._wishes):
                self._prune()
            if not self.values.rows:
                break
        return {name: self._decoded(model) for name, model in self._columns.items()}

    def _draw(self, index: int) -> None:
        variables, name = self.variables.variables, self.variables.columns[index].column.name
        variable, rows = variables[index], self.values.rows
        active = self._asked(name)
        everyone = bool(active.all())
        if everyone:
            drawn, log_mass = self._drawn(index, self.values)
        else:
            drawn = np.zeros(rows) if variable.is_continuous else np.zeros(rows, dtype=np.int64)
            log_mass, chosen = np.zeros(rows), np.flatnonzero(active)
            if len(chosen):
                drawn[chosen], log_mass[chosen] = self._drawn(index, self._seen(index, chosen))
        self.values.drawn[index] = drawn
        # Levels of those who were not asked are a plain no, which later variables may rest on.
        self.values.active[index] = active if variable.is_continuous else np.ones(rows, dtype=bool)
        self.log_weight = self.log_weight + log_mass

    def _seen(self, index: int, chosen: np.ndarray) -> Values:
        """Return the values of some rows, as far as drawing a variable needs them."""
        features = self.models[index].features
        earlier = () if features is None else features.earlier
        if index in self._wishes:
            earlier = tuple(range(index))
        drawn = {i: self.values.drawn[i][chosen] for i in earlier}
        active = {i: self.values.active[i][chosen] for i in earlier}
        return Values(len(chosen), drawn, active)

    def _drawn(self, index: int, earlier: Values) -> tuple[np.ndarray, np.ndarray]:
        """Return values of a variable and the logarithm of the probability of what they were limited to."""
        if index in self._wishes:
            return self._tried(index, earlier)
        drawn, mass = self._once(index, earlier)
        return drawn, _log(mass)

    def _once(self, index: int, earlier: Values) -> tuple[np.ndarray, np.ndarray]:
        within = _within(self._limits.get(index), earlier.rows)
        variables = self.variables.variables
        if isinstance(within, np.ndarray) and within.dtype == bool and not within.any():
            return np.zeros(earlier.rows, dtype=np.int64), np.zeros(earlier.rows)
        drawn, mass = self.models[index].draw(variables, variables[index], earlier, self.rng, within)
        return drawn, np.ones(earlier.rows) if mass is None else mass

    def _tried(self, index: int, earlier: Values) -> tuple[np.ndarray, np.ndarray]:
        """Draw several values for each row, keep one that the conditions on computed columns allow.

        Reference: Liu, Liang and Wong, The multiple-try method, JASA 95 (2000): the mean weight of the tries
        is an unbiased estimate of the probability of the conditions.
        """
        rows, size = earlier.rows, max(_TRIED_AT_ONCE // _TRIES, 1)
        drawn = np.zeros(
            rows, dtype=np.float64 if self.variables.variables[index].is_continuous else np.int64
        )
        weight = np.zeros(rows)
        for start in range(0, rows, size):
            part = np.arange(start, min(start + size, rows))
            some = earlier.take(np.repeat(part, _TRIES))
            tried, mass = self._once(index, some)
            some.drawn[index], some.active[index] = tried, np.ones(some.rows, dtype=bool)
            each = (mass * self._allowed(index, some)).reshape(len(part), _TRIES)
            total = each.sum(axis=1)
            picked = (np.cumsum(each, axis=1) < (self.rng.random(len(part)) * total)[:, None]).sum(axis=1)
            picked = np.minimum(picked, _TRIES - 1)
            drawn[part] = tried.reshape(len(part), _TRIES)[np.arange(len(part)), picked]
            weight[part] = total / _TRIES
        return drawn, _log(weight)

    def _allowed(self, index: int, values: Values) -> np.ndarray:
        """Return which rows satisfy the conditions that variable `index` completes."""
        wishes = self._wishes[index]
        names = needs([w.column for w in wishes])
        columns = {
            name: self._decode(model, values) for name, model in self._columns.items() if name in names
        }
        derive_all(columns, made_for([w.column for w in wishes]))
        frame = pl.DataFrame(
            [
                pl.Series(w.column, columns[w.column], nan_to_null=columns[w.column].dtype != object)
                for w in {w.column: w for w in wishes}.values()
            ]
        )
        return frame.select(pl.all_horizontal([holds(w, self.schema) for w in wishes])).to_series().to_numpy()

    def _prune(self) -> None:
        """Drop rows that weigh nothing, and by rejection control some of those that weigh little."""
        finite = np.isfinite(self.log_weight)
        if finite.any():
            top = self.log_weight[finite].max()
            level = top + np.log(np.exp(self.log_weight[finite] - top).mean())
            chance = np.exp(np.minimum(self.log_weight - level, 0.0))
            kept = self.rng.random(len(chance)) < chance
            self.log_weight = np.maximum(self.log_weight, level)
        else:
            kept = finite
        if kept.all():
            return
        self.values = self.values.take(kept)
        self.log_weight, self.origin = self.log_weight[kept], self.origin[kept]
        self._gates = {where: mask[kept] for where, mask in self._gates.items()}

    def _asked(self, name: str) -> np.ndarray:
        if name not in ASKED:
            return np.ones(self.values.rows, dtype=bool)
        where = ASKED[name].where
        if where not in self._gates:
            frame = pl.DataFrame([self._series(w.column) for w in where])
            mask = frame.select(pl.all_horizontal([holds(w, self.schema) for w in where])).to_series()
            self._gates[where] = mask.to_numpy()
        return self._gates[where]

    def _series(self, name: str) -> pl.Series:
        return self.variables.decode_column(self._columns[name], self.values)

    def _decoded(self, model: ColumnModel) -> np.ndarray:
        if model.value not in self.values.drawn:
            return np.empty(0, dtype=object if not model.margin else np.float64)
        return self._decode(model, self.values)

    def _decode(self, model: ColumnModel, values: Values) -> np.ndarray:
        """Return one column as an array: numbers with NaN, booleans, or texts."""
        assert model.value is not None
        series = self.variables.decode_column(model, values)
        if model.margin is None:
            return series.to_numpy() if series.dtype == pl.Boolean else series.to_numpy().astype(object)
        cells = series.to_numpy().astype(np.float64)
        return np.where(values.active[model.value], cells, np.nan)


def _with_asked(where: Sequence[Where]) -> list[Where]:
    """Return the conditions, and those that make the observations exist that they speak of."""
    found = list(where)
    for wish in where:
        if wish.column in ASKED and _excludes(wish, ASKED[wish.column].otherwise):
            found += ASKED[wish.column].where
        elif wish.column not in DRAWN and _excludes(wish, None):
            for name in sorted(needs([wish.column])):
                if name in ASKED and ASKED[name].otherwise is None:
                    found += ASKED[name].where
    return list(dict.fromkeys(found))


def _excludes(wish: Where, otherwise: bool | None) -> bool:
    """Say whether those whom an observation does not exist for fail a condition on it."""
    if isinstance(wish, Between):
        return True
    text = None if otherwise is None else str(otherwise).lower()
    return (text in wish.values) == wish.exclude


def _within(limit: Limit | None, rows: int) -> Within:
    if limit is None:
        return None
    if limit.codes is not None:
        return limit.codes
    assert limit.low is not None
    assert limit.high is not None
    shape = (rows, len(limit.low))
    return np.broadcast_to(limit.low, shape), np.broadcast_to(limit.high, shape)


def _log(mass: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(mass))
