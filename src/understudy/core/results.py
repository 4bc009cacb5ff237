"""What an evaluation says: estimates with intervals, results with their anchors, figures, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from statistics import fmean, variance
from typing import Annotated, Literal

from pydantic import Field

from understudy.core.values import Value


class Axis(StrEnum):
    """What a metric asks about."""

    FIDELITY = "fidelity"
    UTILITY = "utility"
    PRIVACY = "privacy"
    FAIRNESS = "fairness"
    PLAUSIBILITY = "plausibility"
    DIVERSITY = "diversity"


class Outcome(StrEnum):
    """How a measurement ended."""

    MEASURED = "measured"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"


class Estimate(Value):
    """A number with its 95 % interval; `low` and `high` are None where none can be given."""

    value: float
    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Say whether the interval contains `value` (a bare number contains itself only)."""
        low = self.value if self.low is None else self.low
        high = self.value if self.high is None else self.high
        return low <= value <= high


class Detail(Value):
    """A part of a result: one column, pair, group, attack, model or rule.

    Attributes:
        scope: what kind of part it is.
        name: the part's name, e.g. the column; pairs are written `a × b`.
        measure: the quantity, where a result has several (`AUC`, `TPR@10%FPR`).
        rows: the number of rows behind it, where that matters.
        note: a remark, e.g. why there is no estimate.
    """

    scope: Literal["column", "pair", "group", "attack", "model", "rule", "table"]
    name: str
    measure: str = ""
    estimate: Estimate | None = None
    ceiling: Estimate | None = None
    floor: Estimate | None = None
    rows: int | None = None
    note: str = ""


class Histogram(Value):
    """Shares of real and synthetic rows per bin of a column; bins of few real people carry None.

    `edges` has one more entry than the shares; for levels, `levels` names each share instead. `kind` says
    how `edges` read: plain numbers, or seconds since 1970 for dates.
    """

    figure: Literal["histogram"] = "histogram"
    column: str
    unit: str | None = None
    kind: Literal["number", "datetime", "levels"] = "number"
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    real: tuple[float | None, ...]
    synthetic: tuple[float | None, ...]


class Matrix(Value):
    """A square matrix of associations between columns, e.g. real, synthetic or their difference."""

    figure: Literal["matrix"] = "matrix"
    name: str
    labels: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


class Curve(Value):
    """Points of a curve, e.g. the ROC of an attack."""

    figure: Literal["curve"] = "curve"
    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_title: str = ""
    y_title: str = ""


Figure = Annotated[Histogram | Matrix | Curve, Field(discriminator="figure")]


class MetricResult(Value):
    """The answer of a metric: an estimate between its anchors, with parts, or the reason why there is none.

    Attributes:
        metric: the catalog name.
        title: its name for people.
        question: the question in words that a clinician understands.
        best, worst: the ends of the scale; which is larger tells the direction.
        estimate: the answer for the synthetic data.
        ceiling: the same measurement with real holdout rows in place of the synthetic ones.
        floor: the same measurement with independently shuffled columns in place of the synthetic ones.
        reading: what the answer means, in a sentence.
        advice: what to do when it is bad.
    """

    metric: str
    title: str
    question: str
    axis: Axis
    best: float
    worst: float
    outcome: Outcome = Outcome.MEASURED
    reason: str = ""
    estimate: Estimate | None = None
    ceiling: Estimate | None = None
    floor: Estimate | None = None
    details: tuple[Detail, ...] = ()
    figures: tuple[Figure, ...] = ()
    reading: str = ""
    advice: str = ""
    seconds: float = 0.0
    splits: int = 1

    def detail(self, name: str, measure: str = "") -> Detail:
        """Return the part of this name and measure; raises KeyError if there is none."""
        for part in self.details:
            if part.name == name and measure in ("", part.measure):
                return part
        raise KeyError(f"{self.metric} has no detail {name!r} {measure!r}")


class Evaluation(Value):
    """All results about one synthetic dataset.

    Attributes:
        results: one per metric, in the order of the plan.
        real_rows, synthetic_rows, holdout_rows: sizes of the compared datasets.
        splits: number of train/holdout splits that the results are pooled over.
    """

    results: tuple[MetricResult, ...]
    real_rows: int
    synthetic_rows: int
    holdout_rows: int
    splits: int = 1

    def result(self, metric: str) -> MetricResult | None:
        """Return the result of a metric, or None if it was not asked."""
        return next((r for r in self.results if r.metric == metric), None)

    def on(self, axis: Axis) -> tuple[MetricResult, ...]:
        """Return the results of one axis."""
        return tuple(r for r in self.results if r.axis is axis)


