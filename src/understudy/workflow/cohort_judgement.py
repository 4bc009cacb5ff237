"""The judgement of a cohort: plausibility rules, what was asked, targets, and published figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.core.conditions import Share
from understudy.core.dataset import Dataset
from understudy.core.results import Evaluation, Finding, MetricResult, Verdict
from understudy.metrics.clinical import without_real
from understudy.metrics.reference import against_published
from understudy.populations.calibration import Calibrated
from understudy.populations.cohorts import Wish
from understudy.populations.definitions import Definition
from understudy.populations.targets import Target, says
from understudy.workflow.cohort_drawing import Drawn, Tally
from understudy.workflow.plan import Plan

AGREEING = 0.9
JUDGED = 50_000
"""Rows of a large cohort that its metrics look at; conditions and hard rules are checked on every row."""
_CLOSE = 0.005
NO_PRIVATE = (
    "the population is built from aggregates of a public-use survey and from published figures; no private record "
    "was read. Attacks on the privacy of people learned from do not apply: there are none"
)


@dataclass(frozen=True)
class Judged:
    """The evaluation of a cohort, and whether it goes out."""

    evaluation: Evaluation
    verdict: Verdict


def judge_cohort(
    plan: Plan, drawn: Drawn, wish: Wish, people: Dataset, defined: Sequence[Definition]
) -> Judged:
    """Judge a cohort.

    Args:
        plan: the plan.
        drawn: its rows as they are released, what was counted of them, and what calibration reached.
        wish: what every row must satisfy.
        people: rows of the whole population, drawn without conditions.
        defined: the conditions asked for, whose prevalence is compared with the published one.
    """
    rows = drawn.shown.rows
    clinical = without_real(drawn.shown.with_frame(drawn.shown.frame.head(JUDGED)))
    whole = {name for name in (*plan.cohort.conditions, *plan.cohort.exclude) if ":" not in name}
    reference = against_published(people, {d.condition: d.when for d in defined if d.condition in whole})
    evaluation = Evaluation(results=(reference, clinical), real_rows=0, synthetic_rows=rows, holdout_rows=0)
    findings = [
        Finding(requirement="No private record was used", status="met", evidence=NO_PRIVATE),
        _as_asked(drawn.tally, wish),
        _plausible(clinical),
        _agrees(reference),
    ]
    if drawn.calibrated is not None:
        findings.insert(2, _on_target(drawn.calibrated, rows))
    against = [f for f in findings if f.status == "not_met"]
    open_points = [f for f in findings if f.status in ("inconclusive", "not_checked")]
    is_released = not against and (plan.policy == "internal" or not open_points)
    return Judged(
        evaluation,
        Verdict(
            policy=plan.policy,
            is_released=is_released,
            findings=tuple(findings),
            summary=_summary(plan.policy, is_released, against, open_points),
        ),
    )


def _summary(policy: str, is_released: bool, against: list[Finding], open_points: list[Finding]) -> str:
    if not is_released:
        held = against if policy == "internal" else [*against, *open_points]
        reasons = "; ".join(f"{f.requirement.lower()}: {f.evidence.rstrip('.')}" for f in held)
        return f"Withheld under the {policy} policy. {reasons}."
    text = (
        f"Released under the {policy} policy. No row describes a person, and no private record was used. The rows "
        "follow published knowledge: they can show what is known, and cannot show anything new."
    )
    return (
        f"{text} Not settled: {'; '.join(f.requirement.lower() for f in open_points)}."
        if open_points
        else text
    )


def _as_asked(tally: Tally, wish: Wish) -> Finding:
    requirement = "Every patient is as asked, and the proportions are exact to one patient"
    off = [s.says() for s in wish.shares if isinstance(s, Share) and _off(tally, s) >= 1]
    evidence = f"{tally.broken} of {tally.rows} patients break a condition"
    if wish.shares:
        evidence += (
            f"; {len(off)} of {len(wish.shares)} proportions are off{': ' + '; '.join(off) if off else ''}"
        )
    is_met = not tally.broken and not off
    return Finding(requirement=requirement, status="met" if is_met else "not_met", evidence=evidence)


def _off(tally: Tally, share: Share) -> float:
    return abs((tally.shares or {})[share.column, share.value] - share.proportion * tally.rows)


def _on_target(found: Calibrated, rows: int) -> Finding:
    missed = [
        f"{says(r.target)} reached {r.reached:.4g}"
        for r in found.reached
        if _misses(r.target, r.reached, rows)
    ]
    evidence = (
        "; ".join(missed)
        if missed
        else "; ".join(
            f"{says(r.target)}: reached {r.reached:.4g}, {r.before:.4g} without" for r in found.reached
        )
    )
    return Finding(
        requirement="The targets are reached", status="inconclusive" if missed else "met", evidence=evidence
    )


def _misses(target: Target, reached: float, rows: int) -> bool:
    if target.statistic in ("proportion", "correlation"):
        return abs(reached - target.value) > max(0.01, 1 / rows)
    # A quantile of values written with few digits moves in steps.
    allowed = 0.02 if target.statistic == "quantile" else _CLOSE
    return abs(reached - target.value) > allowed * abs(target.value)


def _plausible(result: MetricResult) -> Finding:
    requirement = "No patient breaks a hard plausibility rule"
    if result.estimate is None:
        return Finding(requirement=requirement, status="not_checked", evidence=result.reason)
    return Finding(
        requirement=requirement,
        status="not_met" if result.estimate.value > 0 else "met",
        evidence=result.reading,
    )


def _agrees(result: MetricResult) -> Finding:
    requirement = "The population agrees with published figures"
    if result.estimate is None:
        return Finding(requirement=requirement, status="not_checked", evidence=result.reason)
    agrees = result.estimate.value >= AGREEING
    return Finding(
        requirement=requirement, status="met" if agrees else "inconclusive", evidence=result.reading
    )
