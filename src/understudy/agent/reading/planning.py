"""From findings to a plan, through the doors that the command line uses too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from understudy.agent.reading.sheet import Finding
from understudy.core.catalog import Choice
from understudy.core.contracts import Generator
from understudy.core.errors import RequestError
from understudy.workflow.cohort_request import CohortWishes, draft_cohort, population_of
from understudy.workflow.plan import Plan


@dataclass(frozen=True)
class Asked:
    """A request and what was read in it."""

    text: str
    findings: tuple[Finding, ...]

    def all(self, field: str) -> list[object]:
        """Return the values of all findings of a field."""
        return [finding.value for finding in self.findings if finding.field == field]


@dataclass(frozen=True)
class Planned:
    """A plan, or why there is none."""

    plan: Plan | None
    notes: tuple[str, ...]


def planned(asked: Asked) -> Planned:
    """Turn what was read into a plan."""
    if not asked.findings:
        return Planned(None, ("nothing was asked for",))
    wishes = CohortWishes(goal=asked.text, conditions=[str(c) for c in asked.all("condition")])
    changes: dict[str, int] = {
        field: int(str(values[-1])) for field in ("rows", "observations") if (values := asked.all(field))
    }
    try:
        draft = draft_cohort(CohortWishes(**{**wishes.__dict__, **changes}), held(wishes.population))
    except RequestError as error:
        return Planned(None, (str(error),))
    return Planned(draft.plan, draft.notes)


@cache
def held(population: str) -> Generator:
    """Return a population, built once: reading it takes longer than all the rest."""
    return population_of(Choice(name=population))
