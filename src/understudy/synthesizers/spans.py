"""Rows as numbers side by side, for networks that see and make whole rows: modes of numbers, levels, digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from scipy.special import ndtr, ndtri

from understudy.sampling.margins import Margin
from understudy.sampling.mixtures import Mixture
from understudy.sampling.variables import Values, Variables

REACH = 4.0
_KNOTS = 400
_FARTHEST = 5.0
_BEYOND = 2.0
_STEEPEST = 1e-7


@dataclass(frozen=True)
class Scale:
    """A rising line of straight pieces between a coordinate that a network sees and normal scores.

    Attributes:
        coordinates, scores: of its knots, both rising, shape (knots,).
    """

    coordinates: np.ndarray
    scores: np.ndarray

    @classmethod
    def of_scores(cls) -> Scale:
        """Return the scale on which the coordinate is the score itself."""
        ends = np.array([-_FARTHEST - _BEYOND, _FARTHEST + _BEYOND])
        return cls(ends, ends)

    @classmethod
    def of_numbers(cls, margin: Margin) -> Scale:
        """Return the scale on which the coordinate is the number, as a share of the column's largest."""
        scores = ndtri((np.arange(_KNOTS) + 0.5) / _KNOTS)
        numbers = margin.quantile(ndtr(scores))
        largest = np.abs(numbers).max()
        return cls.through(numbers / largest if largest > 0 else numbers, scores)

    @classmethod
    def through(cls, coordinates: np.ndarray, scores: np.ndarray) -> Scale:
        """Return the scale through points in rising order; equal coordinates are moved apart a little."""
        width = float(coordinates[-1] - coordinates[0]) or 1.0
        rising = np.maximum.accumulate(coordinates) + width * _STEEPEST * np.arange(len(coordinates))
        far = scores[[0, -1]] + np.array([-_BEYOND, _BEYOND])
        return cls(
            np.concatenate([[rising[0] - width], rising, [rising[-1] + width]]),
            np.concatenate([far[:1], scores, far[1:]]),
        )

    def to_scores(self, coordinates: np.ndarray) -> np.ndarray:
        """Return the normal scores at coordinates of any shape."""
        return np.asarray(np.interp(coordinates, self.coordinates, self.scores))

    def to_coordinates(self, scores: np.ndarray) -> np.ndarray:
        """Return the coordinates of normal scores of any shape; what is infinite stays so."""
        inside = np.interp(scores, self.scores, self.coordinates)
        return np.asarray(np.where(np.isinf(scores), scores, inside))


@dataclass(frozen=True)
class Span:
    """One variable as numbers side by side.

    Attributes:
        kind: `modes` (an offset within a mode, and one number a mode), `levels` (one number a code) or
            `digits` (the binary digits of the code, as -1 and 1).
        shares: of the modes or codes where the variable exists, shape (size,).
        gate: index of the state that must be `PRESENT` for it to exist, or None.
        mixture: the modes of a continuous variable.
    """

    kind: str
    shares: np.ndarray
    gate: int | None = None
    mixture: Mixture | None = None

    @property
    def size(self) -> int:
        """Number of modes or codes."""
        return len(self.shares)

    @cached_property
    def digits(self) -> np.ndarray:
        """The binary digits of each code as -1 and 1, the last ones first, shape (size, digits)."""
        count = max(int(self.size - 1).bit_length(), 1)
        return ((np.arange(self.size)[:, None] >> np.arange(count)) & 1).astype(np.float32) * 2 - 1


