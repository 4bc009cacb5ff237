"""Who the patients are: conditions, levels such as women or smokers, medication; and whom to leave out."""

from __future__ import annotations

from dataclasses import replace

from understudy.agent.reading.sheet import Finding, Item, Match, Sheet
from understudy.agent.reading.vocabulary import Level
from understudy.core.conditions import OneOf
from understudy.core.schema import Kind
from understudy.knowledge.conditions import conditions
from understudy.knowledge.levels import condition_groups
from understudy.knowledge.observations import observations

_WHO = "(cond|level|group|obs)"
_FILL = "(with|people|conditioncue|every|onlypeople|inclusion|include|wherecue|dataset|important)"
_JOINED = f"comma* (and|or|not)+ {_FILL}* {_WHO}"
# "no diabetes, CKD or asthma": a comma goes on only where "or" follows.
_LISTED = "comma (cond|group) (?=(comma|or|cond)*or)"
_DENIALS = ("except", "not", "drop")
_LEADING = (
    *_DENIALS,
    "make",
    "people",
    "every",
    "with",
    "who",
    "onlypeople",
    "word",
    "dataset",
    "rows",
    "conditioncue",
)
_LEFT_OUT = (
    # "Exclusions: diabetes; smokers": all that follows, however it is parted.
    f"except (paren|with|obsword)* colon (comma|with|semi|who)* {_FILL}* {_WHO} level? "
    f"((comma|and|or|semi|not|with)+ {_FILL}* {_WHO} level?)*",
    # "Excluding diabetes, CKD and smokers": after a mere comma only conditions go on with it.
    f"except (paren|comma|with|who)* {_FILL}* {_WHO} level? (comma {_FILL}* (cond|group)|{_JOINED} level?)* people?",
    f"drop (who|people|onlypeople)* with+ {_FILL}* {_WHO} level? "
    f"(comma {_FILL}* (cond|group)|{_JOINED} level?)* people?",
    f"not (who|people|make)* {_FILL}* {_WHO} level? (comma* {_FILL}* (or|and) {_FILL}* {_WHO}|{_LISTED})* people?",
)


def spread_levels(sheet: Sheet) -> None:
    """Read "current, former and never smokers": the last word stands for the others too."""
    for match in list(sheet.matches("(levelpart (comma|and|or)+)+ l=level")):
        for place in range(match.first, match.last):
            item = sheet.items[place]
            if item.tag == "levelpart" and item.value.column == match["l"].value.column:
                sheet.items[place] = replace(item, tag="level")
    for place, item in enumerate(sheet.items):
        if item.tag == "letter" and (level := _by_letter(sheet, item)) is not None:
            sheet.items[place] = replace(item, tag="level", value=level)


def _by_letter(sheet: Sheet, item: Item) -> Level | None:
    """Return the sex that a single letter stands for, in the words of the table at hand."""
    column = sheet.scope.column("sex")
    values = [v for v in column.values or () if v.casefold()[0] == item.value[0]] if column else []
    return Level(column.name, (values[0],)) if column and values else None


def read_people(sheet: Sheet) -> None:
    """Read whom to leave out, then whom to take."""
    for match in list(sheet.matches(f"{_WHO} ((comma|and|or)+ {_WHO})* people? excluded")):
        _leave_out(sheet, match)
    for match in list(sheet.matches(f"{_WHO} (colon|eq) not (?!(cond|level|group|obs|who))")):
        _leave_out(sheet, match)
    for pattern in _LEFT_OUT:
        for match in list(sheet.matches(pattern)):
            _leave_out(sheet, match)
    for match in list(sheet.matches("obs? colon? a=anysex")):
        sheet.claim(match, "background", None, "both sexes, no restriction")
    for match in list(sheet.matches("h=healthy people?")):
        _healthy(sheet, match)
    for match in list(sheet.matches("(obs|colon|eq)* level ((comma|or|and|slash)+ (or|and)? level)+ only?")):
        _any_of(sheet, match)
    for match in list(sheet.matches("(obs|with|eq|colon|only|onlypeople|who)* level people? only?")):
        _level(sheet, match)
    for match in list(sheet.matches("either? cond (comma cond)* comma? or cond")):
        _either(sheet, match)
    for match in list(sheet.matches("(with|conditioncue|colon|also|add|eq)* c=cond")):
        name = match["c"].sense("cond")
        if denial := _denied(sheet, match.first):
            called = conditions()[name].name
            says = (
                f"{called} beside {denial!r}: with or without it was not understood; say 'without {called}'"
            )
            sheet.claim(match, "condition", None, says, is_kept=False)
        elif sheet.scope.is_table:
            says = f"the table has no column for {conditions()[name].name}"
            sheet.claim(match, "condition", None, says, is_kept=False)
        else:
            sheet.claim(match, "conditions", (name,), conditions()[name].name)
    if sheet.scope.is_table:
        for match in list(
            sheet.matches("(with|only|and|people|who|onlypeople)* obs ((and|comma)+ obs)* people? only?")
        ):
            _medication(sheet, match)
    for match in list(sheet.matches("(with|not|every)* g=group")):
        _group(sheet, match)
    for match in list(
        sheet.matches("w=with (colon|and)* o=obs|o2=obs p=people|w3=with (obs done? (and|comma|or)+)+ obs")
    ):
        _medication(sheet, match)


