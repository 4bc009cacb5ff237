"""A population as a model of rows: what is drawn of each person, what follows from it, what no person can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from understudy.core.conditions import Where
from understudy.core.schema import Kind, Schema
from understudy.knowledge.rules import Applicable, Severity, applicable, broken
from understudy.modalities.wishes import holds
from understudy.populations.columns import schema_of
from understudy.populations.passes import Pass
from understudy.populations.strata import Places
from understudy.populations.structure import ASKED, MAKE_GROUPS, SEEN_IN_SURVEY, derive_all, made_for, needs
from understudy.sampling.dependence import Features, VariableModel
from understudy.sampling.drawing import Candidates, Restriction
from understudy.sampling.variables import Values, Variables


@dataclass(frozen=True)
class PopulationModel:
    """Draws people one observation after the other; implements `sampling.drawing.RowModel`.

    Attributes:
        schema: the columns that are published.
        variables: what is drawn, in drawing order.
        models: the distribution of each variable given earlier ones.
        places: which of its stacked margins a quantity has in each group of people.
        people: unweighted people of the survey behind the model.
        fewest: unweighted people behind the smallest leaf of each variable.
    """

    schema: Schema
    variables: Variables
    models: tuple[VariableModel, ...]
    places: Places
    people: int
    fewest: tuple[int, ...]

    def draw(self, n: int, rng: np.random.Generator, restriction: Restriction) -> Candidates:
        """Draw `n` candidates under a restriction; see `RowModel.draw`.

        Candidates that fail early, or that are dropped by rejection control on the way, weigh nothing.

        Reference:
            Liu, Chen and Wong, Rejection control and sequential importance sampling, JASA 93 (1998).
        """
        frame, log_weight = self._run(self._pass(n, rng, restriction))
        return _padded(frame, log_weight, n)

    def drawn(self, n: int, rng: np.random.Generator, restriction: Restriction) -> tuple[Values, np.ndarray]:
        """Draw as `draw` does; return the values of all variables, and the weight of each person that is left."""
        drawing = self._pass(n, rng, restriction)
        _, log_weight = self._run(drawing)
        return drawing.values, np.exp(log_weight)

    def _pass(self, n: int, rng: np.random.Generator, restriction: Restriction) -> Pass:
        return Pass(self.variables, self.models, self.schema, restriction, n, rng, self.places)

    def _run(self, drawing: Pass) -> tuple[pl.DataFrame, np.ndarray]:
        columns = drawing.run()
        derive_all(columns, self._made)
        frame = frame_of(columns, self._judged.table.names, self._judged)
        published = frame.select(self.schema.table.names)
        if not frame.height:
            return published, drawing.log_weight
        sound = self._is_sound(frame, drawing.restriction.where)
        return published, np.where(sound, drawing.log_weight, -np.inf)

    def only(self, names: Sequence[str]) -> PopulationModel:
        """Return the model of fewer columns, which draws no more than these rest on."""
        columns = self.variables.columns
        index = {model.column.name: number for number, model in enumerate(columns)}
        kept: set[int] = set()
        wanted = needs(names)
        open_ = [index[name] for name in (*wanted, *(MAKE_GROUPS if wanted & self.places.keys() else ()))]
        while open_:
            current = open_.pop()
            if current in kept:
                continue
            kept.add(current)
            features = self.models[current].features
            open_ += () if features is None else features.earlier
            asked = ASKED.get(columns[current].column.name)
            open_ += [index[w.column] for w in asked.where] if asked else []
        order = sorted(kept)
        place = {old: new for new, old in enumerate(order)}
        variables = Variables(
            tuple(self.variables.variables[i] for i in order),
            tuple(replace(columns[i], value=place[i]) for i in order),
        )
        models = tuple(_renumbered(self.models[i], place) for i in order)
        return replace(
            self,
            schema=schema_of(self.schema.table.name, names),
            variables=variables,
            models=models,
            fewest=tuple(self.fewest[i] for i in order),
        )

    @cached_property
    def _made(self) -> frozenset[str]:
        return made_for(self.schema.table.names)

    @cached_property
    def _judged(self) -> Schema:
        """The columns that rules are asked of: what is published, and who the people are, where it is drawn."""
        drawn = {model.column.name for model in self.variables.columns}
        names = (*self.schema.table.names, *(name for name in MAKE_GROUPS if name in drawn))
        return schema_of(self.schema.table.name, tuple(dict.fromkeys(names)))

    @cached_property
    def _rules(self) -> tuple[Applicable, ...]:
        found = applicable(self._judged.table.columns)
        return tuple(entry for entry in found if entry.rule.id not in SEEN_IN_SURVEY)

    def _is_sound(self, frame: pl.DataFrame, where: Sequence[Where]) -> np.ndarray:
        """Return which rows satisfy the conditions and break no rule of plausibility.

        A soft rule gives way to conditions that speak of all its columns: who asks for what is rare gets it.
        """
        wanted = [holds(w, self.schema) for w in where]
        spoken = {w.column for w in where}
        rules = [
            entry
            for entry in self._rules
            if entry.rule.severity is Severity.HARD or not set(entry.columns) <= spoken
        ]
        sound = np.ones(frame.height, dtype=bool)
        if wanted:
            sound &= frame.select(pl.all_horizontal(wanted)).to_series().to_numpy()
        if rules:
            sound &= ~broken(frame, rules).select(pl.any_horizontal(pl.all())).to_series().to_numpy()
        return sound


def _renumbered(model: VariableModel, place: Mapping[int, int]) -> VariableModel:
    if model.features is None:
        return model
    earlier = tuple(place[i] for i in model.features.earlier)
    means = {place[i]: codes for i, codes in model.features.means.items()}
    return replace(model, features=Features(earlier, means))


def frame_of(columns: dict[str, np.ndarray[Any, Any]], names: Sequence[str], schema: Schema) -> pl.DataFrame:
    """Return canonical columns from arrays; NaN and None are missing."""
    made = []
    for name in names:
        cells, kind = columns[name], schema.table.column(name).kind
        if kind is Kind.NUMBER:
            made.append(pl.Series(name, cells.astype(np.float64), nan_to_null=True))
        else:
            dtype = pl.Boolean if kind is Kind.BOOLEAN else pl.String
            made.append(pl.Series(name, cells, dtype=dtype))
    return pl.DataFrame(made)


def _padded(frame: pl.DataFrame, log_weight: np.ndarray, n: int) -> Candidates:
    """Fill up with rows that weigh nothing: those that were begun, but could not meet the conditions."""
    missing = n - frame.height
    if not missing:
        return Candidates(frame, log_weight)
    weights = np.concatenate([log_weight, np.full(missing, -np.inf)])
    return Candidates(pl.concat([frame, frame.clear(missing)]), weights)
