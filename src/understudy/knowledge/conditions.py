"""Conditions: codes, criteria, the observations that matter, how common they are, and what is not known here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from pydantic import Field, model_validator

from understudy.core.rules import sql
from understudy.core.values import Value
from understudy.knowledge.loading import Entry, find, load, read_table
from understudy.knowledge.observations import Sex

Weight = Literal["interview", "examination", "fasting"]

ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_STAGE_PREFIXES = ("", "g", "stage_", "class_", "gold_")


class Code(Value):
    """One ICD-10-CM code of a condition, or the category that holds its codes."""

    code: str = Field(pattern=r"^[A-TV-Z][0-9][0-9AB](\.[0-9A-Z]{1,4})?$|^U07\.1$")
    title: str = Field(description="Title in the ICD-10-CM order file.")


class Criterion(Value):
    """One rule by which a guideline makes the diagnosis."""

    when: str = Field(description="SQL condition over observation ids, true where the criterion is met.")
    guideline: str = Field(description="Id of the guideline that states it.")
    note: str = Field(default="", description="What the expression leaves out, such as confirmation.")

    @property
    def observations(self) -> tuple[str, ...]:
        """The observations that the criterion reads."""
        return _names(self.when)


class Stage(Value):
    """A stage, class or severity of a condition."""

    id: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    name: str
    when: str = Field(description="SQL condition over observation ids, given that the condition is present.")
    guideline: str

    @property
    def observations(self) -> tuple[str, ...]:
        """The observations that the stage reads."""
        return _names(self.when)


class Ranked(Value):
    """An observation that matters in a condition, with the reason; the list's order is the rank."""

    id: str = Field(description="Id of the observation.")
    why: str = Field(description="The reason in a few words.")


class Figure(Value):
    """How common a condition is in a group of people."""

    percent: float = Field(ge=0, le=100)
    low: float | None = Field(default=None, ge=0, le=100, description="Lower end of the 95 % interval.")
    high: float | None = Field(default=None, ge=0, le=100, description="Upper end of the 95 % interval.")
    sex: Sex | None = None
    race: str | None = Field(default=None, description="Race and Hispanic origin, in the source's words.")
    age_low: float | None = Field(default=None, description="Youngest age in years.")
    age_high: float | None = Field(default=None, description="Oldest age in years, inclusive.")
    people: int | None = Field(default=None, ge=1, description="Unweighted people behind the figure.")

    @model_validator(mode="after")
    def _is_ordered(self) -> Figure:
        if self.low is not None and self.high is not None and not self.low <= self.percent <= self.high:
            raise ValueError(f"{self.percent:g} % is outside its interval {self.low:g} to {self.high:g}")
        return self


class Prevalence(Value):
    """Figures of one source under one definition."""

    what: str = Field(description="What was counted, such as 'told by a doctor'.")
    population: str = Field(description="Among whom.")
    period: str
    basis: Literal["published", "computed"] = "published"
    adjusted: bool = Field(default=False, description="Whether the figures are adjusted for age.")
    source: str
    figures: tuple[Figure, ...] = Field(min_length=1)


class SurveyDefinition(Value):
    """Who has the condition in a population built from NHANES 2017-March 2020."""

    when: str = Field(description="SQL condition, true for those who have it; null where it cannot be told.")
    over: Literal["observations", "variables"] = Field(
        default="observations",
        description="Whether the names are observation ids or variables of the public-use files.",
    )
    weight: Weight = Field(description="Which of the survey's weights applies.")
    age_low: float = Field(default=20, description="Youngest age at which it was asked or measured.")
    note: str = ""
    sources: tuple[str, ...] = Field(min_length=1)

    @property
    def names(self) -> tuple[str, ...]:
        """The observations or variables that the definition reads."""
        return _names(self.when)


