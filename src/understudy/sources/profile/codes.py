"""Codes of published vocabularies: ICD-9-CM, ICD-10, LOINC, SNOMED CT, ATC, NDC, CPT, HCPCS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from understudy.core.schema import Column, Kind
from understudy.sources.profile.cells import Cells, Guess, percent
from understudy.sources.profile.words import says

_DIAGNOSIS = ("icd\\w*", "diag\\w*", "dx\\w*", "condition_code", "cause_of_death", "principal", "secondary")
_PROCEDURE = ("proc\\w*", "cpt\\w*", "hcpcs\\w*")
_DRUG = ("atc\\w*", "ndc\\w*", "drug\\w*", "medication\\w*", "rx\\w*")


@dataclass(frozen=True)
class Vocabulary:
    """A code system: how its codes look, and which column names expect it.

    Attributes:
        name: the vocabulary, as schemas name it.
        pattern: regular expression that the whole code matches.
        names: phrases of column names that hold such codes.
        needs_name: whether the pattern alone is too weak.
        check: validity of one code beyond its pattern, such as a check digit.
    """

    name: str
    pattern: str
    names: tuple[str, ...]
    needs_name: bool = True
    check: Callable[[str], bool] | None = None


def luhn_is_valid(code: str) -> bool:
    """Say whether the last digit is the mod-10 check digit of the others (LOINC users' guide, appendix C)."""
    digits = [int(d) for d in code if d.isdigit()]
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


_D5 = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_SHIFT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7), (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)  # fmt: skip


def verhoeff_is_valid(code: str) -> bool:
    """Say whether the last digit is the Verhoeff check digit of the others, as in SNOMED CT identifiers.

    Reference:
        Verhoeff, Error detecting decimal codes, Mathematical Centre Tracts 29 (1969).
    """
    state = 0
    for place, digit in enumerate(reversed(code)):
        state = _D5[state][_SHIFT[place % 8][int(digit)]]
    return state == 0


VOCABULARIES = (
    Vocabulary(
        "LOINC", r"\d{1,5}-\d", ("loinc\\w*", "code", "test\\w*"), needs_name=False, check=luhn_is_valid
    ),
    Vocabulary("NDC", r"\d{4,5}-\d{3,4}-\d{1,2}", _DRUG, needs_name=False),
    Vocabulary("NDC", r"\d{10,11}", ("ndc\\w*",)),
    Vocabulary("ATC", r"[A-DGHJLMNPRSV]\d{2}[A-Z]{2}\d{2}", _DRUG, needs_name=False),
    Vocabulary("ATC", r"[A-DGHJLMNPRSV](?:\d{2}(?:[A-Z]{1,2}(?:\d{2})?)?)?", ("atc\\w*",)),
    Vocabulary(
        "SNOMED CT", r"[1-9]\d{5,17}", ("snomed\\w*", "sct\\w*", "code", "\\w*code"), check=verhoeff_is_valid
    ),
    Vocabulary(
        "ICD-10-CM", r"[A-TV-Z]\d[0-9A-Z]\.[0-9A-Z]{1,4}|[A-TV-Z]\d[0-9A-Z]", _DIAGNOSIS, needs_name=False
    ),
    Vocabulary("ICD-10-CM", r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?", (*_DIAGNOSIS, "code")),
    Vocabulary("ICD-9-CM", r"(?:\d{1,3}|V\d{2}|E\d{3})(?:\.\d{1,2})?|(?:\d{3}|V\d{2})\d{1,2}", _DIAGNOSIS),
    Vocabulary("ICD-10-PCS", r"[0-9A-HJ-NP-Z]{7}", ("icd\\w*", "pcs\\w*", *_PROCEDURE)),
    Vocabulary("CPT", r"\d{4}[0-9A-Z]", ("cpt\\w*",)),
    Vocabulary("HCPCS", r"[A-V]\d{4}", ("hcpcs\\w*", *_PROCEDURE)),
    Vocabulary("RxNorm", r"\d{2,7}", ("rx_?norm\\w*", "rx_?cui")),
    Vocabulary("DICOM UID", r"1\.2\.840\.[\d.]+", ("uid", "sop\\w*"), needs_name=False),
)
_ENOUGH = 0.97


def guess_code(cells: Cells) -> Guess | None:
    """Take a column for medical codes, if its cells look like them and, where that is weak, its name agrees."""
    if not cells.filled or says(
        cells.name,
        "number_?diag\\w*",
        "number_of_\\w+",
        "n_\\w+",
        "num_\\w+",
        "\\w*date",
        "age",
        "years?",
        "months?",
        "days?",
        "time",
    ):
        return None
    for vocabulary in VOCABULARIES:
        named = says(cells.name, *vocabulary.names)
        # B12 or T20 may be a room: without a name that says so, a code must have its dot, dash or length.
        if (vocabulary.needs_name and not named) or (cells.distinct < 3 and not named):
            continue
        if not named and vocabulary.name == "ICD-10-CM" and cells.matching(r"[A-Z]\d[0-9A-Z]\.\w{1,4}") < 0.3:
            continue
        share = cells.matching(vocabulary.pattern)
        if share >= _ENOUGH and _holds(cells, vocabulary) and not _is_flag(cells, vocabulary):
            return Guess(_column(cells, vocabulary, share, named))
    if says(cells.name, *_DIAGNOSIS) and cells.distinct >= 20:
        return _mixed(cells)
    return None


def _holds(cells: Cells, vocabulary: Vocabulary) -> bool:
    if vocabulary.check is None:
        return True
    some = list(cells.some["text"].head(200))
    valid = sum(vocabulary.check(text) for text in some if text.replace("-", "").isdigit())
    return valid >= 0.95 * len(some)


def _is_flag(cells: Cells, vocabulary: Vocabulary) -> bool:
    # `diagnosis` = 0, 1, 2 is a level, and 1..40 a count; ICD-9 columns hold many codes, most of three digits.
    if vocabulary.name != "ICD-9-CM":
        return False
    return cells.distinct < 10 or cells.matching(r".{3,}") < 0.6


def _mixed(cells: Cells) -> Guess | None:
    nine, ten = (v for v in VOCABULARIES if v.name in ("ICD-9-CM", "ICD-10-CM") and v.needs_name)
    both = Vocabulary("ICD-9-CM and ICD-10-CM", f"{nine.pattern}|{ten.pattern}", _DIAGNOSIS)
    share = cells.matching(both.pattern)
    lettered = cells.matching(r"[A-DF-UW-Z]\d.*")
    return Guess(_column(cells, both, share, named=True)) if share >= _ENOUGH and lettered > 0.02 else None


def _column(cells: Cells, vocabulary: Vocabulary, share: float, named: bool) -> Column:
    reason = f"{percent(share)} of the cells look like {vocabulary.name} codes"
    return Column(
        name=cells.name,
        kind=Kind.CODE,
        storage=cells.storage,
        vocabulary=vocabulary.name,
        confidence=0.95 if named else 0.8,
        reason=reason + (", and the name agrees" if named else ""),
    )
