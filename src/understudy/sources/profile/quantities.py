"""Numbers: written as digits or as text, with their decimals, units and natural bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from understudy.core.schema import Column, Kind, Schema, Table
from understudy.modalities.tabular import DECIMAL_COMMA, canonical
from understudy.sources.profile.cells import SAMPLE, Cells, Guess, cells_counted, percent
from understudy.sources.profile.sentinels import (
    impossible_zeros,
    is_positive,
    missing_codes,
    spell,
)
from understudy.sources.profile.units import ucum, unit_in_header, units_in_cells
from understudy.sources.profile.words import is_called, says, words

_MOST_DECIMALS = 10
_MOST_LEVELS = 10
_AGE = (
    "(?:patient_?|anchor_?|subject_?|onset_?)?age(?:_?in)?(?:_?(?:years?|yrs?|y|months?|days?))?",
    "age_?at_?(?:admission|admit|enrol+ment|baseline|entry|inclusion|visit|exam|screening|randomi[sz]ation|diagnosis)",
    "(?:alter|edad|idade|leeftijd|lebensalter)", "age_?group",
    "age_?(?:band|range|cat|category|bin|bracket)",
)  # fmt: skip
_COUNTS = (
    "(?:num|number|no|nr|n|count|cnt|total)_(?:of_)?\\w+", "\\w+_(?:count|cnt)", "num\\.?\\w+",
    "pregnancies", "parity", "gravida", "gravidity", "visits", "children", "siblings", "procedures",
    "medications", "nodes", "days?", "hours?", "weeks?", "months?", "years?", "time", "duration", "los",
    "length_of_stay", "time_\\w+", "age", "hday", "cigs\\w*", "cigarettes\\w*", "drinks\\w*",
    "admissions", "episodes", "events_count", "dose", "year",
)  # fmt: skip
_LEVELS = (
    "type", "class", "category", "cat", "group", "grp", "stage", "grade", "code", "cd", "id", "status",
    "site", "arm", "stratum", "strata", "psu", "cluster", "centre", "center", "ward", "race",
    "ethnicity", "sex", "gender", "region",
)  # fmt: skip
_PATTERN = r"[<>≤≥~$€£\s]*[-+]?(?:\d[\d., ']*|[.,]\d+)(?:[eE][-+]?\d+)?\s*(?:%|[A-Za-zµ°][\w°µ/^.%]*)?"
_ENOUGH = 0.95


@dataclass(frozen=True)
class Reading:
    """A text column read as numbers.

    Attributes:
        numbers: the sampled values, one per cell, shape (cells,).
        format: how the schema says that they are written; None for the usual way.
        share: share of the filled cells that are numbers.
        certain: whether the decimal sign is beyond doubt.
    """

    numbers: np.ndarray
    format: str | None
    share: float
    certain: bool


def is_age_name(name: str) -> bool:
    """Say whether the name is of a patient's age (and not of the age at some event)."""
    return is_called(name, *_AGE)


