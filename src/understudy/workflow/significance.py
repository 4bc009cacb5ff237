"""Which differences between synthesizers are more than chance: paired over seeds, adjusted for looking often."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np
from scipy.stats import t as student

from understudy.core.contest import Change, Difference, Entrant, GapChange, Standing
from understudy.core.results import Detail, Estimate, MetricResult, pool
from understudy.metrics.fairness import ODDS, PARITY, RATIO

LEVEL = 0.05
# Smaller differences matter to nobody, however sure they are; all headline scales run over about 0 to 1.
NEGLIGIBLE = 0.01
# Larger ones that chance may explain are no likeness: the seeds are too few to say.
NOTABLE = 0.05


def paired(
    differences: Sequence[float], holdout_share: float, spread: Spread | None = None, questions: int = 1
) -> tuple[Estimate, float | None]:
    """Return the mean difference with its 95 % interval, and how often chance alone gives as much.

    The variance allows for the overlap of the training sets of random splits. Interval and chance are adjusted
    for the number of questions (Bonferroni), so that they never contradict each other.

    Args:
        differences: one per seed.
        holdout_share: test rows divided by training rows of a split.
        spread: variance of one difference, where more than these differences tell of it.
        questions: how many such differences are looked at together.

    Reference:
        Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 52 (2003), eq. 9.
    """
    mean, count = fmean(differences), len(differences)
    if count < 2:
        return Estimate(value=mean), None
    spread = spread or Spread(variance(differences), count - 1)
    error = math.sqrt(spread.variance * (1 / count + holdout_share))
    if error < 1e-12:
        return Estimate(value=mean, low=mean, high=mean), float(abs(mean) < 1e-12)
    half = float(student.ppf(1 - LEVEL / 2 / questions, spread.freedom)) * error
    chance = min(1.0, questions * 2 * float(student.sf(abs(mean) / error, spread.freedom)))
    return Estimate(value=mean, low=mean - half, high=mean + half), chance


@dataclass(frozen=True)
class Spread:
    """Variance of a difference between two entrants on one split, and its degrees of freedom."""

    variance: float
    freedom: int


def spread_of(values: np.ndarray) -> Spread:
    """Return the variance that remains of entrants on splits once both are accounted for (two-way layout).

    Three seeds say little of the variance of one pair; all entrants together say more.

    Args:
        values: shape (entrants, seeds), at least two of each.
    """
    left = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + values.mean()
    freedom = (values.shape[0] - 1) * (values.shape[1] - 1)
    return Spread(2 * float((left**2).sum()) / freedom, freedom)


def differences(leader: Entrant, entrants: Sequence[Entrant], metrics: Sequence[str]) -> list[Difference]:
    """Return how far every other entrant is from the leader, metric by metric."""
    return [found for metric in metrics for found in _differences(leader, entrants, metric)]


def _differences(leader: Entrant, entrants: Sequence[Entrant], metric: str) -> list[Difference]:
    result, seeds = leader.result(metric), _values(leader, metric).keys()
    values = {e.name: v for e in entrants if (v := _values(e, metric)).keys() == seeds and seeds}
    if result is None or leader.name not in values or len(values) < 2:
        return []
    matrix = np.array([[found[seed] for seed in seeds] for found in values.values()])
    spread = spread_of(matrix) if len(seeds) > 1 else None
    own, share = matrix[list(values).index(leader.name)], holdout_share(leader)
    found = []
    for name, row in zip(values, matrix, strict=True):
        if name != leader.name:
            estimate, chance = paired((row - own).tolist(), share, spread, len(values) - 1)
            standing = _standing(result, estimate, chance)
            found.append(
                Difference(
                    entrant=name,
                    leader=leader.name,
                    metric=metric,
                    estimate=estimate,
                    chance=chance,
                    standing=standing,
                )
            )
    return found


def _values(entrant: Entrant, metric: str) -> dict[int, float]:
    answers = {t.seed: t.evaluation.result(metric) for t in entrant.trials}
    return {
        seed: r.estimate.value
        for seed, r in answers.items()
        if r is not None and r.estimate is not None and math.isfinite(r.estimate.value)
    }


def holdout_share(entrant: Entrant) -> float:
    """Return holdout rows divided by rows learned from, averaged over the seeds."""
    shares = [t.evaluation.holdout_rows / max(t.evaluation.real_rows, 1) for t in entrant.trials]
    return fmean(shares) if shares else 0.25


def _standing(result: MetricResult, estimate: Estimate, chance: float | None) -> Standing:
    if abs(estimate.value) < NEGLIGIBLE and chance is not None:
        return "level"
    if chance is None or chance > LEVEL:
        return "unknown" if chance is None or abs(estimate.value) > NOTABLE else "level"
    return "better" if (estimate.value > 0) == (result.best > result.worst) else "worse"


def gap_changes(entrants: Sequence[Entrant], *, is_one_holdout: bool = False) -> list[GapChange]:
    """Return what becomes of the gaps between groups with each synthesizer.

    Args:
        entrants: all that finished.
        is_one_holdout: whether all seeds were judged on the same holdout rows.
    """
    return [change for entrant in entrants for change in _changes(entrant, is_one_holdout=is_one_holdout)]


def _changes(entrant: Entrant, *, is_one_holdout: bool) -> list[GapChange]:
    share = holdout_share(entrant)
    parts: dict[tuple[str, str], list[Detail]] = {}
    for trial in entrant.trials:
        result = trial.evaluation.result("fairness")
        for part in () if result is None else result.details:
            if part.measure in (PARITY, ODDS, RATIO) and _has_both(part):
                parts.setdefault((part.name, part.measure), []).append(part)
    result = entrant.result("fairness")
    found = []
    for (name, measure), same in parts.items():
        if result is None:
            continue
        read, write = (math.log, math.exp) if measure == RATIO else (float, float)
        alone = [result.model_copy(update={"details": (_mapped(part, read),)}) for part in same]
        pooled = _mapped(pool(alone, share, is_one_holdout=is_one_holdout).details[0], write)
        if pooled.estimate is not None and pooled.ceiling is not None:
            found.append(
                GapChange(
                    entrant=entrant.name,
                    group=name,
                    measure=measure,
                    real=pooled.ceiling,
                    synthetic=pooled.estimate,
                    change=_change(measure, same, share),
                )
            )
    return found


def _mapped(part: Detail, change: Callable[[float], float]) -> Detail:
    """Return a part with its gaps on another scale; ratios are pooled by their logarithms, which are symmetric."""

    def mapped(own: Estimate | None) -> Estimate | None:
        if own is None:
            return None
        ends = [None if end is None else change(end) for end in (own.low, own.high)]
        return Estimate(value=change(own.value), low=ends[0], high=ends[1])

    update = {"estimate": mapped(part.estimate), "ceiling": mapped(part.ceiling), "floor": None}
    return part.model_copy(update=update)


def _has_both(part: Detail) -> bool:
    ends = [e.value for e in (part.estimate, part.ceiling) if e is not None]
    return len(ends) == 2 and all(math.isfinite(v) and (part.measure != RATIO or v > 0) for v in ends)


def _change(measure: str, parts: Sequence[Detail], share: float) -> Change:
    """Say what becomes of a gap; a ratio counts by its logarithm, so that a third is as far from one as three."""
    ends = [
        (p.ceiling.value, p.estimate.value) for p in parts if p.ceiling is not None and p.estimate is not None
    ]
    if measure == RATIO:
        ends = [(math.log(real), math.log(made)) for real, made in ends]
    estimate, chance = paired([made - real for real, made in ends], share)
    if chance is None:
        return "unknown"
    if chance > LEVEL:
        return "keeps"
    real = fmean(r for r, _ in ends)
    made = real + estimate.value
    if real * made < 0:
        return "turns"
    return "grows" if abs(made) > abs(real) else "shrinks"
