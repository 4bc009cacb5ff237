"""The release policy: which evidence lets a synthetic dataset go out, and which holds it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from understudy.core.errors import UnknownNameError
from understudy.core.results import Detail, Estimate, Evaluation, Finding, MetricResult, Outcome, Verdict
from understudy.metrics.measures import ALL, ATTACKS, AUC, HOLDOUT, MOST_ISOLATED, STRONGEST, TPR_10, spoken

Status = Literal["met", "not_met", "inconclusive", "not_checked"]


FEWEST_JUDGED = 250
# The smallest cell that agencies of official statistics publish, as in the cell size policy of the US CMS.
FEWEST_LEARNED = 11
_MOST_COPIED = 0.05
_CHANCE_10 = 0.10
_SINGLE = "One-of-a-kind numbers come back no more often than chance and the limit allow"
_ATTACK = "No attack finds more of the people learned from than the limit allows"


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
        single_limit: largest upper 95 % bound of the share of one-of-a-kind numbers that return beyond what
            the holdout shows: the gain of an attacker who knows one such number. Refused is what exceeds it
            beyond doubt, over all columns or in one.
        copy_limit: largest share of copied rows beyond what the holdout shows that may be put down to
            chance; copies beyond doubt are refused whatever their share.
        broken_limit: largest share of synthetic rows that break a rule or bound.
        settled_from: real rows from which on every requirement must be settled. Smaller tables cannot settle
            all of them, and go out unsettled, marked as such; so do tables of any size in which few people
            have a number of their own. 0 settles everything.
    """

    name: str
    summary: str
    tpr_limit: float
    single_limit: float
    settled_from: int
    copy_limit: float = 0.01
    broken_limit: float = 0.0


