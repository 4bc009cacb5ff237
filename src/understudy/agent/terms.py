"""What the words of the trade mean: the project's own list, then catalogs, then the knowledge base."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.resources import files

import yaml

from understudy.core.errors import UnknownNameError
from understudy.core.values import Value
from understudy.knowledge.entries import look_up
from understudy.metrics.catalog import CATALOG as METRICS
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS


class Term(Value):
    """A word, what it means, and where that can be read."""

    words: tuple[str, ...] = ()
    name: str
    says: str
    sources: tuple[str, ...] = ()


@cache
def terms() -> tuple[Term, ...]:
    """Return the project's own list."""
    text = files("understudy.agent").joinpath("terms.yaml").read_text(encoding="utf-8")
    return tuple(Term.model_validate(entry) for entry in yaml.safe_load(text))


def define(word: str) -> Term:
    """Return what a word means.

    Raises:
        UnknownNameError: if it is not known; suggests the nearest.
    """
    wanted = " ".join(word.casefold().replace("_", " ").split())
    for term in terms():
        if wanted in term.words or wanted == term.name.casefold():
            return term
    for catalog in (METRICS, SYNTHESIZERS):
        for entry in catalog.entries:
            if wanted == entry.name.replace("_", " "):
                return Term(name=entry.name, says=entry.summary)
    known = {spelling: term for term in terms() for spelling in term.words}
    try:
        return _known(word)
    except UnknownNameError:
        near = get_close_matches(wanted, list(known), n=1, cutoff=0.75)
        if near:
            return known[near[0]]
        raise


def _known(word: str) -> Term:
    found = look_up(word)[0]
    document = found.document()
    parts = [str(document.get(key, "")) for key in ("summary", "about", "definition")]
    name = str(document.get("name") or document.get("title") or found.id)
    unit = f"measured in {document['unit']}" if document.get("unit") else ""
    says = (
        " ".join(part for part in (*parts, unit) if part) or f"{name}: one of the {found.chapter} known here."
    )
    return Term(name=name, says=says, sources=tuple(source.cite() for source in found.sources()[:4]))
