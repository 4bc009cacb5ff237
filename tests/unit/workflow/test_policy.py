"""The release policy: what lets a synthetic table go out, and what holds it back."""

from __future__ import annotations

import pytest

from understudy.core.errors import UnknownNameError
from understudy.core.results import Axis, Detail, Estimate, Evaluation, MetricResult, Outcome
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


def attack(
    auc: tuple[float, float, float], caught: tuple[float, float, float], **about: object
) -> MetricResult:
    def of(numbers: tuple[float, float, float]) -> Estimate:
        return Estimate(value=numbers[0], low=numbers[1], high=numbers[2])

    detail = Detail(scope="attack", name="strongest", measure="TPR@10%FPR", estimate=of(caught))
    return result("membership", of(auc), details=(detail,), **about)


SAFE = attack((0.50, 0.48, 0.52), (0.10, 0.07, 0.13))
SEEN = attack((0.70, 0.66, 0.74), (0.40, 0.33, 0.47))
BLURRED = attack((0.52, 0.46, 0.58), (0.12, 0.02, 0.24))
COPIES = result("copies", Estimate(value=0.0, low=-0.01, high=0.01))
COPIED = result("copies", Estimate(value=0.3, low=0.25, high=0.35))
PLAUSIBLE = result("plausibility", Estimate(value=0.0))
BROKEN = result("plausibility", Estimate(value=0.01))
ABSENT = result("copies", None, outcome=Outcome.NOT_APPLICABLE, reason="it needs a holdout")


def verdict(
    *results: MetricResult,
    name: str = "external",
    kept: int = 0,
    holdout: int = 1000,
    copied: float = 0.0,
    chance: float = 0.0,
):
    evaluation = Evaluation(results=results, real_rows=1000, synthetic_rows=1000, holdout_rows=holdout)
    return decide(evaluation, policy(name), kept, copied, chance)


def test_what_meets_every_requirement_is_released() -> None:
    said = verdict(COPIES, SAFE, PLAUSIBLE)
    assert said.is_released
    assert {f.status for f in said.findings} == {"met"}


@pytest.mark.parametrize(
    ("results", "kept"),
    [
        ((COPIED, SAFE, PLAUSIBLE), 0),
        ((COPIES, SEEN, PLAUSIBLE), 0),
        ((COPIES, SAFE, BROKEN), 0),
        ((COPIES, SAFE, PLAUSIBLE), 1),
    ],
)
@pytest.mark.parametrize("name", ["internal", "external"])
def test_one_requirement_that_is_not_met_withholds(results: tuple, kept: int, name: str) -> None:
    said = verdict(*results, kept=kept, name=name)
    assert not said.is_released
    assert [f.status for f in said.findings].count("not_met") == 1
    assert "Withheld" in said.summary


@pytest.mark.parametrize(
    "results", [(COPIES, BLURRED, PLAUSIBLE), (COPIES, PLAUSIBLE), (SAFE, PLAUSIBLE), ()]
)
def test_what_is_not_known_goes_out_inside_only_and_says_so(results: tuple) -> None:
    assert not verdict(*results, name="external").is_released
    inside = verdict(*results, name="internal")
    assert inside.is_released
    assert "Not settled" in inside.summary


def test_a_small_holdout_is_never_called_safe() -> None:
    said = verdict(COPIES, SAFE, PLAUSIBLE, holdout=100)
    assert said.findings[2].status == "inconclusive"


def test_copies_are_seen_without_a_holdout_beyond_chance_and_noise() -> None:
    def status(copied: float, chance: float) -> str:
        return str(verdict(ABSENT, SAFE, PLAUSIBLE, copied=copied, chance=chance).findings[1].status)

    assert status(0.5, 0.0) == "not_met"
    assert status(0.58, 0.5) == "not_met"
    assert status(0.56, 0.5) == "not_checked"
    assert status(0.0, 0.0) == "not_checked"


def test_a_policy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'external'"):
        policy("extern")
