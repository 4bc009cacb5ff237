"""Which observations: how many, which by name, which not; and the units that they are written in."""

from __future__ import annotations

from understudy.agent.reading.sheet import Item, Match, Sheet
from understudy.knowledge.conditions import conditions
from understudy.knowledge.observations import Group, observations

_NAMED = "(obs|bundle|level)"
_LIST = f"{_NAMED} ((comma|and|semi|or|paren|slash|colon|important|done|stat)* {_NAMED})*"
_GROUPS = {
    "lipids": Group.LIPIDS, "vitals": Group.VITALS, "liver": Group.LIVER, "renal": Group.RENAL,
    "blood_count": Group.BLOOD_COUNT, "electrolytes": Group.ELECTROLYTES, "demographics": Group.DEMOGRAPHICS,
    "anthropometry": Group.ANTHROPOMETRY, "glycaemia": Group.GLYCAEMIA,
}  # fmt: skip
# "Glucose" alone does not say which: a unit for it is meant for all.
_GLUCOSES = ("random_glucose", "fasting_glucose")
_BP = ("systolic_bp", "diastolic_bp")


def read_counts(sheet: Sheet) -> None:
    """Read how many observations are wished; "600 observations of 10 variables" counts patients first."""
    for match in list(sheet.matches("every (important|dataset|with)* obsword")):
        sheet.claim(match, "observations", "all", "all observations that are held")
    for match in list(sheet.matches("e=every")):
        text = sheet.text[match["e"].start : match["e"].end].casefold()
        if "everything" in text or "set of" in text:
            sheet.claim(match, "observations", "all", "all observations that are held")
    counted = list(sheet.matches("cmp? n=num m=more? (important|every|with)* c=cond? important* w=obsword"))
    counted += list(sheet.matches("w=obsword (colon|eq|paren) n=num"))
    both = {match["w"].value for match in counted} == {"rows", "vars"}
    for match in counted:
        _count(sheet, match, is_rows=both and match["w"].value == "rows")


def _count(sheet: Sheet, match: Match, *, is_rows: bool) -> None:
    number = int(match["n"].value)
    if is_rows:
        sheet.claim(match, "rows", number, f"{number:,} patients")
        return
    hint = match["c"].sense("cond") if "c" in match else None
    says = f"the {number} most important observations"
    if "m" in match:
        sheet.claim(match, "observations_more", number, f"{number} more observations")
    elif hint is not None:
        sheet.claim(match, "observations_of", (number, hint), f"{says} of {conditions()[hint].name}")
    else:
        sheet.claim(match, "observations", number, says)


def read_units(sheet: Sheet) -> None:
    """Read systems of units, and units of single observations."""
    for match in list(sheet.matches("unitcue? (colon|eq)? s=system unitcue?")):
        sheet.claim(match, "system", match["s"].value, f"{match['s'].value} units")
    for match in list(
        sheet.matches(
            "(add|include)? o=obs (comma|colon|unitcue|eq|paren|semi|change)* u=(unit|unitname) paren?"
        )
    ):
        name = _name(sheet, match["o"])
        if name is not None:
            names = [n for n in _GLUCOSES if sheet.scope.column(n)] if name in _GLUCOSES[:1] else [name]
            says = f"{' and '.join(names)} in {match['u'].value}"
            sheet.claim(match, "units", tuple((n, match["u"].value) for n in names), says)


def read_columns(sheet: Sheet) -> None:
    """Read observations by name: to leave out, to show alone, to add."""
    for match in list(
        sheet.matches(f"(drop|except|not) (colon|obsword|with|every|comma|include)* {_LIST} obsword?")
    ):
        _each(sheet, match, "drop", "left out")
    if any(f.field == "observations" and f.value == "all" for f in sheet.findings):
        for match in list(sheet.matches(f"but {_LIST}")):
            _each(sheet, match, "drop", "left out")
    for match in list(
        sheet.matches(f"only (obsword|colon|with|include)* {_LIST} obsword?|{_LIST} obsword? only")
    ):
        _each(sheet, match, "only", "shown, and nothing that is not named")
    for match in list(sheet.matches(f"(add|include|with|and|obsword|colon)* {_LIST} obsword?")):
        _each(sheet, match, "background" if sheet.scope.is_table else "add", "shown")


def _each(sheet: Sheet, match: Match, field: str, says: str) -> None:
    start = match.first
    for place in range(match.first, match.last):
        names = _names(sheet, sheet.items[place])
        if names:
            absent = [n for n in names if sheet.scope.column(n) is None]
            # "On metformin" says who the patients are, not what is shown of them.
            is_taken = bool(absent) and all(observations()[n].group is Group.MEDICATION for n in absent)
            chooses = is_taken and not match.tagged("add", "include", "obsword")
            sheet.take(
                start, place + 1, "where" if chooses else field, names,
                f"{', '.join(names)} {says}" if not absent else f"{', '.join(absent)}: known, but not held here",
                is_kept=not absent,
            )  # fmt: skip
            start = place + 1


def _names(sheet: Sheet, item: Item) -> tuple[str, ...]:
    if item.tag == "bundle":
        wanted = _BP if item.value == "bp" else sheet.scope.of_group(_GROUPS[item.value])
        return tuple(c.name for n in wanted if (c := sheet.scope.column(n)))
    if item.tag not in ("obs", "level"):
        return ()
    name = _name(sheet, item)
    return (name,) if name else ()


def _name(sheet: Sheet, item: Item) -> str | None:
    names = [s.value for s in item.senses if s.tag == "obs"]
    held = [c.name for n in names if (c := sheet.scope.column(n))]
    if held:
        return held[0]
    return next((n for n in names if n in observations()), None)
