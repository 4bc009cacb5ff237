"""The any-order network as it is drawn from: the distribution of one variable given any others, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from understudy.sampling.dependence import VariableModel
from understudy.sampling.variables import Values, Variable
from understudy.synthesizers.training import Weights

_NARROWEST, _WIDEST = -4.0, 2.0
_CELLS = 2_000_000


@dataclass(frozen=True)
class Part:
    """One variable as the network sees it.

    Attributes:
        size: number of codes of a discrete variable, of bins of a continuous one.
        embedding: numbers that a code is seen as; 0 for a continuous variable.
        gate: index of the state that must be known before this variable is, or None.
    """

    size: int
    embedding: int = 0
    gate: int | None = None

    @property
    def is_continuous(self) -> bool:
        """Whether the variable is a normal score."""
        return self.embedding == 0

    @property
    def inputs(self) -> int:
        """How many numbers the variable is seen as: its embedding, or score, presence and being known."""
        return self.embedding or 3

    @property
    def outputs(self) -> int:
        """How many numbers its distribution has: one a code, or mean, log spread and one a bin."""
        return self.size + (2 if self.is_continuous else 0)

    @property
    def edges(self) -> np.ndarray:
        """The edges of equally probable bins of a normal score, from -inf to inf, shape (size + 1,)."""
        return np.asarray(ndtri(np.arange(self.size + 1) / self.size))


@dataclass(frozen=True)
class Layout:
    """The shape of the network.

    Attributes:
        variables: what it speaks of.
        width: hidden numbers.
        depth: residual blocks.
        floor: weight of the standard normal in the distribution of every score, so that no value is excluded.
    """

    variables: tuple[Part, ...]
    width: int
    depth: int
    floor: float

    @property
    def inputs(self) -> int:
        """Numbers that enter."""
        return sum(part.inputs for part in self.variables)

    @property
    def outputs(self) -> int:
        """Numbers that come out."""
        return sum(part.outputs for part in self.variables)

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Indices of the variables as they lie side by side in inputs and outputs: the continuous ones first."""
        return tuple(
            sorted(range(len(self.variables)), key=lambda index: not self.variables[index].is_continuous)
        )

    @cached_property
    def seen(self) -> dict[int, slice]:
        """By variable, its stretch of the inputs."""
        return self._stretches([part.inputs for part in self.variables])

    @cached_property
    def told(self) -> dict[int, slice]:
        """By variable, its stretch of the outputs."""
        return self._stretches([part.outputs for part in self.variables])

    def _stretches(self, sizes: Sequence[int]) -> dict[int, slice]:
        ends = np.cumsum([sizes[index] for index in self.places]).tolist()
        return {index: slice(end - sizes[index], end) for index, end in zip(self.places, ends, strict=True)}


@dataclass(frozen=True)
class Rows:
    """Encoded rows: codes, normal scores and whether each variable is there, shape (rows, variables)."""

    codes: np.ndarray
    scores: np.ndarray
    active: np.ndarray

    @classmethod
    def of(cls, variables: tuple[Variable, ...], values: Values) -> Rows:
        """Return encoded rows as the network takes them."""
        shape = (values.rows, len(variables))
        codes, scores = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32)
        active = np.zeros(shape, dtype=bool)
        for i, variable in enumerate(variables):
            (scores if variable.is_continuous else codes)[:, i] = values.drawn[i]
            active[:, i] = values.active[i]
        return cls(codes, scores, active)

    def take(self, rows: np.ndarray) -> Rows:
        """Return some rows."""
        return Rows(self.codes[rows], self.scores[rows], self.active[rows])


