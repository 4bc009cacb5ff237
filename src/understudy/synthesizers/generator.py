"""The generator that all models of rows share: conditional sampling, rules, keys made anew, schema's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from understudy.core.conditions import Conditions, Feasibility
from understudy.core.dataset import Dataset
from understudy.core.errors import ConditionError
from understudy.core.schema import Schema
from understudy.core.seeds import Seed
from understudy.sampling.conditioning import Sampler
from understudy.sampling.drawing import RowModel
from understudy.sampling.rules import RowRules
from understudy.sampling.variables import RARE_LEVEL, WITHHELD_TEXT, Variables
from understudy.synthesizers.folders import write_folder
from understudy.synthesizers.identifiers import Identifiers

_STAND_INS = (RARE_LEVEL, WITHHELD_TEXT)


@dataclass(frozen=True)
class RowGenerator:
    """Draws patients from a model of rows; implements `core.contracts.Generator`.

    Attributes:
        synthesizer: catalog name of what fitted it.
        model: draws the learned columns.
        rules: hold in every row; computed columns come from them.
        identifiers: make the columns that are never learned.
        levels: by discrete column, the levels that can be drawn.
        learned_rows: number of real rows behind the model.
        settings: the settings that it was learned with, chosen ones included.
    """

    synthesizer: str
    model: RowModel
    rules: RowRules
    identifiers: Identifiers
    levels: dict[str, tuple[str, ...]]
    learned_rows: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The rows behind it and the settings that it was learned with; see `Generator.facts`."""
        return {"learned_rows": self.learned_rows, "settings": dict(self.settings)}

    @property
    def schema(self) -> Schema:
        """The schema that every sample obeys."""
        return self.model.schema

    def sample(self, n: int, seed: Seed, given: Conditions | None = None) -> Dataset:
        """Draw exactly `n` rows that satisfy `given`; see `Generator.sample`."""
        columns: dict[str, pl.Series] = {}
        frame, is_partial = None, given is not None and given.partial is not None
        if self.rules.learned(self.schema.table.columns):
            frame = self._sampler.sample(n, seed.child("rows"), given)
            columns = {name: frame[name] for name in frame.columns}
        elif n < 1 or (given is not None and not given.is_empty):
            raise ConditionError(
                "a table of identifiers alone has nothing to condition on; ask for 1 row or more"
            )
        made, order = self.identifiers.make(frame, n, seed.child("identifiers"), in_order=is_partial)
        columns = {name: cells[order] for name, cells in columns.items()} | made
        return Dataset.of(self.schema, pl.DataFrame([columns[name] for name in self.schema.table.names]))

    def feasibility(self, given: Conditions, seed: Seed) -> Feasibility:
        """Say how hard the conditions are; see `Generator.feasibility`."""
        return self._sampler.feasibility(given, seed)

    def save(self, folder: Path) -> None:
        """Write the generator as JSON and npz; `synthesizers.saved.load` reads it."""
        write_folder(folder, self.synthesizer, self)

    @cached_property
    def _sampler(self) -> Sampler:
        return Sampler(self.model, self.rules, self.levels, self.learned_rows)


class LearnedModel(RowModel, Protocol):
    """A model of rows whose columns are put together from variables."""

    @property
    def variables(self) -> Variables:
        """The variables of the learned columns."""


def learned_generator(
    synthesizer: str,
    train: Dataset,
    model: LearnedModel,
    seed: Seed,
    rules: RowRules | None = None,
    settings: Mapping[str, Any] | None = None,
) -> RowGenerator:
    """Return the generator around a model of rows that was learned from `train`.

    Args:
        synthesizer: catalog name of what learned the model.
        train: the real rows.
        model: draws the learned columns of its schema, which is the schema of `train`.
        seed: source of randomness of how identifiers are remembered.
        rules: the rules that the model was drawn up for; by default those of `train`.
        settings: the settings that the model was learned with, those that it chose itself included.
    """
    rules = RowRules.of(train.schema, train.frame) if rules is None else rules
    levels = {
        c.column.name: tuple(
            str(v) for v in (c.levels or (c.constant,)) if v is not None and v not in _STAND_INS
        )
        for c in model.variables.columns
        if c.column.is_discrete
    }
    made = Identifiers.fit(train, seed)
    return RowGenerator(synthesizer, model, rules, made, levels, train.rows, settings or {})
