"""Dates and times in any common format, as strptime reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from understudy.core.schema import Column, Kind, Storage
from understudy.sources.profile.cells import Cells, Guess, percent, share_of
from understudy.sources.profile.words import says

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y",
    "%m.%d.%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y", "%d-%b-%Y", "%d %b %Y",
    "%d/%b/%Y", "%d%b%Y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y",
    "%d-%B-%Y", "%Y-%b-%d",
)  # fmt: skip
_TIMES = (
    "", " %H:%M:%S", "T%H:%M:%S", " %H:%M", "T%H:%M", "T%H:%M:%SZ", " %H:%M:%S%.f", "T%H:%M:%S%.f",
    "T%H:%M:%S%.fZ", "T%H:%M:%S%z", " %H:%M:%S%z", "T%H:%M:%S%.f%z", " %I:%M %p", " %I:%M:%S %p",
    " %I:%M%p", ", %H:%M", ":%H:%M:%S",
)  # fmt: skip
_COMPACT = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%dT%H%M%S")
_TOKENS = {
    "%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%b": r"[A-Za-z]{3}",
    "%B": r"[A-Za-z]{3,9}",
    "%H": r"\d{1,2}", "%I": r"\d{1,2}", "%M": r"\d{2}", "%S": r"\d{2}", "%.f": r"\.\d{1,9}",
    "%p": r"[AaPp][Mm]",
    "%z": r"[+-]\d{2}:?\d{2}",
}  # fmt: skip
_NAMED = (
    "date", "datetime", "day", "dob", "time", "timestamp", "birth", "birthdate", "dod", "deathdate",
    "datum", "fecha", "visit", "admit", "discharge", "start", "stop", "end", "dt", "when", ".*date",
    ".*time", ".*_?dt",
)  # fmt: skip
_YEARS = (1800, 2250)
_ENOUGH = 0.95


@dataclass(frozen=True)
class Reading:
    """A format with the share of (sampled) cells that it reads as a plausible date."""

    format: str
    share: float


def shape(form: str) -> str:
    """Return the regular expression of the texts that a strptime format can read.

    >>> shape("%d.%m.%Y")
    '\\\\d{1,2}\\\\.\\\\d{1,2}\\\\.\\\\d{4}'
    """
    parts = re.split(r"(%\.f|%[A-Za-z])", form)
    return "".join(_TOKENS.get(part, re.escape(part)) for part in parts)


def guess_datetime(cells: Cells) -> Guess | None:
    """Take a column for dates, if its type, texts or digits say so."""
    if cells.raw.dtype in (pl.Date, pl.Datetime) or isinstance(cells.raw.dtype, pl.Datetime):
        return Guess(_column(cells, None, 1.0, "stored as dates"))
    if cells.is_text:
        return _written(cells)
    if cells.raw.dtype.is_integer():
        return _digits(cells)
    return None


def _written(cells: Cells) -> Guess | None:
    if cells.matching(r".*\d.*") < _ENOUGH or cells.matching(r"[-+]?[\d.,]{1,7}") > 1 - _ENOUGH:
        return None
    if cells.matching(r".{6,40}") < 0.5:
        return None
    readings = sorted((r for f in _possible(cells) if (r := _read(cells, f))), key=lambda r: -r.share)
    if not readings:
        return None
    best = readings[0]
    if best.format in _COMPACT and not says(cells.name, *_NAMED) and best.share < 1:
        return None
    rival = next((r for r in readings[1:] if _swapped(r.format) == best.format), None)
    if rival is not None and rival.share >= best.share:
        return _undecided(cells, best, rival)
    confidence = 0.98 if best.share == 1 else 0.9
    why = f"{percent(best.share)} of the cells read as dates written {best.format}"
    notes = () if best.share == 1 else (f"column {cells.name!r}: some cells are no date in this format",)
    if rival is not None and rival.share > 0.5:
        why += "; the day is known from values above 12"
    return Guess(_column(cells, best.format, confidence, why), notes)


def _possible(cells: Cells) -> list[str]:
    first = cells.some["text"][0]
    formats = [*_COMPACT, *(d + t for d in _DATES for t in _TIMES)]
    # One look at three cells spares hundreds of tries on the rest.
    probes = [first, *cells.some["text"].gather_every(max(cells.some.height // 3, 1))[:3]]
    return [f for f in formats if any(re.fullmatch(shape(f), probe) for probe in probes)]


def _read(cells: Cells, form: str) -> Reading | None:
    some = cells.some
    fits = some["text"].str.contains(f"^{shape(form)}$")
    if share_of(some, fits) < _ENOUGH:
        return None
    parsed = some["text"].str.to_datetime(form, strict=False, time_unit="us", ambiguous="earliest")
    good = fits & parsed.dt.year().is_between(*_YEARS).fill_null(value=False)
    share = share_of(some, good)
    # The losing order of day and month reads about 40 % of the days; keep it, to say what decided.
    return Reading(form, share) if share >= (_ENOUGH if _swapped(form) == form else 0.3) else None


def _swapped(form: str) -> str:
    return form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m") if _is_two_way(form) else form


def _is_two_way(form: str) -> bool:
    return form.startswith(("%d", "%m")) and "%b" not in form and "%B" not in form


def _undecided(cells: Cells, one: Reading, other: Reading) -> Guess | None:
    if one.share < _ENOUGH:
        return None
    # With strokes the American order is more common in exports, with dots and dashes the European one.
    month_first, day_first = sorted((one.format, other.format), reverse=True)
    form = month_first if "/" in one.format else day_first
    why = f"dates written {form} or {_swapped(form)}: no value above 12 decides"
    note = f"column {cells.name!r}: day and month cannot be told apart; {form} is assumed, edit `format` if wrong"
    return Guess(_column(cells, form, 0.5, why), (note,))


def _digits(cells: Cells) -> Guess | None:
    if not says(cells.name, *_NAMED) or cells.matching(r"(?:1[89]|20|21)\d{6}") < _ENOUGH:
        return None
    reading = _read(cells, "%Y%m%d")
    if reading is None or reading.share < _ENOUGH:
        return None
    return Guess(_column(cells, "%Y%m%d", 0.9, "whole numbers such as 20200131, named like a date"))


def _column(cells: Cells, form: str | None, confidence: float, reason: str) -> Column:
    storage: Storage = cells.storage
    return Column(
        name=cells.name,
        kind=Kind.DATETIME,
        storage=storage,
        format=form,
        confidence=confidence,
        reason=reason,
    )


def is_epoch(cells: Cells) -> bool:
    """Say whether whole numbers look like seconds or milliseconds since 1970."""
    if not cells.raw.dtype.is_integer() or not cells.filled or not says(cells.name, *_NAMED, "epoch", "unix"):
        return False
    return cells.matching(r"[1-9]\d{8,9}|1\d{12}") == 1.0
