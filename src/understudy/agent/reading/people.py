"""Who the patients are: conditions, levels such as women or smokers, medication; and whom to leave out."""

from __future__ import annotations

from dataclasses import replace

from understudy.agent.reading.sheet import DONE, Finding, Item, Match, Sheet
from understudy.agent.reading.vocabulary import Level
from understudy.core.conditions import OneOf
from understudy.core.schema import Kind
from understudy.knowledge.conditions import conditions
from understudy.knowledge.levels import condition_groups

_WHO = "(cond|level|group|obs)"
_FILL = "(with|people|conditioncue|every|onlypeople|inclusion|include|wherecue|dataset|important)"
_AND = "(comma|and|or|semi|not|with)"


def spread_levels(sheet: Sheet) -> None:
    """Read "current, former and never smokers": the last word stands for the others too."""
    for match in list(sheet.matches("(levelpart (comma|and|or)+)+ l=level")):
        for place in range(match.first, match.last):
            item = sheet.items[place]
            if item.tag == "levelpart" and item.value.column == match["l"].value.column:
                sheet.items[place] = replace(item, tag="level")


def read_people(sheet: Sheet) -> None:
    """Read whom to leave out, then whom to take."""
    for match in list(
        sheet.matches(
            f"except (colon|paren|comma|with|semi)* {_FILL}* {_WHO} level? ({_AND}+ {_FILL}* {_WHO} level?)* people?"
        )
    ):
        _leave_out(sheet, match)
    for match in list(
        sheet.matches(
            f"not {_FILL}* {_WHO} level? ((comma|and|or)* {_FILL}* (or|and) {_FILL}* {_WHO})* people?"
        )
    ):
        _leave_out(sheet, match)
    for match in list(sheet.matches("h=healthy people?")):
        _healthy(sheet, match)
    for match in list(sheet.matches("level ((comma|or|and|slash)+ (or|and)? level)+")):
        _any_of(sheet, match)
    for match in list(sheet.matches("(obs|with|eq|colon|only|onlypeople)* level people? only?")):
        _level(sheet, match)
    for match in list(sheet.matches("(with|conditioncue|colon|also|add|eq)* c=cond")):
        name = match["c"].sense("cond")
        sheet.claim(match, "conditions", (name,), conditions()[name].name)
    for match in list(sheet.matches("(with|not|every)* g=group")):
        _group(sheet, match)
    for match in list(
        sheet.matches("w=with (colon|and)* o=obs|o2=obs p=people|w3=with (obs done? (and|comma|or)+)+ obs")
    ):
        _medication(sheet, match)


def _leave_out(sheet: Sheet, match: Match) -> None:
    """Claim item by item, so that each exclusion is answered for by itself."""
    start = match.first
    for place in range(match.first, match.last):
        item = sheet.items[place]
        if item.tag not in ("cond", "level", "group", "obs"):
            continue
        before = sheet.findings[-1] if sheet.findings else None
        if item.tag == "level" and before and start == place and sheet.items[place - 1].tag == DONE:
            start = place + 1 if _together(sheet, place, before) else start
            continue
        made = _left_out(sheet, item)
        if made is not None:
            sheet.take(start, place + 1, *made)
            start = place + 1


def _together(sheet: Sheet, place: int, before: Finding) -> bool:
    """Read "no pregnant women": the second word only says again who could have the first."""
    item = sheet.items[place]
    names = before.value if before.field == "exclude" else ()
    sexes = {conditions()[name].sex for name in names}
    if len(sexes) == 1 and sexes == set(item.value.values):
        sheet.take(place, place + 1, "background", None, "goes without saying")
        return True
    return False


def _left_out(sheet: Sheet, item: Item) -> tuple[str, object, str] | None:
    level = sheet.level(item)
    if item.tag == "cond" and not sheet.scope.is_table:
        return "exclude", (item.value,), f"without {conditions()[item.value].name}"
    if item.tag == "group":
        return "exclude_group", item.value, _says_group(item.value)
    if level is not None:
        where = _where(sheet, level, exclude=True)
        return "where", where, where.says()
    return None


def _where(sheet: Sheet, level: Level, *, exclude: bool = False) -> OneOf:
    column = sheet.scope.column(level.column)
    if exclude and column is not None and column.kind is Kind.BOOLEAN:
        other = tuple("false" if v == "true" else "true" for v in level.values)
        return OneOf(column=level.column, values=other)
    return OneOf(column=level.column, values=level.values, exclude=exclude)


def _any_of(sheet: Sheet, match: Match) -> None:
    """Current or former smokers; men and women: any of the levels of one column."""
    levels = [level for item in match.tagged("level") if (level := sheet.level(item))]
    if len({level.column for level in levels}) != 1:
        return
    values = tuple(dict.fromkeys(v for level in levels for v in level.values))
    column = sheet.scope.column(levels[0].column)
    if column is not None and set(values) >= set(column.values or ("true", "false")):
        sheet.claim(match, "background", None, f"{column.name}: all levels, no restriction")
        return
    where = OneOf(column=levels[0].column, values=values)
    sheet.claim(match, "where", where, where.says())


def _level(sheet: Sheet, match: Match) -> None:
    place = next(i for i in range(match.first, match.last) if sheet.items[i].tag == "level")
    level: Level = sheet.items[place].value
    first = match.first
    while sheet.items[first].tag == "obs" and not _same(sheet, sheet.items[first], level):
        first += 1
    where = _where(sheet, level)
    sheet.take(first, match.last, "where", where, where.says())


def _same(sheet: Sheet, item: Item, level: Level) -> bool:
    columns = [sheet.scope.column(s.value) for s in item.senses if s.tag == "obs"]
    return any(c is not None and c.name == level.column for c in columns)


def _healthy(sheet: Sheet, match: Match) -> None:
    _group_excluded(sheet, match, "chronic_disease")


def _group(sheet: Sheet, match: Match) -> None:
    says = (
        f"several conditions could be meant by {match['g'].value.replace('_', ' ')!r}; name the ones you mean"
    )
    sheet.claim(match, "condition", None, says, is_kept=False)


def _group_excluded(sheet: Sheet, match: Match, group: str) -> None:
    sheet.claim(match, "exclude_group", group, _says_group(group))


def _says_group(group: str) -> str:
    entry = condition_groups()[group]
    named = [conditions()[c].name for c in entry.conditions]
    return f"without {', '.join(named)} and without {', '.join(entry.observations)}"


def _medication(sheet: Sheet, match: Match) -> None:
    """On insulin; patients with kidney stones: yes-no observations of a person."""
    start = match.first
    for place in range(match.first, match.last):
        item = sheet.items[place]
        level = sheet.level(item) if item.tag == "obs" else None
        if level is not None:
            where = _where(sheet, level)
            sheet.take(start, place + 1, "where", where, where.says())
            start = place + 1
