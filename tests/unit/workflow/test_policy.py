"""The release policy: what lets a synthetic table go out, and what holds it back."""

from __future__ import annotations

import pytest

from understudy.core.errors import UnknownNameError
from understudy.core.results import Axis, Detail, Estimate, Evaluation, MetricResult, Outcome, Verdict
from understudy.metrics.attacks.catalog import NAMES as ATTACKS
from understudy.metrics.membership import Membership
from understudy.workflow.policy import decide, policy


def result(metric: str, estimate: Estimate | None, **about: object) -> MetricResult:
    shared = {
        "title": metric,
        "question": "?",
        "axis": Axis.PRIVACY,
        "best": 0.0,
        "worst": 1.0,
        "reading": "read",
    }
    return MetricResult(metric=metric, estimate=estimate, **{**shared, **about})  # type: ignore[arg-type]


Numbers = tuple[float, float, float]


def of(numbers: Numbers) -> Estimate:
    return Estimate(value=numbers[0], low=numbers[1], high=numbers[2])


def attack(
    auc: Numbers,
    caught: Numbers,
    people: int = 400,
    isolated: tuple[Numbers, Numbers] | None = None,
    left_out: str = "",
    **about: object,
) -> MetricResult:
    parts = [("AUC", auc), ("TPR@10%FPR", caught)]
    if isolated is not None:
        parts += [("AUC, most isolated", isolated[0]), ("TPR@10%FPR, most isolated", isolated[1])]
    details = [
        Detail(scope="attack", name=name, measure=measure, estimate=of(numbers), rows=people)
        for name in ("strongest", *ATTACKS)
        if name != left_out
        for measure, numbers in parts
    ]
    return result("membership", of(auc), details=tuple(details), **about)


def numbers(whole: Numbers, people: int = 300, **columns: Numbers) -> MetricResult:
    details = [
        Detail(scope="table", name="all numbers", measure="share of holdout values", rows=people),
        *(
            Detail(scope="column", name=name, measure="excess share", estimate=of(found))
            for name, found in columns.items()
        ),
    ]
    return result("single_values", of(whole), details=tuple(details))


SAFE = attack((0.50, 0.48, 0.52), (0.10, 0.07, 0.13))
SEEN = attack((0.70, 0.66, 0.74), (0.40, 0.33, 0.47))
BLURRED = attack((0.52, 0.46, 0.58), (0.12, 0.02, 0.24))
COPIES = result("copies", Estimate(value=0.0, low=0.0, high=0.01))
COPIED = result("copies", Estimate(value=0.3, low=0.25, high=0.35))
SINGLE = numbers((0.01, 0.0, 0.04), bmi=(0.03, 0.0, 0.2))
PLAUSIBLE = result("plausibility", Estimate(value=0.0))
BROKEN = result("plausibility", Estimate(value=0.01))
ABSENT = result("copies", None, outcome=Outcome.NOT_APPLICABLE, reason="it needs a holdout")


def verdict(
    *results: MetricResult,
    name: str = "external",
    kept: int = 0,
    rows: int = 1000,
    holdout: int = 400,
    copied: float = 0.0,
    chance: float = 0.0,
) -> Verdict:
    evaluation = Evaluation(results=results, real_rows=rows, synthetic_rows=1000, holdout_rows=holdout)
    return decide(evaluation, policy(name), kept, copied, chance)


def status(requirement: str, *results: MetricResult, **about: object) -> str:
    said = verdict(*results, **about)  # type: ignore[arg-type]
    (found,) = (f.status for f in said.findings if requirement in f.requirement)
    return found


def test_what_meets_every_requirement_is_released() -> None:
    for name in ("internal", "external"):
        said = verdict(COPIES, SINGLE, SAFE, PLAUSIBLE, name=name)
        assert said.is_released
        assert {f.status for f in said.findings} == {"met"}