def read_text(cells: Cells) -> Reading | None:
    """Read a text column as numbers, if nearly all cells are: `1,234`, `12,5`, `5.4 mg/dL`, `<0.1`."""
    if cells.matching(_PATTERN) < _ENOUGH or cells.matching(r"\d+\s*[a-zA-Z]\s*\d.*") > 0.5:
        return None
    form, certain = _decimal_sign(cells)
    column = Column(name=cells.name, kind=Kind.NUMBER, format=form)
    texts = cells.present.gather_every(max(cells.filled // (10 * SAMPLE), 1))
    read, _ = canonical(texts.alias(cells.name).to_frame(), Schema(tables=(Table(columns=(column,)),)))
    values = read.frame[cells.name].drop_nulls().to_numpy()
    share = len(values) / max(len(texts), 1)
    return Reading(np.asarray(values, dtype=np.float64), form, share, certain) if share >= _ENOUGH else None


def _decimal_sign(cells: Cells) -> tuple[str | None, bool]:
    with_comma = cells.matching(r"[^,]*\d?,\d[^,]*")
    if with_comma == 0:
        thousands = cells.matching(r"[^.]*\d\.\d{3}\.\d{3}[^.]*")
        return (DECIMAL_COMMA, True) if thousands else (None, True)
    both = cells.matching(r".*\d\.\d{3},\d.*")
    if both:
        return DECIMAL_COMMA, True
    if cells.matching(r".*,\d{3}\.\d.*|.*,\d{3},\d{3}.*"):
        return None, True
    # 12,5 or 0,123 has a decimal comma; 1,234 alone can be either.
    decimal = cells.matching(r".*,(?:\d{1,2}|\d{4,})(?:\D.*)?|\D*0,\d+.*")
    return (DECIMAL_COMMA, True) if decimal > 0 else (None, cells.matching(r".*\d\.\d.*") > 0)


def decimals_of(numbers: np.ndarray, is_single: bool = False) -> int | None:
    """Return the digits after the point that all numbers need, or None where they need more than ten.

    Args:
        numbers: values, shape (cells,); at most 20,000 evenly spaced ones are looked at.
        is_single: whether they come from single precision (seven digits).
    """
    some = numbers[:: max(len(numbers) // 20_000, 1)]
    some = some[np.isfinite(some)]
    if not len(some):
        return None
    precision = np.finfo(np.float32 if is_single else np.float64).eps
    # Sums of decimals carry a few units in the last place.
    slack = (1 if is_single else 32) * precision * np.maximum(np.abs(some), 1.0)
    for digits in range(_MOST_DECIMALS + 1):
        if (np.abs(np.round(some, digits) - some) <= slack).all():
            return digits
    return None


def is_level_like(cells: Cells, numbers: np.ndarray) -> str | None:
    """Return the reason to take whole numbers for levels rather than quantities, or None."""
    values = np.unique(numbers)
    if len(values) < 2 or (values != np.round(values)).any():
        return None
    named = says(cells.name, *_LEVELS) and not says(cells.name, *_COUNTS)
    named = (
        named
        or says(cells.name, "\\w*itemid")
        or (words(cells.name) or ("",))[-1] in ("id", "type", "code", "cd", "class", "group", "cat")
    )
    if named and len(values) <= 50 and len(values) < len(numbers) / 5:
        return f"{len(values)} different whole numbers, named like a level"
    small = (
        len(values) <= _MOST_LEVELS
        and values[0] >= 0
        and values[-1] <= 20
        and len(values) <= len(numbers) / 5
    )
    if not small or (says(cells.name, *_COUNTS) and not is_called(cells.name, "num", "n")):
        return None
    # Eight and more levels from zero on that thin out are a count.
    if len(values) >= 8 and values[0] == 0:
        return None
    return f"only {len(values)} different whole numbers"


def guess_quantity(cells: Cells, numbers: np.ndarray, reading: Reading | None = None) -> Guess:
    """Describe a column of numbers.

    Args:
        cells: the column.
        numbers: its values, shape (cells,).
        reading: how the numbers were read, where they came as text.
    """
    sure, suspected = missing_codes(cells.name, numbers)
    rest = numbers[~np.isin(numbers, sure)] if sure else numbers
    decimals = 0 if cells.raw.dtype.is_integer() else decimals_of(rest, cells.raw.dtype == pl.Float32)
    unit, notes = _unit(cells, rest)
    low, high = _bounds(cells.name, unit, rest)
    notes += _remarks(cells, numbers, sure, suspected)
    zeros = impossible_zeros(cells.name, rest)
    if zeros:
        notes += (
            f"column {cells.name!r}: {cells_counted(zeros)} of 0, which its meaning excludes; if 0 stands for missing, "
            "add `sentinels: ['0']` to the column",
        )
    confidence, reason = _why(cells, rest, decimals, reading)
    if reading is not None and not reading.certain:
        notes += (
            f"column {cells.name!r}: commas are read as thousands; set `format: {DECIMAL_COMMA}` if wrong",
        )
    column = Column(
        name=cells.name, kind=Kind.NUMBER, storage=cells.storage, unit=unit, low=low, high=high, decimals=decimals,
        format=reading.format if reading else None, sentinels=tuple(spell(v) for v in sure), confidence=confidence,
        reason=reason,
    )  # fmt: skip
    return Guess(column, notes, (*(spell(v) for v in suspected), *(("0",) if zeros else ())))


def _remarks(
    cells: Cells, numbers: np.ndarray, sure: tuple[float, ...], suspected: tuple[float, ...]
) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    for value in sure:
        rows = int((numbers == value).sum())
        notes += (
            f"column {cells.name!r}: {spell(value)} ({cells_counted(rows)}) is read as missing and written as missing; "
            "remove it from `sentinels` to keep it as a number",
        )
    for value in suspected:
        rows = int((numbers == value).sum())
        notes += (
            f"column {cells.name!r}: {spell(value)} ({cells_counted(rows)}) may stand for missing; "
            f"if so add `sentinels: ['{spell(value)}']`",
        )
    if cells.is_text and cells.matching(r"[<>≤≥].*"):
        share = percent(cells.matching(r"[<>≤≥].*"))
        notes += (
            f"column {cells.name!r}: {share} of the cells are limits such as '<0.1' and are read as the limit",
        )
    return notes


def _unit(cells: Cells, numbers: np.ndarray) -> tuple[str | None, tuple[str, ...]]:
    unit = unit_in_header(cells.name)
    if cells.is_text and unit is None:
        spelled = units_in_cells(cells)
        codes = tuple(dict.fromkeys(ucum(s) or s for s in spelled))
        if len(codes) > 1:
            shown = ", ".join(codes[:4])
            return None, (f"column {cells.name!r}: mixes units ({shown}); convert them before learning",)
        unit = codes[0] if codes else None
    if unit is None and is_age_name(cells.name) and len(numbers):
        median = float(np.median(numbers))
        if median > 2000:
            return "d", (f"column {cells.name!r}: ages seem to be in days",)
        unit = "a" if median <= 110 else None
    return unit, ()


def _bounds(name: str, unit: str | None, numbers: np.ndarray) -> tuple[float | None, float | None]:
    """Return natural limits only: an observed extreme would publish a real patient's value."""
    if not len(numbers):
        return None, None
    smallest, largest = float(numbers.min()), float(numbers.max())
    if is_age_name(name):
        return 0.0, {"d": 43830.0, "a": 120.0, "mo": 1440.0}.get(unit or "")
    broken = float((numbers < 0).mean())
    low = 0.0 if smallest >= 0 or (broken <= 0.05 and is_positive(name)) else None
    if unit == "%" or says(name, "percent", "percentage", "pct", "spo2", "sao2"):
        return low, 100.0 if 1 < largest <= 100 and low == 0 else None
    if says(name, "prob", "probability", "proportion", "fraction") and largest <= 1:
        return low, 1.0
    return low, None


def _why(
    cells: Cells, numbers: np.ndarray, decimals: int | None, reading: Reading | None
) -> tuple[float, str]:
    if reading is not None:
        form = " with a decimal comma" if reading.format else ""
        return (0.9 if reading.certain else 0.6), f"{percent(reading.share)} of the texts are numbers{form}"
    count = len(np.unique(numbers))
    if count == 1:
        return 0.8, "always the same number"
    if decimals == 0:
        counted = ", named like a count" if says(cells.name, *_COUNTS) else ""
        return (0.95 if counted or count > 20 else 0.75), f"{count} different whole numbers{counted}"
    digits = "numbers" if decimals is None else f"numbers with up to {decimals} decimals"
    return 0.95, f"{count} different {digits}"
