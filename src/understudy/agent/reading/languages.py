"""Languages: which one a request is written in, and the headline forms of four of them put into English."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("el", re.compile(r"[\u0370-\u03ff]{3}")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
_ENOUGH = 2


def detect(text: str) -> str:
    """Return the ISO 639-1 code of a text's language, English where nothing speaks for another."""
    for code, letters in _SCRIPTS:
        if letters.search(text):
            return code
    words = re.findall(r"[^\W\d_]+", text.casefold())
    hits = {code: sum(word in known for word in words) for code, known in _function_words().items()}
    best = max(hits, key=lambda code: hits[code])
    return best if hits[best] >= _ENOUGH and hits[best] > hits["en"] else "en"


def readable() -> tuple[str, ...]:
    """Return the languages that requests are read in."""
    return ("en", *_phrases())


def in_english(text: str, language: str) -> str:
    """Return a request in English, phrase by phrase; words that are not listed stay as they are."""
    if language not in _phrases():
        return text
    pattern, phrases = _phrases()[language]
    if language in ("de", "es", "fr"):
        # A point or blank between thousands, a comma before decimals.
        text = re.sub(r"(?<=\d)[.\u202f](?=\d{3}\b)", "", text)
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    return pattern.sub(lambda found: f" {phrases[found[0].casefold()]} ", text)


@cache
def _function_words() -> Mapping[str, frozenset[str]]:
    return {code: frozenset(text.split()) for code, text in _document()["function_words"].items()}


@cache
def _phrases() -> Mapping[str, tuple[re.Pattern[str], Mapping[str, str]]]:
    found = {}
    for code, entries in _document()["phrases"].items():
        phrases = {phrase.casefold(): english for english, spelled in entries.items() for phrase in spelled}
        longest = sorted(phrases, key=len, reverse=True)
        body = "|".join(re.escape(phrase) for phrase in longest)
        edges = (r"(?<![^\W\d_])", r"(?![^\W\d_])") if code != "zh" else ("", "")
        found[code] = (re.compile(f"{edges[0]}(?:{body}){edges[1]}", re.IGNORECASE), phrases)
    return found


@cache
def _document() -> Mapping[str, Any]:
    return tomllib.loads(files("understudy.agent.reading").joinpath("languages.toml").read_text("utf-8"))
