"""The release policy: which evidence lets a synthetic dataset go out, and which holds it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from understudy.core.errors import UnknownNameError
from understudy.core.results import Detail, Evaluation, Finding, MetricResult, Outcome, Verdict

Status = Literal["met", "not_met", "inconclusive", "not_checked"]


FEWEST_JUDGED = 250
_MOST_COPIED = 0.05


@dataclass(frozen=True)
class Policy:
    """Limits that the evaluation must keep.

    Distances to the closest record are no input: they say nothing of membership (Yao et al., The DCR
    Delusion, ESORICS 2025, arXiv 2505.01524).

    Attributes:
        name: by which a plan chooses it.
        summary: whom it is for.
        tpr_limit: largest upper 95 % bound of an attack's true-positive rate at 10 % false positives;
            guessing gives 0.10.
        copy_limit: largest lower bound of the share of copied rows beyond what the holdout shows.
        broken_limit: largest share of synthetic rows that break a rule or bound.
        accepts_inconclusive: whether too little data to judge may go out, marked as such.
    """

    name: str
    summary: str
    tpr_limit: float
    accepts_inconclusive: bool
    copy_limit: float = 0.0
    broken_limit: float = 0.0


POLICIES = (
    Policy(
        "external", "For recipients outside the institution: every requirement must be shown.", 0.15, False
    ),
    Policy(
        "internal",
        "For use under the same controls as the real data: nothing may speak against it.",
        0.20,
        True,
    ),
)


def policy(name: str) -> Policy:
    """Return the policy of this name.

    Raises:
        UnknownNameError: if there is none.
    """
    for candidate in POLICIES:
        if candidate.name == name:
            return candidate
    raise UnknownNameError("policy", name, tuple(p.name for p in POLICIES))


def decide(
    evaluation: Evaluation, chosen: Policy, identifiers_kept: int, copied_share: float, chance_share: float
) -> Verdict:
    """Judge an evaluation by a policy.

    Args:
        evaluation: the results.
        chosen: the policy.
        identifiers_kept: number of real direct identifiers or keys found among the synthetic ones.
        copied_share: share of synthetic rows that equal a real one in all learned columns.
        chance_share: share of real rows that equal another real row; with it, copying is seen even where no
            holdout says what chance explains.
    """
    findings = (
        Finding(
            requirement="No direct identifier or key of a real patient appears",
            status="not_met" if identifiers_kept else "met",
            evidence=f"{identifiers_kept} real identifiers found among the synthetic ones",
        ),
        _copies(evaluation, chosen, copied_share, chance_share),
        _membership(evaluation.result("membership"), evaluation.holdout_rows, chosen),
        _plausible(evaluation.result("plausibility"), chosen),
    )
    against = [f for f in findings if f.status == "not_met"]
    unknown = [f for f in findings if f.status in ("inconclusive", "not_checked")]
    is_released = not against and (chosen.accepts_inconclusive or not unknown)
    return Verdict(
        policy=chosen.name,
        is_released=is_released,
        findings=findings,
        summary=_summary(chosen, against, unknown, is_released),
    )


def _summary(chosen: Policy, against: list[Finding], unknown: list[Finding], is_released: bool) -> str:
    if not is_released:
        reasons = " ".join(
            f"Not shown: {f.requirement}. {f.evidence.rstrip('.')}." for f in [*against, *unknown]
        )
        return f"Withheld under the {chosen.name} policy. {reasons}"
    if unknown:
        open_points = "; ".join(f.requirement[0].lower() + f.requirement[1:] for f in unknown)
        return (
            f"Released under the {chosen.name} policy for use under the same controls as the real data. "
            f"Not settled: {open_points}."
        )
    return f"Released under the {chosen.name} policy: every requirement is met."


def _copies(evaluation: Evaluation, chosen: Policy, copied_share: float, chance_share: float) -> Finding:
    requirement = "No real row is copied more often than chance explains"
    result = evaluation.result("copies")
    sizes = [1 / max(rows, 1) for rows in (evaluation.synthetic_rows, evaluation.real_rows)]
    noise = 3 * (chance_share * (1 - chance_share) * sum(sizes)) ** 0.5
    if (result is None or result.estimate is None) and copied_share > chance_share + max(_MOST_COPIED, noise):
        said = f"{copied_share:.1%} of the synthetic rows equal a real one, {chance_share:.1%} by chance"
        return Finding(requirement=requirement, status="not_met", evidence=said)
    if result is None or result.estimate is None or result.outcome is Outcome.FAILED:
        return Finding(requirement=requirement, status="not_checked", evidence=_why(result))
    low = result.estimate.value if result.estimate.low is None else result.estimate.low
    status: Status = "not_met" if low > chosen.copy_limit else "met"
    return Finding(
        requirement=requirement, status=status, evidence=result.reading or f"{result.estimate.value:.3f}"
    )


def _membership(result: MetricResult | None, holdout_rows: int, chosen: Policy) -> Finding:
    requirement = "No attack can tell who was among the real patients"
    if result is not None and result.outcome is Outcome.FAILED:
        return Finding(
            requirement=requirement, status="not_met", evidence=f"it could not be measured: {result.reason}"
        )
    if result is None or result.estimate is None:
        return Finding(requirement=requirement, status="not_checked", evidence=_why(result))
    measured = [d for d in result.details if d.measure == "TPR@10%FPR" and d.scope == "attack" and d.estimate]
    worst = next((d for d in measured if d.name == "strongest"), None) or max(
        measured, key=_high, default=None
    )
    auc_low = result.estimate.value if result.estimate.low is None else result.estimate.low
    is_evident = auc_low > 0.5 and worst is not None and _low(worst) > 0.10
    if worst is None:
        status: Status = "not_checked"
    elif is_evident and _high(worst) > chosen.tpr_limit:
        status = "not_met"
    elif result.outcome is Outcome.INCONCLUSIVE or holdout_rows < FEWEST_JUDGED:
        status = "inconclusive"
    else:
        status = "met" if _high(worst) <= chosen.tpr_limit else "inconclusive"
    return Finding(requirement=requirement, status=status, evidence=result.reading or result.reason)


def _plausible(result: MetricResult | None, chosen: Policy) -> Finding:
    requirement = "No synthetic row breaks a rule or bound of the schema"
    if result is not None and result.outcome is Outcome.NOT_APPLICABLE:
        return Finding(requirement=requirement, status="met", evidence=result.reason)
    if result is None or result.estimate is None:
        return Finding(requirement=requirement, status="not_checked", evidence=_why(result))
    status: Status = "met" if result.estimate.value <= chosen.broken_limit else "not_met"
    return Finding(requirement=requirement, status=status, evidence=result.reading)


def _why(result: MetricResult | None) -> str:
    return "not measured" if result is None else result.reason or "not measured"


def _high(detail: Detail) -> float:
    assert detail.estimate is not None
    return detail.estimate.value if detail.estimate.high is None else detail.estimate.high


def _low(detail: Detail) -> float:
    assert detail.estimate is not None
    return detail.estimate.value if detail.estimate.low is None else detail.estimate.low
