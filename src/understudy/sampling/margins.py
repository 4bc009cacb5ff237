"""The margin of one numeric column as a smoothed quantile function that republishes no rare value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEWEST = 5
POOLED = 10
ATOM = 11
BINS = 1_000
_TAIL_PIECES = 8
_STEEPEST = 100.0
_MOST_DECIMALS = 290


@dataclass(frozen=True)
class Margin:
    """A quantile function of bins: atoms, which are exact, and uniform stretches of several people.

    A value that at least `ATOM` people share is an atom and drawn exactly. All other values are pooled in
    order into bins of at least `POOLED` people; a bin is drawn uniformly with the mean and (where it does not
    run into its neighbours) the standard deviation of its people, so that neither its values nor its extremes
    come back. An outermost bin whose people lie far apart is a tail: a power law from the edge of the next
    bin, with the same mean and standard deviation, in several pieces. Bins never overlap.

    Attributes:
        cumulative: shares of people below the end of each bin, from 0 to 1, shape (bins + 1,).
        centre: mean of each bin, shape (bins,).
        half: half the width of each bin, 0 for atoms, shape (bins,).
        decimals: digits after the point of drawn values.
    """

    cumulative: np.ndarray
    centre: np.ndarray
    half: np.ndarray
    decimals: int

    @classmethod
    def fit(
        cls,
        values: np.ndarray,
        decimals: int,
        weights: np.ndarray | None = None,
        *,
        fewest: int = POOLED,
        atom: int = ATOM,
        bins: int = BINS,
    ) -> Margin:
        """Pool the finite `values`, shape (rows,), of one column.

        Args:
            values: at least one number.
            decimals: digits to round drawn values to.
            weights: survey weights of at least 0, shape (rows,); people are still counted one by one for
                protection.
            fewest: smallest number of people in a bin.
            atom: smallest number of people who share an exact value.
            bins: about the largest number of bins.
        """
        order = np.argsort(values, kind="stable")
        distinct, first, counts = np.unique(values[order], return_index=True, return_counts=True)
        if weights is None or not weights.sum() > 0:
            weights = np.ones(len(values))
        mass = np.add.reduceat(weights[order], first).astype(np.float64)
        is_atom = counts >= atom
        size = max(fewest, int(np.ceil(len(values) / bins)))
        bin_of = _joined(_pooled(counts, is_atom, size), distinct, counts, is_atom, fewest)
        weight, centre, half = _stretches(bin_of, distinct, mass, is_atom)
        kept = weight > 0
        cumulative = np.concatenate([[0.0], np.cumsum(weight[kept])])
        return cls(cumulative / cumulative[-1], centre[kept], half[kept], decimals)

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Return the value at each probability, both of shape (n,), rounded to the column's decimals."""
        index = np.clip(np.searchsorted(self.cumulative, u, side="right") - 1, 0, len(self.centre) - 1)
        within = (u - self.cumulative[index]) / (self.cumulative[index + 1] - self.cumulative[index])
        exact = self.centre[index] + self.half[index] * (2 * within - 1)
        # Numbers too large to have such digits would overflow while they are rounded.
        fine = np.abs(exact) < 10.0 ** (15 - self.decimals)
        return np.where(fine, np.round(np.where(fine, exact, 0.0), self.decimals), exact)

    def probability(self, values: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Return the probability below each value, both of shape (n,).

        Args:
            values: numbers.
            at: where inside an atom or its rounding to count, from 0 (its lower end) to 1 (its upper end).
        """
        ends = self.centre + self.half
        index = np.clip(np.searchsorted(ends, values, side="left"), 0, len(ends) - 1)
        half = self.half[index]
        below = np.where(half > 0, (values - self.centre[index] + half) / np.where(half > 0, 2 * half, 1), at)
        exact = values == self.centre[index]
        below = np.where((half == 0) & ~exact, np.where(values > self.centre[index], 1.0, 0.0), below)
        width = self.cumulative[index + 1] - self.cumulative[index]
        return np.asarray(self.cumulative[index] + width * np.clip(below, 0, 1))


def _pooled(counts: np.ndarray, is_atom: np.ndarray, size: int) -> np.ndarray:
    """Return the bin of each distinct value in order: an atom alone, others together until `size` people."""
    others = np.where(is_atom, 0, counts)
    block = np.cumsum(is_atom)
    before = np.cumsum(others) - others
    start_of_block = np.concatenate([[0], before[is_atom]])[block]
    inside = (before - start_of_block) // size
    key = np.stack([block, is_atom.astype(np.int64), np.where(is_atom, 0, inside)])
    changed = np.any(np.diff(key, axis=1) != 0, axis=0)
    result: np.ndarray = np.concatenate([[0], np.cumsum(changed)])
    return result


def _joined(
    bin_of: np.ndarray, distinct: np.ndarray, counts: np.ndarray, is_atom: np.ndarray, fewest: int
) -> np.ndarray:
    """Return the bins with those of too few people joined to their nearest neighbour, which may be an atom."""
    people = np.bincount(bin_of, counts)
    middle = np.bincount(bin_of, counts / people[bin_of] * distinct)
    atoms = np.bincount(bin_of, is_atom) > 0
    is_start = np.ones(len(people), dtype=bool)
    for i in range(len(people)):
        if atoms[i] or people[i] >= fewest or len(people) == 1:
            continue
        after = middle[i + 1] - middle[i] if i + 1 < len(people) else np.inf
        if i and middle[i] - middle[i - 1] <= after:
            is_start[i], people[i], middle[i] = False, people[i] + people[i - 1], middle[i - 1]
            continue
        is_start[i + 1] = False
        people[i + 1] += people[i]
        if not atoms[i + 1]:
            middle[i + 1] += (middle[i] - middle[i + 1]) * (people[i] / people[i + 1])
    return np.asarray((np.cumsum(is_start) - 1)[bin_of])


def _stretches(
    bin_of: np.ndarray, distinct: np.ndarray, mass: np.ndarray, is_atom: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weight, centre and half width of stretches that do not overlap, each of shape (bins,)."""
    weight = np.bincount(bin_of, mass)
    share = mass / np.where(weight > 0, weight, 1)[bin_of]
    centre = np.bincount(bin_of, share * distinct)
    start = np.flatnonzero(np.diff(bin_of, prepend=-1))
    least, most = distinct[start], distinct[np.append(start[1:], len(distinct)) - 1]
    # A sum of shares of one value differs from it in its last digit; what is exact stays exact.
    centre = np.clip(centre, least, most)
    centre[bin_of[is_atom]] = distinct[is_atom]
    # Divided before it is squared: the square of a number above 1e154 overflows.
    unit = np.maximum(np.maximum(np.abs(least), np.abs(most)), np.finfo(float).tiny)
    variance = np.bincount(bin_of, share * ((distinct - centre[bin_of]) / unit[bin_of]) ** 2)
    deviation = np.sqrt(variance) * unit
    deviation[bin_of[is_atom]] = 0.0
    edges = np.concatenate([[-np.inf], most[:-1] / 2 + least[1:] / 2, [np.inf]])
    room = np.minimum(centre - edges[:-1], edges[1:] - centre)
    half = np.minimum(np.sqrt(3) * deviation, room)
    parts = list(np.stack([weight, centre, half], axis=1)[:, :, None])
    if len(parts) > 1:
        parts[0] = _tail(parts[0], deviation[0], edges[1])[:, ::-1]
        parts[-1] = _tail(parts[-1], deviation[-1], edges[-2])
    weight, centre, half = np.concatenate(parts, axis=1)
    return weight, centre, half


def _tail(stretch: np.ndarray, deviation: float, edge: float) -> np.ndarray:
    """Return an outermost bin as stretches from its inner edge outwards, shape (3, stretches).

    A bin of this mean and deviation that would reach over its inner edge becomes the law `edge + width v^p`,
    v uniform, of the same mean and deviation; otherwise it stays as it is.
    """
    weight, centre, half = stretch[:, 0]
    if half >= np.sqrt(3) * deviation:
        return stretch
    ratio = min(deviation / abs(centre - edge), _STEEPEST)
    power = ratio * ratio + ratio * np.sqrt(ratio * ratio + 1)
    cuts = np.linspace(0, 1, _TAIL_PIECES + 1) ** power
    middle, width = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts)
    reach = (centre - edge) / middle.mean()
    even = np.full(_TAIL_PIECES, weight / _TAIL_PIECES)
    return np.stack([even, edge + reach * middle, np.abs(reach) * width / 2])


def decimals_of(values: np.ndarray, most: int = 8) -> int:
    """Return the digits after the point that at least 98 % of the finite values need no more than.

    Where they need more than `most` they are not counted but enough to tell the values apart: 12, or more for
    columns of very small numbers.
    """
    size = np.abs(values)
    typical = float(np.median(size[size > 0])) if (size > 0).any() else 1.0
    for digits in range(most + 1):
        close = np.abs(np.round(values, digits) - values) <= 1e-9 * np.maximum(typical, size)
        if close.mean() > 0.98:
            return digits
    return min(max(12, 9 - int(np.floor(np.log10(typical)))), _MOST_DECIMALS)
