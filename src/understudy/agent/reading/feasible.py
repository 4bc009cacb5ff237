"""What no patient can be: a condition's own limits against the wished ones, shares against limits."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.agent.reading.scope import population, youngest
from understudy.core.conditions import Balanced, Between, Conditions, OneOf, Proportion, Where
from understudy.core.errors import ConditionError
from understudy.core.schema import Column
from understudy.knowledge.conditions import conditions
from understudy.modalities.wishes import resolve
from understudy.populations.definitions import define
from understudy.populations.presentation import measures
from understudy.populations.requests import given_own
from understudy.workflow.plan import Plan


def refuse_impossible(plan: Plan) -> None:
    """Refuse what no patient can be.

    Raises:
        ConditionError: if nobody can be as the plan asks.
    """
    assert plan.population is not None
    schema = population(plan.population.name).schema
    held = {c.name: c for c in schema.table.columns}
    own = given_own(plan.given, measures(plan.schema_.table.names, held, units=units_of(plan, held)))
    for where in own.where:
        if (
            isinstance(where, Between)
            and where.column == "age"
            and where.high is not None
            and where.high < youngest()
        ):
            raise ConditionError(
                f"{where.says()!r} leaves nobody: {plan.population.name} holds people aged {youngest():g} and over; "
                f"nearest feasible: age >= {youngest():g}"
            )
    for name in plan.cohort.conditions:
        defined = define(name, held, plan.population.name)
        try:
            resolve(Conditions(where=(*own.where, *defined.where)), schema)
        except ConditionError as error:
            called = conditions()[defined.condition].name
            raise ConditionError(f"{called} and the other wishes exclude each other: {error}") from error
    for share in own.shares:
        if any(_excludes(where, share, held[share.column]) for where in own.where):
            raise ConditionError(
                f"{share.says()} contradicts the limit on {share.column!r}; leave one of them out"
            )


def _excludes(where: Where, share: Proportion, column: Column) -> bool:
    """Say whether a limit leaves out levels that a share asks for."""
    if not isinstance(where, OneOf) or where.column != share.column:
        return False
    levels = column.values or ("false", "true")
    wanted = levels if isinstance(share, Balanced) else (share.value,) if share.proportion else ()
    return any((level in where.values) == where.exclude for level in wanted)


def units_of(plan: Plan, held: Mapping[str, Column]) -> dict[str, str]:
    """Return the units of a plan that are not the observations' own."""
    return {
        c.name: c.unit
        for c in plan.schema_.table.columns
        if c.unit is not None and c.unit != held[c.name].unit
    }
