"""Which population the patients come from, and which it cannot be."""

from __future__ import annotations

from understudy.agent.reading.sheet import Sheet
from understudy.populations.catalog import CATALOG as POPULATIONS


def read_population(sheet: Sheet) -> None:
    """Read the population; one that is not in the catalog is said so, never replaced."""
    for match in list(sheet.matches("(based|colon|important|dataset)* f=foreign (people|based|dataset)*")):
        held = ", ".join(POPULATIONS.names)
        says = f"{match['f'].value}: no population of this kind is known; known: {held}"
        sheet.claim(match, "population", None, says, is_kept=False)
    for match in list(sheet.matches("(based|colon)* p=population (based|people|dataset)*")):
        sheet.claim(match, "population", match["p"].value, f"the population {match['p'].value}")
