"""A request cut into tokens: words, numbers, signs, units and file names, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from understudy.knowledge.lexicon import folded
from understudy.knowledge.units import units

_FILE = re.compile(r"(?<![\w/])[\w./~-]*\w\.(?:csv|tsv|parquet|xlsx|txt)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\d{1,3}(?:[,'’]\d{3})+(?![\d])(?:\.\d+)?"  # 2,000
    r"|\d{1,3},\d{1,2}(?=\s?(?:k|thousand|million|mio)\b)"  # 2,5 thousand
    r"|(?<![A-Za-z])\d{1,3}(?: \d{3})* 000(?!\d)"  # 2 000
    r"|\d*\.\d+(?:[eE][-+]?\d+)?|\d+(?:[eE][-+]?\d+)?"
)
_SCALE = re.compile(r"\s?(k|thousand|mio|million)\b|(m)\b(?!/)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][^\W_]*(?:['’][^\W\d_]+)?")
_SIGN = re.compile(r">=|<=|=<|=>|!=|==|[≥≤><=%+±~&/*:;,.!?()\[\]\n–—|•·-]")
# "(a)", "(2)", and "1." or "b)" at the start of a line part clauses.
_ENUMERATOR = re.compile(r"\((?:\d|[a-hA-H]|i{1,3}|iv)\)(?=\s)|(?<![^\n])[ \t]*(?:\d{1,2}|[a-h])[.)](?=\s)")
# "1. ... 2. ..." within a line.
_LIST = re.compile(r"(?<![\w.(])1[.)]\s.*(?<![\w.(])2[.)]\s", re.DOTALL)
_INLINE = re.compile(r"(?<=[\s:])(\d{1,2})[.)](?=\s)")
# "ckd4" and "stage3": the number is a token of its own.
_NUMBERED = re.compile(r"(?:ckd|stage|grade|class|type)(?=\d[ab]?\b)", re.IGNORECASE)
_STAGE = re.compile(r"[1-5][ab]\b", re.IGNORECASE)
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
_BLANK = re.compile(r"\s{0,2}")
_SCALES: Mapping[str, float] = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mio": 1e6, "million": 1e6}
# Units that are also ordinary words or letters count only where they touch the number.
_TOUCHING = frozenset(
    ("in", "a", "m", "s", "h", "d", "g", "k", "c", "f", "l", "y", "score", "ratio", "minute")
)


@dataclass(frozen=True)
class Token:
    """One token of a request.

    Attributes:
        kind: `word`, `number`, `sign`, `unit` or `file`.
        text: as written.
        key: as compared: lower case, American spelling.
        start: place of its first character.
        end: place after its last character.
        value: the number, or the unit's code.
    """

    kind: str
    text: str
    key: str
    start: int
    end: int
    value: float | str | None = None

    @property
    def is_capital(self) -> bool:
        """Whether it is written in capitals, as abbreviations are."""
        return self.text.isupper()


def tokenize(text: str) -> list[Token]:
    """Cut a request into tokens; blanks and underscores part words, a hyphen between letters is dropped."""
    found: list[Token] = []
    text = re.sub(r"(?<=\d)\.\.(?=\d)", "- ", _without_numbering(text))
    place = 0
    while place < len(text):
        token = _token(text, place, found[-1] if found else None)
        if token is None:
            place += 1
            continue
        place = token.end
        if not (token.key == "-" and _joins(text, token)):
            found.append(token)
    return found


def _without_numbering(text: str) -> str:
    """Return a text whose "1. ... 2. ..." within a line are semicolons; places of all else stay."""
    expected = 1
    for match in list(_INLINE.finditer(text)) if _LIST.search(text) else []:
        if int(match[1]) == expected:
            text = f"{text[: match.start()]};{' ' * (len(match[0]) - 1)}{text[match.end() :]}"
            expected += 1
    return text


def _token(text: str, place: int, before: Token | None) -> Token | None:
    if before is not None and before.kind == "number" and (unit := _unit(text, place, before)):
        return unit
    if match := _FILE.match(text, place):
        return Token("file", match[0], match[0], place, match.end())
    if match := _ENUMERATOR.match(text, place):
        return Token("sign", match[0], ";", place, match.end())
    if match := _NUMBERED.match(text, place):
        return Token("word", match[0], folded(match[0]), place, match.end())
    if match := _STAGE.match(text, place):
        return Token("word", match[0], match[0].casefold(), place, match.end())
    if match := _NUMBER.match(text, place):
        return _number(text, match)
    if match := _compounds().match(text, place):
        return Token("unit", match[0], match[0].casefold(), place, match.end(), _codes()[match[0].casefold()])
    if match := _WORD.match(text, place):
        return Token("word", match[0], folded(match[0]), place, match.end())
    if match := _SIGN.match(text, place):
        return Token("sign", match[0], {"–": "-", "—": "-"}.get(match[0], match[0]), place, match.end())
    return None


def _joins(text: str, token: Token) -> bool:
    """Say whether a hyphen joins two parts of a word, as in pre-diabetes or 65-year-old."""
    before, after = text[token.start - 1 : token.start], text[token.end : token.end + 1]
    if not before.isalnum() or not after.isalnum():
        return False
    return before.isalpha() or after.isalpha()


def _number(text: str, match: re.Match[str]) -> Token:
    grouped = re.sub(r"[,'’ ](?=\d{3})", "", match[0])
    value, end = float(grouped.replace(",", ".")), match.end()
    if scale := _SCALE.match(text, end):
        value, end = value * _SCALES[(scale[1] or scale[2]).casefold()], scale.end()
    elif ordinal := _ORDINAL.match(text, end):
        end = ordinal.end()
    return Token("number", text[match.start() : end], match[0], match.start(), end, value)


def _unit(text: str, place: int, number: Token) -> Token | None:
    blank = _BLANK.match(text, place)
    start = blank.end() if blank else place
    found = _units().match(text, start)
    if not found:
        return None
    spelled = found[0].casefold()
    is_metres = spelled == "m" and "." in number.text
    if spelled in _TOUCHING and start != number.end and not is_metres:
        return None
    return Token("unit", found[0], spelled, start, found.end(), _codes()[spelled])


@cache
def _codes() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for unit in units().values():
        for spelling in (unit.code, *unit.spellings):
            found.setdefault(spelling.casefold(), unit.code)
    return found


@cache
def _units() -> re.Pattern[str]:
    spelled = sorted(_codes(), key=len, reverse=True)
    # "1" and "%" are no units here: a number after a number, and a sign that shares use too.
    named = "|".join(
        re.escape(s) for s in spelled if s not in ("1", "%", "/min", "c", "f", "k", "points", "score", "pts")
    )
    return re.compile(rf"(?:{named})(?![\w/])", re.IGNORECASE)


@cache
def _compounds() -> re.Pattern[str]:
    """Return the units that are recognised without a number before them, as in "glucose in mmol/L"."""
    named = "|".join(re.escape(s) for s in sorted(_codes(), key=len, reverse=True) if "/" in s[1:-1])
    return re.compile(rf"(?<![\w/])(?:{named})(?![\w/])", re.IGNORECASE)
