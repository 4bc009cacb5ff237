"""Training of a variational autoencoder of whole rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

from understudy.synthesizers.networks.loop import initialise, seeded, train
from understudy.synthesizers.networks.rows import plain
from understudy.synthesizers.spans import Layout
from understudy.synthesizers.training import Circumstances, TrainingSettings, Weights

_NARROWEST, _WIDEST = 0.01, 1.0
_FIRST_SPREAD = 0.1


@dataclass(frozen=True)
class Habits:
    """How the networks look and are trained, beyond what all networks share.

    Attributes:
        noise: numbers that a row is compressed to.
        width, depth: hidden numbers and hidden layers, of encoder and decoder.
        reconstruction: weight of the rows against the distribution of what they are compressed to.
    """

    noise: int
    width: int
    depth: int
    reconstruction: float


def fit(
    layout: Layout,
    learned: np.ndarray,
    aside: np.ndarray,
    habits: Habits,
    settings: TrainingSettings,
    told: Circumstances,
) -> tuple[Weights, np.ndarray]:
    """Train on encoded rows and return the decoder's weights and the spread of each offset.

    Args:
        layout: what the numbers of a row mean.
        learned: rows to learn from, shape (rows, width).
        aside: rows to stop early by; none to train to the end.
        habits: see `Habits`.
        settings: when to stop.
        told: seed, device, deadline, listener, checkpoint.
    """
    with seeded(told) as (device, noise):
        rows, seen = (torch.from_numpy(part).to(device) for part in (learned, aside))
        trainee = _Trainee(layout, rows, seen, habits, settings, noise)
        weights = train(trainee, len(rows), settings, told)
        kept = trainee.kept
        kept.load_state_dict({name: torch.from_numpy(part) for name, part in weights.items()})
        return plain(
            [(layer, None) for layer in (*kept.decoder, kept.out)]
        ), kept.spreads().detach().cpu().numpy()


class _Autoencoder(torch.nn.Module):
    def __init__(self, layout: Layout, habits: Habits) -> None:
        super().__init__()
        down = [layout.width, *[habits.width] * habits.depth]
        up = [habits.noise, *[habits.width] * habits.depth]
        self.encoder = torch.nn.ModuleList(torch.nn.Linear(*sizes) for sizes in pairwise(down))
        self.middle = torch.nn.Linear(down[-1], 2 * habits.noise)
        self.decoder = torch.nn.ModuleList(torch.nn.Linear(*sizes) for sizes in pairwise(up))
        self.out = torch.nn.Linear(up[-1], layout.width)
        self.log_spread = torch.nn.Parameter(torch.zeros(len(layout.offsets)))

    def compress(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return means and logarithms of variances, each of shape (rows, noise)."""
        for layer in self.encoder:
            rows = layer(rows).relu()
        middle, log_variance = self.middle(rows).chunk(2, dim=1)
        return middle, log_variance.clamp(-12, 6)

    def decode(self, noise: torch.Tensor) -> torch.Tensor:
        """Return what rows are drawn by, shape (rows, width)."""
        for layer in self.decoder:
            noise = layer(noise).relu()
        found: torch.Tensor = self.out(noise)
        return found

    def spreads(self) -> torch.Tensor:
        """Return the deviation of each offset, shape (offsets,)."""
        return (self.log_spread.exp() * _FIRST_SPREAD).clamp(_NARROWEST, _WIDEST)


class _Trainee:
    def __init__(
        self,
        layout: Layout,
        rows: torch.Tensor,
        aside: torch.Tensor,
        habits: Habits,
        settings: TrainingSettings,
        noise: torch.Generator,
    ) -> None:
        self.layout, self.rows, self.aside = layout, rows, aside
        self.habits, self.noise = habits, noise
        self.kept: _Autoencoder
        self.kept = _Autoencoder(layout, habits).to(rows.device)
        initialise(self.kept, noise)
        self.modules: Mapping[str, torch.nn.Module] = {"autoencoder": self.kept}
        optimizer = torch.optim.AdamW(
            self.kept.parameters(), settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"autoencoder": optimizer}
        # A continuous variable exists where one of its modes is marked.
        self.modes = [layout.hot[index] for index in layout.offsets]

    def update(self, rows: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Learn from some rows; see `loop.Trainee`."""
        loss = self._losses(self.rows[rows], self.noise).mean()
        optimizer = self.optimizers["autoencoder"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"loss": loss.detach()}

    def validate(self) -> np.ndarray | None:
        """Return the loss of each row set aside; see `loop.Trainee`."""
        if not len(self.aside):
            return None
        with torch.no_grad():
            fixed = torch.Generator(device=self.rows.device).manual_seed(0)
            return np.asarray(self._losses(self.aside, fixed).cpu().numpy())

    def _losses(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """Return the weighed bound of each row (Kingma and Welling 2014, equation 10), shape (rows,)."""
        middle, log_variance = self.kept.compress(rows)
        chance = torch.randn(middle.shape, generator=noise, device=middle.device)
        outputs = self.kept.decode(middle + chance * (log_variance / 2).exp())
        apart = 0.5 * (middle**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)
        return self.habits.reconstruction * self._surprise(rows, outputs) + apart

    def _surprise(self, rows: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
        """Return minus the log-likelihood of each row given the outputs; absent values count nothing."""
        total = rows.new_zeros(len(rows))
        if self.modes:
            offsets, spreads = len(self.modes), self.kept.spreads()
            there = torch.stack([rows[:, place].sum(dim=1) for place in self.modes], dim=1)
            far = (rows[:, :offsets] - torch.tanh(outputs[:, :offsets])) / spreads
            total = ((far**2 / 2 + spreads.log()) * there).sum(dim=1)
        for place in self.layout.digits.values():
            digits, told = rows[:, place], outputs[:, place]
            total = total + (functional.softplus(-2 * digits * told) * digits.abs()).sum(dim=1)
        begin = self.layout.start
        for count, size in self.layout.groups:
            end = begin + count * size
            told = outputs[:, begin:end].view(-1, count, size).log_softmax(dim=2).flatten(1)
            total = total - (rows[:, begin:end] * told).sum(dim=1)
            begin = end
        return total