class Finding(Value):
    """One requirement of a release policy, and whether the evaluation meets it."""

    requirement: str
    status: Literal["met", "not_met", "inconclusive", "not_checked"]
    evidence: str


class Verdict(Value):
    """What the release policy decides: released, or withheld with reasons."""

    policy: str
    is_released: bool
    findings: tuple[Finding, ...]
    summary: str


def pool(
    results: Sequence[MetricResult], holdout_share: float, *, is_one_holdout: bool = False
) -> MetricResult:
    """Pool the results of one metric over repeated random splits into one result.

    An interval that every split keeps inside the metric's scale stays inside it.

    Values are averaged; intervals use the corrected resampled variance, which allows for the overlap of
    the training sets. Details are matched by scope, name and measure; figures come from the first split.

    Args:
        results: results of the same metric, one per split.
        holdout_share: test rows divided by training rows of each split.
        is_one_holdout: whether all were measured on the same holdout rows, which repeating makes no surer.

    Reference:
        Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 52 (2003), eq. 9.
    """
    first = results[0]
    measured = [r for r in results if r.estimate is not None]
    if len(results) == 1 or not measured:
        return first

    def pooled(estimates: Sequence[Estimate | None]) -> Estimate | None:
        return _pooled(estimates, holdout_share, is_one_holdout=is_one_holdout)

    parts: dict[tuple[str, str, str], list[Detail]] = {}
    for result in measured:
        for part in result.details:
            parts.setdefault((part.scope, part.name, part.measure), []).append(part)
    details = tuple(
        same[0].model_copy(
            update={
                "estimate": pooled([d.estimate for d in same]),
                "ceiling": pooled([d.ceiling for d in same]),
                "floor": pooled([d.floor for d in same]),
            }
        )
        for same in parts.values()
    )
    return measured[0].model_copy(
        update={
            "estimate": _on_scale(first, [r.estimate for r in measured], pooled),
            "ceiling": _on_scale(first, [r.ceiling for r in measured], pooled),
            "floor": _on_scale(first, [r.floor for r in measured], pooled),
            "details": details,
            "seconds": sum(r.seconds for r in results),
            "splits": len(measured),
        }
    )


def _on_scale(
    result: MetricResult,
    estimates: Sequence[Estimate | None],
    pool_of: Callable[[Sequence[Estimate | None]], Estimate | None],
) -> Estimate | None:
    pooled = pool_of(estimates)
    low, high = min(result.best, result.worst), max(result.best, result.worst)
    ends = [end for e in estimates if e is not None for end in (e.value, e.low, e.high) if end is not None]
    if (
        pooled is None
        or pooled.low is None
        or pooled.high is None
        or not all(low <= end <= high for end in ends)
    ):
        return pooled
    return Estimate(value=pooled.value, low=max(pooled.low, low), high=min(pooled.high, high))


def _pooled(
    estimates: Sequence[Estimate | None], holdout_share: float, *, is_one_holdout: bool
) -> Estimate | None:
    values = [e.value for e in estimates if e is not None and math.isfinite(e.value)]
    if not values:
        return None
    mean = fmean(values)
    if len(values) < 2:
        return next(e for e in estimates if e is not None and math.isfinite(e.value))
    spread = math.sqrt(variance(values) * (1 / len(values) + holdout_share))
    whole = [e for e in estimates if e is not None and e.low is not None and e.high is not None]
    below = [e.value - e.low for e in whole if e.low is not None and math.isfinite(e.low)]
    above = [e.high - e.value for e in whole if e.high is not None and math.isfinite(e.high)]
    if is_one_holdout:
        # What the holdout leaves open comes on top of what differs from fit to fit, and stays.
        spread = math.sqrt(variance(values) / len(values))
        low, high = (math.hypot(1.96 * spread, fmean(sides) if sides else 0.0) for sides in (below, above))
    else:
        low, high = (
            max(1.96 * spread, fmean(sides) / math.sqrt(len(sides)) if sides else 0.0)
            for sides in (below, above)
        )
    return Estimate(value=mean, low=mean - low, high=mean + high)