@pytest.mark.parametrize(
    ("results", "kept"),
    [
        ((COPIED, SINGLE, SAFE, PLAUSIBLE), 0),
        ((COPIES, numbers((0.2, 0.15, 0.25)), SAFE, PLAUSIBLE), 0),
        ((COPIES, SINGLE, SEEN, PLAUSIBLE), 0),
        ((COPIES, SINGLE, SAFE, BROKEN), 0),
        ((COPIES, SINGLE, SAFE, PLAUSIBLE), 1),
    ],
)
@pytest.mark.parametrize("rows", [200, 5000])
@pytest.mark.parametrize("name", ["internal", "external"])
def test_one_requirement_that_is_not_met_withholds(results: tuple, kept: int, rows: int, name: str) -> None:
    said = verdict(*results, kept=kept, name=name, rows=rows)
    assert not said.is_released
    assert [f.status for f in said.findings].count("not_met") == 1
    assert said.summary.startswith("Withheld")
    assert "Not met: " in said.summary


UNSETTLED = [
    (COPIES, SINGLE, BLURRED, PLAUSIBLE),
    (COPIES, SINGLE, PLAUSIBLE),
    (SINGLE, SAFE, PLAUSIBLE),
    (COPIES, SAFE, PLAUSIBLE),
    (),
]


@pytest.mark.parametrize("results", UNSETTLED)
def test_what_a_small_table_cannot_settle_goes_out_inside_only_and_is_called_no_pass(results: tuple) -> None:
    assert not verdict(*results, name="external", rows=500).is_released
    inside = verdict(*results, name="internal", rows=500)
    assert inside.is_released
    assert "not shown to be safe" in inside.summary
    assert "is no pass" in inside.summary


@pytest.mark.parametrize("results", UNSETTLED)
@pytest.mark.parametrize("name", ["internal", "external"])
def test_what_a_larger_table_could_have_settled_and_did_not_is_withheld(results: tuple, name: str) -> None:
    said = verdict(*results, name=name, rows=1000, holdout=250)
    assert not said.is_released
    assert "Not shown: " in said.summary


ATTACK, ALONE, COPY = "attack", "One-of-a-kind", "row is copied"


@pytest.mark.parametrize("people", [20, 100, 249])
def test_a_small_holdout_is_never_called_safe(people: int) -> None:
    few = attack((0.50, 0.48, 0.52), (0.10, 0.07, 0.13), people=people)
    assert status(ATTACK, few) == "inconclusive"
    named = attack((0.50, 0.48, 0.52), (0.10, 0.07, 0.13), outcome=Outcome.INCONCLUSIVE)
    assert status(ATTACK, named) == "inconclusive"


@pytest.mark.parametrize(("name", "limit"), [("internal", 0.20), ("external", 0.15)])
def test_only_a_bound_within_the_limit_is_a_pass(name: str, limit: float) -> None:
    within = attack((0.50, 0.48, 0.52), (0.10, 0.07, limit))
    beyond = attack((0.50, 0.48, 0.52), (0.10, 0.07, limit + 0.001))
    assert status(ATTACK, within, name=name) == "met"
    assert status(ATTACK, beyond, name=name) == "inconclusive"


def test_an_attack_beyond_doubt_withholds_unless_its_gain_is_known_to_be_small() -> None:
    assert status(ATTACK, attack((0.55, 0.51, 0.59), (0.12, 0.05, 0.21)), name="internal") == "not_met"
    assert status(ATTACK, attack((0.52, 0.48, 0.56), (0.20, 0.12, 0.28)), name="internal") == "not_met"
    assert status(ATTACK, attack((0.52, 0.51, 0.53), (0.11, 0.10, 0.12), people=4000)) == "met"
    few = attack((0.55, 0.51, 0.59), (0.12, 0.05, 0.15), people=100)
    assert status(ATTACK, few, name="internal") == "not_met"


def test_a_verdict_and_the_reading_of_its_attack_agree() -> None:
    sure = Membership().explain(
        attack((0.54, 0.45, 0.63), (0.17, 0.11, 0.22), people=88, outcome=Outcome.INCONCLUSIVE)
    )
    said = verdict(sure, name="internal").summary
    assert status(ATTACK, sure, name="internal") == "not_met"
    assert "does better than by tossing a coin" in said
    assert "17% (11% to 22%) of the training patients" in said
    assert "It may gain more than the limit: at 10 % wrong accusations it finds at most 22.0%" in said
    calm = attack((0.52, 0.48, 0.56), (0.11, 0.08, 0.14))
    assert "may gain more" not in verdict(calm).findings[-2].evidence
    assert "right no more often" in Membership().explain(calm).reading


