"""Which observation or condition a word means: names, abbreviations, lay words and spelling variants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Literal

from pydantic import Field

from understudy.core.errors import UnknownNameError
from understudy.core.values import Value
from understudy.knowledge.conditions import conditions
from understudy.knowledge.loading import Entry, load
from understudy.knowledge.observations import Observation, observations

MeaningKind = Literal["observation", "condition"]

# British to American, applied to both sides of a comparison; order matters (oestr before oe).
_AMERICAN = (
    ("haem", "hem"),
    ("aemia", "emia"),
    ("oestr", "estr"),
    ("oedema", "edema"),
    ("oea", "ea"),
    ("apnoe", "apne"),
    ("orrhoe", "orrhe"),
    ("tumour", "tumor"),
    ("fibre", "fiber"),
    ("litre", "liter"),
    ("leuco", "leuko"),
    ("sulph", "sulf"),
    ("ischaem", "ischem"),
    ("paed", "ped"),
    ("gynaec", "gynec"),
    ("isation", "ization"),
    ("ised", "ized"),
    ("caecum", "cecum"),
    ("foet", "fet"),
)


class Words(Entry):
    """Further words for one observation or condition."""

    kind: MeaningKind
    means: str = Field(description="Id of the observation or condition.")
    words: tuple[str, ...] = Field(min_length=1)
    sources: tuple[str, ...] = ("everyday_words",)


class Meaning(Value):
    """What a word stands for."""

    kind: MeaningKind
    id: str


def lookup(word: str) -> tuple[Meaning, ...]:
    """Return what a word means: every match of the same closeness, observations before conditions.

    The word is compared as written, then without regard to case, hyphens, repeated blanks and the two
    spellings of English. An empty answer means that the word is not known; `suggest` then helps.
    """
    exact, folded = _index()
    return exact.get(word.strip()) or folded.get(_folded(word)) or ()


def suggest(word: str, most: int = 3) -> tuple[str, ...]:
    """Return the known words nearest to an unknown one, nearest first."""
    _, folded = _index()
    near = get_close_matches(_folded(word), tuple(folded), n=most, cutoff=0.6)
    return tuple(_spelled()[key] for key in near)


def likest(word: str, names: Sequence[str], most: int = 5) -> tuple[str, ...]:
    """Return the names whose spelling comes nearest to a word, however far, nearest first."""
    return tuple(get_close_matches(_folded(word), names, n=most, cutoff=0.0))


def also_called(word: str) -> tuple[str, ...]:
    """Return the ids of other observations that the words of a short name are part of the name of.

    `glucose` alone means one observation; fasting glucose is called so, too.
    """
    meant = {entry.id for entry in lookup(word)}
    parts = set(_folded(word).split())
    found = [
        entry.id
        for key, entries in _index()[1].items()
        for entry in entries
        if entry.kind == "observation" and entry.id not in meant and parts < set(key.split())
    ]
    return tuple(dict.fromkeys(found))


def meaning(word: str, kind: MeaningKind) -> str:
    """Return the id of the observation or condition that a word means.

    Raises:
        UnknownNameError: if the word means none of this kind; suggests the nearest word.
    """
    found = [entry.id for entry in lookup(word) if entry.kind == kind]
    if not found:
        # The nearest words rather than all two thousand.
        raise UnknownNameError(kind, word, suggest(word, most=5))
    return found[0]


@cache
def _index() -> tuple[Mapping[str, tuple[Meaning, ...]], Mapping[str, tuple[Meaning, ...]]]:
    exact: dict[str, tuple[Meaning, ...]] = {}
    folded: dict[str, tuple[Meaning, ...]] = {}
    for word, entry in _words():
        for index, key in ((exact, word), (folded, _folded(word))):
            if entry not in index.get(key, ()):
                index[key] = (*index.get(key, ()), entry)
    return exact, folded


@cache
def _spelled() -> Mapping[str, str]:
    spelled: dict[str, str] = {}
    for word, _ in _words():
        spelled.setdefault(_folded(word), word)
    return spelled


def _words() -> Iterator[tuple[str, Meaning]]:
    extra = load("lexicon.yaml", Words).values()
    for kind, entries in (("observation", observations()), ("condition", conditions())):
        for name, entry in entries.items():
            found = Meaning.model_validate({"kind": kind, "id": name})
            more = [w for words in extra if (words.kind, words.means) == (kind, name) for w in words.words]
            if isinstance(entry, Observation):
                more += entry.members
            for word in dict.fromkeys((name, name.replace("_", " "), entry.name, *entry.synonyms, *more)):
                yield word, found


def _folded(word: str) -> str:
    text = re.sub(r"[\s_\-–/,]+", " ", word.casefold().replace("’", "'")).strip()
    for british, american in _AMERICAN:
        text = text.replace(british, american)
    return text


def folded(word: str) -> str:
    """Return a word as it is compared: lower case, one blank for hyphens and blanks, American spelling."""
    return _folded(word)


def spellings() -> Iterator[tuple[str, Meaning]]:
    """Yield every known word with what it stands for."""
    return _words()
