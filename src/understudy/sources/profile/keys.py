"""Keys: columns whose values name a record or a patient and carry no meaning of their own."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from understudy.core.schema import Column, Kind, Role
from understudy.sources.profile.cells import Cells, Guess
from understudy.sources.profile.words import is_called, says

UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_PATIENT = (
    r"(?:patient|subject|person|participant|pat|pt|subj|member|client|case|proband)_?(?:id|nbr|no|num|number|key|code)?",
    r"(?:id|no|number)_(?:patient|subject|person)", r"mrn", r"seqn", r"usubjid", r"eid",
)  # fmt: skip
_KEY = (
    r"id", r"ids", r"key", r"uid", r"uuid", r"guid", r"index", r"idx", r"nbr", r"sno", r"s_no", r"row",
    r"row_?id", r"row_?(?:number|no)", r"rownames", r"serial", r"seq", r"seqn", r"accession",
    r"unnamed_?\d*", r"encounter",
    r"(?:encounter|visit|record|sample|study|stay|hadm|row|event|order|specimen)id", r"(?:\w+_)?id",
    r"case_?no", r"sample_?no",
)  # fmt: skip
# Many rows may belong to one of these, so that their values repeat.
_RECORDS = (
    r"(?:hadm|stay|icustay|encounter|visit|episode|admission|record|hospitali[sz]ation|case)_?(?:id|no|number)",
)
_NOT_PATIENT = ("class", "type", "group", "status", "name", "age", "sex", "gender", "weight", "height", "zip")


def is_patient_name(name: str) -> bool:
    """Say whether a column is named like the key of patients."""
    return is_called(name, *_PATIENT) and not says(name, *_NOT_PATIENT)


def is_key_name(name: str) -> bool:
    """Say whether a column is named like a key of anything."""
    named = says(name, *_KEY) and not says(name, "counts?", "number_?of\\w*", "level", "type")
    return is_patient_name(name) or named or not name.strip()


def guess_key(cells: Cells) -> Guess | None:
    """Take a column for a key, if its values name things: by pattern, by uniqueness and name, or by counting."""
    if cells.filled == 0 or (cells.raw.dtype.is_float() and not _is_whole(cells)):
        return None
    if not (cells.is_text or cells.is_numeric):
        return None
    if cells.is_text and cells.matching(UUID) > 0.95 and cells.distinct > 1:
        return _key(cells, 0.98, "universally unique identifiers", "uuid")
    if is_patient_name(cells.name) and (cells.distinct > 10 or cells.uniqueness == 1):
        return _key(cells, 0.95, f"{cells.distinct} different values, named like a patient's key")
    named = is_key_name(cells.name)
    if cells.uniqueness == 1 and cells.filled == cells.rows:
        return _unique(cells, named)
    if is_called(cells.name, *_RECORDS) and cells.distinct > 10:
        return _key(cells, 0.85, f"{cells.distinct} different values, named like the key of a record")
    if is_called(cells.name, "id") and cells.distinct > 10:
        return _key(cells, 0.85, f"{cells.distinct} different values, named 'id'")
    if named and cells.distinct > 100 and cells.uniqueness > 0.05:
        return _key(cells, 0.75, f"{cells.distinct} different values, named like a key")
    return None


def _unique(cells: Cells, named: bool) -> Guess | None:
    if named and (cells.is_text or _is_whole(cells)):
        return _key(cells, 0.95, "unique in every row and named like a key")
    if cells.rows < 20:
        return None
    if cells.is_numeric and cells.raw.dtype.is_integer() and np.ptp(cells.numbers) == cells.rows - 1:
        return _key(cells, 0.8, "counts the rows")
    if not cells.is_text or cells.matching(r"\S{4,}") < 1:
        return None
    form = mask(cells)
    # 1,234 and 12.5 are numbers; a key has a letter or a dash as well.
    if (
        form is not None
        and "#" in form
        and re.search(r"[@&A-Za-z_-]", form)
        and cells.matching(r"[\d.,]+\D{0,6}") < 0.5
    ):
        return _key(cells, 0.8, f"unique in every row, all written {form}")
    return None


def _is_whole(cells: Cells) -> bool:
    return not cells.raw.dtype.is_float() or bool((cells.numbers == np.round(cells.numbers)).all())


def _key(cells: Cells, confidence: float, reason: str, form: str | None = None) -> Guess:
    column = Column(
        name=cells.name,
        kind=Kind.KEY,
        roles=(Role.KEY,),
        storage=cells.storage,
        format=form or (mask(cells) if cells.is_text else None),
        confidence=confidence,
        reason=reason,
    )
    return Guess(column)


def mask(cells: Cells) -> str | None:
    """Return the common pattern of all texts, or None.

    `#` stands for a digit, `@` for a capital and `&` for a small letter; other signs, and letters that all cells
    share, for themselves: `S999-##` . No digit is ever kept, so that no real key can be read from the mask.
    """
    texts = cells.some["text"]
    if texts.str.len_chars().n_unique() != 1:
        return None
    first = texts[0]
    form = ""
    for place in range(len(first)):
        signs = texts.str.slice(place, 1).unique()
        text = "".join(signs)
        if all(sign.isdigit() for sign in text):
            form += "#"
        elif len(text) == 1 and len(texts) >= 5:
            form += text
        elif text.isalpha() and text.isascii():
            form += "@" if text.isupper() else "&" if text.islower() else "\0"
        else:
            return None
    return None if "\0" in form else form


def patient_column(cells: list[Cells], columns: list[Column]) -> str | None:
    """Return the column that tells patients apart, if a key repeats; the better name wins, then the first."""
    found = [
        (not is_patient_name(cell.name), not is_called(cell.name, "id"), place)
        for place, (cell, column) in enumerate(zip(cells, columns, strict=True))
        if column.kind is Kind.KEY and 1 < cell.distinct < cell.filled and may_link(cell.name)
    ]
    return columns[min(found)[2]].name if found else None


def may_link(name: str) -> bool:
    """Say whether a column of this name may tell which rows belong to one patient."""
    return is_patient_name(name) or is_called(name, "id", "key", "record_?id", "mrn")


def records_per_patient(cells: Cells) -> str:
    """Say how often the patients occur."""
    mean = cells.filled / max(cells.distinct, 1)
    return f"{cells.distinct} patients with {_brief(mean)} rows each on average"


def constant_within(frame: pl.DataFrame, patient: str, most_patients: int = 2000) -> tuple[str, ...]:
    """Return the columns that never change among the rows of one patient (first patients with several rows)."""
    counts = frame.group_by(patient, maintain_order=True).len().filter(pl.col("len") > 1)
    some = frame.filter(pl.col(patient).is_in(counts[patient].head(most_patients).to_list()))
    others = [c for c in frame.columns if c != patient]
    if not some.height:
        return ()
    most = some.group_by(patient).agg(pl.col(others).n_unique()).select(pl.col(others).max())
    changing = {c for c in others if most[c][0] > 1}
    return tuple(c for c in others if c not in changing and some[c].n_unique() > 1)


def _brief(number: float) -> str:
    return f"{number:.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"
