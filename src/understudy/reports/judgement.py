"""How good an answer is, read from its own anchors; the release policy, not this, decides on release."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from understudy.core.results import Axis, Estimate, MetricResult, Outcome

Tone = Literal["good", "fair", "bad", "neutral"]

# Distance from what real rows reach, as a share of the way to shuffled columns.
GOOD_GAP = 0.15
FAIR_GAP = 0.5
# Anchors this close, as a share of the scale, tell good from bad only by chance.
CLOSE_ANCHORS = 0.2
# Privacy has no such way to go: distance as a share of the whole scale. An attack's AUC of 0.52 is 0.04.
FAIR_GAIN = 0.04

SIGNS: dict[Tone, str] = {"good": "✓", "fair": "~", "bad": "✕", "neutral": "·"}


class Judgement(NamedTuple):
    """A tone, and the reason for it in a few words."""

    tone: Tone
    words: str


def is_better(result: MetricResult, one: float, other: float) -> bool:
    """Say whether `one` is at least as good as `other` on the scale of a result."""
    return one >= other if result.best >= result.worst else one <= other


def judge(result: MetricResult) -> Judgement:
    """Judge a result against what real rows reach and what shuffled columns reach."""
    if result.outcome is Outcome.INCONCLUSIVE:
        return Judgement("neutral", "inconclusive: too few rows to say")
    if result.outcome is Outcome.FAILED:
        return Judgement("neutral", "could not be measured")
    if result.outcome is Outcome.NOT_APPLICABLE:
        return Judgement("neutral", "does not apply")
    if result.estimate is None or math.isnan(result.estimate.value):
        return Judgement("neutral", "no value")
    if result.axis is Axis.PRIVACY:
        return _judge_privacy(result, result.estimate)
    return _judge_likeness(result, result.estimate)


def _target(result: MetricResult) -> float:
    """Return what real rows reach; a holdout that by chance does better than the ideal counts as the ideal."""
    ceiling = result.ceiling.value if result.ceiling else math.nan
    if not math.isfinite(ceiling) or is_better(result, ceiling, result.best):
        return result.best if math.isfinite(result.best) else ceiling
    return ceiling


def _reaches(result: MetricResult, estimate: Estimate, target: float) -> bool:
    ends = [e for e in (estimate.value, estimate.low, estimate.high) if e is not None]
    return any(is_better(result, end, target) for end in ends)


def _judge_privacy(result: MetricResult, estimate: Estimate) -> Judgement:
    target = _target(result)
    if _reaches(result, estimate, target):
        return Judgement("good", "no more than unseen people show")
    scale = abs(result.best - result.worst)
    gain = abs(estimate.value - target) / scale if 0 < scale < math.inf else math.inf
    return (
        Judgement("fair", "slightly more than chance")
        if gain <= FAIR_GAIN
        else Judgement("bad", "more than chance: training rows can be told apart")
    )


def _judge_likeness(result: MetricResult, estimate: Estimate) -> Judgement:
    target = _target(result)
    has_floor = result.floor is not None and is_better(result, target, result.floor.value)
    scale = (
        abs(target - result.floor.value) if has_floor and result.floor else abs(result.best - result.worst)
    )
    if is_better(result, estimate.value, target):
        gap = 0.0
    else:
        gap = abs(estimate.value - target) / scale if 0 < scale < math.inf else math.inf
    who = "real rows" if result.ceiling else "the ideal"
    if gap <= GOOD_GAP or (gap <= FAIR_GAP and _reaches(result, estimate, target)):
        return Judgement(
            "good", f"as good as {who}" if _reaches(result, estimate, target) else f"close to {who}"
        )
    if scale <= CLOSE_ANCHORS * abs(result.best - result.worst) and _reaches(result, estimate, target):
        return Judgement("fair", f"within the noise of {who}: too few rows to say more")
    if gap <= FAIR_GAP:
        return Judgement("fair", f"some way from {who}")
    return Judgement("bad", f"far from {who}")
