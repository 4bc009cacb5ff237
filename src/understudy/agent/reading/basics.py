"""How many patients, with which conditions, with how many observations, of which population."""

from __future__ import annotations

from understudy.agent.reading.sheet import Sheet
from understudy.knowledge.conditions import conditions


def read_basics(sheet: Sheet) -> None:
    """Read size, number of observations, population and conditions."""
    for match in list(sheet.matches("n=num important* cond? obsword")):
        sheet.claim(match, "observations", int(match["n"].value), f"{match['n'].value:g} observations")
    for match in list(sheet.matches("based* population based?")):
        found = next(item for item in match.items if item.tag == "population")
        sheet.claim(match, "population", found.value, f"the population {found.value}")
    for match in list(sheet.matches("make* n=num (people|rows)?")):
        sheet.claim(match, "rows", int(match["n"].value), f"{match['n'].value:,.0f} patients")
    for match in list(sheet.matches("with? c=cond")):
        sheet.claim(match, "condition", match["c"].value, conditions()[match["c"].value].name)
