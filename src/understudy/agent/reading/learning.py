"""Work on a person's own table: what is predicted and protected, what learns, what is compared or repaired."""

from __future__ import annotations

import re

from understudy.agent.reading.sheet import Item, Match, Sheet
from understudy.core.conditions import OneOf
from understudy.core.schema import Column, Kind
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.candidates import AUTO

_COLUMN = "(obs|level|cond)"
# Its fit is one matrix of correlations; faster only are independent columns, which keep no relations.
_FASTEST = "gaussian_copula"


def read_learning(sheet: Sheet) -> None:
    """Read roles of columns, synthesizers, and what is to be done with the table."""
    for match in list(
        sheet.matches(
            f"p=protectcue (colon|eq|protectcue|comma|and|with|every)* {_COLUMN} ((comma|and)+ {_COLUMN})*"
        )
    ):
        _protected(sheet, match)
    for match in list(
        sheet.matches(f"targetcue (colon|eq|targetcue|paren|obsword|every)* o={_COLUMN} paren?")
    ):
        _target(sheet, match)
    for match in list(sheet.matches(f"o={_COLUMN} (important|every)* targetcue")):
        _target(sheet, match)
    for match in list(sheet.matches(f"{_COLUMN} ((comma|and)+ {_COLUMN})* (important|every)* protectcue+")):
        _protected(sheet, match)
    for match in list(sheet.matches("targetcue (colon|eq|targetcue|paren|obsword)* w=word")):
        words = sheet.verbatim(match["w"])
        sheet.claim(match, "target", None, f"the table has no column {words!r}", is_kept=False)
    for match in list(sheet.matches("equal (people|rows) table*")):
        sheet.claim(match, "background", None, "as many rows as were learned from")
    for match in list(sheet.matches("not (make|every|with)* protectcue+")):
        sheet.claim(match, "protected", (), "no protected columns")
    for match in list(sheet.matches("make? (dataset|to)* table (with|dataset|table)*")):
        sheet.claim(match, "table", None, "learned from your table")
    for match in list(sheet.matches("v=violations")):
        sheet.claim(match, "violations", match["v"].value, f"rows that break rules: {match['v'].value}")
    for match in list(sheet.matches("i=impute (obs|table|missing|dataset|with|file)*")):
        says = (
            "missing values are filled in: cells that are there stay, so the rows are as sensitive as your own and are "
            "labelled as completed, not as synthetic"
        )
        files = match.tagged("file")
        sheet.claim(match, "complete", files[0].value if files else "", says)
    for match in list(sheet.matches("k=keep (table|with)*")):
        sheet.claim(match, "with_generator", True, "the generator is kept with the release")
    for match in list(sheet.matches("d=device")):
        sheet.claim(match, "device", match["d"].value, f"learned on {match['d'].value}")
    for match in list(sheet.matches("a=augment (table|with)*")):
        sheet.claim(match, "background", None, "further synthetic rows beside the table")


def read_levels_of(sheet: Sheet) -> None:
    """Read "column = level" and "column is not level" where levels are ordinary words or signs of the table."""
    who = "obs|level" if sheet.scope.is_table else "obs"
    joined = "(s=ne|eq|colon|wherecue|no=not)+?" if sheet.scope.is_table else "(s=ne|eq|colon)"
    _read_levels(sheet, f"o=({who}) {joined}")


def read_bare_levels(sheet: Sheet) -> None:
    """Read "insulin Steady or Up", "albuminuria category A3": levels right behind the name of a column."""
    _read_levels(sheet, "o=obs")


def _read_levels(sheet: Sheet, pattern: str) -> None:
    for match in list(sheet.matches(pattern)):
        column = sheet.scope.column(_columns(sheet, match["o"]) or "")
        is_bare = match.last == match.first + 1
        if column is None or (is_bare and column.kind is not Kind.CATEGORY):
            continue
        levels, end = _levels_at(sheet, match.items[-1].end, column)
        if levels and not sheet.is_taken(match.first, sum(1 for item in sheet.items if item.start < end)):
            where = OneOf(column=column.name, values=levels, exclude="s" in match or "no" in match)
            last = sum(1 for item in sheet.items if item.start < end)
            sheet.take(match.first, last, "where", where, where.says())


