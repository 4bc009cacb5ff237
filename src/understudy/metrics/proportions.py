"""Intervals of shares: of one share, and of the difference of two."""

from __future__ import annotations

import math

from scipy.stats import norm

from understudy.core.results import Estimate


def wilson(share: float, rows: float, confidence: float = 0.95) -> Estimate:
    """Return a share of `rows` independent rows with its score interval; `rows` may be an effective number.

    Reference:
        Wilson, Probable inference, JASA 22 (1927).
    """
    if rows <= 0:
        return Estimate(value=share, low=0.0, high=1.0)
    z = float(norm.ppf(0.5 + confidence / 2))
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return Estimate(
        value=share, low=max(0.0, min(centre - half, share)), high=min(1.0, max(centre + half, share))
    )


def difference(first: Estimate, second: Estimate) -> Estimate:
    """Return the difference of two independent quantities, its interval recovered from theirs.

    For two shares with Wilson intervals this is Newcombe's hybrid score interval (his method 10).

    Reference:
        Newcombe, Interval estimation for the difference between independent proportions, Statistics in
        Medicine 17 (1998); Zou and Donner, Statistics in Medicine 27 (2008), for other quantities.
    """
    value = first.value - second.value
    below = math.hypot(first.value - _low(first), _high(second) - second.value)
    above = math.hypot(_high(first) - first.value, second.value - _low(second))
    return Estimate(value=value, low=value - below, high=value + above)


def excess(rows: tuple[float, float], expected: tuple[float, float], confidence: float = 0.95) -> Estimate:
    """Return by how much a share exceeds an expected one, from 0 (no more than expected) to 1.

    Args:
        rows, expected: each a share and the (effective) number of rows behind it.
        confidence: of the interval.
    """
    found = difference(wilson(*rows, confidence), wilson(*expected, confidence))
    return Estimate(value=max(found.value, 0.0), low=max(_low(found), 0.0), high=max(_high(found), 0.0))


def _low(estimate: Estimate) -> float:
    return estimate.value if estimate.low is None else estimate.low


def _high(estimate: Estimate) -> float:
    return estimate.value if estimate.high is None else estimate.high
