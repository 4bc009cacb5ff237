"""The words that are known: those of medicine from the knowledge base, those of requests from `words.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from understudy.agent.reading.number_words import NUMBER_WORDS
from understudy.agent.reading.spelling import is_far, nearest
from understudy.agent.reading.tokens import Token, tokenize
from understudy.knowledge.columns import told_by
from understudy.knowledge.conditions import conditions
from understudy.knowledge.levels import condition_groups, level_words
from understudy.knowledge.lexicon import spellings

Key = tuple[str, ...]
_OF_MEDICINE = ("cond", "obs", "level", "staged", "group")
_LONGEST = 9
_MENDED = 4


@dataclass(frozen=True)
class Sense:
    """What a phrase stands for: the tag that readers match, and the value behind it."""

    tag: str
    value: Any


@dataclass(frozen=True)
class Level:
    """Levels of a column that people are called by."""

    column: str
    values: tuple[str, ...]


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
        own: dict[Key, tuple[Sense, ...]] = {}
        self._capitals: dict[Key, tuple[Sense, ...]] = dict(beneath._capitals) if beneath else {}
        for phrase, sense in entries:
            tokens = tokenize(phrase)
            key = tuple(token.key for token in tokens)
            is_everyday = sense.tag in ("obs", "cond", "population") and key in _everyday()
            if key and (not is_everyday or phrase.isupper()):
                place = self._capitals if is_everyday else own
                place[key] = tuple(dict.fromkeys((*place.get(key, ()), sense)))
        self._senses: dict[Key, tuple[Sense, ...]] = dict(beneath._senses) if beneath else {}
        for key, senses in own.items():
            self._senses[key] = tuple(dict.fromkeys((*senses, *self._senses.get(key, ()))))
        self._known = NUMBER_WORDS | {w for key in self._senses for w in key}
        self._words = tuple(sorted(w for w in self._known if len(w) >= 4 and w.isalpha()))

    def find(self, tokens: Sequence[Token], place: int) -> Phrase | None:
        """Return the longest phrase that starts at a token, with misspelled words put right where that is needed."""
        phrase = self._match(tokens, place)
        if all(self._is_known(token) for token in tokens[place : place + _MENDED]):
            return phrase
        mended = self._corrected(tokens, place)
        if mended is not None and mended.corrected and (phrase is None or mended.size > phrase.size):
            return mended
        return phrase

    def _is_known(self, token: Token) -> bool:
        return token.kind != "word" or token.key in self._known or token.key.rstrip("s") in self._known

    def _match(self, tokens: Sequence[Token], place: int) -> Phrase | None:
        for size in range(min(_LONGEST, len(tokens) - place), 0, -1):
            key = tuple(token.key for token in tokens[place : place + size])
            if tokens[place].is_capital and key in self._capitals:
                return Phrase(self._capitals[key], size)
            senses = self._senses.get(key) or self._singular(key)
            if senses:
                return Phrase(senses, size)
        return None

    def _corrected(self, tokens: Sequence[Token], place: int) -> Phrase | None:
        """Return the longest phrase that the right spellings give; None where they give different ones."""
        window = tokens[place : place + _MENDED]
        found: list[Phrase] = []
        for words in product(*(self._nearest(token) for token in window)):
            mended = [
                Token(t.kind, w, w, t.start, t.end, t.value) for t, w in zip(window, words, strict=True)
            ]
            phrase = self._match([*mended, *tokens[place + _MENDED :]], 0)
            if phrase is not None:
                right, wrong = (" ".join(t.key for t in ts[: phrase.size]) for ts in (mended, window))
                found.append(Phrase(phrase.senses, phrase.size, right if right != wrong else ""))
                far = any(is_far(t.key, m.key) for t, m in zip(window[: phrase.size], mended, strict=False))
                if far and phrase.size == 1 and phrase.senses[0].tag in _OF_MEDICINE:
                    found.pop()  # two letters of a short word may be another disease
        longest = [p for p in found if p.size == max(f.size for f in found)]
        return longest[0] if len({p.senses[0] for p in longest}) == 1 else None

    def _nearest(self, token: Token) -> tuple[str, ...]:
        """Return the known words that a misspelled one may mean; itself where it is known, or none is near."""
        word = token.key
        if len(word) < 4 or not word.isalpha() or self._is_known(token):
            return (word,)
        return nearest(word, self._words) or (word,)

    def mend_number(self, token: Token) -> Token:
        """Return a token with a misspelled number word put right: thuosand, thrids."""
        near = self._nearest(token)
        if len(near) != 1 or near[0] == token.key or near[0] not in NUMBER_WORDS:
            return token
        return replace(token, key=near[0])

    def _singular(self, key: Key) -> tuple[Sense, ...]:
        last = key[-1]
        if len(last) > 3 and last.endswith("s") and not last.endswith("ss"):
            return self._senses.get((*key[:-1], last[:-1]), ())
        return ()


@cache
def _everyday() -> frozenset[Key]:
    """Return the spellings that are also ordinary words, and are meant only where written in capitals."""
    return frozenset(tuple(t.key for t in tokenize(p)) for p in (*_document()["everyday"], "us"))


@cache
def _document() -> Mapping[str, Any]:
    return tomllib.loads(files("understudy.agent.reading").joinpath("words.toml").read_text(encoding="utf-8"))


@cache
def quiet() -> frozenset[str]:
    """Return the tags whose words may be left over: they carry no wish by themselves."""
    return frozenset(_document()["quiet"])


@cache
def common() -> Vocabulary:
    """Return the vocabulary that every request shares."""
    return Vocabulary([*_of_requests(), *_of_people(), *_of_medicine()])


def _of_requests() -> Iterable[tuple[str, Sense]]:
    for tag, values in _document()["words"].items():
        for value, phrases in values.items():
            for phrase in phrases:
                yield str(phrase), Sense(tag, value)


def _of_people() -> Iterable[tuple[str, Sense]]:
    for entry in level_words().values():
        for word in entry.words:
            yield word, Sense("level", Level(entry.observation, entry.values))
        if entry.short:
            yield entry.short, Sense("levelpart", Level(entry.observation, entry.values))
    for group in condition_groups().values():
        for word in group.words:
            yield word, Sense("group", group.id)


def _of_medicine() -> Iterable[tuple[str, Sense]]:
    told = {name: c for c in conditions() if (name := told_by(c))}
    for phrase, meaning in spellings():
        if meaning.kind == "condition":
            yield phrase, Sense("cond", meaning.id)
        elif meaning.id in told and "diagnosed" not in phrase:
            # "History of stroke" names people with the condition before it names a column.
            yield phrase, Sense("cond", told[meaning.id])
    for phrase, meaning in spellings():
        if meaning.kind == "observation":
            yield phrase, Sense("obs", meaning.id)
