"""What one column is: the readings are tried in order, and the first that fits its cells is proposed."""

from __future__ import annotations

import numpy as np
import polars as pl

from understudy.core.schema import Column, Kind, Role
from understudy.modalities.tabular import DECIMAL_COMMA
from understudy.sources.profile.booleans import guess_boolean, mixed_spelling
from understudy.sources.profile.cells import Cells, Guess, cells_counted, percent
from understudy.sources.profile.codes import guess_code
from understudy.sources.profile.dates import guess_datetime, is_epoch
from understudy.sources.profile.identifiers import guess_identifier, names_in_prose
from understudy.sources.profile.keys import guess_key
from understudy.sources.profile.levels import MOST_LISTED, in_order, is_ranked_name, sorted_numbers
from understudy.sources.profile.quantities import guess_quantity, is_level_like, read_text
from understudy.sources.profile.sentinels import missing_words
from understudy.sources.profile.words import is_called, says

_ZIP = ("zip", "zip_?code", "post_?code", "postal", "postal_?code", "plz", "zip[35]", "zcta", "fips")
_CODED = (
    "(?:\\w+_)?(?:id|code|cd)", "(?:\\w+_)?itemid", "item_?id", "ndc", "gsn", "cpt", "drg", "icd\\w*",
)  # fmt: skip
_CHECKED = frozenset(
    {"yes", "y", "x", "true", "t", "1", "ja", "j", "oui", "si", "sí", "present", "positive", "checked"}
)
_LONG_WORDS = 5
_LONG_SIGNS = 60
_NAMED = 0.2


def guess_column(cells: Cells) -> Guess:
    """Propose what a column is, from its cells and its name."""
    if not cells.filled:
        return _nothing(cells)
    certain, likely = missing_words(cells)
    if certain and cells.distinct == len(certain):
        return _with(_nothing(cells.without(certain)), cells, certain, ())
    known = cells.without(certain)
    if likely and len(certain) + len(likely) < cells.distinct:
        numeric = known.without(likely)
        # Among numbers and dates a word can only stand for a missing value.
        guess = _as_number(numeric) or guess_datetime(numeric)
        if guess is not None:
            return _with(guess, cells, (*certain, *likely), ())
    return _with(_decide(known), cells, certain, likely)


def _decide(cells: Cells) -> Guess:
    if cells.raw.dtype == pl.Duration:
        return _duration(cells)
    if cells.raw.dtype in (pl.Binary, pl.Time):
        return _unsupported(cells)
    for reading in (guess_identifier, guess_datetime, _postal, guess_key, guess_boolean, guess_code):
        guess = reading(cells)
        if guess is not None:
            return guess
    return _numbered_code(cells) or _as_number(cells) or _as_words(cells)


def _with(guess: Guess, cells: Cells, certain: tuple[str, ...], likely: tuple[str, ...]) -> Guess:
    column, notes = guess.column, guess.notes
    name = column.name
    if certain:
        counts = int(cells.levels.filter(pl.col("text").is_in(list(certain)))["count"].sum())
        shown = ", ".join(repr(t) for t in certain)
        notes += (
            f"column {name!r}: {shown} ({cells_counted(counts)}) is read as missing and written as missing",
        )
        column = column.model_copy(update={"sentinels": (*certain, *column.sentinels)})
    if likely and column.kind is Kind.CATEGORY:
        counts = int(cells.levels.filter(pl.col("text").is_in(list(likely)))["count"].sum())
        shown = ", ".join(repr(t) for t in likely)
        listed = "[" + ", ".join(f"'{t}'" for t in likely) + "]"
        notes += (
            f"column {name!r}: {shown} ({cells_counted(counts)}) may stand for missing; it is kept as a level, "
            f"and becomes missing with `sentinels: {listed}`",
        )
    return Guess(column, notes, (*guess.suspects, *(likely if column.kind is Kind.CATEGORY else ())))


def _nothing(cells: Cells) -> Guess:
    column = Column(
        name=cells.name,
        kind=Kind.NUMBER,
        storage=cells.storage,
        confidence=0.1,
        reason="all cells are missing; a number is as good as any guess",
    )
    notes = (f"column {cells.name!r}: all cells are missing",) if cells.rows else ()
    return Guess(column, notes)


def _unsupported(cells: Cells) -> Guess:
    column = Column(
        name=cells.name,
        kind=Kind.TEXT,
        storage=cells.storage,
        confidence=0.3,
        reason=f"stored as {cells.raw.dtype}, which is no plain cell",
    )
    return Guess(column, (f"column {cells.name!r}: is stored as {cells.raw.dtype}; convert or drop it",))


def _duration(cells: Cells) -> Guess:
    column = Column(
        name=cells.name,
        kind=Kind.NUMBER,
        storage=cells.storage,
        decimals=0,
        confidence=0.9,
        reason="stored as durations, read as whole numbers of their time unit",
    )
    return Guess(
        column, (f"column {cells.name!r}: durations are read and written as {cells.raw.dtype} numbers",)
    )


def _postal(cells: Cells) -> Guess | None:
    if not says(cells.name, *_ZIP) or cells.matching(r"[\dA-Za-z][\dA-Za-z -]{1,9}") < 0.9:
        return None
    column = Column(
        name=cells.name,
        kind=Kind.CATEGORY,
        roles=(Role.QUASI_IDENTIFIER,),
        storage=cells.storage,
        vocabulary="postal code",
        confidence=0.9,
        reason="named like a postal code",
    )
    return Guess(column)


