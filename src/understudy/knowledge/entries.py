"""Every entry of the knowledge base by whatever a person calls it, and the sources behind an entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from typing import Any, Literal, get_args

from understudy.core.errors import UnknownNameError
from understudy.core.values import Value, sparse
from understudy.knowledge.conditions import conditions
from understudy.knowledge.derivations import EQUATIONS
from understudy.knowledge.drugs import drug_classes
from understudy.knowledge.guidelines import guidelines
from understudy.knowledge.lexicon import lookup, suggest
from understudy.knowledge.observations import observations
from understudy.knowledge.rules import rules
from understudy.knowledge.sources import Source, sources
from understudy.knowledge.statistics import statistics
from understudy.knowledge.units import units

Chapter = Literal[
    "conditions",
    "drugs",
    "equations",
    "guidelines",
    "observations",
    "rules",
    "sources",
    "statistics",
    "units",
]
CHAPTERS: tuple[Chapter, ...] = get_args(Chapter)
_CITING = ("sources", "loinc_sources", "source", "guideline")

_READERS: Mapping[Chapter, Callable[[], Mapping[str, Any]]] = {
    "conditions": conditions,
    "drugs": drug_classes,
    "equations": lambda: EQUATIONS,
    "guidelines": guidelines,
    "observations": observations,
    "rules": rules,
    "sources": sources,
    "statistics": statistics,
    "units": units,
}


@dataclass(frozen=True)
class Found:
    """An entry, and the chapter that it stands in."""

    chapter: Chapter
    id: str
    entry: Any

    def document(self) -> dict[str, Any]:
        """Return the entry as a JSON document without fields at their default."""
        if isinstance(self.entry, Value):
            shown: dict[str, Any] = sparse(self.entry)
            return shown
        assert is_dataclass(self.entry)
        pairs = ((f.name, getattr(self.entry, f.name)) for f in fields(self.entry))
        return {name: list(v) if isinstance(v, tuple) else v for name, v in pairs if not callable(v)}

    def sources(self) -> tuple[Source, ...]:
        """Return the publications that the entry and its parts name, without repetition."""
        named: list[str] = []
        _collect(self.document(), named)
        known = sources()
        return tuple(known[name] for name in dict.fromkeys(named) if name in known)


def chapter(name: Chapter) -> Mapping[str, Any]:
    """Return the entries of a chapter by id."""
    return _READERS[name]()


def titles(name: Chapter) -> dict[str, str]:
    """Return what each entry of a chapter is called, by id."""
    return {key: _title(entry) for key, entry in chapter(name).items()}


def look_up(name: str) -> tuple[Found, ...]:
    """Return the entries that a person may mean: by id, name, synonym or abbreviation, in that order.

    Raises:
        UnknownNameError: if nothing is called so; names what is nearest.
    """
    found = [Found(c, name, chapter(c)[name]) for c in CHAPTERS if name in chapter(c)]
    for meaning in lookup(name):
        place: Chapter = "observations" if meaning.kind == "observation" else "conditions"
        found.append(Found(place, meaning.id, chapter(place)[meaning.id]))
    wanted = _plain(name)
    for place in CHAPTERS:
        for key, entry in chapter(place).items():
            if wanted in (_plain(key), _plain(_title(entry))):
                found.append(Found(place, key, entry))
    if not found:
        raise UnknownNameError("entry of the knowledge base", name, _nearest(name) or tuple(conditions()))
    return tuple({(f.chapter, f.id): f for f in found}.values())


def _nearest(name: str) -> tuple[str, ...]:
    keys = [key for place in CHAPTERS for key in chapter(place)]
    return tuple(dict.fromkeys([*suggest(name, 3), *get_close_matches(name, keys, n=3, cutoff=0.6)]))


def _title(entry: Any) -> str:
    for field in ("name", "says", "title", "what", "about"):
        if text := getattr(entry, field, ""):
            return str(text)
    return str(getattr(entry, "id", ""))


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split())


def _collect(value: Any, named: list[str]) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in _CITING:
                named += [item] if isinstance(item, str) else list(item)
            else:
                _collect(item, named)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect(item, named)
