"""The margin of one numeric column as a smoothed quantile function that republishes no rare value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEWEST = 5
ATOM = 11
BINS = 1_000


@dataclass(frozen=True)
class Margin:
    """A quantile function of bins: atoms, which are exact, and uniform stretches of several people.

    A value that at least `ATOM` people share is an atom and drawn exactly. All other values are pooled in
    order into bins of at least `FEWEST` people; a bin is drawn uniformly with the mean and the standard
    deviation of its people, so that neither its values nor its extremes come back.

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
        fewest: int = FEWEST,
        atom: int = ATOM,
        bins: int = BINS,
    ) -> Margin:
        """Pool the finite `values`, shape (rows,), of one column.

        Args:
            values: at least one number.
            decimals: digits to round drawn values to.
            weights: survey weights, shape (rows,); people are still counted one by one for protection.
            fewest: smallest number of people in a bin.
            atom: smallest number of people who share an exact value.
            bins: about the largest number of bins.
        """
        order = np.argsort(values, kind="stable")
        weights = np.ones(len(values)) if weights is None else weights
        distinct, first, counts = np.unique(values[order], return_index=True, return_counts=True)
        mass = np.add.reduceat(weights[order], first)
        is_atom = counts >= atom
        size = max(fewest, int(np.ceil(len(values) / bins)))
        bin_of = _pooled(counts, is_atom, size)
        people = np.bincount(bin_of, counts)
        weight = np.bincount(bin_of, mass)
        centre = np.bincount(bin_of, mass * distinct) / weight
        variance = np.bincount(bin_of, mass * (distinct - centre[bin_of]) ** 2) / weight
        atoms = np.bincount(bin_of, is_atom) > 0
        weight, centre, variance = _without_remnants(
            people, weight, centre, variance, atoms, min(fewest, len(values))
        )
        cumulative = np.concatenate([[0.0], np.cumsum(weight)]) / weight.sum()
        return cls(cumulative, centre, np.sqrt(3 * variance), decimals)

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Return the value at each probability, both of shape (n,), rounded to the column's decimals."""
        index = np.clip(np.searchsorted(self.cumulative, u, side="right") - 1, 0, len(self.centre) - 1)
        within = (u - self.cumulative[index]) / (self.cumulative[index + 1] - self.cumulative[index])
        return np.asarray(np.round(self.centre[index] + self.half[index] * (2 * within - 1), self.decimals))

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


def _without_remnants(
    people: np.ndarray,
    weight: np.ndarray,
    centre: np.ndarray,
    variance: np.ndarray,
    atoms: np.ndarray,
    fewest: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join bins of too few people with their nearest neighbour; an atom swallows them at its own value."""
    while len(people) > 1 and ((people < fewest) & ~atoms).any():
        small = int(np.flatnonzero((people < fewest) & ~atoms)[0])
        sides = [j for j in (small - 1, small + 1) if 0 <= j < len(people)]
        near = min(sides, key=lambda j: abs(centre[j] - centre[small]))
        total = weight[near] + weight[small]
        if not atoms[near]:
            mean = (weight[near] * centre[near] + weight[small] * centre[small]) / total
            spread = weight[near] * (variance[near] + (centre[near] - mean) ** 2)
            spread += weight[small] * (variance[small] + (centre[small] - mean) ** 2)
            centre[near], variance[near] = mean, spread / total
        weight[near] = total
        people[near] += people[small]
        people, weight, centre, variance, atoms = (
            np.delete(part, small) for part in (people, weight, centre, variance, atoms)
        )
    return weight, centre, np.where(atoms, 0.0, variance)


def decimals_of(values: np.ndarray, most: int = 8) -> int:
    """Return the digits after the point that at least 98 % of the finite values need no more than."""
    for digits in range(most + 1):
        close = np.abs(np.round(values, digits) - values) < 1e-9 * np.maximum(1.0, np.abs(values))
        if close.mean() > 0.98:
            return digits
    return 12