POLICIES = (
    Policy(
        "external",
        "For recipients outside the institution: every requirement must be shown.",
        tpr_limit=0.15,
        single_limit=0.05,
        settled_from=0,
    ),
    Policy(
        "internal",
        "For use under the same controls as the real data: nothing may speak against it, and what a table of "
        "this size can show must be shown.",
        tpr_limit=0.20,
        single_limit=0.10,
        # The default holdout, a fifth, then holds enough people.
        settled_from=5 * FEWEST_JUDGED,
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
    single = evaluation.result("single_values")
    findings = (
        Finding(
            requirement="No direct identifier or key of a real patient appears",
            status="not_met" if identifiers_kept else "met",
            evidence=f"{identifiers_kept} real identifiers found among the synthetic ones",
        ),
        _enough_people(evaluation.real_rows),
        _copies(evaluation, chosen, copied_share, chance_share),
        _single_values(single, evaluation.holdout_rows, chosen),
        _membership(evaluation.result("membership"), chosen),
        _plausible(evaluation.result("plausibility"), chosen),
    )
    against = [f for f in findings if f.status == "not_met"]
    unknown = [f for f in findings if f.status in ("inconclusive", "not_checked")]
    rows = evaluation.real_rows + evaluation.holdout_rows
    excused = {f.requirement for f in unknown if rows < chosen.settled_from}
    if chosen.settled_from and _has_few_single_values(single):
        excused.add(_SINGLE)
    is_released = not against and all(f.requirement in excused for f in unknown)
    return Verdict(
        policy=chosen.name,
        is_released=is_released,
        findings=findings,
        summary=_summary(chosen, against, unknown, is_released),
    )


def _summary(chosen: Policy, against: list[Finding], unknown: list[Finding], is_released: bool) -> str:
    if not is_released:
        reasons = [f"Not met: {f.requirement}. {f.evidence.rstrip('.')}." for f in against]
        reasons += [f"Not shown: {f.requirement}. {f.evidence.rstrip('.')}." for f in unknown]
        return f"Withheld under the {chosen.name} policy. {' '.join(reasons)}"
    if unknown:
        open_points = "; ".join(f.requirement[0].lower() + f.requirement[1:] for f in unknown)
        return (
            f"Released under the {chosen.name} policy only, for use under the same controls as the real data, and "
            f"not shown to be safe: the rows at hand cannot settle everything, and inconclusive or unchecked is no "
            f"pass. Open: {open_points}."
        )
    return f"Released under the {chosen.name} policy: every requirement is met."


def _enough_people(rows: int) -> Finding:
    return Finding(
        requirement=f"At least {FEWEST_LEARNED} people were learned from",
        status="met" if rows >= FEWEST_LEARNED else "not_met",
        evidence=f"{rows:,} rows were learned from"
        + ("" if rows >= FEWEST_LEARNED else ": a column's mean alone says nearly what each of them has"),
    )


def _copies(evaluation: Evaluation, chosen: Policy, copied_share: float, chance_share: float) -> Finding:
    requirement = "No real row is copied more often than chance explains"
    result = evaluation.result("copies")
    sizes = [1 / max(rows, 1) for rows in (evaluation.synthetic_rows, evaluation.real_rows)]
    noise = 3 * (chance_share * (1 - chance_share) * sum(sizes)) ** 0.5
    if (result is None or result.estimate is None) and copied_share > chance_share + max(_MOST_COPIED, noise):
        said = f"{copied_share:.1%} of the synthetic rows equal a real one, {chance_share:.1%} by chance"
        return Finding(requirement=requirement, status="not_met", evidence=said)
    if result is None or result.estimate is None:
        return Finding(requirement=requirement, status="not_checked", evidence=_why(result))
    status: Status = "met" if result.estimate.value <= chosen.copy_limit else "inconclusive"
    if _low(result.estimate) > 0:
        status = "not_met"
    return Finding(
        requirement=requirement, status=status, evidence=result.reading or f"{result.estimate.value:.3f}"
    )


def _single_values(result: MetricResult | None, holdout_rows: int, chosen: Policy) -> Finding:
    if result is None or result.estimate is None:
        return Finding(requirement=_SINGLE, status=_unanswered(result, holdout_rows), evidence=_why(result))
    high, limit = _high(result.estimate), chosen.single_limit
    columns = {
        d.name: _low(d.estimate) for d in result.details if d.scope == "column" and d.estimate is not None
    }
    beyond = {name: low for name, low in columns.items() if low > limit}
    status: Status = "met" if high <= limit else "inconclusive"
    if beyond or _low(result.estimate) > limit:
        status = "not_met"
    named = "".join(f"; in {name} at least {low:.1%}" for name, low in beyond.items())
    evidence = (
        f"{result.reading} Over all columns the excess is at most {high:.1%} (limit {limit:.0%}){named}"
    )
    return Finding(requirement=_SINGLE, status=status, evidence=evidence)


def _has_few_single_values(result: MetricResult | None) -> bool:
    """Say whether too few people held out have a number of their own for a bound: more rows do not help."""
    if result is None or result.estimate is None:
        return result is not None and result.outcome is Outcome.INCONCLUSIVE
    return (result.detail(ALL, HOLDOUT).rows or 0) < FEWEST_JUDGED


def _unanswered(result: MetricResult | None, holdout_rows: int) -> Status:
    if result is not None and result.outcome is Outcome.INCONCLUSIVE:
        return "inconclusive"
    # With a holdout at hand, the question does not arise where no number is anybody's own.
    if result is not None and result.outcome is Outcome.NOT_APPLICABLE and holdout_rows:
        return "met"
    return "not_checked"


def _membership(result: MetricResult | None, chosen: Policy) -> Finding:
    if result is not None and result.outcome is Outcome.FAILED:
        said = f"it could not be measured: {result.reason}"
        return Finding(requirement=_ATTACK, status="not_met", evidence=said)
    if result is None or result.estimate is None:
        return Finding(requirement=_ATTACK, status=_unanswered(result, 0), evidence=_why(result))
    attacks = {d.name for d in result.details if d.scope == "attack"}
    if left_out := sorted(set(ATTACKS) - attacks):
        said = f"attacks were left out: {', '.join(left_out)}"
        return Finding(requirement=_ATTACK, status="not_checked", evidence=said)
    caught, people = result.detail(STRONGEST, TPR_10).estimate, result.detail(STRONGEST, AUC).rows or 0
    high = 1.0 if caught is None else _high(caught)
    is_known = people >= FEWEST_JUDGED and result.outcome is Outcome.MEASURED
    is_bounded = is_known and high <= chosen.tpr_limit
    is_evident = _low(result.estimate) > 0.5 or (caught is not None and _low(caught) > _CHANCE_10)
    status: Status = "met" if is_bounded else "inconclusive"
    isolated = _isolated_found(result.details, chosen)
    if (is_evident and not is_bounded) or isolated:
        status = "not_met"
    doubt = "It may gain more than the limit: at" if is_evident and not is_bounded else "At"
    evidence = (
        f"{result.reading or result.reason} {doubt} 10 % wrong accusations it finds at most {high:.1%} (limit "
        f"{chosen.tpr_limit:.0%}), judged with {people} people who were held out (at least {FEWEST_JUDGED})"
    )
    return Finding(requirement=_ATTACK, status=status, evidence=evidence + isolated)


def _isolated_found(details: Sequence[Detail], chosen: Policy) -> str:
    """Return what to say where an attack finds the most isolated people beyond doubt, and more than the limit."""
    found = {d.measure: d.estimate for d in details if d.name == STRONGEST and d.estimate is not None}
    area, caught = found.get(f"{AUC}, {MOST_ISOLATED}"), found.get(f"{TPR_10}, {MOST_ISOLATED}")
    high = 1.0 if caught is None else _high(caught)
    if area is None or _low(area) <= 0.5 or high <= chosen.tpr_limit:
        return ""
    return (
        f". The most isolated of them are found, beyond doubt: AUC {spoken(area, '.2f')} among them, and up to "
        f"{high:.0%} of them (limit {chosen.tpr_limit:.0%})"
    )


def _plausible(result: MetricResult | None, chosen: Policy) -> Finding:
    requirement = "No synthetic row breaks a rule or bound that the real rows keep"
    if result is not None and result.outcome is Outcome.NOT_APPLICABLE:
        return Finding(requirement=requirement, status="met", evidence=result.reason)
    if result is None or result.estimate is None:
        return Finding(requirement=requirement, status="not_checked", evidence=_why(result))
    status: Status = "met" if result.estimate.value <= chosen.broken_limit else "not_met"
    return Finding(requirement=requirement, status=status, evidence=result.reading)


def _why(result: MetricResult | None) -> str:
    return "not measured" if result is None else result.reason or "not measured"


def _high(estimate: Estimate) -> float:
    return estimate.value if estimate.high is None else estimate.high


def _low(estimate: Estimate) -> float:
    return estimate.value if estimate.low is None else estimate.low
