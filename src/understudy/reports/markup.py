"""The only markup of text blocks: `**bold**` and code in backticks, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_MARK = re.compile(r"\*\*(?P<bold>[^*\n]+?)\*\*|`(?P<code>[^`\n]+)`")


class Span(NamedTuple):
    """A stretch of text of one style."""

    style: Literal["plain", "bold", "code"]
    text: str


def spans(text: str) -> Iterator[Span]:
    """Take a text apart; marks without a partner stay plain text.

    >>> [tuple(span) for span in spans("a **b** `c` **")]
    [('plain', 'a '), ('bold', 'b'), ('plain', ' '), ('code', 'c'), ('plain', ' **')]
    """
    end = 0
    for mark in _MARK.finditer(text):
        if mark.start() > end:
            yield Span("plain", text[end : mark.start()])
        if mark["bold"] is not None:
            yield Span("bold", mark["bold"])
        else:
            yield Span("code", mark["code"])
        end = mark.end()
    if end < len(text):
        yield Span("plain", text[end:])
