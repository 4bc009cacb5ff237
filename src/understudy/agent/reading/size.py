"""How many patients."""

from __future__ import annotations

from understudy.agent.reading.sheet import Match, Sheet
from understudy.core.conditions import Share
from understudy.knowledge.columns import told_by

_BETWEEN = (
    "(cond|level|obs|important|severity|vague|population|word|stage|elderly|healthy|dataset|with|and|done|who|"
    "aged|make|table)"
)
_WHO = "(cond|level|elderly|severity|healthy|population|important|obs)"
# What follows a number that counts patients is neither a unit nor the rest of a range.
_FREE = "(?!(to|unit|yearsold|cmp))"
_CUE = "(sizecue|make|people|rows|change|paren|totalcue)*"


def read_size(sheet: Sheet) -> None:
    """Read the number of patients where it stands beside them."""
    for match in list(sheet.matches("minus a=num (people|rows)?")):
        sheet.claim(
            match,
            "rows",
            None,
            f"-{match['a'].value:g} patients: rows must be positive; ask for 1 or more",
            is_kept=False,
        )
    for match in list(sheet.matches("to a=num (people|rows)?")):
        if match.first == 0:
            sheet.claim(
                match,
                "rows",
                None,
                f"-{match['a'].value:g} patients: rows must be positive; ask for 1 or more",
                is_kept=False,
            )
    for match in list(sheet.matches("between? a=num (to|and) n=num (people|rows)")):
        _claim(sheet, match, f" ({match['a'].value:,.0f} to {match['n'].value:,.0f} were asked for)")
    for match in list(
        sheet.matches(
            f"{_CUE} (sizecue|rows|people) (colon|eq|of|paren|cmp)* n=num {_FREE} (people|rows|unitcue)?"
        )
    ):
        # "2000 patients (1200 women ...": the number before them counts them.
        if not (match.first and sheet.items[match.first - 1].tag == "num"):
            _claim(sheet, match)
    for match in list(sheet.matches("a=num people c=cond? (and|comma)+ b=num control (with? d=cond)?")):
        _controlled(sheet, match)
    for match in list(sheet.matches("make* n=num cross m=num (dataset|obsword|with)*")):
        sheet.claim(match, "size", (int(match["n"].value), int(match["m"].value)), _says_size(match))
    for match in list(sheet.matches("(make|cmp|exactly)* n=num (people|rows|unitcue|control)")):
        _claim(sheet, match)
    for match in list(sheet.matches(f"(make|cmp|exactly)* n=num {_WHO}+ (people|rows)")):
        place = match.first + match.items.index(match["n"]) + 1
        if not sheet.has("rows") and match["n"].value == int(match["n"].value):
            sheet.take(match.first, place, "rows", int(match["n"].value), f"{match['n'].value:,.0f} patients")
    for match in list(sheet.matches("part n=num (cond|level)")):
        if not sheet.has("rows"):
            place = match.first + 1
            sheet.take(place, place + 1, "rows", int(match["n"].value), f"{match['n'].value:,.0f} patients")
    for match in list(sheet.matches("between a=num (to|and) n=num")):
        _claim(sheet, match, f" ({match['a'].value:,.0f} to {match['n'].value:,.0f} were asked for)")


def _controlled(sheet: Sheet, match: Match) -> None:
    """50 cases and 50 controls: one cohort, of whom some have the condition by a doctor's word."""
    named = [i for i, item in enumerate(sheet.items) if item.tag == "cond"]
    told = told_by(sheet.items[named[0]].sense("cond")) if len(named) == 1 else None
    if told is None or sheet.scope.column(told) is None:
        return
    cases, others = match["a"].value, match["b"].value
    share = Share(column=told, value="true", proportion=round(cases / (cases + others), 6))
    if not match.first <= named[0] < match.last:
        sheet.take(named[0], named[0] + 1, "background", None, "what cases have and controls have not")
    says = f"{cases + others:,.0f} patients: {share.says()}"
    sheet.claim(match, "counts", (int(cases + others), (share,)), says)


def _says_size(match: Match) -> str:
    return f"{match['n'].value:,.0f} patients and {match['m'].value:,.0f} observations"


def read_lone_size(sheet: Sheet) -> None:
    """Read a number that nobody claimed as the number of patients, where no other was given."""
    for pattern in (
        f"(make|cmp)* n=num {_BETWEEN}* (people|rows|dataset)",
        "(make|cmp)* n=num (?!(unit|to|cmp))",
    ):
        for match in list(sheet.matches(pattern)):
            number = match["n"].value
            is_settled = sheet.has("rows") or sheet.has("counts")
            if not is_settled and number == int(number) and number != 1:
                place = match.first + match.items.index(match["n"])
                sheet.take(match.first, place + 1, "rows", int(number), f"{number:,.0f} patients")


def read_times(sheet: Sheet) -> None:
    """Read "twice as many", of a table or of the plan before."""
    for match in list(sheet.matches("make* t=times (people|rows|table)*")):
        sheet.claim(match, "times", float(match["t"].value), f"{match['t'].value} times as many")


def _claim(sheet: Sheet, match: Match, more: str = "") -> None:
    number = match["n"].value
    if number != int(number):
        return
    if sheet.has("rows"):
        first = next(f.value for f in sheet.findings if f.field == "rows")
        if first != int(number):
            return
    sheet.claim(match, "rows", int(number), f"{number:,.0f} patients{more}")
