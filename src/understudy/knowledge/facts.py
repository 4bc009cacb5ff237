"""Facts that tables hold beside observations and that rules speak of: dates of a life, codes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from pydantic import Field

from understudy.core.schema import Kind
from understudy.knowledge.loading import Entry, load


class Fact(Entry):
    """One date or code that a table may hold."""

    name: str
    kind: Literal[Kind.DATETIME, Kind.CODE]
    synonyms: tuple[str, ...] = ()
    vocabulary: str | None = Field(default=None, description="Code system of a code.")
    meaning: str
    sources: tuple[str, ...] = Field(min_length=1)


@cache
def facts() -> Mapping[str, Fact]:
    """Return all facts by id."""
    return load("facts.yaml", Fact)
