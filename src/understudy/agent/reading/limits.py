"""Limits on quantities: comparisons, ranges, brackets, ages in any of the ways that people write them."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.agent.reading.sheet import Item, Match, Sheet
from understudy.core.conditions import Between
from understudy.core.schema import Kind
from understudy.knowledge.conditions import conditions
from understudy.knowledge.observations import observations
from understudy.knowledge.units import convert, unit

_V = "(num|part)"
_LINK = "(colon|paren|wherecue|with|only)*"
_CLOSED = "u=unit? r=(close|paren) u2=(unit|unitname)?"
_DENIED = {"gt": "le", "ge": "lt", "lt": "ge", "le": "gt"}
_TURNED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_YEAR, _DAY = "a", "d"
_OLDEST = 120
_YOUNGEST = 14
_PAIRED = ("systolic_bp", "diastolic_bp")
_ONSETS = {
    "myocardial_infarction": "age_at_mi",
    "stroke": "age_at_stroke",
    "hypertension": "age_at_hypertension_diagnosis",
    "diabetes": "age_at_diabetes_diagnosis",
    "type_2_diabetes": "age_at_diabetes_diagnosis",
    "type_1_diabetes": "age_at_diabetes_diagnosis",
}
# Units that say by themselves which observation is meant.
_IMPLIED = {"{pack}.a": "pack_years"}


@dataclass(frozen=True)
class Limit:
    """A range of a column, in a unit if one was stated."""

    where: Between
    unit: str | None = None

    def says(self) -> str:
        """Return the limit in words."""
        return f"{self.where.says()}{f' {self.unit}' if self.unit else ''}"


def read_limits(sheet: Sheet) -> None:
    """Read all limits on quantities, the most specific wordings first."""
    for pattern, read in _READERS:
        for match in list(sheet.matches(pattern)):
            read(sheet, match)


def _enclosed(sheet: Sheet, match: Match) -> None:
    """18 < age < 40."""
    name = _quantity(sheet, match["o"])
    low, high = _TURNED.get(match["c"].value), match["d"].value
    if name and low in ("gt", "ge") and high in ("lt", "le"):
        _claim(sheet, match, name, (low, match["a"]), (high, match["b"]))


def _bracketed(sheet: Sheet, match: Match) -> None:
    """LDL in [100, 160)."""
    if name := _quantity(sheet, match["o"]):
        low = "ge" if match["l"].value == "ge" else "gt"
        high = "le" if match["r"].value == "le" else "lt"
        _claim(sheet, match, name, (low, match["a"]), (high, match["b"]))


def _ranged(sheet: Sheet, match: Match) -> None:
    """Age 40-65, HbA1c between 7 and 10 %."""
    if name := _quantity(sheet, match["o"]):
        _claim(sheet, match, name, ("ge", match["a"]), ("le", match["b"]))


def _compared(sheet: Sheet, match: Match) -> None:
    """BMI over 30, eGFR of at least 30 and below 60."""
    if name := _quantity(sheet, match["o"]):
        ends = [(_sign(match), match["a"])]
        ends += [(match["d"].value.split()[0], match["b"])] if "d" in match else []
        _claim(sheet, match, name, *ends)


def _sign(match: Match) -> str:
    """Return the comparison of a match, turned round where it is denied: nobody younger than 18."""
    sign = str(match["c"].value.split()[0])
    return _DENIED[sign] if "no" in match else sign


def _compared_after(sheet: Sheet, match: Match) -> None:
    """BMI 27 or more."""
    if name := _quantity(sheet, match["o"]):
        _claim(sheet, match, name, (match["p"].value, match["a"]))


def _equal(sheet: Sheet, match: Match) -> None:
    if name := _quantity(sheet, match["o"]):
        _claim(sheet, match, name, ("ge", match["a"]), ("le", match["a"]))


def _reversed(sheet: Sheet, match: Match) -> None:
    """More than 20 cigarettes per day."""
    name = _quantity(sheet, match["o"])
    if name:
        _claim(sheet, match, name, (match["c"].value.split()[0], match["a"]))


def _pressure(sheet: Sheet, match: Match) -> None:
    """BP over 140/90."""
    if match["b"].value != "bp" or not all(sheet.scope.column(n) for n in _PAIRED):
        return
    sign = match.value("c") or match.value("p")
    limits = [
        _limit(str(column.name), match.get("u"), (sign, item))
        for name, item in zip(_PAIRED, (match["x"], match["y"]), strict=True)
        if (column := sheet.scope.column(name))
    ]
    sheet.claim(match, "limits", tuple(limits), " and ".join(limit.says() for limit in limits))


def _implied(sheet: Sheet, match: Match) -> None:
    """Older than 60, taller than 180 cm, over 20 pack-years, under 30: which quantity is meant goes without saying."""
    sign, about = _sign(match), match["c"].value.partition(" ")[2]
    unit_said = match.value("u", "")
    name = _IMPLIED.get(unit_said) or about or _age_by(match, match["a"]) or _only_stay(sheet, unit_said)
    if name:
        _claim_known(sheet, match, name, (sign, match["a"]))


def _only_stay(sheet: Sheet, unit_said: str) -> str | None:
    """Return the one column of a table that counts days: "stays longer than 2 days"."""
    found = [c.name for c in sheet.scope.columns.values() if unit_said == c.unit == _DAY]
    return found[0] if sheet.scope.is_table and len(found) == 1 else None


def _implied_after(sheet: Sheet, match: Match) -> None:
    """65+, 75 and up."""
    if name := _IMPLIED.get(match.value("u", "")) or _age_by(match, match["a"]):
        _claim_known(sheet, match, name, (match["p"].value, match["a"]))


def _implied_range(sheet: Sheet, match: Match) -> None:
    """Aged 40 to 65, 18-50, 50 to 80 yo."""
    name = _IMPLIED.get(match.value("u", "")) or _age_by(match, match["a"], match["b"])
    if name:
        _claim_known(sheet, match, name, ("ge", match["a"]), ("le", match["b"]))


def _decade(sheet: Sheet, match: Match) -> None:
    """In their 50s."""
    first = match["a"]
    low = Item("num", float(first.value), first.start, first.end)
    high = Item("num", low.value + 9, first.start, first.end)
    _claim_known(sheet, match, "age", ("ge", low), ("le", high))


def _since(sheet: Sheet, match: Match) -> None:
    """Diagnosed more than 5 years ago: known of diabetes."""
    if "c" in match and any(str(i.sense("cond")).endswith("diabetes") for i in sheet.items):
        _claim_known(sheet, match, "diabetes_duration", (_sign(match), match["a"]))
    else:
        sheet.claim(match, "where", None, "how long ago is known of diabetes only", is_kept=False)


def _onset(sheet: Sheet, match: Match) -> None:
    """A heart attack before the age of 50."""
    condition = match["o"].sense("cond") or str(match["o"].value).removesuffix("_diagnosed")
    name = _ONSETS.get(condition)
    if name is not None and sheet.scope.column(name) is not None:
        place = match.first + 1
        sheet.take(match.first, place, "conditions", (condition,), conditions()[condition].name)
        sign = "lt" if match["k"].tag == "before" else "gt"
        limit = _limit(name, None, (sign, match["a"]))
        sheet.take(place, match.last, "limits", (limit,), limit.says())


def _exact_age(sheet: Sheet, match: Match) -> None:
    """45-year-old men."""
    if "old" in sheet.verbatim(match["y"]).casefold():
        _claim_known(sheet, match, "age", ("ge", match["a"]), ("le", match["a"]))


def _poor(sheet: Sheet, match: Match) -> None:
    """Below the poverty line: a ratio of income to it below 1."""
    line = Item("num", 1.0, match["p"].start, match["p"].end)
    _claim_known(sheet, match, "income_poverty_ratio", ("lt", line))


def _elderly(sheet: Sheet, match: Match) -> None:
    column = sheet.scope.column("age")
    if column is None or sheet.has_limit(column.name):
        sheet.claim(match, "background", None, "said again by the limit on age")
        return
    ends = match["e"].value.removeprefix("age").lstrip()
    low, high = (65.0, None) if ends.startswith(">") else tuple(float(n) for n in ends.split("-"))
    limit = Limit(Between(column=column.name, low=low, high=high))
    sheet.claim(match, "limits", (limit,), f"taken as {limit.says()}")


_READERS = (
    (f"a={_V} unit? c=cmp o=obs d=cmp b={_V} u=unit?", _enclosed),
    (f"o=obs (between|eq|colon|only)* l=(open|paren) a={_V} unit? (comma|semi) b={_V} {_CLOSED}",
     _bracketed),
    ("b=bundle (colon|paren|eq|wherecue)* c=cmp? x=num (slash|cmp) y=num u=unit? p=postcmp?", _pressure),
    (f"o=obs (colon|between|eq|wherecue|paren|open|only)* a={_V} v=unit? (to|and) b={_V} u=unit?", _ranged),
    (f"(no=not people* with*)? o=obs {_LINK} c=cmp a={_V} u=unit? ((and|but)* d=cmp b={_V} v=unit?)?", _compared),
    (f"o=obs (colon|paren|with)* a={_V} u=unit? p=postcmp", _compared_after),
    (f"o=obs (eq|exactly)+ a={_V} u=unit?", _equal),
    (f"c=cmp o=obs (colon|eq)* a={_V} u=unit?", _compared),
    (f"c=cmp a={_V} u=unit? o=obs", _reversed),
    (f"between a={_V} v=unit? (to|and) b={_V} u=unit? o=obs", _ranged),
    ("intheir a=num unit", _decade),
    ("intheir? a=decade", _decade),
    ("p=poor", _poor),
    ("c=cmp? a=num unit ago", _since),
    ("o=(cond|obs) (with|paren)* k=(before|after) a=num unit? paren?", _onset),
    ("(aged|between|colon)* a=num v=unit? (to|and) b=num (u=unit|yearsold)?", _implied_range),
    ("aged? (colon|with)* a=num (u=unit|yearsold)? p=postcmp obs?", _implied_after),
    ("(no=not people* (with|onlypeople)*)? aged? (colon|with)* c=cmp a=num (u=unit|yearsold)?", _implied),
    ("a=num y=yearsold", _exact_age),
    ("e=elderly paren?", _elderly),
)  # fmt: skip


def _quantity(sheet: Sheet, item: Item) -> str | None:
    """Return the column of numbers or dates that an item names."""
    for sense in item.senses:
        column = sheet.scope.column(sense.value) if sense.tag == "obs" else None
        if column is not None and column.kind in (Kind.NUMBER, Kind.DATETIME):
            return column.name
        if sense.tag == "obs" and column is None and sense.value in observations():
            return str(sense.value)
    return None


def _age_by(match: Match, *numbers: Item) -> str | None:
    """Say whether bare numbers are ages: by a cue beside them, or because nothing else is so large and whole."""
    if any(n.value != int(n.value) for n in numbers):
        return None
    cued = bool(match.tagged("aged", "yearsold")) or match.value("u") == _YEAR
    before = match.sheet.items[match.first - 1].tag if match.first else ""
    if ("u" in match and not cued) or before in ("word", "ne", "not"):
        return None
    if cued and (match.tagged("aged", "yearsold") or all(n.value >= _YOUNGEST for n in numbers)):
        return "age"
    if cued:
        return None
    after = match.sheet.items[match.last].tag if match.last < len(match.sheet.items) else ""
    is_count = (
        after in ("people", "rows", "obsword", "cond", "important", "setting", "level") and "c" not in match
    )
    likely = all(_YOUNGEST <= n.value <= _OLDEST for n in numbers)
    return "age" if likely and not is_count and before not in ("obs", "sizecue", "setting") else None


def _claim_known(sheet: Sheet, match: Match, observation: str, *ends: tuple[str, Item]) -> None:
    column = sheet.scope.column(observation)
    if column is None:
        sheet.claim(match, "where", None, f"there is no column for {observation}", is_kept=False)
        return
    _claim(sheet, match, column.name, *ends)


def _claim(sheet: Sheet, match: Match, name: str, *ends: tuple[str, Item]) -> None:
    column = sheet.scope.column(name)
    if column is None:
        about = observations()[name].name if name in observations() else name
        sheet.claim(
            match, "where", name, f"{about} is not held here, so nothing can be asked of it", is_kept=False
        )
        return
    units = [item for key in ("u", "v", "u2") if key in match for item in (match[key],)]
    try:
        limit = _limit(name, units[0] if units else None, *ends)
    except ValueError:
        low, high = (end[1].value for end in ends)
        says = f"the range of {name} is empty: {low:g} to {high:g}; swap the limits"
        sheet.claim(match, "where", name, says, is_kept=False)
        return
    sheet.claim(match, "limits", (limit,), limit.says())


def _limit(name: str, stated: Item | None, *ends: tuple[str, Item]) -> Limit:
    changes: dict[str, object] = {}
    for sign, item in ends:
        side = "low" if sign in ("gt", "ge") else "high"
        number = item.value * 100 if item.tag == "part" else item.value
        changes |= {side: round(float(number), 9), f"{side}_open": sign in ("gt", "lt")}
    code = None if stated is None or stated.value in (_YEAR,) else str(stated.value)
    return Limit(Between.model_validate({"column": name, **changes}), code)


def in_own_unit(limit: Limit, own: str | None) -> Between:
    """Return a limit in the column's own unit.

    Raises:
        RequestError: if the stated unit cannot be converted.
    """
    where = limit.where
    if limit.unit is None or own is None or unit(limit.unit).code == own:
        return where
    known = where.column if where.column in observations() else None
    changes = {
        end: None if value is None else float(convert(value, limit.unit, own, of=known))
        for end, value in (("low", where.low), ("high", where.high))
    }
    return where.model_copy(update=changes)
