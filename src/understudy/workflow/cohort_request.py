"""A request for a cohort in words, turned into a plan: names resolved, units settled, observations chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from understudy.core.catalog import Choice
from understudy.core.conditions import Between, Conditions, Proportion, Where
from understudy.core.contracts import Generator
from understudy.core.errors import ConditionError, RequestError
from understudy.core.schema import Column, Schema, explain
from understudy.exports.catalog import CATALOG as EXPORTS
from understudy.knowledge.conditions import conditions
from understudy.knowledge.units import written as written_unit
from understudy.modalities.wishes import resolve
from understudy.populations.catalog import CATALOG as POPULATIONS
from understudy.populations.definitions import Definition, define, in_words
from understudy.populations.presentation import (
    Measure,
    choose,
    measures,
    read_as,
    resolve_observation,
    schema_as,
)
from understudy.populations.requests import (
    given_own,
    in_unit,
    named_target,
    read_shares,
    read_where,
    target_in_unit,
    words_of,
)
from understudy.populations.structure import AGES_SAY
from understudy.populations.targets import Target, columns_of, parse_target, read_targets, says
from understudy.reports.wording import count, listing
from understudy.workflow.plan import COHORT_SECTIONS, Cohort, Plan

DEFAULT_POPULATION = "us_adults"
DEFAULT_ROWS = 1_000
DEFAULT_OBSERVATIONS = 20
MOST_ROWS = 100_000_000


@dataclass(frozen=True)
class CohortWishes:
    """What a person said of a cohort; everything left out is chosen, with a reason.

    Attributes:
        population: catalog name of the population.
        settings: its settings.
        conditions: conditions that everyone has, by any name.
        exclude: conditions that nobody is known to have.
        rows: how many patients.
        observations: how many of the most important observations; None for all, 0 for the added ones alone.
        add, drop: further observations, and those to leave out.
        where, share: limits and exact proportions, in words.
        targets: aggregates to meet, in words.
        target_tables: CSV files of such aggregates.
        system: `conventional` or `si` units.
        units, decimals: other units and decimals for single observations.
        missing: `realistic` for values missing as often as in the survey.
    """

    population: str = DEFAULT_POPULATION
    settings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Sequence[str] = ()
    exclude: Sequence[str] = ()
    rows: int = DEFAULT_ROWS
    observations: int | None = DEFAULT_OBSERVATIONS
    add: Sequence[str] = ()
    drop: Sequence[str] = ()
    where: Sequence[str] = ()
    share: Sequence[str] = ()
    targets: Sequence[str] = ()
    target_tables: Sequence[Path] = ()
    system: str = "conventional"
    units: Mapping[str, str] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    missing: Literal["none", "realistic"] = "none"
    export: str = "csv"
    policy: Literal["internal", "external"] = "internal"
    seed: int = 0
    goal: str = ""


@dataclass(frozen=True)
class CohortDraft:
    """A complete plan of a cohort, the population that it draws from, and what a person should know."""

    plan: Plan
    generator: Generator
    notes: tuple[str, ...]


def population_of(choice: Choice) -> Generator:
    """Build the chosen population.

    Raises:
        UnknownNameError: if there is none of this name.
    """
    return POPULATIONS.create(choice).build()


def draft_cohort(wishes: CohortWishes, generator: Generator | None = None) -> CohortDraft:
    """Turn a request into a plan: names resolved, units settled, observations chosen; nothing is drawn yet.

    Args:
        wishes: what the person said.
        generator: the population, where it is built already.

    Raises:
        RequestError: if a name is unknown, a unit is wrong, a condition cannot be represented, or what is
            asked contradicts itself; says what is nearest.
    """
    if not 1 <= wishes.rows <= MOST_ROWS:
        raise RequestError(f"--rows is {wishes.rows}; ask for 1 to {MOST_ROWS:,} patients")
    if wishes.observations is not None and wishes.observations < (0 if wishes.add else 1):
        raise RequestError(f"--observations is {wishes.observations}; ask for at least 1, or for 'all'")
    EXPORTS.entry(wishes.export)
    chosen = Choice(name=wishes.population, settings=dict(wishes.settings), reason="asked for")
    generator = generator or population_of(chosen)
    held = {c.name: c for c in generator.schema.table.columns}
    name = wishes.population
    defined = [define(c, held, name) for c in wishes.conditions]
    left_out = [define(c, held, name, exclude=True) for c in wishes.exclude]
    _refuse_both(defined, left_out)
    asked = [read_where(text, held, name) for text in wishes.where]
    shares = read_shares(wishes.share, held, name)
    targets = [named_target(t, held, name) for t in _targets(wishes)]
    shown = choose(
        [d.condition for d in defined],
        wishes.observations,
        held,
        always=[*(w.column for w, _ in asked), *(s.column for s in shares), *columns_of(targets)],
        add=[resolve_observation(word, held, name) for word in wishes.add],
        drop=[resolve_observation(word, held, name) for word in wishes.drop],
    )
    written = _measures(wishes, shown.names, held)
    schema = schema_as(held, shown.names, written)
    given = _given([in_unit(w, u, written.get(w.column, _own(held[w.column]))) for w, u in asked], shares)
    own = given_own(given, written)
    _refuse_outside(own, held, name)
    own = resolve(own, generator.schema)
    _refuse_contradictions(own, [*defined, *left_out], generator.schema)
    cohort = Cohort(
        conditions=_spelled(defined),
        exclude=_spelled(left_out),
        targets=tuple(target_in_unit(t, written) for t in targets),
        missing=wishes.missing,
    )
    plan = Plan(
        goal=wishes.goal,
        schema=schema,
        population=chosen,
        cohort=cohort,
        given=given,
        rows=wishes.rows,
        metrics=(),
        sections=tuple(Choice(name=n) for n in COHORT_SECTIONS),
        exports=(Choice(name=wishes.export),),
        policy=wishes.policy,
        seed=wishes.seed,
        reasons=_reasons(wishes, shown.names),
    )
    called = [*words_of(wishes.where), *wishes.add, *(t.column for t in _targets(wishes))]
    notes = [note for word in dict.fromkeys(called) if (note := read_as(word, held, name))]
    notes += shown.notes
    if shown.lacking:
        notes.append(
            f"ranked among the important observations, but not held by {name}: {listing(shown.lacking, 12)}"
        )
    return CohortDraft(plan, generator, tuple(notes))


def _spelled(defined: Sequence[Definition]) -> tuple[str, ...]:
    """Return the conditions by id, with the stage where one was named."""
    return tuple(f"{d.condition}:{d.stage}" if d.stage else d.condition for d in defined)


def _refuse_contradictions(own: Conditions, defined: Sequence[Definition], schema: Schema) -> None:
    """Refuse limits that contradict what a condition means, before anyone is drawn."""
    for definition in defined:
        try:
            resolve(Conditions(where=(*own.where, *definition.where)), schema)
        except ConditionError as error:
            name = conditions()[definition.condition].name
            raise ConditionError(
                f"{name!r} contradicts what else is asked, for it means {definition.when}: {error}. Nearest feasible: "
                f"leave out {name!r}, or the limit"
            ) from error


def _given(where: Sequence[Where], shares: Sequence[Proportion]) -> Conditions:
    try:
        return Conditions(where=tuple(where), shares=tuple(shares))
    except ValidationError as error:
        raise ConditionError(explain(error)) from error


def _refuse_outside(own: Conditions, held: Mapping[str, Column], population: str) -> None:
    """Refuse limits beyond whom the population stands for, before anyone is drawn."""
    for wish in own.where:
        column = held[wish.column]
        if not isinstance(wish, Between):
            continue
        low, high = (
            (-inf if column.low is None else column.low),
            (inf if column.high is None else column.high),
        )
        ends = (-inf if wish.low is None else wish.low), (inf if wish.high is None else wish.high)
        is_below = ends[1] < low or (ends[1] == low and wish.high_open)
        if is_below or ends[0] > high or (ends[0] == high and wish.low_open):
            known = (
                f"{column.name} lies between {low:g} and {high:g} {written_unit(column.unit or '')}".rstrip()
            )
            note = f" ({AGES_SAY})" if column.name == "age" else ""
            nearest = f"{column.name}<={low:g}" if is_below else f"{column.name}>={high:g}"
            raise ConditionError(
                f"no one in {population} has {wish.says()}: {known} there{note}. Nearest feasible: {nearest!r}"
            )


def _refuse_both(defined: Sequence[Definition], left_out: Sequence[Definition]) -> None:
    both = set(_spelled(defined)) & set(_spelled(left_out))
    if both:
        raise RequestError(f"{', '.join(sorted(both))} is both asked for and excluded; leave one of them out")


def _own(column: Column) -> Measure:
    return Measure(column.unit, column.decimals)


def _targets(wishes: CohortWishes) -> list[Target]:
    found = [parse_target(text) for text in wishes.targets]
    for path in wishes.target_tables:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise RequestError(f"cannot read the targets {str(path)!r}: {error}") from error
        found += read_targets(text, path.name)
    return found


def _measures(wishes: CohortWishes, names: Sequence[str], held: Mapping[str, Column]) -> dict[str, Measure]:
    units = {resolve_observation(n, held, wishes.population): u for n, u in wishes.units.items()}
    decimals = {resolve_observation(n, held, wishes.population): d for n, d in wishes.decimals.items()}
    return measures(names, held, wishes.system, units, decimals)


def _reasons(wishes: CohortWishes, names: Sequence[str]) -> dict[str, str]:
    many = "those that were named" if wishes.observations == 0 else "all that the population holds"
    if wishes.observations:
        many = (
            f"the {wishes.observations} highest in the ranking of the knowledge base, with its demographics"
        )
    return {
        "schema": f"{count(len(names), 'observation')}: {many}; {wishes.system} units",
        "metrics": "a population has no private rows to compare with: it is judged by plausibility rules and by "
        "published figures",
    }


def asked_in_words(plan: Plan) -> str:
    """Return in words what a cohort asks of its patients."""
    units = {c.name: written_unit(c.unit) for c in plan.schema_.table.columns}
    parts = [in_words(c) for c in plan.cohort.conditions]
    parts += [f"without {in_words(c)}" for c in plan.cohort.exclude]
    parts += [
        f"{w.says()} {units.get(w.column, '') if isinstance(w, Between) else ''}".rstrip()
        for w in plan.given.where
    ]
    parts += [share.says() for share in plan.given.shares]
    parts += [says(t) for t in plan.cohort.targets]
    return "; ".join(parts) or "everyone"
