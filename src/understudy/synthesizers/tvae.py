"""Variational autoencoder of tables: rows are compressed to normal noise and decoded from it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from understudy.core.contracts import Generator
from understudy.synthesizers import ctgan
from understudy.synthesizers.latent import Decoder
from understudy.synthesizers.training import Circumstances, trainer
from understudy.synthesizers.whole import WholeRows, WholeRowSynthesizer


class Tvae(WholeRowSynthesizer):
    """One network compresses a row to a few normal numbers, another decodes it from them.

    Reference:
        Xu et al., Modeling tabular data using conditional GAN, NeurIPS 2019, section 4.5; Kingma and Welling,
        Auto-encoding variational Bayes, ICLR 2014.
    """

    name: ClassVar[str] = "tvae"

    embedding: int = Field(default=32, ge=1, le=4_096, description="Numbers that a row is compressed to.")
    learning_rate: float = Field(default=2e-3, gt=0, le=1, description="Step size of the first updates.")
    weight_decay: float = Field(default=1e-3, ge=0, le=10, description="Pull of the weights towards zero.")
    reconstruction: float = Field(
        default=2.0, gt=0, le=100, description="Weight of the rows against that of the compressed numbers."
    )

    def learn(self, rows: WholeRows, told: Circumstances) -> tuple[Decoder, dict[int, float]]:
        """Train both networks; see `WholeRowSynthesizer.learn`."""
        module = trainer("variational")
        habits = module.Habits(self.embedding, self.width, self.depth, self.reconstruction)
        weights, spreads = module.fit(rows.layout, rows.learned, rows.aside, habits, self, told)
        decoder = Decoder(weights, self.embedding, is_residual=False)
        return decoder, dict(zip(rows.layout.offsets, spreads.tolist(), strict=True))


def load(folder: Path) -> Generator:
    """Load a generator that was saved; see `synthesizers.saved`."""
    return ctgan.load(folder)
