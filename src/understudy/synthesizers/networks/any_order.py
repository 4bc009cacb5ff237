"""Training of the any-order network: whatever is known of a row, it tells the distribution of all the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from understudy.synthesizers.conditionals import Layout, Rows
from understudy.synthesizers.networks.loop import initialise, seeded, train
from understudy.synthesizers.training import Circumstances, TrainingSettings, Weights

_LOOKS = 8
_INNER_PENALTY = 1 / 6
_FAR = 12.0
_LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class Habits:
    """How the network is trained, beyond what all networks share.

    Attributes:
        order: indices of the variables in the order in which rows are drawn without conditions.
        any_order: share of the training in which any variables may be known, not the first of `order`.
        dropout: share of hidden numbers that an update leaves out.
        penalty: of the squared weights of the outputs, against the log-likelihood of all rows.
    """

    order: tuple[int, ...]
    any_order: float
    dropout: float
    penalty: float


def fit(
    layout: Layout,
    learned: Rows,
    aside: Rows,
    start: np.ndarray,
    habits: Habits,
    settings: TrainingSettings,
    told: Circumstances,
) -> Weights:
    """Train on encoded rows and return the weights that `conditionals.Network` reads.

    Args:
        layout: what the variables are and how large the network is.
        learned: rows to learn from.
        aside: rows to stop early by; none to train to the end.
        start: first biases of the outputs, so that training begins at the independent margins.
        habits: see `Habits`.
        settings: when to stop.
        told: seed, device, deadline, listener, checkpoint.
    """
    with seeded(told) as (device, noise):
        network = AnyOrder(layout).to(device)
        network.begin(start, noise)
        trainee = _Trainee(network, layout, Tensors.of(learned, device), habits, settings, noise)
        trainee.look_at(Tensors.of(aside, device))
        return train(trainee, len(learned.codes), settings, told)


class AnyOrder(torch.nn.Module):
    """A residual network over the known variables; see `conditionals.Network` for the same in numpy."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.numbers = [i for i in layout.places if layout.variables[i].is_continuous]
        self.levels = [i for i in layout.places if not layout.variables[i].is_continuous]
        self.embeddings = torch.nn.ParameterDict(
            {
                str(i): torch.nn.Parameter(
                    torch.empty(layout.variables[i].size + 1, layout.variables[i].embedding)
                )
                for i in self.levels
            }
        )
        self.into = torch.nn.Linear(layout.inputs, layout.width)
        self.blocks = torch.nn.ModuleList(_Block(layout.width) for _ in range(layout.depth))
        self.out = torch.nn.Linear(layout.width, layout.outputs)

    def begin(self, start: np.ndarray, noise: torch.Generator) -> None:
        """Draw the weights anew, so that every variable has its distribution `start` whatever is known."""
        initialise(self, noise)
        with torch.no_grad():
            for part in self.embeddings.values():
                part.normal_(generator=noise)
            self.out.weight.zero_()
            self.out.bias.copy_(torch.from_numpy(start))

    def forward(
        self, rows: Tensors, known: torch.Tensor, keep: float, noise: torch.Generator
    ) -> torch.Tensor:
        """Return the parameters of all variables, shape (rows, outputs), given those that are `known`."""
        seen, numbers = known.float(), self.numbers
        active = rows.active[:, numbers].float() * seen[:, numbers]
        score = rows.scores[:, numbers] * active
        parts = [torch.stack([score, active, seen[:, numbers]], dim=2).flatten(1)]
        for i in self.levels:
            parts.append(self.embeddings[str(i)][rows.codes[:, i]] * seen[:, i : i + 1])
        hidden = self.into(torch.cat(parts, dim=1))
        for block in self.blocks:
            hidden = block(hidden, keep, noise)
        result: torch.Tensor = self.out(hidden)
        return result