@dataclass(frozen=True)
class Network:
    """The trained network. Reads the weights of `networks.any_order.AnyOrder`."""

    layout: Layout
    weights: Weights

    def parameters(self, index: int, values: Values) -> np.ndarray:
        """Return the parameters of one variable given all others that are drawn, shape (rows, outputs)."""
        hidden = np.repeat(self.weights["into.bias"][None], values.rows, axis=0)
        for other, place in self.layout.seen.items():
            if other == index or other not in values.drawn:
                continue
            hidden += self._seen(other, values) @ self._into[place]
        for number in range(self.layout.depth):
            first = self._dense(f"blocks.{number}.first", hidden)
            hidden = hidden + self._dense(f"blocks.{number}.second", first / (1 + np.exp(-first)))
        rows = self.layout.told[index]
        return np.asarray(hidden @ self.weights["out.weight"][rows].T + self.weights["out.bias"][rows])

    def _dense(self, name: str, hidden: np.ndarray) -> np.ndarray:
        return np.asarray(hidden @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"])

    def _seen(self, index: int, values: Values) -> np.ndarray:
        if not self.layout.variables[index].is_continuous:
            return np.asarray(self.weights[f"embeddings.{index}"][values.drawn[index]])
        active = values.active[index].astype(np.float32)
        score = values.drawn[index].astype(np.float32) * active
        return np.stack([score, active, np.ones_like(active)], axis=1)

    @cached_property
    def _into(self) -> np.ndarray:
        return np.ascontiguousarray(self.weights["into.weight"].T)


@dataclass(frozen=True)
class Conditional(VariableModel):
    """The distribution of one variable given those drawn before it, whichever they are."""

    network: Network = field(kw_only=True)
    index: int = field(kw_only=True)

    @classmethod
    def of(cls, network: Network, index: int) -> Conditional:
        """Return the conditional of one variable."""
        return cls(None, None, None, (), network=network, index=index)

    def draw(
        self,
        variables: tuple[Variable, ...],
        variable: Variable,
        values: Values,
        rng: np.random.Generator,
        within: tuple[np.ndarray, np.ndarray] | np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw one value for each row; see `VariableModel.draw`."""
        parameters = self.network.parameters(self.index, values).astype(np.float64)
        if variable.is_continuous:
            tilted = Tilted(
                parameters, self.network.layout.variables[self.index].edges, self.network.layout.floor
            )
            assert within is None or isinstance(within, tuple)
            return tilted.draw(rng, within)
        assert within is None or isinstance(within, np.ndarray)
        weight = np.exp(parameters - parameters.max(axis=1, keepdims=True))
        return draw_codes(weight / weight.sum(axis=1, keepdims=True), rng, within)


def draw_codes(
    share: np.ndarray, rng: np.random.Generator, within: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Draw a code for each row, and tell the probability of `within` (see `VariableModel.draw`).

    Args:
        share: probability of each code, shape (rows, size).
        rng: source of randomness.
        within: the allowed codes, bool of shape (size,), or codes that are known, shape (rows,).
    """
    if within is not None and within.dtype != bool:
        return within, share[np.arange(len(share)), within]
    if within is not None:
        share = share * within
    return picked(share, rng), None if within is None else share.sum(axis=1)


@dataclass(frozen=True)
class Tilted:
    """Distributions of normal scores: a normal and a little of the standard one, tilted bin by bin.

    The density of a row is exp(tilt of the bin of z) (normal(z; mean, spread) + floor normal(z; 0, 1)), to one.

    Attributes:
        parameters: mean, log spread and the tilt of each bin, shape (rows, 2 + bins).
        edges: of the bins, shape (bins + 1,); each holds the same share of the standard normal.
        floor: weight of the standard normal.
    """

    parameters: np.ndarray
    edges: np.ndarray
    floor: float

    def draw(
        self, rng: np.random.Generator, within: tuple[np.ndarray, np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw a score for each row, and tell the probability of `within` (see `VariableModel.draw`)."""
        rows, bins = len(self.parameters), len(self.edges) - 1
        low, high = (np.full((rows, 1), side) for side in (-np.inf, np.inf)) if within is None else within
        drawn, mass = np.empty(rows), np.empty(rows)
        size = max(_CELLS // (bins * low.shape[1]), 1)
        for start in range(0, rows, size):
            part = slice(start, start + size)
            drawn[part], mass[part] = self._draw_rows(self.parameters[part], low[part], high[part], rng)
        return drawn, None if within is None else mass

    def _draw_rows(
        self, parameters: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        rows, bins = len(parameters), len(self.edges) - 1
        mean = parameters[:, 0, None, None]
        spread = np.exp(np.clip(parameters[:, 1, None, None], _NARROWEST, _WIDEST))
        tilt = np.exp(parameters[:, 2:] - parameters[:, 2:].max(axis=1, keepdims=True))
        whole = np.diff(ndtr((self.edges - mean[:, 0]) / spread[:, 0]), axis=1) + self.floor / bins
        # Each interval is cut at the edges of the bins: shape (rows, intervals, bins).
        start = np.maximum(low[:, :, None], self.edges[:-1])
        stop = np.maximum(np.minimum(high[:, :, None], self.edges[1:]), start)
        own = ndtr((stop - mean) / spread) - ndtr((start - mean) / spread)
        standard = self.floor * (ndtr(stop) - ndtr(start))
        weight = (tilt[:, None] * (own + standard)).reshape(rows, -1)
        mass = weight.sum(axis=1) / (tilt * whole).sum(axis=1)
        choice, row = picked(weight, rng), np.arange(rows)
        a, b, ours, other = (part.reshape(rows, -1)[row, choice] for part in (start, stop, own, standard))
        is_own = rng.random(rows) * (ours + other) < ours
        centre, width = np.where(is_own, mean[:, 0, 0], 0.0), np.where(is_own, spread[:, 0, 0], 1.0)
        u = ndtr((a - centre) / width), ndtr((b - centre) / width)
        z = centre + width * ndtri(u[0] + rng.random(rows) * (u[1] - u[0]))
        # Where an interval has no width the score is its end.
        z = np.where(np.isfinite(z), z, np.where(np.isfinite(a), a, b))
        return np.clip(z, a, b), np.where(mass > 0, mass, 0.0)


def picked(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one column for each row in proportion to its weight, shape (rows,); the first possible at least."""
    ends = np.cumsum(weight, axis=1)
    place = (ends <= (rng.random(len(weight)) * ends[:, -1])[:, None]).sum(axis=1)
    return np.asarray(np.minimum(place, weight.shape[1] - 1))
