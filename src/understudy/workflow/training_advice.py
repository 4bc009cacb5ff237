"""What to change after a run, and what it should gain: read from the curves that training left and from the figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from understudy.core.contracts import Evidence
from understudy.core.results import MetricResult
from understudy.workflow.candidates import DEFAULT_SYNTHESIZER

Finding = Literal[
    "collapsed", "under_trained", "over_fitted", "too_few_rows", "enough", "not_validated", "no_training"
]

FEWEST_ROWS = 1_000
_FEWEST_LOOKS = 8
# A gain of twice the updates below this share of all that was gained is not worth the time.
_WORTH = 0.02
# Variety that falls so far short of real rows, on its way to none, is no chance.
_COLLAPSE = 0.15
_EARLY = 0.6


@dataclass(frozen=True)
class TrainingAdvice:
    """One thing to change next.

    Attributes:
        finding: what is the matter.
        says: what was measured.
        change: what to do.
        gain: what it should gain, or that nothing is to be expected.
    """

    finding: Finding
    says: str
    change: str
    gain: str


def training_advice(evidence: Evidence) -> list[TrainingAdvice]:
    """Return what to change next, the most important first.

    Args:
        evidence: of a finished run.
    """
    curve: Sequence[Mapping[str, float]] = evidence.provenance.get("training", ())
    rows = int(evidence.provenance.get("learned_rows", 0))
    name = _name(evidence)
    found = [*_collapse(evidence)]
    if not curve:
        return [*found, _without_curve(name)]
    return [*found, *_from_curve(curve, rows)]


def _name(evidence: Evidence) -> str:
    chosen: Any = evidence.plan.get("synthesizer") or {}
    return str(chosen.get("name", "")) if isinstance(chosen, Mapping) else str(chosen)


def _collapse(evidence: Evidence) -> list[TrainingAdvice]:
    short = {
        result.title: shortfall
        for metric in ("coverage", "diversity")
        if (result := evidence.evaluation.result(metric)) is not None
        and (shortfall := _shortfall(result)) is not None
        and shortfall > _COLLAPSE
    }
    if not short:
        return []
    figures = ", ".join(f"{title.lower()} {value:.2f} below real rows" for title, value in short.items())
    return [
        TrainingAdvice(
            "collapsed",
            f"Synthetic rows do not hold the variety of the real ones: {figures}.",
            f"Use `--synthesizer {DEFAULT_SYNTHESIZER}`, which draws from real distributions; with an "
            "adversarial network, lower its learning rate or show the critic more rows at once (`pac`).",
            "Up to the shortfall above, by the figures of real rows in their place.",
        )
    ]


def _shortfall(result: MetricResult) -> float | None:
    if result.estimate is None or result.ceiling is None or result.best < result.worst:
        return None
    return result.ceiling.value - result.estimate.value


def _without_curve(name: str) -> TrainingAdvice:
    return TrainingAdvice(
        "no_training",
        f"{name or 'This synthesizer'} is not trained step by step: there are no epochs to add, and neither "
        "a device nor a time limit changes what it learns.",
        "Compare others on the same splits: `understudy compare`.",
        "Not known before it is measured.",
    )


def _from_curve(curve: Sequence[Mapping[str, float]], rows: int) -> list[TrainingAdvice]:
    looks = [
        (point["update"], point["validation"])
        for point in curve
        if math.isfinite(point.get("validation", math.nan))
    ]
    last, most = curve[-1]["update"], curve[-1].get("most", curve[-1]["update"])
    few = _too_few_rows(rows)
    if len(looks) < 2:
        return [_not_validated(last), *few]
    best_update, best = min(looks, key=lambda look: look[1])
    start, end = looks[0][1], looks[-1][1]
    total = start - best
    # Where the best came long before the end, the rest was learning by heart.
    if total <= 0 or (best_update < _EARLY * last and end - best > _WORTH * max(total, 1e-12)):
        return [_over_fitted(best_update, best, last, end), *few]
    gain = expected_gain(looks)
    if gain is not None and gain > _WORTH * total and best_update > 0.9 * last:
        return [_under_trained(last, most, best, gain)]
    return [_enough(best_update, last, best, gain), *few]


def expected_gain(looks: Sequence[tuple[float, float]]) -> float | None:
    """Return by how much twice the updates should lower the validation loss; None where too few looks tell.

    The last doubling of updates gained so much, the one before so much: the next is expected to go on at that
    ratio, and never to gain more than the last.

    Args:
        looks: updates and validation loss, oldest first.
    """
    last = looks[-1][0]
    if len(looks) < _FEWEST_LOOKS:
        return None

    def best_by(update: float) -> float:
        return min(loss for at, loss in looks if at <= max(update, looks[0][0]))

    recent = best_by(last / 2) - best_by(last)
    before = best_by(last / 4) - best_by(last / 2)
    ratio = min(recent / before, 1.0) if before > 0 else 1.0
    return recent * ratio


def _under_trained(last: float, most: float, best: float, gain: float) -> TrainingAdvice:
    stopped = "the time limit ended it" if last < most else "its updates were used up"
    change = f"Learn longer: `--set updates={2 * max(last, 1):.0f}`" + (
        " and a longer `--time-limit`." if last < most else "."
    )
    return TrainingAdvice(
        "under_trained",
        f"The loss on rows set aside was still falling after {last:,.0f} updates ({stopped}): {best:.4f}.",
        change,
        f"About {gain:.4f} of that loss, if it goes on falling as it did between a quarter, half and all of them.",
    )


def _over_fitted(best_update: float, best: float, last: float, end: float) -> TrainingAdvice:
    return TrainingAdvice(
        "over_fitted",
        f"The loss on rows set aside was best after {best_update:,.0f} of {last:,.0f} updates ({best:.4f}) and rose to "
        f"{end:.4f}: more updates did not help.",
        "Learn from more rows, or with more `weight_decay` or a smaller network; longer training will not do.",
        "None from longer training: the weights of the best look, within its noise, are already those that were kept.",
    )


def _enough(best_update: float, last: float, best: float, gain: float | None) -> TrainingAdvice:
    rest = "" if gain is None else f" Twice the updates should gain {max(gain, 0.0):.4f} of it."
    return TrainingAdvice(
        "enough",
        f"The loss on rows set aside has levelled off: {best:.4f} after {best_update:,.0f} of {last:,.0f} updates.",
        "Leave the training as it is; another synthesizer or more rows may do better: `understudy compare`.",
        f"Little or nothing from more updates.{rest}",
    )


def _not_validated(last: float) -> TrainingAdvice:
    return TrainingAdvice(
        "not_validated",
        f"No rows were set aside during {last:,.0f} updates: the curve cannot say whether more or fewer do better.",
        "Set rows aside for once: `--set validation=0.15`.",
        "Not known before it is measured.",
    )


def _too_few_rows(rows: int) -> list[TrainingAdvice]:
    if not rows or rows >= FEWEST_ROWS:
        return []
    return [
        TrainingAdvice(
            "too_few_rows",
            f"A network learned from {rows:,} rows; fewer than about {FEWEST_ROWS:,} seldom suffice for one.",
            f"Use `--synthesizer {DEFAULT_SYNTHESIZER}`, or `--synthesizer auto`, which measures it on rows set aside.",
            "Not known before it is measured: `understudy compare` tells it with intervals.",
        )
    ]
