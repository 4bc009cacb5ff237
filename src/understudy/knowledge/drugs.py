"""Drug classes: which conditions they treat, and whether taking one tells of a diagnosis."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import Field

from understudy.knowledge.loading import Entry, find, load


class DrugClass(Entry):
    """One class of medicines; its id is that of the observation that says whether it is taken."""

    treats: tuple[str, ...] = Field(min_length=1, description="Ids of conditions that it is used for.")
    sources: tuple[str, ...] = Field(min_length=1)
    missing: tuple[str, ...] = ()


@cache
def drug_classes() -> Mapping[str, DrugClass]:
    """Return all drug classes by id."""
    return load("drugs.yaml", DrugClass)


def drug_class(name: str) -> DrugClass:
    """Return the drug class with this id.

    Raises:
        UnknownNameError: if there is none; suggests the nearest.
    """
    return find("drug class", drug_classes(), name)


def treatments_of(condition: str) -> tuple[str, ...]:
    """Return the ids of the drug classes that treat a condition, as far as a source was read."""
    return tuple(name for name, entry in drug_classes().items() if condition in entry.treats)