class _Block(torch.nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = torch.nn.Linear(width, width)
        self.second = torch.nn.Linear(width, width)

    def forward(self, hidden: torch.Tensor, keep: float, noise: torch.Generator) -> torch.Tensor:
        inner = functional.silu(self.first(hidden))
        if keep < 1:
            kept = torch.rand(inner.shape, generator=noise, device=inner.device) < keep
            inner = inner * kept / keep
        result: torch.Tensor = hidden + self.second(inner)
        return result


@dataclass(frozen=True)
class Tensors:
    """Encoded rows on a device, each of shape (rows, variables)."""

    codes: torch.Tensor
    scores: torch.Tensor
    active: torch.Tensor

    @classmethod
    def of(cls, rows: Rows, device: torch.device) -> Tensors:
        return cls(*(torch.from_numpy(part).to(device) for part in (rows.codes, rows.scores, rows.active)))

    def take(self, rows: torch.Tensor) -> Tensors:
        return Tensors(self.codes[rows], self.scores[rows], self.active[rows])


class _Trainee:
    def __init__(
        self,
        network: AnyOrder,
        layout: Layout,
        learned: Tensors,
        habits: Habits,
        settings: TrainingSettings,
        noise: torch.Generator,
    ) -> None:
        self.kept: AnyOrder
        self.kept, self.layout, self.noise = network, layout, noise
        self.learned, self.habits = learned, habits
        self.modules: Mapping[str, torch.nn.Module] = {"network": network}
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {"network": optimizer}
        device = noise.device
        count = len(layout.variables)
        self.place = torch.empty(count, device=device)
        self.place[list(habits.order)] = torch.arange(count, device=device) / max(count, 1)
        gated = [(i, v.gate) for i, v in enumerate(layout.variables) if v.gate is not None]
        self.gated = torch.tensor([i for i, _ in gated], dtype=torch.long, device=device)
        self.gates = torch.tensor([gate for _, gate in gated], dtype=torch.long, device=device)
        edges = [layout.variables[i].edges for i in network.numbers[:1]]
        self.edges = torch.from_numpy(np.clip(edges, -_FAR, _FAR).astype(np.float32)).to(device).flatten()
        self.aside: Tensors | None = None
        self.aside_known = torch.empty(0)

    def look_at(self, aside: Tensors) -> None:
        """Set the rows to validate on, each seen with several fixed sets of known variables."""
        if len(aside.codes):
            self.aside = aside.take(torch.arange(len(aside.codes)).repeat(_LOOKS).to(self.noise.device))
            self.aside_known = self._known(len(self.aside.codes))

    def update(self, rows: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Learn from some rows with some of their variables known; see `loop.Trainee`."""
        losses = self._losses(self.learned.take(rows), self._known(len(rows)), 1 - self.habits.dropout)
        loss = losses.mean() + self._penalty()
        optimizer = self.optimizers["network"]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.kept.parameters(), 1.0)
        optimizer.step()
        return {"loss": loss.detach()}

    def validate(self) -> np.ndarray | None:
        """Return the loss of each row set aside; see `loop.Trainee`."""
        if self.aside is None:
            return None
        with torch.no_grad():
            losses = self._losses(self.aside, self.aside_known, 1.0)
        return np.asarray(losses.reshape(_LOOKS, -1).mean(dim=0).cpu().numpy())

    def _known(self, rows: int) -> torch.Tensor:
        """Return which variables are known, bool of shape (rows, variables): as many as not, in some order."""
        count = len(self.place)
        shape, device = (rows, count), self.noise.device
        keys = torch.rand(shape, generator=self.noise, device=device)
        is_free = torch.rand((rows, 1), generator=self.noise, device=device) < self.habits.any_order
        keys = torch.where(is_free, keys, self.place)
        # A value is never known before whether it is there.
        keys[:, self.gated] = torch.maximum(keys[:, self.gated], keys[:, self.gates] + 1e-6)
        size = torch.floor(torch.rand((rows, 1), generator=self.noise, device=device) * count)
        return keys.argsort(dim=1).argsort(dim=1) < size

    def _penalty(self) -> torch.Tensor:
        """Return the pull towards independent margins, which are where all weights of the outputs are 0."""
        inner = sum((part**2).sum() for part in self.kept.parameters() if part.ndim == 2)
        outer = (self.kept.out.weight**2).sum()
        cells = max(self.learned.codes.numel(), 1)
        return self.habits.penalty / (2 * cells) * (outer + _INNER_PENALTY * (inner - outer))

    def _losses(self, rows: Tensors, known: torch.Tensor, keep: float) -> torch.Tensor:
        """Return the loss of each row: the mean, over its open variables, of minus the log-likelihood.

        Scores count against the standard normal. That every number of open variables is equally frequent
        makes each step of an order count alike (Uria, Murray and Larochelle, 2014, equation 13).
        """
        parameters = self.kept(rows, known, keep, self.noise)
        counted = (~known & rows.active) / (~known).sum(dim=1, keepdim=True).clamp(min=1)
        network, total = self.kept, torch.zeros(len(known), device=known.device)
        if network.numbers:
            scores = rows.scores[:, network.numbers]
            told = parameters[:, : scores.shape[1] * (len(self.edges) + 1)].reshape(*scores.shape, -1)
            losses = score_losses(told, scores, self.edges, self.layout.floor)
            total = (losses * counted[:, network.numbers]).sum(dim=1)
        for i in network.levels:
            told, codes = parameters[:, self.layout.told[i]], rows.codes[:, i]
            losses = functional.cross_entropy(told, codes.clamp(max=told.shape[1] - 1), reduction="none")
            total = total + losses * counted[:, i]
        return total


def score_losses(
    parameters: torch.Tensor, scores: torch.Tensor, edges: torch.Tensor, floor: float
) -> torch.Tensor:
    """Return minus the log densities of scores, against the standard normal's; see `conditionals.Tilted`.

    Args:
        parameters: mean, log spread and tilts, shape (rows, variables, 2 + bins).
        scores: shape (rows, variables).
        edges: of the bins, shape (bins + 1,).
        floor: weight of the standard normal.
    """
    mean, log_spread = parameters[..., 0], parameters[..., 1].clamp(-4.0, 2.0)
    spread, tilt = log_spread.exp(), parameters[..., 2:]
    below = torch.special.ndtr((edges - mean[..., None]) / spread[..., None])
    mass = below.diff(dim=-1) + floor / tilt.shape[-1]
    norm = torch.logsumexp(tilt + mass.log(), dim=-1)
    bins = torch.bucketize(scores.contiguous(), edges[1:-1].contiguous())
    standard = -0.5 * (scores**2 + _LOG_2PI)
    own = -0.5 * (((scores - mean) / spread) ** 2 + _LOG_2PI) - log_spread
    density = torch.logaddexp(own, standard + math.log(floor))
    return norm - tilt.gather(-1, bins[..., None])[..., 0] - density + standard
