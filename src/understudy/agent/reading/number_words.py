"""Numbers in words: counts, fractions and decades, read from the tokens at one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.agent.reading.tokens import Token

_ONES = [
    *(
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL: Mapping[str, float] = {
    **{word: float(value) for value, word in enumerate(_ONES)},
    **{word: 10.0 * value for value, word in enumerate(_TENS, start=2)},
}
_SCALES: Mapping[str, float] = {
    "dozen": 12.0,
    "dozens": 12.0,
    "hundred": 100.0,
    "thousand": 1e3,
    "million": 1e6,
}
_PARTS: Mapping[str, float] = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "thirds": 3,
    "quarter": 4,
    "quarters": 4,
    "fourth": 4,
    "fifth": 5,
    "fifths": 5,
    "tenth": 10,
    "tenths": 10,
}
# "Every second patient" is a half of them; "every second month" is none.
_EVERY: Mapping[str, float] = {"second": 2, "other": 2, "third": 3, "fourth": 4, "fifth": 5, "tenth": 10}
_EACH = frozenset(
    ("patient", "person", "one", "participant", "adult", "subject", "record", "individual", "case")
)
NUMBER_WORDS = frozenset((*_SMALL, *_SCALES, *_PARTS, "percent"))
_OUT_OF = ("in", "of")


@dataclass(frozen=True)
class Number:
    """A number, or a part of a whole where `is_part`; `size` tokens long."""

    value: float
    size: int
    is_part: bool = False


def read_number(tokens: Sequence[Token], place: int) -> Number | None:
    """Read the number in words or digits that starts at a token; None where none starts.

    Percentages, halves and "one in five" are parts of a whole, between 0 and 1 for what is sensible.
    """
    number = _counted(tokens, place)
    if number is None:
        return _part(tokens, place, 1.0, 0)
    after = place + number.size
    if _key(tokens, after) in ("%", "percent", "pct"):
        return Number(number.value / 100, number.size + 1, is_part=True)
    if _key(tokens, after) == "per" and _key(tokens, after + 1) == "cent":
        return Number(number.value / 100, number.size + 2, is_part=True)
    if (
        _key(tokens, after) == "/"
        and (over := _counted(tokens, after + 1))
        and number.value < over.value <= 10
    ):
        return Number(number.value / over.value, number.size + 1 + over.size, is_part=True)
    part = _part(tokens, after, number.value, number.size)
    if part is not None:
        return part
    skip = 1 if _key(tokens, after) == "out" else 0
    if _key(tokens, after + skip) in _OUT_OF and (skip or number.value <= 10):
        whole = _counted(tokens, after + skip + 1)
        if whole is not None and number.value < whole.value <= 1000:
            return Number(number.value / whole.value, number.size + skip + 1 + whole.size, is_part=True)
    return number


def _part(tokens: Sequence[Token], place: int, count: float, size: int) -> Number | None:
    key = _key(tokens, place)
    if (
        size == 0
        and key == "every"
        and _key(tokens, place + 1) in _EVERY
        and _key(tokens, place + 2) in _EACH
    ):
        return Number(1 / _EVERY[_key(tokens, place + 1)], 2, is_part=True)
    scale = _SCALES.get(_key(tokens, place + 2))
    if size == 0 and key == "half" and scale and _key(tokens, place + 1) in ("a", "of"):
        return Number(scale / 2, 3)
    if size == 0 and key in ("a", "an") and _key(tokens, place + 1) in _PARTS:
        return Number(1 / _PARTS[_key(tokens, place + 1)], 2, is_part=True)
    if key in _PARTS and (size > 0 or key in ("half", "third", "quarter")):
        return Number(count / _PARTS[key], size + 1, is_part=True)
    return None


def _counted(tokens: Sequence[Token], place: int) -> Number | None:
    """Read "2,000", "two hundred and fifty thousand", "a dozen", "2 thousand"."""
    total, group, size, is_any = 0.0, 0.0, 0, False
    while place + size < len(tokens):
        token, key = tokens[place + size], _key(tokens, place + size)
        if token.kind == "number" and not is_any:
            group, is_any = float(token.value or 0), True
        elif key in _SMALL and (not is_any or _may_follow(tokens[place + size - 1], group, _SMALL[key])):
            group, is_any = group + _SMALL[key], True
        elif key in _SCALES and (is_any or key != "dozens"):
            scale = _SCALES[key]
            group = (group if is_any else 1.0) * scale
            is_any = True
            if scale >= 1e3:
                total, group = total + group, 0.0
        elif key in ("a", "an") and not is_any and _key(tokens, place + size + 1) in _SCALES:
            group, is_any = 1.0, True
        elif key == "and" and is_any and _continues(tokens, place + size, group, is_scaled=total > 0):
            pass
        else:
            break
        size += 1
    return Number(total + group, size) if is_any else None


def _may_follow(before: Token, group: float, value: float) -> bool:
    if before.kind != "word":
        return False
    if group % 100 == 0:
        return value < 100
    return group % 10 == 0 and group % 100 >= 20 and value < 10


def _continues(tokens: Sequence[Token], place: int, group: float, *, is_scaled: bool) -> bool:
    """Say whether "and" goes on with a number: two hundred and fifty, a thousand and two hundred."""
    is_hundred = group >= 100 and group % 100 == 0
    is_thousand = is_scaled and group == 0
    return (
        _key(tokens, place + 1) in _SMALL and (is_hundred or is_thousand) and tokens[place - 1].kind == "word"
    )


def _key(tokens: Sequence[Token], place: int) -> str:
    return tokens[place].key if 0 <= place < len(tokens) else ""