def _numbered_code(cells: Cells) -> Guess | None:
    """Take whole numbers with many values for codes of an unknown vocabulary, if their name says so."""
    if not cells.is_numeric or cells.distinct <= 50 or not is_called(cells.name, *_CODED):
        return None
    if (cells.numbers != np.round(cells.numbers)).any():
        return None
    reason = f"{cells.distinct} different whole numbers, named like a code"
    return Guess(
        Column(name=cells.name, kind=Kind.CODE, storage=cells.storage, confidence=0.7, reason=reason)
    )


def _as_number(cells: Cells) -> Guess | None:
    if cells.is_numeric:
        numbers, reading = cells.numbers[np.isfinite(cells.numbers)], None
    elif cells.is_text and cells.filled:
        reading = read_text(cells)
        if reading is None:
            return None
        numbers = reading.numbers
        # A band or a code such as 007 is no number.
        if cells.matching(r"0\d+") > 0.05 and not cells.matching(r".*[.,].*"):
            return None
    else:
        return None
    why = is_level_like(cells, numbers)
    if why is not None and (reading is None or reading.format != DECIMAL_COMMA):
        return _numbered_levels(cells, why)
    guess = guess_quantity(cells, numbers, reading)
    if is_epoch(cells):
        note = f"column {cells.name!r}: looks like seconds since 1970; convert it to learn it as a date"
        return Guess(guess.column, (*guess.notes, note), guess.suspects)
    return guess


def _numbered_levels(cells: Cells, why: str) -> Guess:
    ordered = is_ranked_name(cells.name) and cells.distinct > 2
    column = Column(
        name=cells.name,
        kind=Kind.CATEGORY,
        storage=cells.storage,
        values=sorted_numbers(cells.texts) if cells.distinct <= MOST_LISTED else None,
        ordered=ordered,
        confidence=0.8 if cells.distinct <= 5 or ordered else 0.65,
        reason=why + (", named like a scale" if ordered else ""),
    )
    return Guess(column)


def _as_words(cells: Cells) -> Guess:
    notes = _remarks(cells)
    if _is_prose(cells) or names_in_prose(cells) > _NAMED:
        guess = _prose(cells)
        return Guess(guess.column, (*notes, *guess.notes))
    few = cells.distinct <= MOST_LISTED
    found = in_order(cells.texts) if few else None
    reason, confidence = f"{cells.distinct} different texts", 0.9
    if found:
        reason = f"{cells.distinct} levels, {found[1]}"
    elif cells.distinct == 1:
        reason = "always the same text"
    elif not few:
        reason, confidence = f"{reason}, {percent(1 - cells.uniqueness)} of the cells repeat another", 0.7
    column = Column(
        name=cells.name,
        kind=Kind.CATEGORY,
        storage=cells.storage,
        values=found[0] if found else (sorted_numbers(cells.texts) or cells.texts) if few else None,
        ordered=found is not None,
        confidence=confidence,
        reason=reason,
    )
    return Guess(column, notes)


def _remarks(cells: Cells) -> tuple[str, ...]:
    notes = []
    if cells.matching(r"\d{2,3}\s*/\s*\d{2,3}") > 0.9:
        notes.append("holds two numbers in a cell; split them into two columns")
    if cells.matching(r"\d{1,2}:\d{2}(?::\d{2})?") > 0.9:
        notes.append("holds times of day, kept as levels; minutes since midnight can be learned")
    if mixed_spelling(cells):
        notes.append("some levels differ in capitals only; unite them before learning")
    if cells.distinct == 1 and cells.filled < cells.rows and cells.texts[0].lower() in _CHECKED:
        notes.append("holds one value or nothing; nothing may mean no")
    return tuple(f"column {cells.name!r}: {note}" for note in notes)


def _is_prose(cells: Cells) -> bool:
    if not cells.is_text:
        return False
    some, weights = cells.some["text"], cells.some["count"]
    total = max(int(weights.sum()), 1)
    signs = float((some.str.len_chars() * weights).sum()) / total
    words = float(((some.str.count_matches(r"\s+") + 1) * weights).sum()) / total
    if cells.filled < 20 and cells.uniqueness == 1:
        return signs > _LONG_SIGNS or words > _LONG_WORDS
    if cells.uniqueness > 0.9 and cells.filled >= 50:
        return True
    return cells.uniqueness > 0.3 and (signs > _LONG_SIGNS or words >= _LONG_WORDS)


def _prose(cells: Cells) -> Guess:
    named = names_in_prose(cells)
    long = "long texts" if cells.matching(r".{60,}") > 0.3 else "texts"
    reason = f"{long}, {percent(cells.uniqueness)} of them different"
    column = Column(name=cells.name, kind=Kind.TEXT, storage=cells.storage, confidence=0.85, reason=reason)
    if named < 0.02:
        return Guess(column)
    update = {
        "roles": (Role.IDENTIFIER,),
        "identifier": "text",
        "reason": reason + "; some seem to name people",
    }
    note = f"column {cells.name!r}: {percent(named)} of the texts seem to hold names, numbers or addresses of people"
    return Guess(column.model_copy(update=update), (note,))
