"""Rows decoded from noise: given the noise of a row its variables are independent, so that conditions are exact."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from scipy.special import logsumexp, ndtr, ndtri

from understudy.core.schema import Schema
from understudy.sampling.chain import Chain
from understudy.sampling.dependence import VariableModel
from understudy.sampling.drawing import Candidates, Restriction
from understudy.sampling.limits import limits_of
from understudy.sampling.numbered import draw_numbered, row_numbers
from understudy.sampling.rules import RowRules
from understudy.sampling.variables import PRESENT, Values, Variable, Variables
from understudy.synthesizers.conditionals import draw_codes, picked
from understudy.synthesizers.spans import REACH, Layout, Scale
from understudy.synthesizers.training import Weights

_CELLS = 2_000_000
_FLOOR = 0.005
_PILOT = 4_000
_KNOTS = 200
_ROUNDS = 20
_FEWEST_SEEN = 50
_LEAST = 1e-6


@dataclass(frozen=True)
class Decoder:
    """A network from noise, and what is asked for, to whole rows. Reads plain layers, whatever trained them.

    Attributes:
        weights: `0.weight`, `0.bias`, `1.weight` ... of layers with rectified outputs, and `out.weight`, `out.bias`.
        noise: numbers of noise that enter.
        is_residual: whether each layer's inputs are passed on beside its outputs.
    """

    weights: Weights
    noise: int
    is_residual: bool

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        """Return what rows are drawn by, shape (rows, width), for inputs of shape (rows, noise + asked)."""
        found = [self._outputs(part) for part in np.array_split(inputs, len(inputs) // 10_000 + 1)]
        return np.concatenate(found)

    def _outputs(self, hidden: np.ndarray) -> np.ndarray:
        for number in range(len(self.weights) // 2 - 1):
            new = np.maximum(hidden @ self.weights[f"{number}.weight"].T + self.weights[f"{number}.bias"], 0)
            hidden = np.concatenate([new, hidden], axis=1) if self.is_residual else new
        return np.asarray(hidden @ self.weights["out.weight"].T + self.weights["out.bias"])


@dataclass(frozen=True)
class LatentRows:
    """Rows drawn from a decoder. Implements `sampling.drawing.RowModel`.

    Attributes:
        schema, variables, rules: as in `sampling.chain.Chain`.
        order: indices of the variables in drawing order.
        layout: what the decoder's outputs mean.
        decoder: from noise to outputs.
        scales: of the continuous variables.
        spreads: standard deviations around the decoded offsets of continuous variables, as shares of a mode's reach.
        biases: by discrete variable, what is added to the logarithms of its codes, shape (size,).
        is_asked: whether the decoder takes a conditional vector.
    """

    schema: Schema
    variables: Variables
    order: tuple[int, ...]
    rules: RowRules
    layout: Layout
    decoder: Decoder
    scales: dict[int, Scale]
    spreads: dict[int, float]
    biases: dict[int, np.ndarray] = field(default_factory=dict)
    is_asked: bool = True

    def draw(self, n: int, rng: np.random.Generator, restriction: Restriction) -> Candidates:
        """Draw `n` candidate rows; see `RowModel.draw`.

        A restricted variable that the decoder can be asked for is asked for; all others are weighed.
        """
        asked = _Asked.of(self, n, rng, restriction)
        hidden = self.hidden(asked, rng)
        models: dict[int, VariableModel] = {
            index: _Decoded(None, None, None, (), self, index, asked, hidden) for index in self.order
        }
        chain = Chain(self.schema, self.variables, self.order, models, self.rules)
        return draw_numbered(chain, n, rng, restriction)

    def hidden(self, asked: _Asked, rng: np.random.Generator) -> np.ndarray:
        """Return the decoder's outputs for fresh noise, float32 of shape (rows, width)."""
        rows = len(asked.index)
        noise = rng.standard_normal((rows, self.decoder.noise), dtype=np.float32)
        return self.decoder.outputs(np.concatenate([noise, asked.vector(self)], axis=1))

    def shares(self, index: int, hidden: np.ndarray) -> np.ndarray:
        """Return the probability of each code of a discrete variable, shape (rows, size)."""
        log = self.logits(index, hidden) + self.biases.get(index, 0.0)
        own = np.exp(log - logsumexp(log, axis=1, keepdims=True))
        return np.asarray((1 - _FLOOR) * own + _FLOOR * self.layout.spans[index].shares)

    def logits(self, index: int, hidden: np.ndarray) -> np.ndarray:
        """Return the decoded logarithms of codes or modes, shape (rows, size)."""
        if index in self.layout.digits:
            return np.asarray(hidden[:, self.layout.digits[index]] @ self.layout.spans[index].digits.T)
        return np.asarray(hidden[:, self.layout.hot[index]])

    def modes(self, index: int, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return probabilities, centres and deviations of a number's modes, each of shape (rows, modes)."""
        mixture = self.layout.spans[index].mixture
        assert mixture is not None
        log = self.logits(index, hidden).astype(np.float64)
        offset = np.tanh(hidden[:, self.layout.offsets[index], None].astype(np.float64))
        reach = REACH * mixture.spreads
        share = np.exp(log - logsumexp(log, axis=1, keepdims=True))
        return (
            share,
            mixture.centres + reach * offset,
            np.broadcast_to(self.spreads[index] * reach, share.shape),
        )

    def calibrated(self, values: Values, rng: np.random.Generator) -> LatentRows:
        """Return the model with each column's distribution set right, the dependence between them kept.

        The codes' logarithms are shifted, and the scales of numbers bent, until rows drawn without conditions
        have the shares and scores of the real ones.

        Args:
            values: the real rows.
            rng: source of randomness.
        """
        hidden = self.hidden(_Asked.of(self, _PILOT, rng, Restriction()), rng)
        found = self
        for index in sorted(self.order, key=lambda i: self.variables.variables[i].kind != "state"):
            gate = self.variables.variables[index].gate
            present = np.ones(_PILOT) if gate is None else found.shares(gate, hidden)[:, PRESENT]
            if present.sum() < _FEWEST_SEEN or not values.active[index].any():
                continue
            if self.variables.variables[index].is_continuous:
                scale = found._bent(index, hidden, present, rng)
                found = replace(found, scales=found.scales | {index: scale})
            else:
                found = replace(found, biases=found.biases | {index: found._shifts(index, hidden, present)})
        return found

    def _bent(self, index: int, hidden: np.ndarray, present: np.ndarray, rng: np.random.Generator) -> Scale:
        share, centre, spread = self.modes(index, hidden)
        mode, row = picked(share, rng), np.arange(len(share))
        drawn = centre[row, mode] + spread[row, mode] * rng.standard_normal(len(share))
        order = np.argsort(drawn)
        below = (np.cumsum(present[order]) - present[order] / 2) / present.sum()
        wanted = (np.arange(_KNOTS) + 0.5) / _KNOTS
        return Scale.through(np.interp(wanted, below, drawn[order]), ndtri(wanted))

    def _shifts(self, index: int, hidden: np.ndarray, present: np.ndarray) -> np.ndarray:
        wanted = self.layout.spans[index].shares + _LEAST
        rows = slice(max(_CELLS // len(wanted), 200))
        log, weight = self.logits(index, hidden[rows]), present[rows] / present[rows].sum()
        shifts = np.zeros(len(wanted), dtype=np.float32)
        for _ in range(_ROUNDS):
            moved = log + shifts
            own = weight @ np.exp(moved - logsumexp(moved, axis=1, keepdims=True))
            shifts += np.log(wanted / (own + _LEAST)).astype(np.float32)
        return shifts


@dataclass(frozen=True)
class _Asked:
    """What each row is asked to have: one code of one variable.

    Attributes:
        index: the variable, -1 where nothing is asked for, shape (rows,).
        code: the code, shape (rows,).
        mass: probability of all codes that could have been asked for instead, shape (rows,).
    """

    index: np.ndarray
    code: np.ndarray
    mass: np.ndarray

    @classmethod
    def of(cls, model: LatentRows, n: int, rng: np.random.Generator, restriction: Restriction) -> _Asked:
        spans, able = model.layout.spans, np.array([*model.layout.asked], dtype=np.int64)
        found = cls(np.full(n, -1), np.zeros(n, dtype=np.int64), np.ones(n))
        if not model.is_asked or not len(able):
            return found
        limits = limits_of(
            restriction.where, model.schema, model.variables.columns, model.variables.variables
        )
        allowed = {i: limit.codes for i, limit in limits.items() if i in able and limit.codes is not None}
        masses = {
            i: float((spans[i].shares + _LEAST)[codes].sum()) for i, codes in allowed.items() if codes.any()
        }
        if masses:
            rarest = min(masses, key=lambda i: masses[i])
            found.index[:] = rarest
            found.mass[:] = min(masses[rarest], 1.0)
            found._draw(model, rng, allowed)
        else:
            found.index[:] = rng.choice(able, n)
            found._draw(model, rng, {})
        if restriction.known is not None:
            found._ask_known(model, restriction.known, rng)
        return found

    def _draw(self, model: LatentRows, rng: np.random.Generator, allowed: dict[int, np.ndarray]) -> None:
        for index in np.unique(self.index):
            mine = self.index == index
            share = (model.layout.spans[index].shares + _LEAST) * allowed.get(index, 1)
            self.code[mine] = rng.choice(len(share), int(mine.sum()), p=share / share.sum())

    def _ask_known(self, model: LatentRows, known: pl.DataFrame, rng: np.random.Generator) -> None:
        """Ask for a known cell, a random one where several can be asked for."""
        columns = [c for c in model.variables.columns if c.column.name in known.columns]
        encoded = model.variables.encode(known, [c.column.name for c in columns], rng)
        best = np.full(len(self.index), -1.0)
        for column in columns:
            given = known[column.column.name].is_not_null().to_numpy()
            for index in model.layout.asked.keys() & {column.state, column.value}:
                codes, share = encoded.drawn[index], model.layout.spans[index].shares + _LEAST
                key = rng.random(len(codes))
                better = given & (codes < len(share)) & (key > best)
                best[better] = key[better]
                self.index[better], self.code[better] = index, codes[better]
                self.mass[better] = share[codes[better]]

    def vector(self, model: LatentRows) -> np.ndarray:
        """Return the conditional vectors, float32 of shape (rows, asked)."""
        vector = np.zeros((len(self.index), model.layout.asked_width * model.is_asked), dtype=np.float32)
        for index in np.unique(self.index[self.index >= 0]):
            mine = np.flatnonzero(self.index == index)
            vector[mine, model.layout.asked[index].start + self.code[mine]] = 1
        return vector


@dataclass(frozen=True)
class _Decoded(VariableModel):
    """One variable given what was decoded for its row."""

    model: LatentRows
    index: int
    asked: _Asked
    hidden: np.ndarray

    def draw(
        self,
        variables: tuple[Variable, ...],
        variable: Variable,
        values: Values,
        rng: np.random.Generator,
        within: tuple[np.ndarray, np.ndarray] | np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw one value for each row; see `VariableModel.draw`."""
        rows = row_numbers(variables, values)
        if variable.is_continuous:
            assert within is None or isinstance(within, tuple)
            return self._draw_scores(self.hidden[rows], rng, within)
        assert within is None or isinstance(within, np.ndarray)
        drawn, mass = np.empty(len(rows), dtype=np.int64), np.empty(len(rows))
        size = max(_CELLS // max(variable.size, 1), 1)
        for start in range(0, len(rows), size):
            part = slice(start, start + size)
            known = within[part] if within is not None and within.dtype != bool else within
            drawn[part], mass[part] = self._draw_codes(rows[part], rng, known)
        return drawn, None if within is None else mass

    def _draw_codes(
        self, rows: np.ndarray, rng: np.random.Generator, within: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | float]:
        share = self.model.shares(self.index, self.hidden[rows])
        is_asked = self.asked.index[rows] == self.index
        share[is_asked] = 0.0
        share[is_asked, self.asked.code[rows[is_asked]]] = 1.0
        drawn, mass = draw_codes(share, rng, within)
        return drawn, 1.0 if mass is None else np.where(is_asked, mass * self.asked.mass[rows], mass)

    def _draw_scores(
        self, hidden: np.ndarray, rng: np.random.Generator, within: tuple[np.ndarray, np.ndarray] | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        scale, count = self.model.scales[self.index], len(hidden)
        share, centre, spread = self.model.modes(self.index, hidden)
        low, high = (np.full((count, 1), side) for side in (-np.inf, np.inf)) if within is None else within
        start, stop = scale.to_coordinates(low)[:, :, None], scale.to_coordinates(high)[:, :, None]
        middle, width = centre[:, None], spread[:, None]
        own = (1 - _FLOOR) * share[:, None] * (ndtr((stop - middle) / width) - ndtr((start - middle) / width))
        free = _FLOOR * (ndtr(high) - ndtr(low))[:, :, None]
        weight = np.concatenate([own, free], axis=2)
        kinds, row = weight.shape[2], np.arange(count)
        choice = picked(weight.reshape(count, -1), rng)
        stretch, kind = choice // kinds, choice % kinds
        is_free, mode = kind == kinds - 1, np.minimum(kind, kinds - 2)
        chance = rng.random(count)
        at, wide = centre[row, mode], spread[row, mode]
        coordinate = _truncated(at, wide, start[row, stretch, 0], stop[row, stretch, 0], chance)
        a, b = low[row, stretch], high[row, stretch]
        score = np.where(
            is_free, _truncated(np.zeros(count), np.ones(count), a, b, chance), scale.to_scores(coordinate)
        )
        return np.clip(score, a, b), None if within is None else weight.sum(axis=(1, 2))


def _truncated(
    centre: np.ndarray, spread: np.ndarray, low: np.ndarray, high: np.ndarray, chance: np.ndarray
) -> np.ndarray:
    """Return draws of normal distributions between two ends, at uniform `chance`, all of shape (rows,)."""
    below, above = ndtr((low - centre) / spread), ndtr((high - centre) / spread)
    drawn = centre + spread * ndtri(below + chance * (above - below))
    # Where a stretch holds nearly nothing of the distribution the draw is its end.
    drawn = np.where(np.isfinite(drawn), drawn, np.where(np.isfinite(low), low, high))
    return np.clip(drawn, low, high)
