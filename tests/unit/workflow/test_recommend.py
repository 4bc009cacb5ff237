"""What is concluded from a comparison: who leads, what is chance, what becomes of a gap, and the words for it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from tests.unit.workflow.contests import entrant
from understudy.core.results import Axis, Estimate, MetricResult, pool
from understudy.workflow.recommend import leader_of, recommend
from understudy.workflow.significance import differences, gap_changes, paired, spread_of

DECISIVE = ("detection", "pairs", "prediction")
GOOD = entrant(
    "good", {"detection": [0.55, 0.56, 0.54], "pairs": [0.03, 0.03, 0.02], "prediction": [0.84, 0.85, 0.83]}
)
POOR = entrant(
    "poor", {"detection": [0.85, 0.87, 0.86], "pairs": [0.12, 0.13, 0.12], "prediction": [0.70, 0.70, 0.71]}
)
TWIN = entrant(
    "twin", {"detection": [0.56, 0.55, 0.55], "pairs": [0.03, 0.02, 0.03], "prediction": [0.84, 0.84, 0.84]}
)


def advice(*entrants):
    leader = leader_of(entrants)
    return recommend(leader, entrants, differences(leader, entrants, DECISIVE))


def test_the_nearest_to_real_rows_is_recommended_and_says_why_the_other_is_not() -> None:
    found = advice(POOR, GOOD)
    assert found.name == "good"
    assert "worse beyond chance in detection (+0.310" in found.reasons[1]
    assert found.level == ()


def test_a_twin_is_comparable_within_noise_and_is_said_to_be() -> None:
    found = advice(GOOD, TWIN, POOR)
    assert set(found.level) | {found.name} == {"good", "twin"}
    assert "comparable with it within noise" in found.summary


def test_who_gives_people_away_is_not_recommended_however_faithful() -> None:
    copies = entrant(
        "copies",
        {"detection": [0.5, 0.5, 0.5], "pairs": [0.0, 0.0, 0.0], "prediction": [0.85, 0.85, 0.85]},
        refused=3,
    )
    found = advice(copies, POOR)
    assert found.name == "poor"
    assert "finds something against its rows with 3 of 3 seeds" in found.reasons[1]


def test_nobody_is_recommended_where_the_policy_refuses_all() -> None:
    refused = (
        entrant("one", {"detection": [0.6, 0.6]}, refused=2),
        entrant("two", {"detection": [0.7, 0.7]}, refused=2),
    )
    assert advice(*refused).name == ""


def test_one_seed_tells_nothing_of_chance() -> None:
    one = entrant("one", {"detection": [0.55]}), entrant("two", {"detection": [0.9]})
    (difference,) = differences(one[0], one, ["detection"])
    assert difference.chance is None
    assert difference.standing == "unknown"


def test_two_entrants_are_compared_as_by_a_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 6))
    expected = ttest_rel(values[0], values[1]).pvalue
    _, chance = paired((values[0] - values[1]).tolist(), 0.0, spread_of(values))
    assert chance == pytest.approx(expected)


def test_noise_alone_is_called_a_difference_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(1)
    called = 0
    for _ in range(400):
        noise = 0.7 + 0.05 * rng.normal(size=(4, 3))
        entrants = [entrant(str(k), {"detection": row.tolist()}) for k, row in enumerate(noise)]
        found = differences(entrants[0], entrants, ["detection"])
        called += any(d.standing in ("better", "worse") for d in found)
    # The variance also allows for overlapping training sets, so it is called more rarely than at 5 %.
    assert called <= 0.05 * 400 + 3 * (400 * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize(
    ("gaps", "change"),
    [
        ([(3.0, 6.0), (2.8, 5.5), (3.2, 6.6)], "grows"),
        ([(3.0, 1.2), (2.8, 1.1), (3.2, 1.25)], "shrinks"),
        ([(3.0, 0.3), (2.8, 0.28), (3.2, 0.33)], "turns"),
        ([(3.0, 2.0), (2.8, 4.0), (3.2, 3.1)], "keeps"),
        ([(0.3, 0.1), (0.28, 0.09), (0.32, 0.11)], "grows"),
        ([(3.0, 6.0)], "unknown"),
    ],
)
def test_a_ratio_between_groups_is_kept_shrinks_or_grows(gaps: list, change: str) -> None:
    (found,) = gap_changes([entrant("one", {}, gaps=gaps)])
    assert found.change == change


def test_ratios_are_pooled_by_their_logarithms_so_that_no_interval_falls_below_nought() -> None:
    (found,) = gap_changes([entrant("one", {}, gaps=[(1.0, 0.2), (2.0, 20.0), (4.0, 2.0)])])
    assert found.real.value == pytest.approx(2.0)
    assert found.synthetic.value == pytest.approx(2.0)
    assert found.synthetic.low is not None
    assert found.synthetic.low > 0


def test_a_ratio_that_cannot_be_formed_is_left_out() -> None:
    assert gap_changes([entrant("one", {}, gaps=[(0.0, 1.0), (0.0, 2.0)])]) == []


def test_repeating_a_judgement_on_the_same_people_makes_it_no_surer() -> None:
    one = MetricResult(
        metric="m",
        title="m",
        question="?",
        axis=Axis.UTILITY,
        best=1.0,
        worst=0.0,
        estimate=Estimate(value=0.8, low=0.7, high=0.9),
    )
    apart = pool([one] * 4, 0.25).estimate
    same = pool([one] * 4, 0.25, is_one_holdout=True).estimate
    assert apart is not None
    assert same is not None
    assert apart.high == pytest.approx(0.85)
    assert same.high == pytest.approx(0.9)
