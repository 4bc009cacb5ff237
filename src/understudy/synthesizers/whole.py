"""Learning whole rows at once: what the adversarial and variational synthesizers share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import Field

from understudy.core.contracts import Fitting, Generator, Synthesizer
from understudy.core.dataset import Dataset
from understudy.sampling.order import drawing_order
from understudy.sampling.rules import RowRules
from understudy.sampling.variables import Variables
from understudy.synthesizers.generator import learned_generator
from understudy.synthesizers.latent import Decoder, LatentRows
from understudy.synthesizers.spans import Layout, encode, scales_of, spans_of
from understudy.synthesizers.training import Circumstances, TrainingSettings, circumstances, set_aside


@dataclass(frozen=True)
class WholeRows:
    """Encoded rows and what their numbers mean.

    Attributes:
        layout: see `spans.Layout`.
        learned: rows to learn from, float32 of shape (rows, width).
        aside: rows to validate on, none of a small table.
    """

    layout: Layout
    learned: np.ndarray
    aside: np.ndarray


class WholeRowSynthesizer(TrainingSettings, Synthesizer):
    """Learns a decoder from noise to whole rows."""

    name: ClassVar[str]
    is_copula: ClassVar[bool] = False
    is_asked: ClassVar[bool] = False

    updates: int | None = Field(
        default=None,
        ge=0,
        le=10_000_000,
        description="Most updates of the weights; by default 60 times the root of the rows, 1200 to 6000.",
    )
    embedding: int = Field(default=128, ge=1, le=4_096, description="Numbers of noise that a row is made of.")
    width: int = Field(default=128, ge=2, le=4_096, description="Hidden numbers of each layer.")
    depth: int = Field(default=2, ge=1, le=16, description="Hidden layers of each network.")
    modes: int = Field(default=10, ge=1, le=100, description="Most modes of a number's distribution.")
    most_levels: int = Field(
        default=50,
        ge=2,
        le=1_000,
        description="Levels up to which a column has one number a level; of more it has binary digits.",
    )
    calibrated: bool = Field(
        default=True,
        description="Whether each column's own distribution is set right after training; dependence is kept.",
    )

    def fit(self, train: Dataset, fitting: Fitting) -> Generator:
        """Learn the networks; see `Synthesizer.fit`."""
        told = circumstances(fitting)
        rules = RowRules.of(train.schema, train.frame)
        variables, values = Variables.fit(
            train, rules.learned(train.columns), fitting.seed.child("scores").rng()
        )
        order = tuple(drawing_order(variables.variables, values))
        scales = scales_of(variables, is_copula=self.is_copula)
        layout = spans_of(variables, values, scales, self.modes, self.most_levels)
        decoder, spreads = Decoder({}, self.embedding, is_residual=False), dict[int, float]()
        if order:
            encoded = encode(layout, values, scales, fitting.seed.child("modes").rng())
            learned, aside = set_aside(train, self.validation, fitting)
            decoder, spreads = self.learn(WholeRows(layout, encoded[learned], encoded[aside]), told)
        model = LatentRows(
            train.schema, variables, order, rules, layout, decoder, scales, spreads, is_asked=self.is_asked
        )
        if order and self.calibrated:
            model = model.calibrated(values, fitting.seed.child("calibration").rng())
        told.tell(1.0, "")
        return learned_generator(
            self.name, train, model, fitting.seed.child("identifiers"), rules, self.model_dump()
        )

    def most_updates(self, rows: int) -> int:
        """Return the most updates for a table of `rows` rows."""
        if self.updates is None and self.epochs is None:
            return int(np.clip(60 * np.sqrt(rows), 1_200, 6_000))
        return super().most_updates(rows)

    @abstractmethod
    def learn(self, rows: WholeRows, told: Circumstances) -> tuple[Decoder, dict[int, float]]:
        """Train, and return the decoder and the spread of each continuous variable around what it decodes."""

    def expected_seconds(self, rows: int, columns: int) -> float:
        """Return the expected seconds of a fit on one core."""
        numbers = 10 * columns + self.embedding
        cost = self.batch(rows) * 3e-10 * self.width * (self.width * self.depth + 3 * numbers)
        return 3.0 + self.most_updates(rows) * (2e-3 + cost)
