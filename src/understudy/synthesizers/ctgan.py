"""Conditional GAN: a generator of whole rows learns against a critic, levels asked for in turn."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from understudy.core.contracts import Generator
from understudy.sampling.mixtures import Mixture
from understudy.synthesizers.latent import Decoder, LatentRows
from understudy.synthesizers.saved import load_row_model
from understudy.synthesizers.spans import Layout, Scale, Span
from understudy.synthesizers.training import Circumstances, Weights, trainer
from understudy.synthesizers.whole import WholeRows, WholeRowSynthesizer

_SPREAD = 0.05


class Ctgan(WholeRowSynthesizer):
    """Two networks: one makes rows of noise and a level that is asked for, one tells them from real rows.

    Training stops, and the best weights are chosen, by how near the moments of made rows are to those of rows
    set aside (of few patients: of all rows), never by what the networks think of each other.

    Reference:
        Xu et al., Modeling tabular data using conditional GAN, NeurIPS 2019; Gulrajani et al., Improved
        training of Wasserstein GANs, NeurIPS 2017; Lin et al., PacGAN, NeurIPS 2018.
    """

    name: ClassVar[str] = "ctgan"
    is_asked: ClassVar[bool] = True

    weight_decay: float = Field(default=1e-6, ge=0, le=10, description="Pull of the weights towards zero.")
    patience: int = Field(
        default=20, ge=1, description="Looks without improvement until training stops at the best weights."
    )
    slack: float = Field(
        default=0.0,
        ge=0,
        description="Standard errors by which the distance from the real rows may exceed its best.",
    )
    pac: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Rows that the critic judges together; 10 in the paper, which costs small tables much.",
    )
    critic_steps: int = Field(
        default=1, ge=1, le=20, description="Updates of the critic to one of the generator."
    )
    penalty: float = Field(default=10.0, ge=0, description="Weight of the critic's gradient penalty.")

    def learn(self, rows: WholeRows, told: Circumstances) -> tuple[Decoder, dict[int, float]]:
        """Train both networks; see `WholeRowSynthesizer.learn`."""
        module = trainer("adversarial")
        habits = module.Habits(
            self.embedding, self.width, self.depth, self.pac, self.critic_steps, self.penalty
        )
        weights: Weights = module.fit(rows.layout, rows.learned, rows.aside, habits, self, told)
        decoder = Decoder(weights, self.embedding, is_residual=True)
        return decoder, dict.fromkeys(rows.layout.offsets, _SPREAD)


def load(folder: Path) -> Generator:
    """Load a generator that was saved; see `synthesizers.saved`."""
    return load_row_model(folder, LatentRows, Decoder, Layout, Span, Scale, Mixture)
