"""Which column of a table holds which observation, in which unit, and how to read it in the usual unit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from understudy.core.errors import UnknownNameError
from understudy.core.schema import Column, Kind
from understudy.knowledge.facts import facts
from understudy.knowledge.lexicon import lookup
from understudy.knowledge.observations import Observation, observations
from understudy.knowledge.units import UnitError, convert, units

_YES = ("yes", "y", "true", "t", "1", "1.0", "present", "positive")
_NO = ("no", "n", "false", "f", "0", "0.0", "absent", "negative")
# Levels that tables write otherwise than the observations do; compared in lower case.
_LEVELS: Mapping[str, Mapping[str, str]] = {
    "sex": {"f": "female", "m": "male", "woman": "female", "man": "male", "women": "female", "men": "male"},
    "smoking_status": {
        "never smoked": "never",
        "never smoker": "never",
        "formerly smoked": "former",
        "former smoker": "former",
        "ex-smoker": "former",
        "smokes": "current",
        "current smoker": "current",
    },
    "race_ethnicity": {"other/multiracial": "Other or multiracial"},
}

# The yes-no observation that a column named for a condition holds.
_TOLD: Mapping[str, str] = {
    "diabetes": "diabetes_diagnosed",
    "prediabetes": "prediabetes_diagnosed",
    "hypertension": "hypertension_diagnosed",
    "dyslipidaemia": "high_cholesterol_diagnosed",
    "coronary_heart_disease": "history_chd",
    "angina": "history_angina",
    "myocardial_infarction": "history_mi",
    "heart_failure": "history_heart_failure",
    "stroke": "history_stroke",
    "atrial_fibrillation": "history_atrial_fibrillation",
    "copd": "history_copd",
    "asthma": "history_asthma",
    "ckd": "history_ckd",
    "pregnancy": "pregnant",
}

_LONGEST_UNIT = 6
"""Words of the longest unit: mL, min, 1, 73, m2 and one to spare."""
_SPECIMENS = frozenset(("serum", "plasma"))
_QUALIFIERS = frozenset(("now", "told", "ever", "diagnosed", "dx", "current", "currently", "hx", "has", "is"))


@dataclass(frozen=True)
class Reading:
    """How a column is read as an observation or a fact.

    Attributes:
        name: id of the observation or the fact.
        column: name of the column.
        unit: unit of the column's values, None where it has none.
        is_assumed: whether nothing said the unit, so that the observation's own was taken.
        factor: value in the observation's unit = factor * value + offset.
        offset: see factor.
        kind: what the observation's values are.
        column_kind: what the column's values are.
    """

    name: str
    column: str
    unit: str | None
    is_assumed: bool
    factor: float
    offset: float
    kind: Kind
    column_kind: Kind

    def values(self) -> pl.Expr:
        """Return the column in the observation's own unit, levels and type."""
        raw = pl.col(self.column)
        if self.kind is Kind.NUMBER:
            number = raw.cast(pl.Float64)
            return number if (self.factor, self.offset) == (1.0, 0.0) else number * self.factor + self.offset
        if self.kind is Kind.BOOLEAN:
            return raw.cast(pl.Boolean) if self.column_kind is Kind.BOOLEAN else _flag(raw)
        return _level(raw, self.name) if self.kind is Kind.CATEGORY else raw

    def understood(self) -> pl.Expr:
        """Return whether a value is one of the observation's levels, or yes or no; null where it is missing."""
        raw, read = pl.col(self.column), self.values()
        levels = observations()[self.name].values if self.name in observations() else None
        known = read.is_in(list(levels)) if levels else read.is_not_null()
        return pl.when(raw.is_not_null()).then(known)


def told_by(condition: str) -> str | None:
    """Return the yes-no observation that tells whether a doctor told a person of a condition, if there is one."""
    return _TOLD.get(condition)


def read_columns(columns: Sequence[Column]) -> Mapping[str, Reading]:
    """Return how the columns are read, by id of the observation or fact; a column that fits none is left out.

    A name fits by id, name or synonym, with or without a unit at its end (`sbp_mmhg`, `height (cm)`). The unit
    is the schema's, else that of the name, else the observation's own. A column whose unit cannot be converted
    is left out; so is a second column of the same observation.
    """
    found: dict[str, Reading] = {}
    for column in sorted(columns, key=lambda c: c.name not in observations()):
        reading = _read(column)
        if reading is not None:
            found.setdefault(reading.name, reading)
    return found


