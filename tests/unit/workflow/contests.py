"""Made-up contests, for tests of what is concluded from one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from understudy.core.catalog import Choice
from understudy.core.contest import Entrant, Trial
from understudy.core.results import (
    Axis,
    Detail,
    Estimate,
    Evaluation,
    Finding,
    MetricResult,
    Verdict,
    pool,
)

SCALES = {
    "detection": (Axis.FIDELITY, 0.5, 1.0, 0.5, 0.95),
    "pairs": (Axis.FIDELITY, 0.0, 1.0, 0.02, 0.2),
    "prediction": (Axis.UTILITY, 1.0, 0.0, 0.85, 0.5),
    "membership": (Axis.PRIVACY, 0.5, 1.0, 0.5, 0.5),
}


def entrant(
    name: str,
    figures: Mapping[str, Sequence[float]],
    *,
    refused: int = 0,
    gaps: Sequence[tuple[float, float]] = (),
    measure: str = "false positive rate ratio",
) -> Entrant:
    """Return an entrant whose metrics gave these figures, one per seed; `gaps` are (real, synthetic) per seed."""
    seeds = max([len(values) for values in figures.values()] + [len(gaps)])
    evaluations = []
    for seed in range(seeds):
        results = [_result(metric, values[seed]) for metric, values in figures.items()]
        if gaps:
            results.append(_fairness(measure, *gaps[seed]))
        evaluations.append(
            Evaluation(results=tuple(results), real_rows=400, synthetic_rows=400, holdout_rows=100)
        )
    trials = tuple(
        Trial(
            seed=seed,
            evaluation=evaluation,
            verdict=_verdict(is_refused=seed < refused),
            fit_seconds=1.0,
            fit_cpu_seconds=1.0,
            sample_seconds=0.1,
            generator_bytes=1000,
        )
        for seed, evaluation in enumerate(evaluations)
    )
    pooled = tuple(pool(same, 0.25) for same in zip(*(e.results for e in evaluations), strict=True))
    whole = evaluations[0].model_copy(update={"results": pooled, "splits": seeds})
    return Entrant(choice=Choice(name=name), trials=trials, pooled=whole)


def _result(metric: str, value: float) -> MetricResult:
    axis, best, worst, ceiling, floor = SCALES[metric]
    return MetricResult(
        metric=metric,
        title=metric.capitalize(),
        question="?",
        axis=axis,
        best=best,
        worst=worst,
        estimate=Estimate(value=value),
        ceiling=Estimate(value=ceiling),
        floor=Estimate(value=floor),
    )


def _fairness(measure: str, real: float, synthetic: float) -> MetricResult:
    part = Detail(
        scope="group",
        name="b to a",
        measure=measure,
        estimate=Estimate(value=synthetic),
        ceiling=Estimate(value=real),
    )
    return MetricResult(
        metric="fairness",
        title="Fairness",
        question="?",
        axis=Axis.FAIRNESS,
        best=0.0,
        worst=1.0,
        estimate=Estimate(value=0.1),
        details=(part,),
    )


def _verdict(*, is_refused: bool) -> Verdict:
    finding = Finding(requirement="r", status="not_met" if is_refused else "met", evidence="")
    return Verdict(policy="internal", is_released=not is_refused, findings=(finding,), summary="")
