"""How sure a number is: 95 % intervals for means, shares and areas under the ROC curve; draws by patient."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import rankdata

from understudy.core.results import Estimate

Z95 = 1.959963984540054


def around(value: float, spread: float, low: float = -math.inf, high: float = math.inf) -> Estimate:
    """Return `value` with its normal interval; `spread` is its standard error, `low` and `high` its scale."""
    if not math.isfinite(spread):
        return Estimate(value=float(value))
    half = Z95 * float(spread)
    lower, upper = min(max(value - half, low), value), max(min(value + half, high), value)
    return Estimate(value=float(value), low=float(lower), high=float(upper))


def percentile(value: float, draws: np.ndarray) -> Estimate:
    """Return `value` with the 2.5-97.5 % range of its bootstrap draws, widened to hold the value itself."""
    draws = np.asarray(draws, dtype=np.float64)
    draws = draws[np.isfinite(draws)]
    if len(draws) < 2:
        return Estimate(value=float(value))
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(value=float(value), low=float(min(low, value)), high=float(max(high, value)))


def wilson(hits: float, trials: float) -> Estimate:
    """Return the share `hits / trials` with its Wilson score interval; a bare 0 where nothing was tried.

    Reference:
        Wilson, Probable inference, JASA 22 (1927).
    """
    if trials <= 0:
        return Estimate(value=0.0)
    share, square = hits / trials, Z95 * Z95
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    half = Z95 / (1 + square / trials) * math.sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    return Estimate(
        value=share, low=max(min(centre - half, share), 0.0), high=min(max(centre + half, share), 1.0)
    )


def auc(positive: np.ndarray, negative: np.ndarray) -> Estimate:
    """Return the area under the ROC curve with DeLong's interval.

    Args:
        positive: scores of the positive rows, shape (m,); larger should mean positive.
        negative: scores of the negative rows, shape (n,).

    Reference:
        DeLong et al., Biometrics 44 (1988); fast form: Sun and Xu, IEEE SPL 21 (2014).
    """
    m, n = len(positive), len(negative)
    if not m or not n:
        return Estimate(value=0.5)
    ranks = rankdata(np.concatenate([positive, negative]))
    by_positive = (ranks[:m] - rankdata(positive)) / n
    by_negative = 1 - (ranks[m:] - rankdata(negative)) / m
    value = float(by_positive.mean())
    if m < 2 or n < 2:
        return Estimate(value=value)
    return around(value, math.sqrt(by_positive.var(ddof=1) / m + by_negative.var(ddof=1) / n), 0.0, 1.0)


def patient_weights(patients: np.ndarray, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Return how often each row counts in bootstrap draws of whole patients, shape (draws, rows), float32.

    Args:
        patients: the patient of each row, integers, shape (rows,) (see `Dataset.patients`).
        rng: source of the draws.
        draws: number of bootstrap draws.
    """
    names, position = np.unique(patients, return_inverse=True)
    count = len(names)
    if not count:
        return np.zeros((draws, 0), dtype=np.float32)
    picked = rng.integers(0, count, size=(draws, count))
    weights = np.stack([np.bincount(row, minlength=count) for row in picked]).astype(np.float32)
    return np.asarray(weights[:, position])


def patient_draw(patients: np.ndarray, rng: np.random.Generator, rows: int | None = None) -> np.ndarray:
    """Return row positions of one bootstrap draw of whole patients, about `rows` of them (all, if None)."""
    names, position, sizes = np.unique(patients, return_inverse=True, return_counts=True)
    wanted = len(names) if rows is None else max(1, round(rows * len(names) / max(len(patients), 1)))
    picked = rng.integers(0, len(names), size=min(wanted, len(names)))
    if len(names) == len(patients):
        return np.argsort(position, kind="stable")[picked]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    order = np.argsort(position, kind="stable")
    return np.concatenate([order[starts[p] : starts[p + 1]] for p in picked])


def weighted_auc(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve for each set of row weights, NaN where a class has no weight.

    Args:
        scores: shape (rows,).
        labels: booleans, shape (rows,).
        weights: shape (draws, rows).
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(scores[order]) != 0]))
    sorted_weights = weights[:, order].astype(np.float64)
    truth = labels[order]
    positive = np.add.reduceat(sorted_weights * truth, starts, axis=1)
    negative = np.add.reduceat(sorted_weights * ~truth, starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    total = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, (positive * below).sum(axis=1) / total, np.nan))
