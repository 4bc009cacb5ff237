"""A request as a row of items that readers claim: each word belongs to exactly one reader, or is left over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from understudy.agent.reading.numbers import read_number
from understudy.agent.reading.tokens import Token, tokenize
from understudy.agent.reading.vocabulary import Sense, Vocabulary, quiet

_DONE = "done"


@dataclass(frozen=True)
class Item:
    """One known phrase, number, unit, sign or unknown word.

    Attributes:
        tag: what readers match: `num`, `part`, `unit`, `cond`, `obs`, `word` ...
        value: what stands behind it.
        start: place of its first character.
        end: place after its last character.
        others: further senses of the same words.
        corrected: the right spelling of misspelled words.
    """

    tag: str
    value: Any
    start: int
    end: int
    others: tuple[Sense, ...] = ()
    corrected: str = ""


@dataclass(frozen=True)
class Finding:
    """What a reader made of some words.

    Attributes:
        field: which part of a plan it speaks of.
        value: what is wished.
        says: the same in words.
        words: the person's own words.
        start: place of the first of them.
    """

    field: str
    value: Any
    says: str
    words: str
    start: int


@dataclass(frozen=True)
class Match:
    """The items that fit a pattern."""

    items: tuple[Item, ...]
    first: int
    last: int
    named: dict[str, tuple[int, int]]
    sheet: Sheet

    def __getitem__(self, name: str) -> Item:
        return self.sheet.items[self.named[name][0]]

    def __contains__(self, name: str) -> bool:
        return name in self.named

    def all(self, name: str) -> tuple[Item, ...]:
        """Return all items of a named part."""
        start, end = self.named.get(name, (0, 0))
        return tuple(self.sheet.items[start:end])


class Sheet:
    """The items of one request, and what readers have claimed of them."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.items = _scan(text, vocabulary)
        self.findings: list[Finding] = []

    def matches(self, pattern: str) -> Iterator[Match]:
        """Yield the places where a pattern of tags fits unclaimed items, from left to right.

        A pattern is a regular expression whose words are tags, named by `name=`: `(over|under) limit=num unit?`.
        """
        tags, starts = "", {0: 0}
        for number, item in enumerate(self.items, start=1):
            tags += f"<{item.tag}>"
            starts[len(tags)] = number
        for found in _compiled(pattern).finditer(tags):
            if found.start() == found.end():
                continue
            first, last = starts[found.start()], starts[found.end()]
            named = {
                name: (starts[found.start(name)], starts[found.end(name)])
                for name, value in found.groupdict().items()
                if value
            }
            yield Match(tuple(self.items[first:last]), first, last, named, self)

    def claim(self, match: Match, field: str, value: Any, says: str) -> None:
        """Take the items of a match for a wish; they are never matched again."""
        self.take(match.first, match.last, field, value, says)

    def take(self, first: int, last: int, field: str, value: Any, says: str) -> None:
        """Take the items from `first` to before `last` for a wish."""
        start, end = self.items[first].start, self.items[last - 1].end
        self.findings.append(Finding(field, value, says, self.text[start:end].strip(), start))
        for place in range(first, last):
            self.items[place] = replace(self.items[place], tag=_DONE)

    def left_over(self) -> list[Item]:
        """Return the items that nobody claimed and that are not quiet."""
        silent = quiet()
        return [item for item in self.items if item.tag != _DONE and item.tag not in silent]


_PATTERN = re.compile(r"(?P<group>\w+)=\(|(?P<name>\w+)=(?P<named>\w+)|(?P<tag>\w+)|\s+")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Turn a pattern of tags into a regular expression over `<tag><tag>...`."""

    def part(found: re.Match[str]) -> str:
        if found["group"]:
            return f"(?P<{found['group']}>"
        if found["name"]:
            return f"(?P<{found['name']}><{found['named']}>)"
        return f"(?:<{found['tag']}>)" if found["tag"] else ""

    return re.compile(_PATTERN.sub(part, pattern))


def _scan(text: str, vocabulary: Vocabulary) -> list[Item]:
    tokens = tokenize(text)
    found: list[Item] = []
    place = 0
    while place < len(tokens):
        item, size = _item(tokens, place, vocabulary)
        if item.tag != "filler":
            found.append(item)
        place += size
    return found


def _item(tokens: list[Token], place: int, vocabulary: Vocabulary) -> tuple[Item, int]:
    token = tokens[place]
    start = token.start
    if token.kind in ("unit", "file"):
        return Item(token.kind, token.value or token.text, start, token.end), 1
    phrase = vocabulary.match(tokens, place)
    number = read_number(tokens, place)
    if number is not None and (phrase is None or number.size >= phrase.size):
        end = tokens[place + number.size - 1].end
        return Item("part" if number.is_part else "num", number.value, start, end), number.size
    phrase = phrase or vocabulary.corrected(tokens, place)
    if phrase is None:
        return Item("word" if token.kind == "word" else "sign", token.key, start, token.end), 1
    first, *others = phrase.senses
    end = tokens[place + phrase.size - 1].end
    return Item(first.tag, first.value, start, end, tuple(others), phrase.corrected), phrase.size
