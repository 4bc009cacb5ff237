"""What `auto` tries, and which of what it tried it takes."""

from __future__ import annotations

import pytest

from tests.unit.workflow.contests import entrant
from understudy import Column
from understudy.core.schema import Kind
from understudy.workflow.candidates import MOST_CANDIDATES, candidates
from understudy.workflow.choose import best_of

NUMBERS = [Column(name=f"x{k}", kind=Kind.NUMBER) for k in range(9)]
LEVELS = [Column(name=f"c{k}", kind=Kind.CATEGORY) for k in range(9)]


def names(*arguments: object) -> list[str]:
    return [choice.name for choice in candidates(*arguments)]  # type: ignore[arg-type]


def test_the_default_is_always_tried_and_tried_first() -> None:
    for rows in (100, 1_000, 100_000):
        for columns in (NUMBERS, LEVELS, NUMBERS + LEVELS):
            assert names(rows, columns)[0] == "sequential_trees"
            assert len(names(rows, columns)) <= MOST_CANDIDATES


def test_the_columns_decide_who_else_is_tried() -> None:
    assert "gaussian_copula" in names(600, NUMBERS)
    assert "bayes_net" not in names(600, NUMBERS)
    assert "bayes_net" in names(600, LEVELS)


def test_a_stricter_policy_asks_for_those_of_few_parameters() -> None:
    assert {"gaussian_copula", "bayes_net"} <= set(names(600, NUMBERS, "external"))


def test_large_tables_do_not_wait_for_the_slow() -> None:
    assert "adversarial_forest" in names(5_000 - 1, NUMBERS)
    assert "adversarial_forest" not in names(1_000_000, NUMBERS)


def test_little_time_leaves_the_default_alone() -> None:
    assert names(2_000, LEVELS, "internal", 0.001) == ["sequential_trees"]
    assert len(names(2_000, LEVELS, "internal", 10_000.0)) == len(names(2_000, LEVELS))


def test_every_candidate_says_why_it_is_tried() -> None:
    assert all(choice.reason for choice in candidates(6_000, NUMBERS + LEVELS, "external"))


def tried(name: str, detection: list[float], prediction: float, refused: int = 0):
    count = len(detection)
    figures = {"detection": detection, "pairs": [0.05] * count, "prediction": [prediction] * count}
    return entrant(name, figures, refused=refused)


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        (tried("other", [0.60, 0.60], 0.80), "default"),  # nearer, but within the noise of a tune split
        (tried("other", [0.52, 0.52], 0.85), "other"),
        (tried("other", [0.50, 0.68], 0.75), "default"),  # not on every split
        (tried("other", [0.52, 0.52], 0.85, refused=2), "default"),
        (tried("other", [0.90, 0.90], 0.60), "default"),
    ],
)
def test_another_is_taken_only_where_it_is_clearly_nearer_and_not_refused(other, taken: str) -> None:
    assert best_of([tried("default", [0.65, 0.65], 0.78), other]).name == taken


def test_a_default_that_gives_people_away_is_left_for_one_that_does_not() -> None:
    assert (
        best_of([tried("default", [0.5, 0.5], 0.85, refused=2), tried("other", [0.7, 0.7], 0.7)]).name
        == "other"
    )