class Condition(Entry):
    """One disease, syndrome or state."""

    name: str
    synonyms: tuple[str, ...] = Field(default=(), description="Abbreviations, lay words, other spellings.")
    summary: str = Field(description="What it is, in one line.")
    sex: Sex | None = Field(default=None, description="The only sex that can have it.")
    icd10cm: tuple[Code, ...] = Field(min_length=1)
    criteria: tuple[Criterion, ...] = Field(default=(), description="Any one of them makes the diagnosis.")
    stages: tuple[Stage, ...] = ()
    observations: tuple[Ranked, ...] = Field(min_length=1, description="The most important first.")
    prevalence: tuple[Prevalence, ...] = ()
    nhanes_definition: SurveyDefinition | None = None
    complications: tuple[str, ...] = Field(
        default=(), description="Ids of conditions that follow more often."
    )
    treatments: tuple[str, ...] = Field(default=(), description="Observation ids of drug classes in use.")
    missing: tuple[str, ...] = Field(default=(), description="What is not known here, in words.")
    sources: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ranks_once(self) -> Condition:
        names = [ranked.id for ranked in self.observations]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"ranks observations twice: {', '.join(twice)}")
        if not self.criteria and not self.missing:
            raise ValueError("has no criteria; say in 'missing' why")
        return self

    def important(self, count: int) -> tuple[str, ...]:
        """Return the ids of the `count` most important observations; fewer where fewer are ranked."""
        return tuple(ranked.id for ranked in self.observations[:count])

    def staged(self, label: str) -> tuple[Stage, ...]:
        """Return the stages of a label such as `3`, `G3b`, `class II` or `severe`; none where there is no such stage.

        A whole stage stands for its parts: CKD 3 is G3a and G3b.
        """
        words = [w for w in re.split(r"[\s_\-]+", label.casefold()) if w not in ("stage", "class", "")]
        text = "_".join(ROMAN.get(word, word) for word in words)
        wanted = {f"{prefix}{text}" for prefix in _STAGE_PREFIXES if text}
        exact = tuple(stage for stage in self.stages if stage.id in wanted)
        return exact or tuple(s for s in self.stages if s.id[:-1] in wanted and s.id[-1] in "ab")

    def cited(self) -> tuple[str, ...]:
        """Return the ids of all sources of the entry and of its parts, without repetition."""
        parts = [self.sources, tuple(p.source for p in self.prevalence)]
        if self.nhanes_definition:
            parts.append(self.nhanes_definition.sources)
        return tuple(dict.fromkeys(name for part in parts for name in part))


@cache
def conditions() -> Mapping[str, Condition]:
    """Return all conditions by id."""
    return load("conditions", Condition)


def condition(name: str) -> Condition:
    """Return the condition with this id.

    Raises:
        UnknownNameError: if there is none; suggests the nearest.
    """
    return find("condition", conditions(), name)


@cache
def survey_prevalence() -> Mapping[str, Prevalence]:
    """Return, by condition, the weighted prevalence computed from NHANES 2017-March 2020 public-use files.

    Figures are for all, and by sex, age group and race and Hispanic origin; cells of fewer than 30 people or
    11 cases were left out. Intervals are 95 % Wald intervals with Taylor-linearised standard errors. The
    definitions are the conditions' `nhanes_definition`; the head of the table names the command.
    """
    rows = read_table("conditions/nhanes_prevalence.csv")
    found: dict[str, list[Figure]] = {}
    for row in rows:
        found.setdefault(row["condition"], []).append(_figure(row))
    return {name: _computed(condition(name), tuple(figures)) for name, figures in found.items()}


def nothing_held_on(entry: Condition) -> tuple[str, ...]:
    """Return, in words, the parts of a condition that the knowledge base is silent on."""
    parts = {
        "criteria": entry.criteria,
        "how common it is": entry.prevalence or entry.id in survey_prevalence(),
        "complications": entry.complications,
        "treatments": entry.treatments,
    }
    return tuple(part for part, held in parts.items() if not held)


def _figure(row: Mapping[str, str]) -> Figure:
    return Figure.model_validate({key: value for key, value in row.items() if value and key != "condition"})


def _computed(entry: Condition, figures: tuple[Figure, ...]) -> Prevalence:
    youngest = entry.nhanes_definition.age_low if entry.nhanes_definition else 20
    return Prevalence(
        what=f"{entry.name} by its definition for the survey",
        population=f"US civilian non-institutionalised residents aged {youngest:g} and over",
        period="2017-March 2020",
        basis="computed",
        source="nhanes_2017_2020",
        figures=figures,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sql(text).meta.root_names()))
