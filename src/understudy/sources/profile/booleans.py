"""Yes and no, in any spelling."""

from __future__ import annotations

import polars as pl

from understudy.core.schema import Column, Kind
from understudy.sources.profile.cells import Cells, Guess
from understudy.sources.profile.words import says

# False first. Lower case; the schema keeps the spelling of the data.
_PAIRS = (
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("0", "1"), ("nein", "ja"), ("n", "j"),
    ("non", "oui"), ("no", "si"), ("no", "sí"), ("no", "sì"), ("nee", "ja"), ("nej", "ja"),
    ("nei", "ja"), ("não", "sim"), ("nao", "sim"), ("nie", "tak"), ("ne", "ano"), ("ei", "kyllä"),
    ("нет", "да"), ("hayır", "evet"), ("否", "是"), ("いいえ", "はい"), ("아니요", "예"), ("off", "on"),
    ("negative", "positive"), ("neg", "pos"), ("absent", "present"), ("-", "+"),
    ("unchecked", "checked"), ("normal", "abnormal"), ("falsch", "wahr"), ("faux", "vrai"),
    ("0.0", "1.0"),
)  # fmt: skip
_PEOPLE = ("sex", "gender", "sexe", "sexo", "geschlecht", "race", "ethnicity", "ethnic_?group")


def guess_boolean(cells: Cells) -> Guess | None:
    """Take a column for yes or no, if it holds exactly one spelling of each."""
    if cells.raw.dtype == pl.Boolean:
        return Guess(_column(cells, None, 1.0, "stored as true and false"))
    # 0 and 1 for sex are two levels; neither of them is "yes".
    if cells.distinct != 2 or says(cells.name, *_PEOPLE):
        return None
    if cells.is_numeric and not (set(cells.numbers.tolist()) <= {0.0, 1.0}):
        return None
    by_case = {text.lower(): text for text in cells.texts}
    for false, true in _PAIRS:
        if set(by_case) == {false, true}:
            pair = (by_case[false], by_case[true])
            certain = (false, true) not in (("f", "t"), ("-", "+"), ("off", "on"), ("normal", "abnormal"))
            return Guess(_column(cells, pair, 0.95 if certain else 0.75, f"only {pair[0]!r} and {pair[1]!r}"))
    return None


def mixed_spelling(cells: Cells) -> bool:
    """Say whether levels of a text column differ in letter case only (`Yes`, `yes`)."""
    if not cells.is_text or cells.distinct > 1000:
        return False
    return len({text.lower() for text in cells.texts}) < cells.distinct


def _column(cells: Cells, spelling: tuple[str, str] | None, confidence: float, reason: str) -> Column:
    return Column(
        name=cells.name,
        kind=Kind.BOOLEAN,
        storage=cells.storage,
        spelling=spelling,
        confidence=confidence,
        reason=reason,
    )