@dataclass(frozen=True)
class Layout:
    """Where the variables lie: offsets first, then digits, then the one-hot spans by size."""

    spans: tuple[Span, ...]

    @cached_property
    def offsets(self) -> dict[int, int]:
        """By continuous variable, the place of its offset."""
        return {index: place for place, index in enumerate(self._of("modes"))}

    @cached_property
    def digits(self) -> dict[int, slice]:
        """By variable of many levels, its stretch."""
        sizes = [self.spans[index].digits.shape[1] for index in self._of("digits")]
        return _stretches(self._of("digits"), sizes, len(self.offsets))

    @cached_property
    def start(self) -> int:
        """Where the one-hot spans begin."""
        return max((place.stop for place in self.digits.values()), default=len(self.offsets))

    @cached_property
    def hot(self) -> dict[int, slice]:
        """By variable, its stretch of one number a mode or code; equal sizes lie together."""
        indices = sorted((*self._of("modes"), *self._of("levels")), key=lambda i: self.spans[i].size)
        return _stretches(indices, [self.spans[index].size for index in indices], self.start)

    @cached_property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """The one-hot spans in order as (number of spans, size of each)."""
        sizes = [place.stop - place.start for place in self.hot.values()]
        return tuple((len(list(same)), size) for size, same in groupby(sizes))

    @cached_property
    def width(self) -> int:
        """All numbers of a row."""
        return self.start + sum(count * size for count, size in self.groups)

    @cached_property
    def asked(self) -> dict[int, slice]:
        """By variable that a row can be asked to have a code of, its stretch of the conditional vector."""
        indices = [i for i in self._of("levels") if self.spans[i].gate is None and self.spans[i].size > 1]
        return _stretches(indices, [self.spans[index].size for index in indices], 0)

    @cached_property
    def asked_width(self) -> int:
        """Numbers of the conditional vector."""
        return max((place.stop for place in self.asked.values()), default=0)

    def _of(self, kind: str) -> list[int]:
        return [index for index, span in enumerate(self.spans) if span.kind == kind]


def spans_of(
    variables: Variables, values: Values, scales: dict[int, Scale], modes: int, most_levels: int
) -> Layout:
    """Return how the variables lie side by side.

    Args:
        variables: of the table.
        values: of its rows.
        scales: of the continuous variables.
        modes: most modes of a continuous variable.
        most_levels: codes up to which a variable has one number a code, not binary digits.
    """
    spans = []
    for index, variable in enumerate(variables.variables):
        drawn = values.drawn[index][values.active[index]]
        if variable.is_continuous:
            numbers = scales[index].to_coordinates(drawn)
            mixture = Mixture.fit(numbers, modes) if len(numbers) else Mixture.fit(np.zeros(1), 1)
            spans.append(Span("modes", mixture.shares, variable.gate, mixture))
            continue
        count = np.bincount(drawn, minlength=variable.size)
        kind = "levels" if variable.size <= most_levels else "digits"
        spans.append(Span(kind, count / max(count.sum(), 1), variable.gate))
    return Layout(tuple(spans))


def scales_of(variables: Variables, *, is_copula: bool) -> dict[int, Scale]:
    """Return the scale of each continuous variable: of scores for a copula, of numbers otherwise."""
    margins = {model.value: model.margin for model in variables.columns if model.margin is not None}
    return {
        index: Scale.of_scores() if is_copula else Scale.of_numbers(margin)
        for index, margin in margins.items()
        if index is not None
    }


def encode(layout: Layout, values: Values, scales: dict[int, Scale], rng: np.random.Generator) -> np.ndarray:
    """Return rows as numbers side by side, float32 of shape (rows, width); zeros where a value is absent."""
    rows = np.zeros((values.rows, layout.width), dtype=np.float32)
    for index, span in enumerate(layout.spans):
        there = np.flatnonzero(values.active[index])
        drawn = values.drawn[index][there]
        if span.kind == "digits":
            rows[there, layout.digits[index]] = span.digits[drawn]
            continue
        codes = drawn
        if span.mixture is not None:
            numbers = scales[index].to_coordinates(drawn)
            codes = span.mixture.pick(numbers, rng)
            offset = (numbers - span.mixture.centres[codes]) / (REACH * span.mixture.spreads[codes])
            rows[there, layout.offsets[index]] = np.clip(offset, -1, 1)
        rows[there, layout.hot[index].start + codes] = 1
    return rows


def _stretches(indices: Sequence[int], sizes: Sequence[int], start: int) -> dict[int, slice]:
    ends = (start + np.cumsum(sizes, dtype=np.int64)).tolist()
    return {index: slice(end - size, end) for index, size, end in zip(indices, sizes, ends, strict=True)}