def _levels_at(sheet: Sheet, start: int, column: Column) -> tuple[tuple[str, ...], int]:
    """Return the levels of a column that are listed at a place of the text, and where the list ends."""
    found: list[str] = []
    end = start
    while True:
        level, after = _level_at(sheet, start, column)
        if level is None:
            return tuple(found), end
        found.append(level)
        end = after
        joint = re.compile(r"\s*(?:,|or|/)\s*", re.IGNORECASE).match(sheet.text, end)
        if joint is None:
            return tuple(found), end
        start = joint.end()


def _level_at(sheet: Sheet, start: int, column: Column) -> tuple[str | None, int]:
    """Return the level of a column that is written at a place of the text, and where it ends."""
    text = sheet.text[start:].casefold()
    rest = text.lstrip(" '\"")
    start += len(text) - len(rest)
    spelled = {v.casefold(): v for v in column.values or ()}
    if column.kind is Kind.BOOLEAN:
        false, true = column.spelling or ("false", "true")
        spelled = {false.casefold(): "false", true.casefold(): "true", "yes": "true", "no": "false",
                   "true": "true", "false": "false", "1": "true", "0": "false"}  # fmt: skip
    for word in sorted(spelled, key=len, reverse=True):
        after = rest[len(word) : len(word) + 1]
        if rest.startswith(word) and not after.isalnum():
            return spelled[word], start + len(word)
    return None, 0


def _protected(sheet: Sheet, match: Match) -> None:
    names = [name for item in match.tagged("obs", "level", "cond") if (name := _columns(sheet, item))]
    if names:
        sheet.claim(match, "protected", tuple(dict.fromkeys(names)), f"protected: {', '.join(names)}")


def _target(sheet: Sheet, match: Match) -> None:
    name = _columns(sheet, match["o"])
    if name:
        sheet.claim(match, "target", name, f"target: {name}")
    else:
        words = sheet.verbatim(match["o"])
        sheet.claim(match, "target", None, f"the table has no column {words!r}", is_kept=False)


def _columns(sheet: Sheet, item: Item) -> str | None:
    """Return the column that an item names, also by one of its levels ("predict stroke")."""
    for sense in item.senses:
        column = sheet.scope.column(sense.value) if sense.tag == "obs" else None
        if column is not None:
            return column.name
    level = sheet.level(item)
    return level.column if level else None


def read_synthesizers(sheet: Sheet) -> None:
    """Read which synthesizer learns, or which are compared."""
    for match in list(sheet.matches("compare every? synthcue")):
        names = SYNTHESIZERS.names
        sheet.claim(match, "compared", names, f"compared: {', '.join(names)}")
    several = "(synthesizer ((comma|and|or|slash|to|compare|with|synthcue)+ synthesizer)+)"
    for match in list(
        sheet.matches(f"(compare|synthcue|colon|between)* {several} (compare|synthcue|comma|stop|and)*")
    ):
        names = tuple(dict.fromkeys(item.value for item in match.tagged("synthesizer")))
        if len(names) > 1:
            known = [n for n in names if n in SYNTHESIZERS.names]
            absent = [n for n in names if n not in known]
            says = f"compared: {', '.join(known)}" + (
                f"; not available yet: {', '.join(absent)}" if absent else ""
            )
            sheet.claim(match, "compared", names, says, is_kept=not absent)
    for match in list(
        sheet.matches("(instead|synthcue|change|make|with|colon|eq)* s=synthesizer (synthcue|instead)*")
    ):
        name = match["s"].value
        is_kept = name in (*SYNTHESIZERS.names, AUTO)
        says = (
            f"{AUTO}: several are tried on rows set aside, and the best learns"
            if name == AUTO
            else f"learned by {name}"
            if is_kept
            else f"{name} is not available yet; available: {', '.join(SYNTHESIZERS.names)}"
        )
        sheet.claim(match, "synthesizer", name, says, is_kept=is_kept)
    for match in list(sheet.matches("w=word s=synthcue")):
        words = sheet.text[match["w"].start : match["w"].end]
        text = sheet.text[match["s"].start : match["s"].end].casefold()
        if (
            text in ("synthesizer", "synthesiser", "model", "algorithm", "generator", "method")
            and sheet.scope.is_table
        ):
            says = f"no synthesizer is called {words!r}; known: {', '.join(SYNTHESIZERS.names)}"
            sheet.claim(match, "synthesizer", None, says, is_kept=False)
    for match in list(sheet.matches("f=fastest synthcue?")):
        sheet.claim(
            match, "synthesizer", _FASTEST, f"the fastest that keeps relations between columns: {_FASTEST}"
        )
