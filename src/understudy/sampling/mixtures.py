"""Mixtures of normal distributions on a line: how many modes a column has, where, and how wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

_QUANTILES = 400
_ROUNDS = 60
_NARROWEST = 0.02
_LEAST_CHANGE = 1e-4


@dataclass(frozen=True)
class Mixture:
    """Modes in rising order: shares, centres and standard deviations, each of shape (modes,)."""

    shares: np.ndarray
    centres: np.ndarray
    spreads: np.ndarray

    @classmethod
    def fit(cls, numbers: np.ndarray, most: int) -> Mixture:
        """Fit at most `most` modes; those that too few numbers speak for vanish.

        At most 400 quantiles stand for the numbers, so that the work does not grow with the rows.

        Args:
            numbers: finite, at least one, shape (rows,).
            most: modes to begin with.

        Reference:
            Figueiredo and Jain, Unsupervised learning of finite mixture models, IEEE TPAMI 24 (2002),
            equation 17.
        """
        middle, width = float(numbers.mean()), float(numbers.std())
        if not width > 0:
            return cls(np.ones(1), np.array([middle]), np.ones(1))
        places = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        seen = numbers if len(numbers) <= _QUANTILES else np.quantile(numbers, places)
        found = cls(
            np.full(most, 1 / most),
            np.quantile(seen, (np.arange(most) + 0.5) / most),
            np.full(most, width / most),
        )
        before = -np.inf
        for _ in range(_ROUNDS):
            joint = found._log_joint(seen)
            whole = logsumexp(joint, axis=1, keepdims=True)
            found = found._stepped(seen, np.exp(joint - whole), len(numbers), width)
            if abs(whole.mean() - before) < _LEAST_CHANGE:
                break
            before = whole.mean()
        order = np.argsort(found.centres, kind="stable")
        return cls(found.shares[order], found.centres[order], found.spreads[order])

    def pick(self, numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a mode for each number, in proportion to how likely it came from there, shape (rows,)."""
        joint = self._log_joint(numbers)
        return np.asarray((joint + rng.gumbel(size=joint.shape)).argmax(axis=1))

    def _log_joint(self, numbers: np.ndarray) -> np.ndarray:
        far = (numbers[:, None] - self.centres) / self.spreads
        return np.asarray(np.log(self.shares / self.spreads) - far**2 / 2)

    def _stepped(self, numbers: np.ndarray, belongs: np.ndarray, rows: int, width: float) -> Mixture:
        people = belongs.sum(axis=0) * (rows / len(numbers))
        weight = np.maximum(people - 1.0, 0.0)
        kept = weight > 0 if (weight > 0).any() else people == people.max()
        belongs, weight = belongs[:, kept], np.maximum(weight[kept], 1e-9)
        total = belongs.sum(axis=0)
        centres = numbers @ belongs / total
        variance = (belongs * (numbers[:, None] - centres) ** 2).sum(axis=0) / total
        spreads = np.sqrt(np.maximum(variance, (_NARROWEST * width) ** 2))
        return Mixture(weight / weight.sum(), centres, spreads)
