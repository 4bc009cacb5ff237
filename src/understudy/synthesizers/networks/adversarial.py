"""Training of a conditional generator against a critic: Wasserstein distance, gradient penalty, packed rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from understudy.synthesizers.networks.loop import initialise, seeded, train
from understudy.synthesizers.networks.rows import Moments, Shaping, plain
from understudy.synthesizers.spans import Layout
from understudy.synthesizers.training import Circumstances, TrainingSettings, Weights

_SLOPE = 0.2
_DROPOUT = 0.5
_MOMENTUM = (0.5, 0.9)
_LOOKED_AT = 2_000


@dataclass(frozen=True)
class Habits:
    """How the two networks look and are trained, beyond what all networks share.

    Attributes:
        noise: numbers of noise that a row is made from.
        width, depth: hidden numbers and hidden layers, of both networks.
        pac: rows that the critic judges together.
        critic_steps: updates of the critic to one of the generator.
        penalty: weight of the gradient penalty.
    """

    noise: int
    width: int
    depth: int
    pac: int
    critic_steps: int
    penalty: float


def fit(
    layout: Layout,
    learned: np.ndarray,
    aside: np.ndarray,
    habits: Habits,
    settings: TrainingSettings,
    told: Circumstances,
) -> Weights:
    """Train on encoded rows and return the weights that `latent.Decoder` reads.

    Args:
        layout: what the numbers of a row mean.
        learned: rows to learn from, shape (rows, width).
        aside: rows by whose moments training is stopped and the best weights are chosen; without any, the
            learned rows serve.
        habits: see `Habits`.
        settings: when to stop.
        told: seed, device, deadline, listener, checkpoint.
    """
    with seeded(told) as (device, noise):
        rows = torch.from_numpy(learned).to(device)
        measure = torch.from_numpy(aside).to(device) if len(aside) else rows
        trainee = _Trainee(layout, rows, measure, habits, settings, noise)
        weights = train(trainee, len(rows), settings, told)
        trainee.kept.load_state_dict({name: torch.from_numpy(part) for name, part in weights.items()})
        return plain(trainee.kept.layers())


class _Generator(torch.nn.Module):
    """Each hidden layer passes its inputs on beside its outputs (Xu et al. 2019, section 4.4)."""

    def __init__(self, inputs: int, layout: Layout, habits: Habits) -> None:
        super().__init__()
        sizes = [inputs + number * habits.width for number in range(habits.depth + 1)]
        self.hidden = torch.nn.ModuleList(torch.nn.Linear(size, habits.width) for size in sizes[:-1])
        self.norms = torch.nn.ModuleList(torch.nn.BatchNorm1d(habits.width) for _ in sizes[:-1])
        self.out = torch.nn.Linear(sizes[-1], layout.width)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        for layer, norm in zip(self.hidden, self.norms, strict=True):
            inputs = torch.cat([norm(layer(inputs)).relu(), inputs], dim=1)
        found: torch.Tensor = self.out(inputs)
        return found

    def begin(self, noise: torch.Generator) -> None:
        """Draw the weights anew."""
        initialise(self, noise)
        for norm in self.norms:
            torch.nn.init.ones_(norm.weight)

    def layers(self) -> list[tuple[torch.nn.Linear, torch.nn.BatchNorm1d | None]]:
        """Return the layers, each with its normalisation."""
        return [*zip(self.hidden, self.norms, strict=True), (self.out, None)]


class _Critic(torch.nn.Module):
    def __init__(self, inputs: int, habits: Habits) -> None:
        super().__init__()
        sizes = [inputs, *[habits.width] * habits.depth]
        self.hidden = torch.nn.ModuleList(
            torch.nn.Linear(size, habits.width) for size in sizes[: habits.depth]
        )
        self.out = torch.nn.Linear(sizes[-1], 1)

    def forward(self, packs: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """Return how real packs of rows look, shape (packs, 1)."""
        for layer in self.hidden:
            packs = functional.leaky_relu(layer(packs), _SLOPE)
            packs = packs * _dropped(packs, noise)
        found: torch.Tensor = self.out(packs)
        return found

    def slopes(self, packs: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """Return the gradient of the critic with respect to its inputs, shape (packs, inputs).

        The network is linear between its kinks. Written out, the gradient is a product of weights, which
        one backward pass can follow; to differentiate a derivative would take two.
        """
        factors, hidden = [], packs
        with torch.no_grad():
            for layer in self.hidden:
                raw = layer(hidden)
                factors.append(torch.where(raw > 0, 1.0, _SLOPE) * _dropped(raw, noise))
                hidden = raw * factors[-1]
        found = self.out.weight.expand(len(packs), -1)
        for layer, factor in zip(reversed(self.hidden), reversed(factors), strict=True):
            found = (found * factor) @ layer.weight
        return found


def _dropped(hidden: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
    return torch.empty_like(hidden).bernoulli_(1 - _DROPOUT, generator=noise).div_(1 - _DROPOUT)


class _Sampling:
    """Training by sampling: a column, then a level by the logarithm of its frequency, then a row that has it.

    Reference:
        Xu et al. 2019, section 4.3.
    """

    def __init__(self, layout: Layout, rows: torch.Tensor) -> None:
        self.columns, self.width, self.rows = len(layout.asked), layout.asked_width, len(rows)
        self.device = rows.device
        if not self.columns:
            return
        sizes = [place.stop - place.start for place in layout.asked.values()]
        places = [torch.arange(layout.hot[i].start, layout.hot[i].stop) for i in layout.asked]
        present = rows[:, torch.cat(places).to(rows.device)]
        count = present.sum(dim=0)
        weight = torch.log1p(count)
        share = torch.cat([part / part.sum().clamp(min=1e-9) for part in weight.split(sizes)])
        self.ends = torch.cumsum(share.double(), 0)
        self.plain_ends = torch.cumsum(count.double() / self.rows, 0)
        # Row numbers of each level, one level after the other.
        self.members = present.T.nonzero()[:, 1]
        self.count = count.long()
        self.first = torch.cumsum(self.count, 0) - self.count
        column = torch.repeat_interleave(torch.arange(self.columns), torch.tensor(sizes))
        self.column = column.to(rows.device)
        # Places of the levels of each column in a row of outputs, as many for all; the last one repeats.
        padded = torch.stack([functional.pad(p, (0, max(sizes) - len(p)), value=-1) for p in places])
        self.is_place = (padded >= 0).to(rows.device)
        self.places = padded.clamp(min=0).to(rows.device)
        self.own = torch.cat(places).to(rows.device)

    def asked(self, size: int, noise: torch.Generator, *, is_plain: bool = False) -> torch.Tensor | None:
        """Return the numbers of levels to ask for, shape (size,); as frequent as in the rows if `is_plain`."""
        if not self.columns:
            return None
        ends = self.plain_ends if is_plain else self.ends
        chance = torch.rand(size, generator=noise, device=self.device, dtype=torch.float64)
        return torch.searchsorted(ends, chance * ends[-1], right=True).clamp(max=len(ends) - 1)

    def vector(self, asked: torch.Tensor | None, size: int) -> torch.Tensor:
        """Return the conditional vectors, shape (size, asked)."""
        vector = torch.zeros((size, self.width), device=self.device)
        return vector if asked is None else vector.scatter_(1, asked[:, None], 1.0)

    def matching(self, asked: torch.Tensor | None, size: int, noise: torch.Generator) -> torch.Tensor:
        """Return the numbers of rows that have what is asked for, shape (size,)."""
        chance = torch.rand(size, generator=noise, device=self.device)
        if asked is None:
            return (chance * self.rows).long().clamp(max=self.rows - 1)
        count = self.count[asked]
        return self.members[self.first[asked] + torch.minimum((chance * count).long(), count - 1)]

    def missed(self, outputs: torch.Tensor, asked: torch.Tensor | None) -> torch.Tensor:
        """Return how far the made rows are from what was asked of them: the mean cross-entropy."""
        if asked is None:
            return outputs.new_zeros(())
        column = self.column[asked]
        scores = outputs.gather(1, self.places[column]).masked_fill(~self.is_place[column], -torch.inf)
        own = outputs.gather(1, self.own[asked][:, None])[:, 0]
        return (torch.logsumexp(scores, dim=1) - own).mean()


class _Trainee:
    def __init__(
        self,
        layout: Layout,
        rows: torch.Tensor,
        measure: torch.Tensor,
        habits: Habits,
        settings: TrainingSettings,
        noise: torch.Generator,
    ) -> None:
        self.rows, self.habits, self.noise = rows, habits, noise
        self.shaping, self.sampling = Shaping(layout, rows.device), _Sampling(layout, rows)
        self.moments = Moments(layout, measure)
        self.kept: _Generator
        self.kept = _Generator(habits.noise + self.sampling.width, layout, habits).to(rows.device)
        self.critic = _Critic(habits.pac * (layout.width + self.sampling.width), habits).to(rows.device)
        self.kept.begin(noise)
        initialise(self.critic, noise)
        self.modules: Mapping[str, torch.nn.Module] = {"generator": self.kept, "critic": self.critic}
        rate, decay = settings.learning_rate, settings.weight_decay
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {
            "generator": _adam(self.kept, rate, decay),
            "critic": _adam(self.critic, rate, 0.0),
        }
        self.look = self._inputs(_LOOKED_AT, is_plain=True)[0]

    def update(self, rows: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Learn from as many rows as these, chosen by what they are asked to have; see `loop.Trainee`."""
        pac = self.habits.pac
        size = max(len(rows) // pac, 2) * pac
        critic_loss = torch.zeros(())
        for _ in range(self.habits.critic_steps):
            inputs, vector, asked = self._inputs(size)
            outputs = self.kept(inputs)
            made = torch.cat([self.shaping.rows(outputs, self.noise), vector], dim=1)
            real = self.rows[self.sampling.matching(asked, size, self.noise)]
            packs = torch.cat([real, vector], dim=1).view(size // pac, -1)
            critic_loss = self._step_critic(packs, made.detach().view(size // pac, -1))
        # The rows that the critic has just seen serve its opponent as well: one pass less.
        self.critic.requires_grad_(requires_grad=False)
        judged = self.critic(made.view(size // pac, -1), self.noise).mean()
        loss = self.sampling.missed(outputs, asked) - judged
        _step(self.optimizers["generator"], loss)
        self.critic.requires_grad_(requires_grad=True)
        return {"critic": critic_loss, "generator": loss.detach()}

    def validate(self) -> np.ndarray | None:
        """Return how far the moments of made rows are from those of real ones; see `loop.Trainee`."""
        self.kept.eval()
        with torch.no_grad():
            # The same noise at every look, so that looks can be compared.
            fixed = torch.Generator(device=self.rows.device).manual_seed(0)
            rows = self.shaping.hard(self.shaping.rows(self.kept(self.look), fixed))
            found = self.moments.distances(rows)
        self.kept.train()
        return np.asarray(found.cpu().numpy())

    def _inputs(
        self, size: int, *, is_plain: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        asked = self.sampling.asked(size, self.noise, is_plain=is_plain)
        vector = self.sampling.vector(asked, size)
        noise = torch.randn((size, self.habits.noise), generator=self.noise, device=self.rows.device)
        return torch.cat([noise, vector], dim=1), vector, asked

    def _step_critic(self, real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        """Update the critic on real and made packs (Gulrajani et al. 2017, algorithm 1)."""
        judged = self.critic(torch.cat([real, made]), self.noise)
        share = torch.rand((len(real), 1), generator=self.noise, device=real.device)
        slopes = self.critic.slopes(torch.lerp(made, real, share), self.noise)
        penalty = self.habits.penalty * ((slopes.norm(dim=1) - 1) ** 2).mean()
        distance = judged[: len(real)].mean() - judged[len(real) :].mean()
        _step(self.optimizers["critic"], penalty - distance)
        return -distance.detach()


def _adam(module: torch.nn.Module, rate: float, decay: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(module.parameters(), rate, _MOMENTUM, weight_decay=decay, fused=True)


def _step(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
