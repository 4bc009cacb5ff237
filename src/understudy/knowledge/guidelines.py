"""Guidelines: what a body of experts states, in our words, with the publication and what of it was read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import Field

from understudy.core.values import Value
from understudy.knowledge.loading import Entry, find, load


class Statement(Value):
    """One thing that a guideline states; a fact put in our own words."""

    says: str = Field(description="The statement in our words.")
    when: str | None = Field(
        default=None, description="The statement as a SQL condition over observation ids, where it is one."
    )


class Guideline(Entry):
    """One guideline, consensus document or classification."""

    name: str
    organisation: str = Field(description="Who issued it, in full.")
    year: int | None = Field(default=None, ge=1950, le=2100, description="Year of the edition that was read.")
    statements: tuple[Statement, ...] = Field(min_length=1)
    sources: tuple[str, ...] = Field(min_length=1, description="Where it was read.")
    missing: tuple[str, ...] = Field(default=(), description="What of it was not read, or not taken over.")


@cache
def guidelines() -> Mapping[str, Guideline]:
    """Return all guidelines by id."""
    return load("guidelines.yaml", Guideline)


def guideline(name: str) -> Guideline:
    """Return the guideline with this id.

    Raises:
        UnknownNameError: if there is none; suggests the nearest.
    """
    return find("guideline", guidelines(), name)
