"""Pairs of columns of which one cannot exceed the other: diastolic and systolic, start and end, birth and visit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from understudy.core.rules import Implies, Ordered
from understudy.core.schema import Column, Kind
from understudy.sources.profile.quantities import is_age_name
from understudy.sources.profile.sql import quoted, sex_is, text
from understudy.sources.profile.words import says, words

# (smaller, larger, whether equality is impossible): the names differ in this word only.
_SWAPS = (
    ("dbp", "sbp", True), ("diastolic", "systolic", True), ("dia", "sys", True),
    ("diabp", "sysbp", True), ("lo", "hi", False), ("aplo", "aphi", True), ("low", "high", False),
    ("lower", "upper", False), ("min", "max", False), ("minimum", "maximum", False),
    ("start", "end", False), ("start", "stop", False), ("starttime", "endtime", False),
    ("starttime", "stoptime", False), ("startdate", "enddate", False), ("startdate", "stopdate", False),
    ("begin", "end", False), ("from", "to", False), ("admission", "discharge", False),
    ("admit", "discharge", False), ("admittime", "dischtime", False), ("intime", "outtime", False),
    ("edregtime", "edouttime", False), ("admit", "disch", False), ("first", "last", False),
    ("onset", "diagnosis", False), ("birth", "death", False), ("birthdate", "deathdate", False),
    ("dob", "dod", False), ("entry", "exit", False), ("tstart", "tstop", False),
)  # fmt: skip
_PARTS = (
    (
        ("hdl\\w*",),
        ("chol", "cholesterol", "total_?chol\\w*", "chol_?total", "tc"),
        "a part of total cholesterol",
    ),
    (
        ("ldl\\w*",),
        ("chol", "cholesterol", "total_?chol\\w*", "chol_?total", "tc"),
        "a part of total cholesterol",
    ),
)
_BIRTH = ("birth\\w*", "dob", "date_of_birth")
_WOMEN = (
    "pregnan\\w*",
    "gravid\\w*",
    "menopaus\\w*",
    "postmenopaus\\w*",
    "breast_?feeding",
    "lactating",
    "parity",
)
_MEN = ("prostate\\w*", "prostatectomy")


def named_orders(columns: Sequence[Column]) -> Iterator[Ordered]:
    """Yield the pairs that must be ordered by what their names say; the data decide later."""
    quantities = [c for c in columns if c.is_learned and c.kind in (Kind.NUMBER, Kind.DATETIME)]
    seen: set[tuple[str, str]] = set()
    for rule in (*_swapped(quantities), *_parts(quantities), *_life(quantities), *_ages(quantities)):
        if (rule.lower, rule.upper) not in seen:
            seen.add((rule.lower, rule.upper))
            yield rule


def _swapped(columns: Sequence[Column]) -> Iterator[Ordered]:
    by_words = {(words(c.name), c.kind): c.name for c in columns}
    for (parts, kind), name in by_words.items():
        for low, high, strict in _SWAPS:
            if low in parts:
                other = by_words.get((tuple(high if p == low else p for p in parts), kind))
                if other is not None:
                    is_pressure = strict or says(name, "bp", "ap", "blood_pressure")
                    source = (
                        "diastolic below systolic pressure"
                        if is_pressure
                        else f"{low} not after or above {high}"
                    )
                    yield Ordered(lower=name, upper=other, strict=is_pressure, source=source)


def _parts(columns: Sequence[Column]) -> Iterator[Ordered]:
    numbers = [c for c in columns if c.kind is Kind.NUMBER]
    for low, high, source in _PARTS:
        lower = [c for c in numbers if says(c.name, *low) and not says(c.name, "non", "vldl", "ratio")]
        upper = [
            c
            for c in numbers
            if says(c.name, *high) and not says(c.name, "hdl\\w*", "ldl\\w*", "non\\w*", "ratio")
        ]
        if len(upper) == 1:
            for c in lower:
                if c.unit == upper[0].unit:
                    yield Ordered(lower=c.name, upper=upper[0].name, source=source)


def _life(columns: Sequence[Column]) -> Iterator[Ordered]:
    dates = [c.name for c in columns if c.kind is Kind.DATETIME]
    births = [n for n in dates if says(n, *_BIRTH)]
    for birth in births:
        for other in dates:
            if other not in births:
                yield Ordered(lower=birth, upper=other, source="birth comes first")


def _ages(columns: Sequence[Column]) -> Iterator[Ordered]:
    ages = [
        c.name for c in columns if c.kind is Kind.NUMBER and is_age_name(c.name) and c.unit in ("a", None)
    ]
    if len(ages) != 1:
        return
    for c in columns:
        if (
            c.kind is Kind.NUMBER
            and c.name != ages[0]
            and "age" in words(c.name)
            and not says(c.name, "gestational", "bone")
        ):
            yield Ordered(lower=c.name, upper=ages[0], source="an event comes at or before the present age")


def named_implications(columns: Sequence[Column]) -> Iterator[Implies]:
    """Yield what must follow from a column by its meaning: pregnant, therefore female."""
    for phrases, female in ((_WOMEN, True), (_MEN, False)):
        then = sex_is(columns, female=female)
        if then is None:
            continue
        for column in columns:
            when = _is_true(column) if column.is_learned and says(column.name, *phrases) else None
            if when is not None and not says(column.name, "contracept\\w*", "test", "not\\w*"):
                sex = "women" if female else "men"
                yield Implies(name=f"{column.name} only in {sex}", when=when, then=then, source="anatomy")


def _is_true(column: Column) -> str | None:
    if column.kind is Kind.BOOLEAN:
        return f"{quoted(column.name)} = true"
    if column.kind is Kind.NUMBER:
        return f"{quoted(column.name)} > 0"
    if column.kind is Kind.CATEGORY and column.values:
        yes = next(
            (
                v
                for v in column.values
                if v.lower() in ("yes", "y", "1", "true", "pregnant", "ja", "oui", "si")
            ),
            None,
        )
        return f"{quoted(column.name)} = {text(yes)}" if yes is not None else None
    return None
