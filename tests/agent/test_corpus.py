"""Requests of many voices: what share of them is read fully right, and that nothing is dropped or invented."""

from __future__ import annotations

import sys
import time
from collections import Counter
from functools import cache

from tests.agent.corpus import Request, read, requests, shortcomings
from understudy.agent.interpret import Interpretation

FEWEST = 400
BAR = 0.95
WITHIN_S = 0.2


@cache
def readings() -> tuple[tuple[Request, Interpretation], ...]:
    return tuple((request, read(request)) for request in requests())


def score(*, is_held_back: bool) -> float:
    """Return the share of requests that are fully right, and print it part by part."""
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for request, found in readings():
        if request.is_held_back == is_held_back:
            asked[request.part] += 1
            right[request.part] += not shortcomings(request, found)
    for part in sorted(asked):
        kind = "held back" if is_held_back else "open"
        sys.stdout.write(f"{kind:9}  {part:15} {right[part]:3} of {asked[part]:3}\n")
    return right.total() / asked.total()


def test_there_are_enough_requests_and_a_third_is_held_back() -> None:
    assert len(requests()) >= FEWEST
    held = sum(request.is_held_back for request in requests())
    assert 0.28 < held / len(requests()) < 0.39


def test_requests_that_were_looked_at_become_the_plans_that_they_ask_for() -> None:
    assert score(is_held_back=False) >= BAR


def test_requests_that_were_held_back_become_the_plans_that_they_ask_for() -> None:
    assert score(is_held_back=True) >= BAR


def test_no_condition_is_invented() -> None:
    for request, found in readings():
        for plan in (found.plan, found.nearest):
            if plan is not None and request.expected.get("plan") != "none":
                named = {*request.expected.get("conditions", ()), *request.expected.get("told", ())}
                assert set(plan.cohort.conditions) <= named, request.part


def test_every_word_of_a_request_is_answered_for() -> None:
    for request, found in readings():
        if found.question is None:
            read_words = " ".join(clause.words for clause in found.clauses)
            assert all(word in read_words for word in found.unread), request.text
        assert found.clauses or found.notes, request.text


def test_what_is_not_done_is_told() -> None:
    for request, found in readings():
        missed = [clause for clause in found.clauses if not clause.is_kept and clause.field != "unread"]
        assert all(clause.became in found.notes for clause in missed), request.text


def test_a_request_is_read_quickly() -> None:
    readings()  # what is loaded once is not counted
    for request in requests()[::10]:
        start = time.process_time()
        read(request)
        before = 1 + len(request.expected.get("after", ()))
        assert time.process_time() - start <= before * WITHIN_S, request.text
