"""Tables of contents: what can be chosen in a family, by name, made on first use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from pydantic import Field, ValidationError

from understudy.core.errors import SettingsError, UnknownNameError
from understudy.core.values import Value


class Choice(Value):
    """How a plan refers to a recipe: its catalog name, its settings and the reason for the choice."""

    name: str
    settings: Mapping[str, Any] = Field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Entry:
    """One line of a catalog.

    Attributes:
        name: the name by which it is chosen.
        target: `module:Class` of the recipe; imported on first use only.
        summary: one line for people.
        handles: what it can deal with, free words such as `tabular`, `missing`, `conditions`.
    """

    name: str
    target: str
    summary: str
    handles: frozenset[str] = frozenset()


R_co = TypeVar("R_co", covariant=True)


class Catalog(Generic[R_co]):
    """The recipes of one family, listed explicitly; outside packages join by the entry-point group.

    An outside package declares, in the group `understudy.<family>`, a name and `module:ENTRY`, where
    ENTRY is an `Entry`.
    """

    def __init__(self, family: str, entries: Iterable[Entry]) -> None:
        self.family = family
        self._own = tuple(entries)

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        outside = [point.load() for point in entry_points(group=f"understudy.{self.family}s")]
        return {entry.name: entry for entry in (*outside, *self._own)}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All lines, alphabetical."""
        return tuple(sorted(self._by_name.values(), key=lambda entry: entry.name))

    @property
    def names(self) -> tuple[str, ...]:
        """All names, alphabetical."""
        return tuple(entry.name for entry in self.entries)

    def entry(self, name: str) -> Entry:
        """Return the line of this name.

        Raises:
            UnknownNameError: if there is none; suggests the nearest.
        """
        if name not in self._by_name:
            raise UnknownNameError(self.family, name, self.names)
        return self._by_name[name]

    def recipe(self, name: str) -> type[R_co]:
        """Return the recipe's class, importing its module."""
        module, _, attribute = self.entry(name).target.partition(":")
        found: type[R_co] = getattr(import_module(module), attribute)
        return found

    def create(self, choice: Choice | str) -> R_co:
        """Make the chosen recipe with its settings.

        Raises:
            UnknownNameError: if the name is unknown.
            SettingsError: if a setting is unknown or out of bounds; says which and what was expected.
        """
        choice = Choice(name=choice) if isinstance(choice, str) else choice
        recipe = self.recipe(choice.name)
        try:
            return recipe(**choice.settings)
        except ValidationError as error:
            parts = [_explained(choice.name, recipe, item) for item in error.errors()]
            raise SettingsError("; ".join(parts)) from error


def _explained(name: str, recipe: type[Any], item: Mapping[str, Any]) -> str:
    place = ".".join(str(step) for step in item["loc"])
    if item["type"] == "extra_forbidden":
        return str(UnknownNameError(f"setting of {name!r}", place, tuple(recipe.model_fields)))
    return f"setting {place!r} of {name!r}: {item['msg']}, got {item.get('input')!r}"
