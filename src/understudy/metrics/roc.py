"""How well scores tell members from non-members: area under the ROC, rates on it, and their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, logit
from scipy.stats import binom, norm, rankdata
from sklearn.metrics import roc_curve

from understudy.core.results import Estimate
from understudy.core.seeds import Seed
from understudy.metrics.proportions import wilson

_DRAWS = 20_000
_CURVE_FPR = np.unique(np.concatenate([[0.0, 0.005, 0.01, 0.02, 0.03], np.linspace(0, 1, 41)]))


@dataclass(frozen=True)
class Contest:
    """Scores of several attacks on the same records; a higher score says "member".

    Attributes:
        scores: shape (attacks, records).
        is_member: shape (records,).
        inflation: factor on the non-members' part of the variance, shape (attacks,) or one for all; above
            1 where non-members also served as reference for each other's scores.
    """

    scores: np.ndarray
    is_member: np.ndarray
    inflation: np.ndarray | float = 1.0

    def among(self, chosen: np.ndarray) -> Contest:
        """Return the contest on some of the records, given as a mask of shape (records,)."""
        return Contest(self.scores[:, chosen], self.is_member[chosen], self.inflation)

    @property
    def members(self) -> int:
        """Number of members."""
        return int(self.is_member.sum())

    @property
    def outsiders(self) -> int:
        """Number of non-members."""
        return len(self.is_member) - self.members

    @cached_property
    def _placements(self) -> tuple[np.ndarray, np.ndarray]:
        """For each record the share of the other side that it beats: (attacks, members), (.., outsiders)."""
        inside, outside = self.scores[:, self.is_member], self.scores[:, ~self.is_member]
        ranks = rankdata(self.scores, axis=1)
        won = (ranks[:, self.is_member] - rankdata(inside, axis=1)) / self.outsiders
        lost = 1 - (ranks[:, ~self.is_member] - rankdata(outside, axis=1)) / self.members
        return won, lost

    @cached_property
    def auc(self) -> np.ndarray:
        """Area under the ROC of each attack, shape (attacks,); ties count half."""
        return np.asarray(self._placements[0].mean(axis=1))

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the areas, shape (attacks, attacks).

        Reference:
            DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated ROC curves,
            Biometrics 44 (1988); Sun and Xu, IEEE Signal Processing Letters 21 (2014), for the ranks.
        """
        won, lost = self._placements
        if self.members < 2 or self.outsiders < 2:
            return np.eye(len(self.scores)) / 12
        factor = np.sqrt(np.broadcast_to(self.inflation, len(self.scores)))
        outside = np.atleast_2d(np.cov(lost)) * np.outer(factor, factor) / self.outsiders
        return np.asarray(np.atleast_2d(np.cov(won)) / self.members + outside)

    def area(self, attack: int, z: float = 1.959964) -> Estimate:
        """Return the area of an attack with its interval of `z` standard errors, on the logit scale."""
        value = float(np.clip(self.auc[attack], 0.0, 1.0))
        error = math.sqrt(max(float(self.covariance[attack, attack]), 0.0))
        if not 0 < value < 1 or error == 0:
            confidence = 1 - 2 * float(norm.sf(z))
            return wilson(value, min(self.members, self.outsiders), confidence)
        half = z * error / (value * (1 - value))
        return Estimate(
            value=value, low=float(expit(logit(value) - half)), high=float(expit(logit(value) + half))
        )

    def strongest(self, seed: Seed, confidence: float = 0.95) -> tuple[int, Estimate]:
        """Return the attack of the largest area; its interval allows for having been chosen as the largest.

        The interval is one of simultaneous intervals for all attacks: the half width is the quantile of the
        largest of the correlated standardised errors instead of 1.96.

        Reference:
            Hothorn, Bretz and Westfall, Simultaneous inference in general parametric models, Biometrical
            Journal 50 (2008).
        """
        error = np.sqrt(np.maximum(np.diag(self.covariance), 1e-12))
        correlation = self.covariance / np.outer(error, error)
        values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
        draws = seed.rng().standard_normal((_DRAWS, len(values))) * np.sqrt(np.maximum(values, 0.0))
        critical = float(np.quantile(np.abs(draws @ vectors.T).max(axis=1), confidence))
        best = int(np.argmax(self.auc))
        return best, self.area(best, max(critical, float(norm.ppf(0.5 + confidence / 2))))

    def roc(self, attack: int) -> tuple[np.ndarray, np.ndarray]:
        """Return false and true positive rates of an attack, ascending, for linear interpolation."""
        fpr, tpr, _ = roc_curve(self.is_member, self.scores[attack], drop_intermediate=False)
        return fpr, tpr

    def curve(self, attack: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ROC of an attack at a fixed grid of false positive rates (no point is one record)."""
        return _CURVE_FPR, _rate(_CURVE_FPR, *self.roc(attack))

    def caught(self, attack: int, fpr: float, confidence: float = 0.95) -> Estimate:
        """Return the share of members that an attack finds at a false positive rate, with its interval.

        The interval joins the uncertainty of the share and that of the threshold, a quantile of the
        non-members' scores whose distribution-free interval lies between two of these scores.

        Reference:
            Zou and Donner, Construction of confidence limits about effect measures, Statistics in Medicine
            27 (2008), for the joining.
        """
        curve = self.roc(attack)
        value = float(_rate(np.array([fpr]), *curve)[0])
        share = wilson(value, self.members, confidence)
        tails = np.array([0.5 - confidence / 2, 0.5 + confidence / 2])
        ranks = np.asarray(binom.ppf(tails, self.outsiders, fpr))
        low, high = _rate(ranks / self.outsiders, *curve)
        # The threshold may lie above the scores of all non-members: then members above it need not be.
        low = float(low) if ranks[0] >= 1 else 0.0
        below = math.hypot(value - (share.low or 0.0), value - min(low, value))
        above = math.hypot((1.0 if share.high is None else share.high) - value, max(float(high) - value, 0.0))
        return Estimate(value=value, low=max(0.0, value - below), high=min(1.0, value + above))

    def most_caught(self, fpr: float) -> tuple[int, Estimate]:
        """Return the attack that finds most members at a false positive rate, with a Bonferroni interval."""
        rates = [float(_rate(np.array([fpr]), *self.roc(k))[0]) for k in range(len(self.scores))]
        best = int(np.argmax(rates))
        return best, self.caught(best, fpr, 1 - 0.05 / len(rates))


def _rate(at: np.ndarray, fpr: np.ndarray, tpr: np.ndarray) -> np.ndarray:
    # Where several true positive rates share one false positive rate, the largest is attained.
    levels, inverse = np.unique(fpr, return_inverse=True)
    top = np.zeros(len(levels))
    np.maximum.at(top, inverse, tpr)
    return np.asarray(np.interp(at, levels, top))
