"""Where knowledge comes from: the publications behind every entry, and what of them was read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import Field

from understudy.knowledge.loading import Entry, find, load


class Source(Entry):
    """One publication, data set or public repository."""

    authors: str = Field(description="Authors as they are cited; an organisation where no person is named.")
    title: str
    year: int | None = Field(default=None, ge=1900, le=2100, description="None where a source is undated.")
    publisher: str = Field(description="Journal, agency, or site that published it.")
    identifier: str = Field(
        description="DOI, PMID, PMC number or address, such as doi:10.1056/NEJMoa2102953."
    )
    what_was_read: str = Field(
        description="What was really read of it: the paper, its abstract, a page that quotes it, a data file."
    )
    licence: str = Field(default="", description="Terms of the figures or files taken over, where stated.")

    def cite(self) -> str:
        """Return the reference in one line."""
        year = f" ({self.year})" if self.year else ""
        return f"{self.authors}{year}. {self.title}. {self.publisher}. {self.identifier}"


@cache
def sources() -> Mapping[str, Source]:
    """Return all sources by id."""
    return load("sources", Source)


def source(name: str) -> Source:
    """Return the source with this id.

    Raises:
        UnknownNameError: if there is none; suggests the nearest.
    """
    return find("source", sources(), name)
