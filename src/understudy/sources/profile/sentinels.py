"""Values that stand for a missing one: `?`, `unknown`, -9, 999, and zeros that no living patient has."""

from __future__ import annotations

import numpy as np

from understudy.sources.profile.cells import Cells
from understudy.sources.profile.words import is_called, says

# Never a level of their own in practice.
_CERTAIN = frozenset({
    "?", "??", "???", ".", "..", "...", "-", "--", "---", "n/a", "#n/a", "na", "n.a.", "<na>", "nan",
    "null", "none/null",
    "(null)", "#null!", "missing", "(missing)", "nil", "not available", "#value!", "\\n",
})  # fmt: skip
# A missing value in most tables and a level in some: suspected in categories, certain among numbers.
_LIKELY = frozenset({
    "unknown", "unk", "unknown/invalid", "not known", "not recorded", "not reported", "unspecified",
    "not specified",
    "no data", "undefined", "unbekannt", "inconnu", "desconocido", "sconosciuto", "onbekend", "okänd",
    "none", "refused",
    "don't know", "dont know", "not done", "not measured", "unable", "pending", "tbd",
})  # fmt: skip
_NEGATIVE = (-9.0, -99.0, -999.0, -9999.0, -99999.0, -8.0, -88.0, -888.0, -7.0, -77.0, -777.0, -1.0)
_HIGH = (
    99.0,
    999.0,
    9999.0,
    99999.0,
    999999.0,
    99.9,
    999.9,
    9999.9,
    88.0,
    888.0,
    8888.0,
    77.0,
    777.0,
    7777.0,
)
_ALIVE = (
    "glucose", "blood_?pressure", "bp", "resting_?bp", "trestbps", "mean_?bp", "sbp", "dbp", "systolic",
    "diastolic", "sys_?bp", "dia_?bp", "ap_?hi", "ap_?lo", "bmi", "body_?mass_?index", "weight",
    "height", "cholesterol", "chol", "skin_?thickness", "insulin", "heart_?rate", "hrt", "hr", "pulse",
    "resp", "respiration", "resp_?rate", "respiratory_?rate", "temp", "temperature", "sodium",
    "potassium", "albumin", "h(ae|e)moglobin", "hba1c", "h(ae|e)matocrit", "platelets", "creatinine",
    "spo2", "map", "thalach", "max_?hr", "waist", "hip", "hdl", "ldl",
)  # fmt: skip
_POSITIVE_BY_NATURE = (
    *_ALIVE,
    "age",
    "length_?of_?stay",
    "los",
    "wbc",
    "ph",
    "urea",
    "bun",
    "alt",
    "ast",
    "dose",
)


def is_vital(name: str) -> bool:
    """Say whether the name is of a quantity that is never zero in a living patient."""
    return says(name, *_ALIVE) and not says(
        name, "type", "change", "delta", "loss", "gain", "history", "told", "med"
    )


def is_positive(name: str) -> bool:
    """Say whether the name is of a quantity that cannot be negative."""
    return says(name, *_POSITIVE_BY_NATURE) and not says(name, "change", "delta", "diff", "score", "z", "log")


def missing_words(cells: Cells) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the spellings in a text column that certainly, and that probably, stand for a missing value."""
    if not cells.is_text:
        return (), ()
    lower = cells.levels["text"].str.to_lowercase()
    texts = tuple(cells.levels["text"].filter(lower.is_in([*_CERTAIN, *_LIKELY, "+"])))
    # `Na` is sodium; `NA` and `na` are nothing.
    certain = tuple(t for t in texts if t.lower() in _CERTAIN and (t.isupper() or t == t.lower()))
    if "+" in texts:
        certain = tuple(t for t in certain if t not in ("-", "--", "---"))
    return certain, tuple(t for t in texts if t.lower() in _LIKELY)


def missing_codes(name: str, numbers: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the codes among numbers that certainly, and that probably, stand for a missing value.

    Certain is a code that lies apart: a negative one where all else is at least zero, or a high one as far
    beyond the rest as the rest is wide; it must occur twice, unless the name says that it is impossible.

    Args:
        name: the column's name.
        numbers: the filled cells, shape (cells,).
    """
    certain: list[float] = []
    suspected: list[float] = []
    values, counts = np.unique(numbers, return_counts=True)
    known = dict(zip(values.tolist(), counts.tolist(), strict=True)) if len(values) <= 200_000 else {}
    candidates = [v for v in (*_NEGATIVE, *_HIGH) if v in known]
    rest = values[~np.isin(values, candidates)]
    if len(rest) < 3:
        return (), ()
    low, high = float(rest[0]), float(rest[-1])
    for value in candidates:
        often = known[value] >= 2
        if value < 0:
            apart = low >= 0
            strong = value != -1.0 or is_positive(name)
        else:
            # Codes come after the data: a 99 among percentages or ages is a value.
            apart = value >= high + max(high - min(low, 0.0), 1.0)
            strong = True
        if apart and strong and (often or is_positive(name)):
            certain.append(value)
        elif apart and often:
            suspected.append(value)
    return tuple(certain), tuple(suspected)


def impossible_zeros(name: str, numbers: np.ndarray) -> int:
    """Return how many zeros a column holds that its meaning and its other values make implausible."""
    zeros = int((numbers == 0).sum())
    others = np.abs(numbers[numbers != 0])
    if not zeros or not is_vital(name) or len(others) < 5 or is_called(name, "insulin_.*"):
        return 0
    # Where small values occur as well (a dose, a score), zero is one of them.
    return zeros if np.quantile(others, 0.05) > 0.1 * np.median(others) else 0


def spell(value: float) -> str:
    """Spell a number as schemas do: 999.0 is `999`."""
    return str(int(value)) if value == int(value) else str(value)