def _denied(sheet: Sheet, place: int) -> str:
    """Return the word of denial that leads to a place and that nobody claimed; a condition there is not wished for."""
    while place and sheet.items[place - 1].tag in _LEADING:
        place -= 1
        if sheet.items[place].tag in _DENIALS:
            return sheet.verbatim(sheet.items[place])
    return ""


def _either(sheet: Sheet, match: Match) -> None:
    """Take the first of "asthma or COPD", and say so: the patients of a cohort have all of its conditions."""
    names = dict.fromkeys(item.sense("cond") for item in match.tagged("cond"))
    if len(names) < 2 or sheet.scope.is_table:
        return
    called = " or ".join(conditions()[name].name for name in names)
    first = next(iter(names))
    says = (
        f"{called}: the patients of a cohort have all of its conditions, so one cohort of each is needed; the nearest "
        f"is taken, {conditions()[first].name} alone"
    )
    place = next(i for i in range(match.first, match.last) if sheet.items[i].sense("cond") == first)
    sheet.take(match.first, place + 1, "conditions", (first,), conditions()[first].name)
    sheet.take(place + 1, match.last, "condition", None, says, is_kept=False)


def _leave_out(sheet: Sheet, match: Match) -> None:
    """Claim item by item, so that each exclusion is answered for by itself."""
    start = match.first
    for place in range(match.first, match.last):
        item = sheet.items[place]
        if item.tag not in ("cond", "level", "group", "obs"):
            continue
        if item.tag == "level" and start == place > match.first:
            # Right behind an excluded condition; if not the same people, then not excluded.
            start = place + 1 if _together(sheet, place, sheet.findings[-1]) else start
            continue
        made = _left_out(sheet, item)
        if made is not None:
            sheet.take(start, _end(sheet, match, place), *made)
            start = place + 1


def _end(sheet: Sheet, match: Match, place: int) -> int:
    """Return where the claim on an item ends: with the word that excludes it, where that follows."""
    tags = [item.tag for item in sheet.items[place + 1 : match.last]]
    after = {"people", "excluded", "colon", "eq", "not"}
    return match.last if tags and tags[-1] in ("excluded", "not") and set(tags) <= after else place + 1


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
    level = sheet.level(sheet.items[place])
    if level is None:
        return
    first = match.first
    while sheet.items[first].tag == "obs" and not _same(sheet, sheet.items[first], level):
        first += 1
    where = _where(sheet, level)
    sheet.take(first, match.last, "where", where, where.says())


def _same(sheet: Sheet, item: Item, level: Level) -> bool:
    columns = [sheet.scope.column(s.value) for s in item.senses if s.tag == "obs"]
    return any(c is not None and c.name == level.column for c in columns)


def _absent(sheet: Sheet, item: Item) -> str | None:
    """Return the name of a yes-no observation that is known, but not held."""
    names = [s.value for s in item.senses if s.tag == "obs"] if item.tag == "obs" else []
    known = [observations()[n] for n in names if n in observations()]
    held = any(sheet.scope.column(n) for n in names)
    return next((o.name for o in known if o.kind is Kind.BOOLEAN), None) if not held else None


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
        elif (name := _absent(sheet, item)) is not None:
            says = f"{name} is known, but not held here, so nobody can be chosen by it"
            sheet.take(start, place + 1, "where", None, says, is_kept=False)
            start = place + 1
