"""A request as a row of items that readers claim: each word belongs to exactly one reader, or is left over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from understudy.agent.reading.number_words import read_number
from understudy.agent.reading.scope import Scope
from understudy.agent.reading.tokens import Token, tokenize
from understudy.agent.reading.vocabulary import Level, Sense, Vocabulary, quiet

DONE = "done"
_MEASURED = ("num", "part", "unit", "yearsold")


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

    @property
    def senses(self) -> tuple[Sense, ...]:
        """All that the words may mean, the likeliest first."""
        return (Sense(self.tag, self.value), *self.others)

    def sense(self, tag: str) -> Any:
        """Return the value behind one of its senses, None where it has no such sense."""
        return next((s.value for s in self.senses if s.tag == tag), None)


@dataclass(frozen=True)
class Finding:
    """What a reader made of some words.

    Attributes:
        field: which part of a plan it speaks of.
        value: what is wished.
        says: the same in words.
        words: the person's own words.
        start: place of the first of them.
        is_kept: whether a plan can do it; where not, `says` tells why.
    """

    field: str
    value: Any
    says: str
    words: str
    start: int
    is_kept: bool = True


@dataclass(frozen=True)
class Match:
    """The items that fit a pattern, from `first` to before `last`."""

    sheet: Sheet
    first: int
    last: int
    named: dict[str, tuple[int, int]]

    def __getitem__(self, name: str) -> Item:
        return self.sheet.items[self.named[name][0]]

    def __contains__(self, name: str) -> bool:
        return name in self.named

    @property
    def items(self) -> tuple[Item, ...]:
        """All items of the match."""
        return tuple(self.sheet.items[self.first : self.last])

    def get(self, name: str) -> Item | None:
        """Return a named item, None where the pattern went without it."""
        named = self.named.get(name)
        return self.sheet.items[named[0]] if named else None

    def tagged(self, *tags: str) -> list[Item]:
        """Return the items of the match that have one of these tags."""
        return [item for item in self.items if item.tag in tags]

    def value(self, name: str, otherwise: Any = None) -> Any:
        """Return the value of a named item, or something else where the pattern went without it."""
        return self[name].value if name in self else otherwise


class Sheet:
    """The items of one request, and what readers have claimed of them."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        self.items = _scan(text, scope.vocabulary)
        self.tags = frozenset(item.tag for item in self.items)
        self.findings: list[Finding] = []

    def matches(self, pattern: str) -> Iterator[Match]:
        """Yield the places where a pattern of tags fits unclaimed items, from left to right.

        A pattern is a regular expression whose words are tags, named by `name=`: `(over|under) limit=num unit?`.
        Claims made meanwhile are respected: what was taken since is not yielded.
        """
        tags, starts = "", {0: 0}
        for number, item in enumerate(self.items, start=1):
            tags += f"<{item.tag}>"
            starts[len(tags)] = number
        for found in _compiled(pattern).finditer(tags):
            first, last = starts[found.start()], starts[found.end()]
            if first == last or (f"<{DONE}>" not in found[0] and self.is_taken(first, last)):
                continue
            named = {
                name: (starts[found.start(name)], starts[found.end(name)])
                for name, value in found.groupdict().items()
                if value
            }
            yield Match(self, first, last, named)

    def is_taken(self, first: int, last: int) -> bool:
        """Say whether any item from `first` to before `last` is claimed already."""
        return any(item.tag == DONE for item in self.items[first:last])

    def claim(self, match: Match, field: str, value: Any, says: str, *, is_kept: bool = True) -> None:
        """Take the items of a match for a wish; they are never matched again."""
        self.take(match.first, match.last, field, value, says, is_kept=is_kept)

    def take(self, first: int, last: int, field: str, value: Any, says: str, *, is_kept: bool = True) -> None:
        """Take the items from `first` to before `last` for a wish."""
        items = self.items[first:last]
        start, end = items[0].start, items[-1].end
        fixed = [i.corrected for i in items if i.corrected and i.tag != DONE]
        says = f"{says} (read as {', '.join(map(repr, fixed))})" if fixed else says
        self.findings.append(Finding(field, value, says, self.text[start:end].strip(), start, is_kept))
        for place in range(first, last):
            self.items[place] = replace(self.items[place], tag=DONE)

    def has(self, field: str) -> bool:
        """Say whether something was found for a field."""
        return any(finding.field == field for finding in self.findings)

    def has_limit(self, column: str) -> bool:
        """Say whether a limit on a column was found."""
        return any(
            limit.where.column == column for f in self.findings if f.field == "limits" for limit in f.value
        )

    def left_over(self) -> list[Item]:
        """Return the items that nobody claimed and that are not quiet."""
        silent = quiet()
        return [item for item in self.items if item.tag != DONE and item.tag not in silent]

    def verbatim(self, item: Item) -> str:
        """Return an item's words as written, with what is joined to them by underscores."""
        start = len(self.text[: item.start]) - len(re.split(r"[^\w]", self.text[: item.start])[-1])
        return self.text[start : item.end] + re.split(r"[^\w]", self.text[item.end :])[0]

    def level(self, item: Item) -> Level | None:
        """Return the levels that an item tells people apart by, None where it does not."""
        found = (self.scope.level_of(sense) for sense in item.senses)
        return next((level for level in found if level), None)


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
    tokens = [vocabulary.mend_number(token) for token in tokenize(text)]
    found: list[Item] = []
    place = 0
    while place < len(tokens):
        item, size = _item(tokens, place, vocabulary)
        after = tokens[place + size].kind if place + size < len(tokens) else ""
        if item.tag == "postcmp" and (after == "number" or not (found and found[-1].tag in _MEASURED)):
            # "Male and older than 50" is no limit on what stands before it, nor is "over 160 and under 200".
            item, size = _item(tokens[: place + 1], place, vocabulary)
        if item.tag != "filler":
            found.append(item)
        place += size
    return found


def _item(tokens: Sequence[Token], place: int, vocabulary: Vocabulary) -> tuple[Item, int]:
    token = tokens[place]
    if token.kind in ("unit", "file"):
        return Item(token.kind, token.value or token.text, token.start, token.end), 1
    is_plus = token.key == "plus" or (token.key == "+" and place > 0 and _touches(tokens, place))
    if is_plus and place and tokens[place - 1].kind == "number":
        return Item("postcmp", "ge", token.start, token.end), 1
    phrase = vocabulary.find(tokens, place)
    number = read_number(tokens, place)
    if number is not None and (phrase is None or number.size >= phrase.size):
        end = tokens[place + number.size - 1].end
        return Item("part" if number.is_part else "num", number.value, token.start, end), number.size
    if phrase is None:
        return Item("word" if token.kind == "word" else "sign", token.key, token.start, token.end), 1
    first, *others = phrase.senses
    end = tokens[place + phrase.size - 1].end
    return Item(first.tag, first.value, token.start, end, tuple(others), phrase.corrected), phrase.size


def _touches(tokens: Sequence[Token], place: int) -> bool:
    return tokens[place - 1].end == tokens[place].start
