"""Independent columns: each as it is in the real rows, none knowing of another. The floor of every comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from understudy.core.contracts import Fitting, Generator, Synthesizer
from understudy.core.dataset import Dataset
from understudy.core.events import Progressed
from understudy.core.schema import Column
from understudy.sampling.chain import Chain
from understudy.sampling.rules import RowRules
from understudy.sampling.trees import TreeSettings, VariableModel, fit_variable
from understudy.sampling.variables import ColumnModel, Variable, Variables
from understudy.synthesizers.generator import learned_generator
from understudy.synthesizers.saved import load_row_model


class Marginals(Synthesizer):
    """Columns are drawn independently: right margins and missingness rates, no dependence at all."""

    def fit(self, train: Dataset, fitting: Fitting) -> Generator:
        """Learn each column on its own; see `Synthesizer.fit`."""
        rules = RowRules.of(train.schema, train.frame)
        columns = rules.learned(train.columns)
        rng = fitting.seed.child("margins").rng()
        variables: list[Variable] = []
        models: list[ColumnModel] = []
        drawn: dict[int, VariableModel] = {}
        for number, column in enumerate(columns):
            # One column at a time: columns that are missing together would share their missingness else.
            own, parts = _alone(train, column, len(variables), rng)
            drawn.update({len(variables) + i: part for i, part in enumerate(parts)})
            variables += own.variables
            models += own.columns
            fitting.notify(Progressed(step="fit", fraction=(number + 1) / len(columns)))
        every = Variables(tuple(variables), tuple(models))
        chain = Chain(train.schema, every, _order(variables), drawn, rules)
        fitting.notify(Progressed(step="fit", fraction=1.0))
        return learned_generator("marginals", train, chain, fitting.seed.child("identifiers"))

    def expected_seconds(self, rows: int, columns: int) -> float:
        """Return the expected seconds of a fit on one core."""
        return 0.05 + 5e-7 * rows * columns


def load(folder: Path) -> Generator:
    """Load a generator that was saved; see `synthesizers.saved`."""
    return load_row_model(folder)


def _alone(
    train: Dataset, column: Column, start: int, rng: np.random.Generator
) -> tuple[Variables, list[VariableModel]]:
    """Return one column's variables, numbered from `start`, and their distributions."""
    own, values = Variables.fit(train, [column], rng)
    settings = TreeSettings()
    models = [fit_variable(i, (), own.variables, values, settings, rng) for i in range(len(own.variables))]

    def moved(index: int | None) -> int | None:
        return None if index is None else index + start

    return (
        Variables(
            tuple(replace(v, gate=moved(v.gate)) for v in own.variables),
            tuple(replace(c, state=moved(c.state), value=moved(c.value)) for c in own.columns),
        ),
        models,
    )


def _order(variables: Sequence[Variable]) -> tuple[int, ...]:
    return tuple(sorted(range(len(variables)), key=lambda i: variables[i].kind != "state"))
