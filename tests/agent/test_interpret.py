"""Requests in plain words become plans."""

from __future__ import annotations

from understudy.agent.interpret import interpret

HEADLINE = (
    "generate 2000 Type 2 diabetes patients EHR data with 20 important diabetes observations "
    "based on the US population"
)


def test_the_headline_request_becomes_the_plan_of_a_cohort() -> None:
    read = interpret(HEADLINE)
    assert read.plan is not None
    assert read.plan.population is not None
    assert read.plan.population.name == "us_adults"
    assert read.plan.rows == 2000
    assert read.plan.cohort.conditions == ("type_2_diabetes",)
    assert len(read.plan.schema_.table.columns) >= 20
    assert read.unread == ()
