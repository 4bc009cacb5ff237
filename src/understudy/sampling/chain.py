"""The sequential chain: each variable is drawn given those before it, conditions acting as it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.schema import Column, Schema
from understudy.modalities.wishes import holds
from understudy.sampling.drawing import Candidates, Restriction
from understudy.sampling.limits import Limit, limits_of
from understudy.sampling.order import drawing_order
from understudy.sampling.rules import RowRules
from understudy.sampling.trees import TreeSettings, VariableModel, fit_variable
from understudy.sampling.variables import PRESENT, ColumnModel, Values, Variables

_REDRAWS = 30
_LEAST_MASS = 1e-5
_KNOWN_WIDTH = 0.02


@dataclass(frozen=True)
class Chain:
    """A model of rows: variables, their drawing order, and each one's distribution given the earlier ones.

    Implements `sampling.drawing.RowModel`.

    Reference:
        Reiter, Using CART to generate partially synthetic public use microdata, J. Off. Stat. 21 (2005);
        conditional draws are sequential importance sampling (Liu and Chen, JASA 93 (1998)).
    """

    schema: Schema
    variables: Variables
    order: tuple[int, ...]
    models: dict[int, VariableModel]
    rules: RowRules

    @classmethod
    def fit(
        cls,
        dataset: Dataset,
        columns: Sequence[Column],
        settings: TreeSettings,
        rng: np.random.Generator,
        tell: Callable[[float], None] = lambda _: None,
    ) -> Chain:
        """Learn the named columns of real rows.

        Args:
            dataset: real rows, obeying the schema's rules.
            columns: columns to learn; derived ones among them are computed instead.
            settings: how closely trees follow the rows.
            rng: source of randomness.
            tell: told the fraction of the work that is done.
        """
        rules = RowRules.of(dataset.schema, dataset.frame)
        learned = rules.learned(columns)
        variables, values = Variables.fit(dataset, learned, rng)
        return cls.of(dataset.schema, variables, values, rules, settings, rng, tell)

    @classmethod
    def of(
        cls,
        schema: Schema,
        variables: Variables,
        values: Values,
        rules: RowRules,
        settings: TreeSettings,
        rng: np.random.Generator,
        tell: Callable[[float], None] = lambda _: None,
    ) -> Chain:
        """Learn from rows that are encoded already."""
        order = drawing_order(variables.variables, values)
        models = {}
        for position, index in enumerate(order):
            earlier = tuple(order[:position])
            models[index] = fit_variable(index, earlier, variables.variables, values, settings, rng)
            tell((position + 1) / len(order))
        return cls(schema, variables, tuple(order), models, rules)

    def draw(self, n: int, rng: np.random.Generator, restriction: Restriction) -> Candidates:
        """Draw `n` candidate rows; see `RowModel.draw`."""
        drawing = _Drawing(self, n, rng, restriction)
        for index in self.order:
            drawing.draw_variable(index)
        return drawing.candidates()


class _Drawing:
    """One pass through the chain: the values so far, their weights, and the columns that are complete."""

    def __init__(self, chain: Chain, n: int, rng: np.random.Generator, restriction: Restriction) -> None:
        self.chain, self.rng, self.n = chain, rng, n
        self.columns = chain.variables.columns
        self.limits = limits_of(restriction.where, chain.schema, self.columns, chain.variables.variables)
        self.where = restriction.where
        self.values = Values(n)
        self.log_weight = np.zeros(n)
        self.frame: dict[str, pl.Series] = {}
        self.given = restriction.known
        self.known, self.is_known = self._encode_known(restriction.known)
        for model in self.columns:
            if self._is_complete(model):  # never varies: nothing to draw, but rules may speak of it
                self.frame[model.column.name] = self._decoded(model)

    def _encode_known(self, known: pl.DataFrame | None) -> tuple[Values, dict[int, np.ndarray]]:
        """Return given cells as values, and for each variable which rows are given."""
        if known is None:
            return Values(self.n), {}
        named = [c.column.name for c in self.columns if c.column.name in known.columns]
        encoded = self.chain.variables.encode(known, named, self.rng)
        is_known: dict[int, np.ndarray] = {}
        for model in self.columns:
            if model.column.name in named:
                given = known[model.column.name].is_not_null().to_numpy()
                for index in (model.state, model.value):
                    if index is not None:
                        is_known[index] = is_known.get(index, np.zeros(self.n, dtype=bool)) | given
        return encoded, is_known

    def draw_variable(self, index: int) -> None:
        """Draw one variable for all rows, then complete the columns that were waiting for it."""
        variables = self.chain.variables.variables
        variable = variables[index]
        active = np.ones(self.n, dtype=bool)
        if variable.gate is not None:
            active = self.values.drawn[variable.gate] == PRESENT
        empty = np.zeros(self.n) if variable.is_continuous else np.full(self.n, variable.size, dtype=np.int64)
        self.values.drawn[index], self.values.active[index] = empty, active
        given = self.is_known.get(index, np.zeros(self.n, dtype=bool)) & active
        self._draw_rows(index, np.flatnonzero(active & ~given), self.limits.get(index))
        self._place_known(index, np.flatnonzero(given))
        for model in self.columns:
            if index in (model.state, model.value) and self._is_complete(model):
                self._complete(model, index)

    def _draw_rows(
        self, index: int, rows: np.ndarray, limit: Limit | None, *, is_weighed: bool = True
    ) -> None:
        if not len(rows):
            return
        variables = self.chain.variables.variables
        within: tuple[np.ndarray, np.ndarray] | np.ndarray | None = None
        if limit is not None and limit.codes is not None:
            if not limit.codes.any():
                self.log_weight[rows] = -np.inf
                return
            within = limit.codes
        elif limit is not None and limit.low is not None and limit.high is not None:
            shape = (len(rows), len(limit.low))
            within = (np.broadcast_to(limit.low, shape), np.broadcast_to(limit.high, shape))
        earlier = self.values.take(rows)
        drawn, mass = self.chain.models[index].draw(variables, variables[index], earlier, self.rng, within)
        self.values.drawn[index][rows] = drawn
        if mass is not None and is_weighed:
            with np.errstate(divide="ignore"):
                self.log_weight[rows] += np.log(mass)

    def _place_known(self, index: int, rows: np.ndarray) -> None:
        """Take given values as they are and weigh rows by how likely they were."""
        if not len(rows):
            return
        variables = self.chain.variables.variables
        given = self.known.drawn[index][rows]
        within: tuple[np.ndarray, np.ndarray] | np.ndarray = given
        if variables[index].is_continuous:
            within = ((given - _KNOWN_WIDTH)[:, None], (given + _KNOWN_WIDTH)[:, None])
        earlier = self.values.take(rows)
        _, mass = self.chain.models[index].draw(variables, variables[index], earlier, self.rng, within)
        self.values.drawn[index][rows] = given
        if mass is not None:
            self.log_weight[rows] += np.log(np.maximum(mass, _LEAST_MASS))

    def _is_complete(self, model: ColumnModel) -> bool:
        return all(i is None or i in self.values.drawn for i in (model.state, model.value))

    def _complete(self, model: ColumnModel, index: int) -> None:
        """Decode a column whose variables are all drawn; redraw what breaks a rule that can now be checked."""
        name = model.column.name
        self.frame[name] = self._decoded(model)
        checks = self.chain.rules.checks_after(set(self.frame), name)
        if not checks:
            return
        is_given = self.is_known.get(index, np.zeros(self.n, dtype=bool))
        for _ in range(_REDRAWS):
            valid = self.chain.rules.valid(pl.DataFrame(self.frame), checks)
            broken = np.flatnonzero(~valid & self.values.active[index] & ~is_given)
            if not len(broken):
                return
            self._draw_rows(index, broken, self.limits.get(index), is_weighed=False)
            self.frame[name] = self._decoded(model)

    def _decoded(self, model: ColumnModel) -> pl.Series:
        name = model.column.name
        given = None if self.given is None or name not in self.given.columns else self.given[name]
        if given is not None and not given.null_count():
            return given
        series = self.chain.variables.decode_column(model, self.values)
        if given is None:
            return series
        return (
            pl.select(pl.when(given.is_not_null()).then(given).otherwise(series))
            .to_series()
            .alias(series.name)
        )

    def candidates(self) -> Candidates:
        """Return the finished rows; one that still breaks a condition weighs nothing."""
        names = [m.column.name for m in self.columns]
        frame = self.chain.rules.complete(pl.DataFrame([self.frame[name] for name in names]))
        wanted = [holds(w, self.chain.schema) for w in self.where if w.column in frame.columns]
        if wanted:
            kept = frame.select(pl.all_horizontal(wanted)).to_series().to_numpy().astype(bool)
            self.log_weight[~kept] = -np.inf
        return Candidates(frame, self.log_weight)
