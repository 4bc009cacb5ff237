"""How many patients."""

from __future__ import annotations

from understudy.agent.reading.sheet import Match, Sheet

_BETWEEN = (
    "(cond|level|obs|important|severity|vague|population|word|stage|elderly|healthy|dataset|with|and|done|"
    "aged|make|table)"
)
_CUE = "(sizecue|make|people|rows|change|paren|totalcue)*"


def read_size(sheet: Sheet) -> None:
    """Read the number of patients where it stands beside them."""
    for match in list(sheet.matches("minus a=num people?")):
        sheet.claim(match, "rows", None, f"-{match['a'].value:g} patients; ask for 1 or more", is_kept=False)
    for match in list(sheet.matches("between? a=num (to|and) n=num (people|rows)")):
        _claim(sheet, match, f" ({match['a'].value:,.0f} to {match['n'].value:,.0f} were asked for)")
    for match in list(
        sheet.matches(f"{_CUE} (sizecue|rows|people) (colon|eq|of|paren|cmp)* n=num (people|rows|unitcue)?")
    ):
        _claim(sheet, match)
    for match in list(sheet.matches("make* n=num (people|rows|unitcue)")):
        _claim(sheet, match)


def read_lone_size(sheet: Sheet) -> None:
    """Read a number that nobody claimed as the number of patients, where no other was given."""
    for pattern in (f"make* n=num {_BETWEEN}* (people|rows|dataset)", "make* n=num"):
        for match in list(sheet.matches(pattern)):
            if (
                not sheet.has("rows")
                and not sheet.has("counts")
                and match["n"].value == int(match["n"].value)
            ):
                place = match.first + match.items.index(match["n"])
                sheet.take(
                    match.first, place + 1, "rows", int(match["n"].value), f"{match['n'].value:,.0f} patients"
                )


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