def _read(column: Column) -> Reading | None:
    words = _words(column.name)
    for cut in range(min(len(words), _LONGEST_UNIT + 1)):
        spelled = "".join(words[len(words) - cut :]) if cut else None
        for name in _meanings(words[: len(words) - cut]):
            reading = _as_fact(column, name) if name in facts() else _observe(column, name, spelled)
            if reading is not None:
                return reading
    for name in _meanings([word for word in words if word not in _QUALIFIERS]):
        # "diabetes_ever" is the yes-no observation; "age_first" must not become the age.
        if name in observations() and observations()[name].kind is Kind.BOOLEAN:
            return _observe(column, name, None)
    return None


def _as_fact(column: Column, name: str) -> Reading | None:
    kind = facts()[name].kind
    return Reading(name, column.name, None, False, 1, 0, kind, column.kind) if kind is column.kind else None


def _observe(column: Column, name: str, spelled: str | None) -> Reading | None:
    chosen = observations()[name]
    if not _is_readable(chosen, column.kind):
        return None
    if chosen.kind is not Kind.NUMBER:
        fits = spelled is None
        return Reading(chosen.id, column.name, None, False, 1, 0, chosen.kind, column.kind) if fits else None
    unit = column.unit or (_unit_words().get(spelled) if spelled else None)
    if spelled is not None and spelled not in _unit_words():
        return None
    scale = _scale(chosen, unit)
    if scale is None:
        return None
    return Reading(
        chosen.id, column.name, unit or chosen.unit, unit is None, *scale, chosen.kind, column.kind
    )


def _is_readable(chosen: Observation, kind: Kind) -> bool:
    if chosen.kind is Kind.NUMBER:
        return kind is Kind.NUMBER
    if chosen.kind is Kind.BOOLEAN:
        return kind in (Kind.BOOLEAN, Kind.CATEGORY, Kind.NUMBER, Kind.TEXT)
    return kind in (Kind.CATEGORY, Kind.TEXT)


def _scale(chosen: Observation, unit: str | None) -> tuple[float, float] | None:
    if unit is None or chosen.unit is None or unit == chosen.unit:
        return 1.0, 0.0
    try:
        zero, one = convert([0.0, 1.0], unit, chosen.unit, of=chosen.id)
    except (UnitError, UnknownNameError):
        return None
    return float(one - zero), float(zero)


def _flag(raw: pl.Expr) -> pl.Expr:
    text = raw.cast(pl.String).str.to_lowercase().str.strip_chars()
    return pl.when(text.is_in(list(_YES))).then(True).when(text.is_in(list(_NO))).then(False)


def _level(raw: pl.Expr, name: str) -> pl.Expr:
    known = {value.casefold(): value for value in observations()[name].values or ()}
    text = raw.cast(pl.String).str.strip_chars()
    return text.str.to_lowercase().replace_strict(known | dict(_LEVELS.get(name, {})), default=text)


def _words(name: str) -> list[str]:
    split = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name).casefold().replace("%", " pct ")
    return re.findall(r"[a-z0-9µ]+", split)


def _meanings(words: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the observations and facts that a column's words may name, the likeliest first.

    Tables often put the noun first (`glucose_fasting`) or name the specimen: the last word is tried in front,
    and the words without serum or plasma. A single drug is not read as its class: who does not take the one may
    take another.
    """
    bare = [word for word in words if word not in _SPECIMENS]
    for text in dict.fromkeys((" ".join(words), " ".join((*words[-1:], *words[:-1])), " ".join(bare))):
        known = lookup(text)
        seen = [f.id for f in known if f.kind == "observation" and text not in observations()[f.id].members]
        fact = _facts_by_name().get(text)
        told = [_TOLD[found.id] for found in known if found.kind == "condition" and found.id in _TOLD]
        if seen or fact or told:
            return (*seen, *([fact] if fact else []), *told)
    return ()


@cache
def _facts_by_name() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for fact in facts().values():
        for spelling in (fact.id, fact.name, *fact.synonyms):
            found.setdefault(" ".join(_words(spelling)), fact.id)
    return found


@cache
def _unit_words() -> Mapping[str, str]:
    """Return the unit for each spelling without punctuation: mgdl, mmhg, pct, cm."""
    found: dict[str, str] = {}
    for unit in units().values():
        for spelling in (unit.code, *unit.spellings):
            found.setdefault("".join(_words(spelling)), unit.code)
    found.pop("", None)
    return found
