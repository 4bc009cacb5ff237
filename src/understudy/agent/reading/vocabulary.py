"""The words that are known: those of medicine from the knowledge base, those of requests from `words.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from understudy.agent.reading.tokens import Token, tokenize
from understudy.knowledge.lexicon import spellings

Key = tuple[str, ...]
# Look-alikes of opposite meaning: a correction never crosses them.
_OPPOSITES = ("hypo", "hyper", "pre", "anti", "non", "intra", "inter", "macro", "micro", "brady", "tachy")
_LONGEST = 9


@dataclass(frozen=True)
class Sense:
    """What a phrase stands for: the tag that readers match, and the value behind it."""

    tag: str
    value: Any


@dataclass(frozen=True)
class Phrase:
    """A phrase at one place of a request.

    Attributes:
        senses: what it may stand for, the likeliest first.
        size: how many tokens it takes.
        corrected: the spelling that was read instead of a misspelled one; empty where none was.
    """

    senses: tuple[Sense, ...]
    size: int
    corrected: str = ""


class Vocabulary:
    """Phrases with their senses, found at a place of a request by longest match, then by nearest spelling."""

    def __init__(self, entries: Iterable[tuple[str, Sense]], beneath: Vocabulary | None = None) -> None:
        self._senses: dict[Key, tuple[Sense, ...]] = dict(beneath._senses) if beneath else {}
        self._capitals: set[Key] = set(beneath._capitals) if beneath else set()
        self._words: dict[str, None] = dict(beneath._words) if beneath else {}
        for phrase, sense in entries:
            self._add(phrase, sense)

    def _add(self, phrase: str, sense: Sense) -> None:
        key = tuple(token.key for token in tokenize(phrase))
        if not key or (key in _everyday() and phrase != phrase.upper()):
            return
        if key in _everyday():
            self._capitals.add(key)
        known = self._senses.get(key, ())
        if sense not in known:
            self._senses[key] = (*known, sense)
        self._words |= {word: None for word in key if len(word) >= 4 and word.isalpha()}

    def match(self, tokens: Sequence[Token], place: int) -> Phrase | None:
        """Return the longest phrase that starts at a token, as written."""
        for size in range(min(_LONGEST, len(tokens) - place), 0, -1):
            key = tuple(token.key for token in tokens[place : place + size])
            if senses := self._senses.get(key) or self._singular(key):
                if key in self._capitals and not tokens[place].is_capital:
                    continue
                return Phrase(senses, size)
        return None

    def corrected(self, tokens: Sequence[Token], place: int) -> Phrase | None:
        """Return the phrase that starts at a token once its misspelled words are put right."""
        mended = list(tokens)
        for at in range(place, min(place + 4, len(tokens))):
            word = self.nearest(tokens[at])
            if word:
                mended[at] = Token("word", word, word, tokens[at].start, tokens[at].end)
        phrase = self.match(mended, place)
        if phrase is None:
            return None
        right = " ".join(token.key for token in mended[place : place + phrase.size])
        return Phrase(phrase.senses, phrase.size, right)

    def nearest(self, token: Token) -> str | None:
        """Return the known word that a misspelled one must mean; None where it is known, or none is near."""
        word = token.key
        if token.kind != "word" or len(word) < 4 or word in self._words:
            return None
        most = 1 if len(word) < 8 else 2
        # 'scorer_cutoff' makes this quick: two thousand words in less than a millisecond.
        near = process.extract(word, list(self._words), scorer=OSA.distance, score_cutoff=most, limit=4)
        near = [
            n for n in near if n[0][0] == word[0] and _side(n[0]) == _side(word) and _is_close(word, n[0])
        ]
        if not near or (len(near) > 1 and near[0][1] == near[1][1] and near[0][0][:-1] != near[1][0][:-1]):
            return None
        return str(near[0][0])

    def _singular(self, key: Key) -> tuple[Sense, ...]:
        last = key[-1]
        if len(last) > 3 and last.endswith("s") and not last.endswith("ss"):
            return self._senses.get((*key[:-1], last[:-1]), ())
        return ()


def _is_close(word: str, known: str) -> bool:
    # A short word is corrected only where letters are swapped, doubled or left out, never one for another.
    return len(word) >= 5 or sorted(word) == sorted(known)


def _side(word: str) -> str:
    return next((side for side in _OPPOSITES if word.startswith(side)), "")


@cache
def _everyday() -> frozenset[Key]:
    """Return the abbreviations that are also ordinary words, and are meant only where written in capitals."""
    return frozenset(tuple(t.key for t in tokenize(phrase)) for phrase in _document()["everyday"])


@cache
def _document() -> Mapping[str, Any]:
    return tomllib.loads(files("understudy.agent.reading").joinpath("words.toml").read_text(encoding="utf-8"))


def quiet() -> frozenset[str]:
    """Return the tags whose words may be left over: they carry no wish by themselves."""
    return frozenset(_document()["quiet"])


@cache
def medical_and_common() -> Vocabulary:
    """Return the vocabulary that every request shares."""
    return Vocabulary([*_of_requests(), *_of_medicine()])


def _of_requests() -> Iterable[tuple[str, Sense]]:
    for tag, values in _document()["words"].items():
        for value, phrases in values.items():
            for phrase in phrases:
                yield str(phrase), Sense(tag, value)


def _of_medicine() -> Iterable[tuple[str, Sense]]:
    for phrase, meaning in spellings():
        yield phrase, Sense("obs" if meaning.kind == "observation" else "cond", meaning.id)