def test_isolated_people_who_are_found_withhold_though_nobody_else_is() -> None:
    found = ((0.80, 0.70, 0.90), (0.60, 0.40, 0.80))
    some = attack((0.51, 0.49, 0.53), (0.11, 0.08, 0.14), isolated=found)
    assert status(ATTACK, some) == "not_met"
    said = verdict(some).summary
    assert "The most isolated of them are found, beyond doubt: AUC 0.80 (0.70 to 0.90)" in said
    assert "up to 80% of them (limit 15%)" in said
    calm = ((0.50, 0.40, 0.60), (0.10, 0.02, 0.30))
    assert status(ATTACK, attack((0.51, 0.49, 0.53), (0.11, 0.08, 0.14), isolated=calm)) == "met"


def test_leaving_an_attack_out_checks_nothing() -> None:
    assert status(ATTACK, attack((0.5, 0.48, 0.52), (0.1, 0.07, 0.13), left_out=ATTACKS[0])) == "not_checked"


def test_an_attack_that_broke_is_no_pass() -> None:
    broken = result("membership", None, outcome=Outcome.FAILED, reason="it broke")
    assert status(ATTACK, broken) == "not_met"


def test_single_numbers_return_within_a_bound_or_are_refused() -> None:
    assert status(ALONE, numbers((0.02, 0.01, 0.05))) == "met"
    assert status(ALONE, numbers((0.04, 0.01, 0.06))) == "inconclusive"
    assert status(ALONE, numbers((0.04, 0.01, 0.06)), name="internal") == "met"
    assert status(ALONE, numbers((0.08, 0.06, 0.10))) == "not_met"
    assert status(ALONE, numbers((0.01, 0.00, 0.03), mrn=(0.9, 0.8, 1.0)), name="internal") == "not_met"
    assert "in mrn at least 80.0%" in verdict(numbers((0.01, 0.00, 0.03), mrn=(0.9, 0.8, 1.0))).summary


def test_few_single_numbers_are_excused_inside_whatever_the_size_of_the_table() -> None:
    for people, is_released in ((249, True), (250, False)):
        wide = numbers((0.05, 0.0, 0.2), people)
        assert verdict(COPIES, wide, SAFE, PLAUSIBLE, name="internal", rows=9000).is_released is is_released
        assert not verdict(COPIES, wide, SAFE, PLAUSIBLE, name="external", rows=9000).is_released


def test_a_table_without_single_numbers_has_none_to_return() -> None:
    none = result("single_values", None, outcome=Outcome.NOT_APPLICABLE, reason="no numbers")
    assert status(ALONE, none) == "met"
    assert status(ALONE, none, holdout=0) == "not_checked"
    few = result("single_values", None, outcome=Outcome.INCONCLUSIVE, reason="too few")
    assert status(ALONE, few) == "inconclusive"


@pytest.mark.parametrize("name", ["internal", "external"])
@pytest.mark.parametrize(("rows", "expected"), [(10, "not_met"), (11, "met")])
def test_fewer_people_than_an_office_would_publish_in_one_cell_are_withheld(
    rows: int, expected: str, name: str
) -> None:
    said = verdict(COPIES, SINGLE, SAFE, PLAUSIBLE, name=name, rows=rows)
    assert said.is_released == (expected == "met")
    assert status("people were learned from", COPIES, SINGLE, SAFE, PLAUSIBLE, rows=rows) == expected


def test_copies_that_a_small_holdout_cannot_tell_from_chance_are_inconclusive() -> None:
    assert status(COPY, result("copies", Estimate(value=0.05, low=0.0, high=0.1))) == "inconclusive"
    assert status(COPY, result("copies", Estimate(value=0.005, low=0.0, high=0.1))) == "met"
    assert status(COPY, result("copies", Estimate(value=0.005, low=0.001, high=0.01))) == "not_met"


def test_copies_are_seen_without_a_holdout_beyond_chance_and_noise() -> None:
    def said(copied: float, chance: float) -> str:
        return status(COPY, ABSENT, SAFE, PLAUSIBLE, copied=copied, chance=chance)

    assert said(0.5, 0.0) == "not_met"
    assert said(0.58, 0.5) == "not_met"
    assert said(0.56, 0.5) == "not_checked"
    assert said(0.0, 0.0) == "not_checked"


def test_a_policy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'external'"):
        policy("extern")
