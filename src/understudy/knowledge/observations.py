"""What can be observed of a patient: names, units, limits, codes and meaning of each observation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Literal

from pydantic import Field, model_validator

from understudy.core.schema import Kind
from understudy.core.values import Value
from understudy.knowledge.loading import Entry, find, load

Sex = Literal["female", "male"]


class Group(StrEnum):
    """The chapter that an observation belongs to."""

    DEMOGRAPHICS = "demographics"
    ANTHROPOMETRY = "anthropometry"
    VITALS = "vitals"
    GLYCAEMIA = "glycaemia"
    LIPIDS = "lipids"
    RENAL = "renal"
    LIVER = "liver"
    BLOOD_COUNT = "blood_count"
    ELECTROLYTES = "electrolytes"
    INFLAMMATION = "inflammation"
    CARDIAC = "cardiac"
    THYROID = "thyroid"
    NUTRITION = "nutrition"
    COAGULATION = "coagulation"
    BLOOD_GAS = "blood_gas"
    LUNG = "lung"
    BONE = "bone"
    REPRODUCTIVE = "reproductive"
    ONCOLOGY = "oncology"
    SEVERITY = "severity"
    QUESTIONNAIRE = "questionnaire"
    LIFESTYLE = "lifestyle"
    HISTORY = "history"
    FAMILY_HISTORY = "family_history"
    MEDICATION = "medication"
    RISK = "risk"


class Conversion(Value):
    """Another unit of the same observation: value in it = factor * value + offset."""

    unit: str = Field(description="UCUM spelling.")
    factor: float
    offset: float = 0.0
    decimals: int = Field(ge=0, le=6, description="Digits after the point that are usual in this unit.")
    sources: tuple[str, ...] = Field(min_length=1, description="Where the factor comes from.")


class PlausibleRange(Value):
    """Limits outside which a value is an error rather than a rare patient, in the observation's unit."""

    low: float
    high: float
    sources: tuple[str, ...] = Field(min_length=1)
    note: str = Field(default="", description="How the limits were adapted, where they were.")

    @model_validator(mode="after")
    def _is_ordered(self) -> PlausibleRange:
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        return self


class ReferenceRange(Value):
    """What is usual in health for a sex and an age band (years), in the observation's unit."""

    low: float | None = None
    high: float | None = None
    sex: Sex | None = None
    age_low: float = 18
    age_high: float | None = None
    sources: tuple[str, ...] = Field(min_length=1)
    note: str = ""

    @model_validator(mode="after")
    def _has_a_limit(self) -> ReferenceRange:
        if self.low is None and self.high is None:
            raise ValueError("a reference range needs a limit")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        return self

    def holds_for(self, sex: str | None, age: float | None) -> bool:
        """Say whether the range was stated for this person; an unknown sex or age fits a general range."""
        if self.sex is not None and sex != self.sex:
            return False
        if age is None:
            return True
        return age >= self.age_low and (self.age_high is None or age < self.age_high)


class NhanesVariable(Value):
    """Where the National Health and Nutrition Examination Survey 2017-March 2020 holds an observation."""

    file: str = Field(pattern=r"^P_[A-Z_]+$", description="Public-use file.")
    variable: str = Field(pattern=r"^[A-Z0-9]+$", description="Name of the variable in that file.")
    codes: Mapping[str, str] = Field(
        default_factory=dict, description="Level for each of its codes; codes that are absent mean missing."
    )
    note: str = Field(default="", description="What must be done to get this observation's value.")


class Observation(Entry):
    """One thing that can be observed of a patient."""

    name: str
    synonyms: tuple[str, ...] = Field(default=(), description="Abbreviations, lay words, other spellings.")
    members: tuple[str, ...] = Field(
        default=(),
        description="Single drugs of a class: who takes one takes the class, not the other way round.",
    )
    group: Group
    kind: Kind
    unit: str | None = Field(default=None, description="Conventional (US) unit, UCUM spelling.")
    decimals: int | None = Field(default=None, ge=0, le=6, description="Usual digits after the point.")
    conversions: tuple[Conversion, ...] = ()
    plausible: PlausibleRange | None = None
    reference: tuple[ReferenceRange, ...] = ()
    loinc: str | None = Field(default=None, pattern=r"^\d{1,6}-\d$")
    loinc_sources: tuple[str, ...] = Field(default=(), description="Where the code was seen with its name.")
    values: tuple[str, ...] | None = Field(default=None, description="The closed set of levels, in order.")
    ordered: bool = Field(default=False, description="Whether the order of `values` has a meaning.")
    meaning: str = Field(description="What it tells, in one line.")
    derived_by: str | None = Field(default=None, description="Equation that gives it from others.")
    nhanes: NhanesVariable | None = None
    sources: tuple[str, ...] = Field(min_length=1, description="Where the definition was read.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Observation:
        if self.kind is Kind.CATEGORY and not self.values:
            raise ValueError("a category needs its levels in 'values'")
        if self.kind is Kind.NUMBER and (self.unit is None or self.decimals is None):
            raise ValueError("a number needs a unit and decimals")
        if (self.loinc is None) is bool(self.loinc_sources):
            raise ValueError("a LOINC code needs 'loinc_sources', and they need a code")
        if self.kind is not Kind.NUMBER and (self.conversions or self.plausible or self.reference):
            raise ValueError("only numbers have conversions and ranges")
        return self

    def conversion(self, unit: str) -> Conversion | None:
        """Return the way into another unit; None when it is the observation's own or is not known."""
        return next((c for c in self.conversions if c.unit == unit), None)

    def reference_for(self, sex: str | None = None, age: float | None = None) -> ReferenceRange | None:
        """Return the reference range stated for a person of this sex and age in years, if one is."""
        return next((r for r in self.reference if r.holds_for(sex, age)), None)

    def cited(self) -> tuple[str, ...]:
        """Return the ids of all sources of the entry and of its parts, without repetition."""
        parts = [self.sources, *(c.sources for c in self.conversions), *(r.sources for r in self.reference)]
        parts.append(self.loinc_sources)
        if self.plausible:
            parts.append(self.plausible.sources)
        return tuple(dict.fromkeys(name for part in parts for name in part))


@cache
def observations() -> Mapping[str, Observation]:
    """Return all observations by id."""
    return load("observations", Observation)


def observation(name: str) -> Observation:
    """Return the observation with this id.

    Raises:
        UnknownNameError: if there is none; suggests the nearest.
    """
    return find("observation", observations(), name)
