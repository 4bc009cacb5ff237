"""One pass through a population's variables: drawing people while conditions prune those who cannot meet them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from understudy.core.conditions import Between, Where
from understudy.core.schema import Schema
from understudy.modalities.wishes import holds
from understudy.populations.strata import GROUP, Places, groups_of, numbers, unstacked
from understudy.populations.structure import ASKED, DRAWN, MAKE_GROUPS, derive_all, made_for, needs
from understudy.sampling.dependence import VariableModel
from understudy.sampling.drawing import Restriction
from understudy.sampling.limits import Limit, limits_of
from understudy.sampling.variables import ColumnModel, Values, Variables

_TRIES = 24
_TRIED_AT_ONCE = 200_000
_FAIR = 0.2
_MOST_BEGUN = 1_000_000
_MOST_PASSES = 50
_HEAVIEST = 3.0

Within = tuple[np.ndarray, np.ndarray] | np.ndarray | None


class Pass:
    """Draws rows variable by variable, and keeps only those that may still satisfy the conditions.

    Where conditions leave few rows, more are begun, until a fair part of those that were asked for is left.

    Attributes:
        log_weight: logarithm of the importance weight of each row that is left, at most as many as asked for;
            their sum over the number asked for estimates the probability of the conditions.
    """

    def __init__(
        self,
        variables: Variables,
        models: Sequence[VariableModel],
        schema: Schema,
        restriction: Restriction,
        n: int,
        rng: np.random.Generator,
        places: Places,
    ) -> None:
        self.variables, self.models, self.rng, self.n = variables, models, rng, n
        self.places, self.restriction = places, restriction
        # Who was asked what depends on columns that are drawn, whether or not they are published.
        drawn = {model.column.name: model.column for model in variables.columns}
        published = {column.name: column for column in schema.table.columns}
        self.schema = schema.with_table(
            schema.table.model_copy(update={"columns": tuple((drawn | published).values())})
        )
        self._columns = {model.column.name: model for model in variables.columns}
        where = _with_asked(restriction.where)
        self._limits = self._limited([w for w in where if w.column in self._columns])
        self._wishes = self._placed([w for w in where if w.column not in self._columns])
        self._last = max([*self._limits, *self._wishes], default=-1)
        self._begin()

    def _begin(self) -> None:
        self.values, self.log_weight = Values(self.n), np.zeros(self.n)
        self._gates: dict[tuple[Where, ...], np.ndarray] = {}

    def _limited(self, where: Sequence[Where]) -> dict[int, tuple[Limit, ...]]:
        """Return the limit of each variable that conditions speak of: one, or one for each group of people."""
        columns, variables = self.variables.columns, self.variables.variables
        common = [model for model in columns if model.column.name not in self.places]
        found: dict[int, tuple[Limit, ...]] = {}
        found |= {i: (limit,) for i, limit in limits_of(where, self.schema, common, variables).items()}
        for model in columns:
            if model.column.name in self.places and any(w.column == model.column.name for w in where):
                assert model.margin is not None
                assert model.value is not None
                places = self.places[model.column.name]
                own = {k: replace(model, margin=unstacked(model.margin, k)) for k in set(places)}
                each = {k: limits_of(where, self.schema, [part], variables) for k, part in own.items()}
                found[model.value] = tuple(each[place][model.value] for place in places)
        return found

    def run(self) -> dict[str, np.ndarray[Any, Any]]:
        """Draw everything and return the drawn columns as arrays by name."""
        self._restricted()
        for index in range(self._last + 1, len(self.variables.variables)):
            if self.values.rows:
                self._draw(index)
        return {name: self._decoded(model) for name, model in self._columns.items()}

    def _restricted(self) -> None:
        """Draw the variables up to the last that a condition speaks of, for as many beginnings as it takes."""
        self._pruned()
        left = self.values.rows
        if self._last < 0 or left >= _FAIR * self.n:
            return
        most = min(_MOST_BEGUN // self.n, _MOST_PASSES)
        passes = int(np.clip(np.ceil(_FAIR * self.n / max(left, 1)), 1, max(most, 1)))
        parts = [(self.values, self.log_weight)]
        for _ in range(passes - 1):
            self._begin()
            self._pruned()
            parts.append((self.values, self.log_weight))
        self.values = _joined([values for values, _ in parts])
        self.log_weight = np.concatenate([weight for _, weight in parts]) - np.log(passes)
        self._gates = {}
        if self.values.rows > self.n:
            kept = np.sort(self.rng.choice(self.values.rows, self.n, replace=False))
            self.log_weight = self.log_weight[kept] + np.log(self.values.rows / self.n)
            self.values = self.values.take(kept)
        self._truncate()

    def _truncate(self) -> None:
        """Cap weights far above the average of the rows that are left: a little bias for much less variance.

        Reference: Ionides, Truncated importance sampling, J. Comput. Graph. Stat. 17 (2008).
        """
        if self.values.rows:
            top = self.log_weight.max()
            middle = top + np.log(np.exp(self.log_weight - top).mean())
            self.log_weight = np.minimum(self.log_weight, middle + np.log(_HEAVIEST))

    def _pruned(self) -> None:
        for index in range(self._last + 1):
            if not self.values.rows:
                return
            self._draw(index)
            if index in self._limits or index in self._wishes:
                self._prune()

    def _placed(self, where: Sequence[Where]) -> dict[int, list[Where]]:
        """Return the conditions on computed columns by the variable whose drawing completes their inputs."""
        index = {name: number for number, name in enumerate(self._columns)}
        placed: dict[int, list[Where]] = {}
        for wish in where:
            last = max(index[name] for name in needs([wish.column]))
            placed.setdefault(last, []).append(wish)
        return placed

    def _draw(self, index: int) -> None:
        variables, name = self.variables.variables, self.variables.columns[index].column.name
        variable, rows = variables[index], self.values.rows
        active = self._asked(name)
        everyone = bool(active.all())
        if everyone:
            whole = self._seen(index, np.arange(rows)) if index in self._wishes else self.values
            drawn, log_mass = self._drawn(index, whole)
        else:
            drawn = np.zeros(rows) if variable.is_continuous else np.zeros(rows, dtype=np.int64)
            log_mass, chosen = np.zeros(rows), np.flatnonzero(active)
            if len(chosen):
                drawn[chosen], log_mass[chosen] = self._drawn(index, self._seen(index, chosen))
        self.values.drawn[index] = drawn
        # Levels of those who were not asked are a plain no, which later variables may rest on.
        self.values.active[index] = active if variable.is_continuous else np.ones(rows, dtype=bool)
        self.log_weight = self.log_weight + log_mass
        if name == MAKE_GROUPS[-1]:
            self.values.drawn[GROUP] = groups_of(self.variables, self.values)
            self.values.active[GROUP] = np.ones(rows, dtype=bool)

    def _seen(self, index: int, chosen: np.ndarray) -> Values:
        """Return the values of some rows, as far as drawing a variable and checking it needs them."""
        features = self.models[index].features
        earlier = {GROUP} & self.values.drawn.keys()
        earlier |= set() if features is None else set(features.earlier)
        if index in self._wishes:
            names = needs([w.column for w in self._wishes[index]])
            earlier |= {
                i for i in self.values.drawn if i >= 0 and self.variables.columns[i].column.name in names
            }
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
        within = _within(self._limits.get(index), earlier)
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
        self.log_weight = self.log_weight[kept]
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
        if model.margin is not None:
            return np.where(values.active[model.value], numbers(model, values, self.places), np.nan)
        series = self.variables.decode_column(model, values)
        return series.to_numpy() if series.dtype == pl.Boolean else series.to_numpy().astype(object)


def _joined(parts: Sequence[Values]) -> Values:
    """Return rows of several passes one after the other; passes that lost all their rows add none."""
    some = [part for part in parts if part.rows] or list(parts[:1])
    drawn = {i: np.concatenate([part.drawn[i] for part in some]) for i in some[0].drawn}
    active = {i: np.concatenate([part.active[i] for part in some]) for i in some[0].active}
    return Values(sum(part.rows for part in some), drawn, active)


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


def _within(limits: tuple[Limit, ...] | None, earlier: Values) -> Within:
    """Return what a variable is limited to for each row: codes, or the ends of intervals (rows, intervals)."""
    if limits is None:
        return None
    if limits[0].codes is not None:
        return limits[0].codes
    most = max(len(limit.low) for limit in limits if limit.low is not None)
    low, high = np.zeros((len(limits), most)), np.zeros((len(limits), most))
    for place, limit in enumerate(limits):
        assert limit.low is not None
        assert limit.high is not None
        low[place, : len(limit.low)], high[place, : len(limit.high)] = limit.low, limit.high
    group = earlier.drawn[GROUP] if len(limits) > 1 else np.zeros(earlier.rows, dtype=np.int64)
    return low[group], high[group]


def _log(mass: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(mass))
