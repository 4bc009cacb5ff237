"""What the leaves of a tree hold: smoothed distributions, with their parents to fall back on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

GRID = 24
_NARROWEST = 1e-3
_CHUNK = 50_000


@dataclass(frozen=True)
class NormalLeaves:
    """Distributions of a normal score (or its residual): per node a mixture of equal normals.

    The mixture's centres are the node's quantiles, drawn together so that the mixture keeps the node's
    mean and variance after the kernel is added (Silverman, Density Estimation, 1986, section 6.4.1).

    Attributes:
        centres: shape (nodes, GRID).
        spread: standard deviation of the kernel in each node, shape (nodes,).
        fall_back: probability of drawing from the parent instead, shape (nodes,).
        parent: the node to fall back on, shape (nodes,).
    """

    centres: np.ndarray
    spread: np.ndarray
    fall_back: np.ndarray
    parent: np.ndarray

    @classmethod
    def fit(
        cls,
        leaf: np.ndarray,
        parent: np.ndarray,
        values: np.ndarray,
        kernel: float,
        back: float,
        weights: np.ndarray | None = None,
    ) -> NormalLeaves:
        """Describe the values of each leaf and of its parent.

        Args:
            leaf: node of each row, shape (rows,).
            parent: parent of each node, shape (nodes,).
            values: shape (rows,).
            kernel: standard deviation of the kernel as a share of the node's.
            back: weight, in people, of the parent's distribution against the leaf's own.
            weights: survey weights, shape (rows,); people are still counted one by one.
        """
        nodes = len(parent)
        own, count = _quantiles(leaf, values, nodes, weights)
        above, _ = _quantiles(parent[leaf], values, nodes, weights)
        grid = np.where((count > 0)[:, None], own, above)
        mean, spread = grid.mean(axis=1, keepdims=True), grid.std(axis=1)
        shrink = np.sqrt(1 + kernel * kernel)
        centres = mean + (grid - mean) / shrink
        width = np.maximum(kernel * spread / shrink, _NARROWEST)
        return cls(
            centres.astype(np.float32), width.astype(np.float32), _fall_back(count, back, parent), parent
        )

    @classmethod
    def standard(cls) -> NormalLeaves:
        """Return the standard normal distribution as a single node."""
        one = np.zeros(1)
        return cls(np.zeros((1, 1), np.float32), np.ones(1, np.float32), one, one.astype(np.int64))

    def draw(self, leaf: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one value for each row's leaf, shape (rows,)."""
        node = np.where(rng.random(len(leaf)) < self.fall_back[leaf], self.parent[leaf], leaf)
        size = self.centres.shape[1]
        place = _stratified(node, rng) * size
        component = np.minimum(place.astype(np.int64), size - 1)
        # What is left of the place inside its component is even too: it places the draw within the kernel.
        within = place - component if size == 1 else rng.random(len(leaf))
        kernel = ndtri(np.clip(within, 1e-12, 1 - 1e-12))
        return np.asarray(self.centres[node, component] + self.spread[node] * kernel)

    def draw_within(
        self, leaf: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw one value for each row inside a union of intervals.

        Args:
            leaf: shape (rows,).
            low, high: ends of the intervals, shape (rows, intervals).
            rng: source of randomness.

        Returns:
            Values and the probability of the intervals, both of shape (rows,); where that is 0 the value is
            the nearest end of the first interval.
        """
        drawn, mass = np.empty(len(leaf)), np.empty(len(leaf))
        size = max(_CHUNK // max(low.shape[1], 1), 1)
        for start in range(0, len(leaf), size):
            rows = slice(start, start + size)
            drawn[rows], mass[rows] = self._draw_chunk(leaf[rows], low[rows], high[rows], rng)
        return drawn, mass

    def _draw_chunk(
        self, leaf: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        back = self.fall_back[leaf]
        centre = np.concatenate([self.centres[leaf], self.centres[self.parent[leaf]]], axis=1).astype(
            np.float64
        )
        size = self.centres.shape[1]
        width = np.repeat(
            np.stack([self.spread[leaf], self.spread[self.parent[leaf]]], axis=1), size, axis=1
        ).astype(np.float64)
        share = np.repeat(np.stack([1 - back, back], axis=1) / size, size, axis=1)
        from_low = (low[:, None, :] - centre[:, :, None]) / width[:, :, None]
        to_high = (high[:, None, :] - centre[:, :, None]) / width[:, :, None]
        weight = (share[:, :, None] * _between(from_low, to_high)).reshape(len(leaf), -1)
        mass = weight.sum(axis=1)
        picked = (np.cumsum(weight, axis=1) < (rng.random(len(leaf)) * mass)[:, None]).sum(axis=1)
        picked = np.minimum(picked, weight.shape[1] - 1)
        rows, component = np.arange(len(leaf)), picked // low.shape[1]
        a, b = (part.reshape(len(leaf), -1)[rows, picked] for part in (from_low, to_high))
        z = _truncated(a, b, rng.random(len(leaf)))
        value = centre[rows, component] + width[rows, component] * z
        interval = picked % low.shape[1]
        value = np.clip(value, low[rows, interval], high[rows, interval])
        return np.where(mass > 0, value, np.clip(centre[:, 0], low[:, 0], high[:, 0])), mass


@dataclass(frozen=True)
class LevelLeaves:
    """Distributions of codes: per node the counts of the codes that its people have.

    Attributes:
        key: `node * size + code`, sorted, one entry per code that occurs in a node.
        count: people behind each key.
        size: number of codes.
        fall_back, parent: as in `NormalLeaves`.
    """

    key: np.ndarray
    count: np.ndarray
    size: int
    fall_back: np.ndarray
    parent: np.ndarray

    @classmethod
    def fit(
        cls,
        leaf: np.ndarray,
        parent: np.ndarray,
        codes: np.ndarray,
        size: int,
        back: float,
        weights: np.ndarray | None = None,
    ) -> LevelLeaves:
        """Count the codes of each leaf and of its parent; arguments as in `NormalLeaves.fit`."""
        people = np.bincount(leaf, minlength=len(parent))
        key, count = _counted(leaf * size + codes, weights)
        if len(parent) > 1:
            above = parent[leaf]
            is_inner = people[above] == 0
            inner_weights = None if weights is None else weights[is_inner]
            parent_key, parent_count = _counted(above[is_inner] * size + codes[is_inner], inner_weights)
            key, count = np.concatenate([key, parent_key]), np.concatenate([count, parent_count])
            order = np.argsort(key, kind="stable")
            key, count = key[order], count[order]
        return cls(key, count, size, _fall_back(people, back, parent), parent)

    def draw(self, leaf: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one code for each row's leaf, shape (rows,)."""
        node = np.where(rng.random(len(leaf)) < self.fall_back[leaf], self.parent[leaf], leaf)
        ends, start, total = self._table(self.count)
        position = start[node] + _stratified(node, rng) * total[node]
        found = np.minimum(np.searchsorted(ends, position, side="right"), len(self.key) - 1)
        return np.asarray(self.key[found] % self.size)

    def draw_among(
        self, leaf: np.ndarray, allowed: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw one code among the allowed ones (bool, shape (size,)) for each row.

        Returns:
            Codes and the probability of the allowed codes, both of shape (rows,); where that is 0 the code is
            the first allowed one.
        """
        ends, start, total = self._table(np.where(allowed[self.key % self.size], self.count, 0))
        _, _, everyone = self._table(self.count)
        back, parent = self.fall_back[leaf], self.parent[leaf]
        own = (1 - back) * total[leaf] / np.maximum(everyone[leaf], 1)
        above = back * total[parent] / np.maximum(everyone[parent], 1)
        mass = own + above
        node = np.where(rng.random(len(leaf)) * mass < own, leaf, parent)
        position = start[node] + rng.random(len(leaf)) * total[node]
        found = np.minimum(np.searchsorted(ends, position, side="right"), len(self.key) - 1)
        first = int(np.argmax(allowed))
        return np.where(mass > 0, self.key[found] % self.size, first), mass

    def probability(self, leaf: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the probability of each row's code, shape (rows,)."""
        _, _, everyone = self._table(self.count)

        def share(node: np.ndarray) -> np.ndarray:
            wanted = node * self.size + codes
            found = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
            people = np.where(self.key[found] == wanted, self.count[found], 0)
            return np.asarray(people / np.maximum(everyone[node], 1))

        back = self.fall_back[leaf]
        return np.asarray((1 - back) * share(leaf) + back * share(self.parent[leaf]))

    def _table(self, count: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        total = np.bincount(self.key // self.size, count, minlength=len(self.parent))
        return np.cumsum(count), np.cumsum(total) - total, total


def _stratified(node: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return uniform numbers, shape (rows,), spread evenly over the rows of each node in random order.

    Rows of a node take one number from each of as many equal strata, so that they show the node's
    distribution with far less noise than independent draws (Cochran, Sampling Techniques, 1977, chapter 5).
    """
    order = np.argsort(node + rng.random(len(node)), kind="stable")
    ordered = node[order]
    count = np.bincount(ordered)
    rank = np.arange(len(node)) - (np.cumsum(count) - count)[ordered]
    even = np.empty(len(node))
    even[order] = (rank + rng.random(len(node))) / count[ordered]
    return np.minimum(even, 1 - 1e-12)


def _fall_back(count: np.ndarray, back: float, parent: np.ndarray) -> np.ndarray:
    if len(parent) == 1:
        return np.zeros(1)
    return np.asarray(np.where(count > 0, back / np.maximum(count + back, 1), 0.0))


def _counted(key: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct keys in order, and the people (or the sum of weights) behind each."""
    if weights is None:
        distinct, count = np.unique(key, return_counts=True)
        return distinct, count
    distinct, place = np.unique(key, return_inverse=True)
    return distinct, np.bincount(place, weights, minlength=len(distinct))


def _quantiles(
    node: np.ndarray, values: np.ndarray, nodes: int, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return GRID evenly spaced quantiles of each node, shape (nodes, GRID), and its number of rows."""
    order = np.lexsort((values, node))
    ordered = np.append(values[order], 0.0)
    count = np.bincount(node, minlength=nodes)
    start, last = np.cumsum(count) - count, np.maximum(count - 1, 0)
    if weights is None:
        position = np.clip((np.arange(GRID) + 0.5) / GRID * count[:, None] - 0.5, 0, last[:, None])
    else:
        position = _weighted_positions(node[order], weights[order], count, start, last)
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, last[:, None])
    share = position - below
    grid = ordered[start[:, None] + below] * (1 - share) + ordered[start[:, None] + above] * share
    return grid, count


def _weighted_positions(
    node: np.ndarray, weights: np.ndarray, count: np.ndarray, start: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Return where in each node's ordered rows the quantiles lie, counted in rows, shape (nodes, GRID).

    A row sits in the middle of its own weight; equal weights give the unweighted positions.
    """
    total = np.bincount(node, weights, minlength=len(count))
    before = np.cumsum(weights) - (np.cumsum(total) - total)[node]
    # Places of all nodes one after the other: node number plus the share of its weight that lies below.
    middle = node + np.clip((before - weights / 2) / np.maximum(total[node], 1e-300), 0.0, 1 - 1e-9)
    wanted = (np.arange(len(count))[:, None] + (np.arange(GRID) + 0.5) / GRID).ravel()
    place = np.interp(wanted, middle, np.arange(len(node), dtype=np.float64)).reshape(len(count), GRID)
    return np.asarray(np.clip(place - start[:, None], 0, last[:, None]))


def _between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the standard normal probability between two points, exact in both tails."""
    flipped = low > 0
    a, b = np.where(flipped, -high, low), np.where(flipped, -low, high)
    return np.asarray(np.maximum(ndtr(b) - ndtr(a), 0.0))


def _truncated(low: np.ndarray, high: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return standard normal quantiles between two points at probabilities `u` of that stretch."""
    flipped = low > 0
    a, b = np.where(flipped, -high, low), np.where(flipped, -low, high)
    z = ndtri(np.clip(ndtr(a) + u * (ndtr(b) - ndtr(a)), 1e-300, 1 - 1e-16))
    return np.asarray(np.where(flipped, -z, z))
