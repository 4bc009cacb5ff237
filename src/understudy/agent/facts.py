"""The checker of sentences: a number that no tool computed, a link or a picture does not reach the person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from pydantic import BaseModel

_NUMBER = re.compile(r"(?<![\w.])[-−+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORDS = re.compile(
    r"\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|"
    r"eighty|ninety|hundred|thousand|million|billion|half|third|thirds|quarter|quarters|double|twice|triple|dozen)\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"!?\[[^\]]*\]\s*\(|https?:|www\.|<\w|data:|javascript:", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def numbers(text: str) -> Iterator[Decimal]:
    """Give the numbers of a text, however they are written."""
    for found in _NUMBER.findall(text):
        yield Decimal(found.replace(",", "").replace("−", "-")).normalize()


def facts_of(parts: Iterable[BaseModel | str]) -> frozenset[Decimal]:
    """Return every number that blocks and words state."""
    texts = (part if isinstance(part, str) else part.model_dump_json() for part in parts)
    return frozenset(number for text in texts for number in numbers(text))


def checked(text: str, facts: frozenset[Decimal]) -> tuple[str, tuple[str, ...]]:
    """Split what a language model wrote into what may be shown and what is refused.

    A sentence is refused if it states a number that is not among the facts, spells a number in words (which
    cannot be compared), or holds a link, a picture or markup.

    Args:
        text: what the model wrote.
        facts: the numbers that tools computed in this conversation.

    Returns:
        the sentences that may be shown, and those that may not.
    """
    kept: list[str] = []
    refused: list[str] = []
    for sentence in filter(None, (part.strip() for part in _SENTENCE.split(text))):
        is_sound = not (_LINK.search(sentence) or _WORDS.search(sentence)) and set(numbers(sentence)) <= facts
        (kept if is_sound else refused).append(sentence)
    return " ".join(kept), tuple(refused)
