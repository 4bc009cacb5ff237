"""Plausibility rules: what no patient, or hardly any, can be; found for a table's columns and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import polars as pl
from pydantic import Field, model_validator

from understudy.core.rules import sql
from understudy.core.schema import Column, Kind
from understudy.knowledge.columns import Reading, read_columns
from understudy.knowledge.loading import Entry, find, load
from understudy.knowledge.observations import Observation, PlausibleRange, Sex, observations
from understudy.knowledge.sources import sources
from understudy.knowledge.units import written

RULES_VERSION = "1"
MOST_IN_REAL = 0.05
"""A rule that the real data break more often is shown, not enforced (OHDSI's threshold)."""

Cell = bool | int | float | str | None


class Template(StrEnum):
    """The form of a rule."""

    RANGE = "R1"
    ORDER = "R2"
    DERIVED = "R3"
    IMPLICATION = "R4"
    EXCLUSION = "R5"
    TEMPORAL = "R6"
    MONOTONE = "R7"
    UNIT = "R8"
    CODE = "R9"
    COUNT = "R10"
    RESIDUAL = "R11"


class Severity(StrEnum):
    """Hard rules allow no new violation; soft ones allow the rate of the real data."""

    HARD = "hard"
    SOFT = "soft"


class PlausibilityRule(Entry):
    """One rule, with a row that obeys it and a row that breaks it.

    Exactly one form is given: `lower` and `upper`; `derived` and `formula`; `when` and `then`; or `violation`.
    """

    template: Template
    says: str = Field(description="The rule in words.")
    lower: str | None = Field(default=None, description="SQL expression that must not exceed `upper`.")
    upper: str | None = None
    strict: bool = Field(default=False, description="Whether equality breaks the order.")
    derived: str | None = Field(default=None, description="Observation that follows from others.")
    formula: str | None = Field(default=None, description="SQL expression that gives it.")
    when: str | None = Field(default=None, description="SQL condition, and `then` what must follow.")
    then: str | None = None
    violation: str | None = Field(default=None, description="SQL condition that is true for a violation.")
    tolerance: float = Field(default=0.0, ge=0, description="Largest difference that is still agreement.")
    relative: float = Field(default=0.0, ge=0, le=1, description="The same as a share of the value.")
    severity: Severity
    sex: Sex | None = Field(default=None, description="The only sex that the rule is for.")
    age_low: float | None = Field(default=None, description="Youngest age in years that the rule is for.")
    age_high: float | None = Field(default=None, description="Age in years below which the rule holds.")
    holds: Mapping[str, Cell] = Field(description="A row that obeys the rule.")
    breaks: Mapping[str, Cell] = Field(description="A row that breaks it.")
    sources: tuple[str, ...] = Field(min_length=1)
    note: str = ""

    @model_validator(mode="after")
    def _has_one_form(self) -> PlausibilityRule:
        forms = (
            self.lower and self.upper,
            self.derived and self.formula,
            self.when and self.then,
            self.violation,
        )
        if sum(bool(form) for form in forms) != 1:
            raise ValueError("give exactly one of lower/upper, derived/formula, when/then, violation")
        return self

    @property
    def statement(self) -> str:
        """The rule as a SQL condition that is true for a violation."""
        spread = f" + {self.tolerance:g}" if self.tolerance else ""
        if self.lower and self.upper:
            core = f"({self.lower}) {'>=' if self.strict else '>'} ({self.upper}){spread}"
        elif self.derived and self.formula:
            allowed = f"{self.tolerance + 1e-9:.10g} + {self.relative:g} * abs({self.derived})"
            core = f"abs({self.derived} - ({self.formula})) > {allowed}"
        elif self.when and self.then:
            core = f"({self.when}) AND NOT ({self.then})"
        else:
            core = str(self.violation)
        limits = [f"sex = '{self.sex}'"] if self.sex else []
        limits += [f"age >= {self.age_low:g}"] if self.age_low is not None else []
        limits += [f"age < {self.age_high:g}"] if self.age_high is not None else []
        return " AND ".join([f"({core})", *limits]) if limits else core

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of the observations and facts that the rule reads."""
        return tuple(dict.fromkeys(sql(self.statement).meta.root_names()))

    @property
    def licence(self) -> str:
        """The terms of the rule's sources."""
        return "; ".join(dict.fromkeys(sources()[name].licence or "not stated" for name in self.sources))


@dataclass(frozen=True)
class Applicable:
    """A rule that a table's columns can answer, and how its inputs are read from them."""

    rule: PlausibilityRule
    readings: Mapping[str, Reading]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule reads, in the order of its inputs."""
        return tuple(reading.column for reading in self.readings.values())


@dataclass(frozen=True)
class RuleCount:
    """How often a rule was broken.

    Attributes:
        rule: the rule.
        checked: rows in which it could be decided.
        broken: rows that break it.
    """

    rule: PlausibilityRule
    checked: int
    broken: int

    @property
    def rate(self) -> float:
        """Share of the decided rows that break the rule; 0 where none could be decided."""
        return self.broken / self.checked if self.checked else 0.0

    @property
    def is_enforceable(self) -> bool:
        """Whether these rows, being real, break it seldom enough for the rule to be believed."""
        return self.rate <= MOST_IN_REAL


@cache
def rules() -> Mapping[str, PlausibilityRule]:
    """Return all rules by id: those of the files, and those that observations imply (ranges, levels)."""
    written = load("rules", PlausibilityRule)
    implied = {rule.id: rule for entry in observations().values() for rule in _implied_by(entry)}
    return {**written, **{name: rule for name, rule in implied.items() if name not in written}}


def rule(name: str) -> PlausibilityRule:
    """Return the rule with this id.

    Raises:
        UnknownNameError: if there is none; suggests the nearest.
    """
    return find("plausibility rule", rules(), name)


def applicable(
    columns: Sequence[Column], of: Mapping[str, PlausibilityRule] | None = None
) -> tuple[Applicable, ...]:
    """Return the rules whose inputs are all among the columns, found by name, synonym and unit.

    Args:
        columns: the schema's columns of one table.
        of: the rules to choose from; all, if left out.
    """
    readings = read_columns(columns)
    chosen = rules() if of is None else of
    return tuple(
        Applicable(entry, {name: readings[name] for name in entry.inputs})
        for entry in chosen.values()
        if all(name in readings for name in entry.inputs)
    )


def check(frame: pl.DataFrame, found: Sequence[Applicable]) -> tuple[RuleCount, ...]:
    """Return, for each rule, the rows in which it could be decided and those that break it."""
    if not found:
        return ()
    marked = _decide(frame, found)
    checked = marked.select(pl.all().is_not_null().sum()).row(0)
    broken = marked.select(pl.all().fill_null(value=False).sum()).row(0)
    return tuple(
        RuleCount(entry.rule, int(n), int(k)) for entry, n, k in zip(found, checked, broken, strict=True)
    )


def broken(frame: pl.DataFrame, found: Sequence[Applicable]) -> pl.DataFrame:
    """Return one Boolean column a rule, named by its id: true for the rows that break it."""
    return _decide(frame, found).fill_null(value=False)


def _decide(frame: pl.DataFrame, found: Sequence[Applicable]) -> pl.DataFrame:
    readings = {name: reading for entry in found for name, reading in entry.readings.items()}
    read = frame.select(reading.values().alias(name) for name, reading in readings.items())
    return read.select(_is_broken(entry).alias(entry.rule.id) for entry in found)


def _is_broken(entry: Applicable) -> pl.Expr:
    """Return whether a row breaks the rule; null where an input is missing and decides."""
    answer = sql(entry.rule.statement).cast(pl.Boolean)
    if entry.rule.derived is None:
        return answer
    # LEAST and GREATEST pass over a missing value: a formula would be computed without it.
    is_known = pl.all_horizontal(pl.col(name).is_not_null() for name in entry.readings)
    return pl.when(is_known).then(answer)


def _implied_by(entry: Observation) -> list[PlausibilityRule]:
    if entry.plausible:
        return [_range_rule(entry, entry.plausible)]
    return [_level_rule(entry)] if entry.kind is Kind.CATEGORY and entry.values else []


def _range_rule(entry: Observation, limits: PlausibleRange) -> PlausibilityRule:
    low, high = limits.low, limits.high
    return PlausibilityRule(
        id=f"range_{entry.id}",
        template=Template.RANGE,
        says=f"{entry.name} lies between {low:g} and {high:g} {written(entry.unit)}".rstrip() + ".",
        violation=f"{entry.id} < {low:g} OR {entry.id} > {high:g}",
        severity=Severity.HARD,
        holds={entry.id: low + (high - low) / 10},
        breaks={entry.id: high + (high - low) / 10},
        sources=limits.sources,
        note=limits.note,
    )


def _level_rule(entry: Observation) -> PlausibilityRule:
    levels = entry.values or ()
    quoted = ", ".join("'" + level.replace("'", "''") + "'" for level in levels)
    return PlausibilityRule(
        id=f"levels_{entry.id}",
        template=Template.CODE,
        says=f"{entry.name} is one of its {len(levels)} levels.",
        violation=f"{entry.id} NOT IN ({quoted})",
        severity=Severity.SOFT,
        holds={entry.id: levels[0]},
        breaks={entry.id: "not a level"},
        sources=entry.sources,
    )
