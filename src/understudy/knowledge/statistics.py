"""Published and computed figures of populations: what a synthetic population is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

from pydantic import Field, model_validator

from understudy.core.errors import KnowledgeError
from understudy.knowledge.loading import Entry, load, read_table
from understudy.knowledge.observations import Sex

_ADULTS = "statistics/us_adults_2017_2020.csv"


class Statistic(Entry):
    """One figure of a population."""

    about: str = Field(description="Id of the observation or condition.")
    what: str = Field(default="", description="What was counted or measured, where the id does not tell.")
    kind: Literal["mean", "prevalence"]
    value: float = Field(description="In the observation's unit; prevalences in %.")
    low: float | None = Field(default=None, description="Lower end of the 95 % interval.")
    high: float | None = Field(default=None, description="Upper end of the 95 % interval.")
    sd: float | None = Field(default=None, ge=0, description="Standard deviation of the population.")
    sex: Sex | None = None
    group: str = Field(default="", description="Further restriction, such as race or education, in words.")
    age_low: float = Field(default=18, description="Youngest age in years.")
    age_high: float | None = None
    population: str = "US civilian non-institutionalised population"
    period: str
    is_age_adjusted: bool = False
    people: int | None = Field(default=None, ge=30, description="People behind the figure.")
    sources: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_inside(self) -> Statistic:
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"{self.value:g} is outside its interval {self.low:g} to {self.high:g}")
        return self


@cache
def statistics() -> Mapping[str, Statistic]:
    """Return all figures by id."""
    found = dict(load("statistics", Statistic))
    for row in read_table(_ADULTS):
        statistic = _computed(row)
        if statistic.id in found:
            raise KnowledgeError(f"{_ADULTS}: the id {statistic.id!r} is given twice; rename one")
        found[statistic.id] = statistic
    return MappingProxyType(found)


def statistics_about(name: str) -> tuple[Statistic, ...]:
    """Return the figures about an observation or condition; none if nothing is known."""
    return tuple(statistic for statistic in statistics().values() if statistic.about == name)


def _computed(row: Mapping[str, str]) -> Statistic:
    filled = {name: text for name, text in row.items() if text}
    fixed = {"age_low": 20, "period": "2017-March 2020", "sources": ("nhanes_2017_2020_estimates",)}
    return Statistic.model_validate(filled | fixed | {"id": f"us_adults_{row['id']}"})
