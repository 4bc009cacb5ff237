"""Autoregressive network: columns drawn in any order, so that conditions and gaps need no rejection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import Field

from understudy.core.contracts import Fitting, Generator, Synthesizer
from understudy.core.dataset import Dataset
from understudy.core.schema import Schema
from understudy.sampling.chain import Chain
from understudy.sampling.dependence import VariableModel
from understudy.sampling.drawing import Candidates, Restriction
from understudy.sampling.limits import limits_of
from understudy.sampling.order import drawing_order
from understudy.sampling.rules import RowRules
from understudy.sampling.variables import Values, Variable, Variables
from understudy.synthesizers.conditionals import Conditional, Layout, Network, Part, Rows
from understudy.synthesizers.generator import learned_generator
from understudy.synthesizers.saved import load_row_model
from understudy.synthesizers.training import TrainingSettings, circumstances, set_aside, trainer

_FEWEST_BINS, _MOST_BINS = 5, 100
_ROWS_PER_BIN = 20
_MOST_EMBEDDED = 16
_START_COUNT = 0.5


class Autoregressive(TrainingSettings, Synthesizer):
    """One network tells the distribution of any column given any others; rows are drawn column by column.

    Numbers are normal scores: a normal distribution, tilted bin by bin where the rows say that it is not one.

    Reference:
        Uria, Murray and Larochelle, A deep and tractable density estimator, ICML 2014; Tiwald et al.,
        TabularARGN, arXiv 2501.12012 (2025).
    """

    bins: int | None = Field(
        default=None, ge=2, le=1_000, description="Bins of a number; by default one per 20 rows, 5 to 100."
    )
    width: int | None = Field(
        default=None, ge=4, le=4_096, description="Hidden numbers; by default by the size of the table."
    )
    depth: int = Field(default=2, ge=0, le=16, description="Residual blocks.")
    embedding: int = Field(default=16, ge=1, le=256, description="Most numbers that a level is seen as.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Hidden numbers that an update leaves out.")
    penalty: float = Field(
        default=30.0,
        ge=0,
        description="Pull towards independent columns, like that of a ridge; the more cells, the less it counts.",
    )
    any_order: float = Field(
        default=0.5, ge=0, le=1, description="Share of training on any known columns, not the usual order."
    )
    floor: float = Field(
        default=0.02,
        gt=0,
        le=1,
        description="Weight of a column's own distribution in every draw of a number.",
    )

    def fit(self, train: Dataset, fitting: Fitting) -> Generator:
        """Learn the network; see `Synthesizer.fit`."""
        told = circumstances(fitting)
        rules = RowRules.of(train.schema, train.frame)
        variables, values = Variables.fit(
            train, rules.learned(train.columns), fitting.seed.child("scores").rng()
        )
        order = tuple(drawing_order(variables.variables, values))
        layout = self._layout(variables.variables, train.rows)
        module, weights = trainer("any_order"), {}
        if order:
            learned, aside = set_aside(train, self.validation, fitting)
            rows, start = Rows.of(variables.variables, values), _margins(layout, values)
            habits = module.Habits(order, self.any_order, self.dropout, self.penalty)
            weights = module.fit(layout, rows.take(learned), rows.take(aside), start, habits, self, told)
        told.tell(1.0, "")
        model = AnyOrderRows(train.schema, variables, order, rules, Network(layout, weights))
        return learned_generator(
            "autoregressive", train, model, fitting.seed.child("identifiers"), rules, self.model_dump()
        )

    def expected_seconds(self, rows: int, columns: int) -> float:
        """Return the expected seconds of a fit on one core."""
        width = self._width(rows, columns)
        outputs = columns * (2 + self._bins(rows))
        cost = self.batch(rows) * (4e-10 * width * (width * self.depth + outputs) + 2e-8 * outputs)
        return 3.0 + min(self.most_updates(rows), 2_000) * (2e-3 + cost + 1e-4 * columns)

    def _bins(self, rows: int) -> int:
        return self.bins or int(np.clip(rows // _ROWS_PER_BIN, _FEWEST_BINS, _MOST_BINS))

    def _width(self, rows: int, columns: int) -> int:
        return self.width or int(np.clip(2 ** round(np.log2(max(rows * columns, 2)) / 2), 32, 256))

    def _layout(self, variables: tuple[Variable, ...], rows: int) -> Layout:
        parts = [
            Part(self._bins(rows), 0, v.gate)
            if v.is_continuous
            else Part(v.size, min(v.size + 1, self.embedding), v.gate)
            for v in variables
        ]
        return Layout(tuple(parts), self._width(rows, len(parts)), self.depth, self.floor)


def load(folder: Path) -> Generator:
    """Load a generator that was saved; see `synthesizers.saved`."""
    return load_row_model(folder, AnyOrderRows, Network, Layout, Part)


@dataclass(frozen=True)
class AnyOrderRows:
    """Rows drawn variable by variable from the network. Implements `sampling.drawing.RowModel`.

    Attributes:
        schema, variables, rules: as in `sampling.chain.Chain`.
        order: indices of the variables in drawing order, where nothing is known beforehand.
        network: tells each variable's distribution.
    """

    schema: Schema
    variables: Variables
    order: tuple[int, ...]
    rules: RowRules
    network: Network

    def draw(self, n: int, rng: np.random.Generator, restriction: Restriction) -> Candidates:
        """Draw `n` candidate rows; see `RowModel.draw`.

        What is known or restricted is drawn first, so that all else is drawn knowing it.
        """
        first = self._touched(restriction)
        order = tuple(sorted(self.order, key=lambda index: index not in first))
        return Chain(self.schema, self.variables, order, self._conditionals, self.rules).draw(
            n, rng, restriction
        )

    @cached_property
    def _conditionals(self) -> dict[int, VariableModel]:
        return {index: Conditional.of(self.network, index) for index in self.order}

    def _touched(self, restriction: Restriction) -> set[int]:
        """Return the variables that conditions or known cells speak of, their states with them."""
        columns, variables = self.variables.columns, self.variables.variables
        found = set(limits_of(restriction.where, self.schema, columns, variables))
        known = () if restriction.known is None else restriction.known.columns
        for model in columns:
            if model.column.name in known:
                found |= {index for index in (model.state, model.value) if index is not None}
        return found


def _margins(layout: Layout, values: Values) -> np.ndarray:
    """Return the biases with which every distribution is that of its variable alone, shape (outputs,)."""
    parts = []
    for index in layout.places:
        part = layout.variables[index]
        if part.is_continuous:
            parts.append(np.zeros(part.outputs))
            continue
        codes = values.drawn[index][values.active[index]]
        count = np.bincount(codes, minlength=part.size) + _START_COUNT
        parts.append(np.log(count / count.sum()))
    return np.concatenate(parts, dtype=np.float32)
