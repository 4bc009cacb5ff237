"""Proportions over the patients: percentages, parts, ratios, counts of groups, equal numbers."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.agent.reading.scope import prevalences
from understudy.agent.reading.sheet import Match, Sheet
from understudy.agent.reading.vocabulary import Level
from understudy.core.conditions import Balanced, Proportion, Share
from understudy.core.schema import Column, Kind
from understudy.knowledge.conditions import conditions

_WHO = "(level|cond|obs)"
_EVEN = "((num|part) (slash|colon|to) (num|part)|equal)"
# "men and women", "current, former and never smokers", "stroke and no stroke".
_GROUPS = f"{_WHO} (comma {_WHO})* (comma? and|to|slash|colon) not? {_WHO}"
_LIST = "(to|slash|colon|and|comma)"
_FILL = "(with|who|rows|people|conditioncue|onlypeople|split|done|every|wherecue|dataset)"


def read_shares(sheet: Sheet) -> None:
    """Read all proportions, the most specific wordings first."""
    for pattern, read in _READERS:
        for match in list(sheet.matches(pattern)):
            read(sheet, match)


def _ratio(sheet: Sheet, match: Match) -> None:
    """60:40 women to men; 70/30 split of men and women."""
    first, second = (match[key].value for key in ("a", "b"))
    levels = [sheet.level(match[key]) for key in ("x", "y")]
    if first + second > 0 and all(levels) and _same_column(levels):
        shares = [(levels[0], first / (first + second)), (levels[1], second / (first + second))]
        _claim(sheet, match, [(level, part) for level, part in shares if level])


def _equal(sheet: Sheet, match: Match) -> None:
    """Equal numbers of men and women; males and females in equal numbers."""
    items = [i for i in match.items if i.tag in ("level", "cond", "obs")]
    levels = [level for item in items if (level := sheet.level(item))]
    if len(levels) != len(items) or len({level.column for level in levels}) != 1:
        return
    column = sheet.scope.column(levels[0].column)
    count = len(set(levels)) if not match.tagged("not") else 2
    if column is not None and count == len(_levels(column)):
        _balance(sheet, match, column.name)
    else:
        _claim(sheet, match, [(level, 1 / count) for level in dict.fromkeys(levels)])


def _equal_by(sheet: Sheet, match: Match) -> None:
    """Balanced by sex; stratified equally by smoking status; 50/50 by sex."""
    if len({item.value for item in match.tagged("num", "part")}) > 1:
        return
    item = match["o"]
    names = [s.value for s in item.senses if s.tag == "obs"]
    column = next((c for n in names if (c := sheet.scope.column(n))), None)
    level = sheet.level(item) if item.tag == "level" else None
    if level is not None:
        column = sheet.scope.column(level.column)
    if column is not None and column.is_discrete:
        _balance(sheet, match, column.name)


def _equal_each(sheet: Sheet, match: Match) -> None:
    """Balance sex and death."""
    names = [str(item.sense("obs")) for item in match.tagged("obs")]
    columns = [c for name in names if (c := sheet.scope.column(name)) is not None and c.is_discrete]
    if len(columns) == len(names):
        shares = tuple(Balanced(column=c.name) for c in columns)
        sheet.claim(match, "shares", shares, "; ".join(s.says() for s in shares))


def _equal_target(sheet: Sheet, match: Match) -> None:
    """Balance the outcome."""
    targets = [c.name for c in sheet.scope.columns.values() if "target" in [r.value for r in c.roles]]
    if targets:
        _balance(sheet, match, targets[0])


def _part(sheet: Sheet, match: Match) -> None:
    """60 % women, half of them smokers, 20 % without diabetes."""
    level = sheet.level(match["x"])
    part = match["p"].value
    if not _is_untold(sheet, match, level, part) and level is not None:
        _claim(sheet, match, [(level, 1 - part if "no" in match else part)])


def _of_group(sheet: Sheet, match: Match) -> None:
    """A third of the 600 diabetics should be on insulin: who they are, and what part of them."""
    level, name = sheet.level(match["x"]), match["g"].sense("cond")
    share = _share(sheet, level, match["p"].value) if level else None
    if share is None or sheet.scope.is_table:
        return
    place = match.named["g"][0]
    sheet.take(place, place + 1, "conditions", (name,), conditions()[name].name)
    sheet.take(match.first, match.last, "shares", (share,), share.says())


def _each_part(sheet: Sheet, match: Match) -> None:
    """50 % each of men and women."""
    levels = {
        level for item in match.items if (level := sheet.level(item)) and item.tag in ("level", "cond", "obs")
    }
    if (
        levels
        and abs(match["p"].value * len(levels) - 1) < 0.02
        and len({level.column for level in levels}) == 1
    ):
        _equal(sheet, match)


def _part_and_rest(sheet: Sheet, match: Match) -> None:
    """40 percent with diabetes and 60 percent without."""
    if abs(match["p"].value + match["q"].value - 1) < 1e-6:
        _part(sheet, match)


def _part_after(sheet: Sheet, match: Match) -> None:
    """Women (70 %); sex = female: 60 %."""
    level = sheet.level(match["x"])
    part = match["p"].value
    if not _is_untold(sheet, match, level, part) and level is not None:
        _claim(sheet, match, [(level, part)])


def _is_untold(sheet: Sheet, match: Match, level: Level | None, part: float) -> bool:
    """Claim the share of a condition that makes it a condition of all, or that nothing tells; say whether it did."""
    name = match["x"].sense("cond")
    if name is None or sheet.scope.is_table or "no" in match:
        return False
    if part == 1:
        sheet.claim(match, "conditions", (name,), f"{conditions()[name].name}, everyone")
    elif level is None:
        says = f"a share of patients with {conditions()[name].name} cannot be set: no yes-no observation tells it"
        sheet.claim(match, "share", None, says, is_kept=False)
    return part == 1 or level is None


def _with_and_without(sheet: Sheet, match: Match) -> None:
    """50 with insulin and 50 without."""
    level = sheet.level(match["x"])
    total = match["a"].value + match["b"].value
    share = _share(sheet, level, match["a"].value / total) if level and total else None
    if share is not None:
        field, value = ("shares", (share,)) if sheet.has("rows") else ("counts", (int(total), (share,)))
        sheet.claim(match, field, value, f"{match['a'].value:g} of {total:g}: {share.says()}")


def _counts(sheet: Sheet, match: Match) -> None:
    """200 men and 300 women."""
    numbers = [match[key].value for key in ("a", "b")]
    levels = [sheet.level(match[key]) for key in ("x", "y")]
    if all(levels) and _same_column(levels) and sum(numbers) > 0:
        total = sum(numbers)
        shares = [(level, n / total) for level, n in zip(levels, numbers, strict=True) if level]
        says = f"{total:,.0f} patients"
        found = [s for level, part in shares if (s := _share(sheet, level, part))]
        if len(found) == 2:
            sheet.claim(
                match, "counts", (int(total), tuple(found)), f"{says}: {'; '.join(s.says() for s in found)}"
            )


def _same_column(levels: Sequence[Level | None]) -> bool:
    return len({level.column for level in levels if level}) == 1


_READERS = (
    (f"a=num {_FILL}* x={_WHO} (and|comma)+ b=num {_FILL}* not (?!(cond|level|obs))", _with_and_without),
    (f"a=num x={_WHO} (people|and|comma|done)+ b=num y={_WHO} people?", _counts),
    (f"a=num (colon|slash|to) b=num ({_FILL}|equal)* x={_WHO} {_LIST} y={_WHO}", _ratio),
    (f"x={_WHO} {_LIST} y={_WHO} ({_FILL}|equal|colon|paren|eq)* a=num (colon|slash|to) b=num paren?", _ratio),
    (f"equal {_FILL}* x={_WHO} to p=part", _part_after),
    (f"split? equal ({_FILL}|equal|colon|between|not)* {_GROUPS}", _equal),
    (f"{_GROUPS} {_FILL}* split? equal", _equal),
    (f"equal {_FILL}* obs ((and|comma)+ obs)+", _equal_each),
    (f"{_EVEN} ({_FILL}|equal|targetcue|important|colon|comma)* o=(obs|level)", _equal_by),
    ("o=obs (colon|eq|paren)? equal", _equal_by),
    ("equal (every|important)* targetcue", _equal_target),
    (f"p=part {_FILL}* {_GROUPS}", _each_part),
    (f"p=part done+ g=cond {_FILL}* x={_WHO}", _of_group),
    (f"p=part {_FILL}* x={_WHO} (and|comma|but)+ q=part {_FILL}* not (?!(cond|level|obs))", _part_and_rest),
    (f"p=part {_FILL}* no=not {_FILL}* x={_WHO}", _part),
    (f"p=part {_FILL}* x={_WHO} done?", _part),
    (f"prevalence {_FILL}* x={_WHO} (colon|eq|paren)* p=part paren?", _part_after),
    (f"x={_WHO} prevalence (colon|eq|paren)* p=part paren?", _part_after),
    (f"(vague|more)? x={_WHO} people? (paren|colon|eq)* (vague|cmp)* p=part paren?", _part_after),
)  # fmt: skip


def _balance(sheet: Sheet, match: Match, column: str) -> None:
    share = Balanced(column=column)
    sheet.claim(match, "shares", (share,), share.says())


def _claim(sheet: Sheet, match: Match, parts: Sequence[tuple[Level, float]]) -> None:
    shares: list[Proportion] = []
    for level, part in parts:
        if not 0 <= part <= 1:
            says = f"a share of {100 * part:g} % is impossible; it lies between 0 and 100 %"
            sheet.claim(match, "share", None, says, is_kept=False)
            return
        share = _share(sheet, level, part)
        if share is None and not sheet.scope.is_table:
            shares += _divided(level, part)
        elif share is None:
            says = f"a share of several levels at once ({', '.join(level.values)}) cannot be set; name one of them"
            sheet.claim(match, "share", None, says, is_kept=False)
            return
        else:
            shares.append(share)
    sheet.claim(match, "shares", tuple(shares), "; ".join(s.says() for s in shares))


def _share(sheet: Sheet, level: Level, part: float) -> Share | None:
    """Return the share of one level; of several, that of the only other one, where that says the same."""
    if len(level.values) == 1:
        return Share(column=level.column, value=level.values[0], proportion=round(part, 6))
    column = sheet.scope.column(level.column)
    others = [v for v in _levels(column) if v not in level.values] if column else []
    if len(others) != 1:
        return None
    return Share(column=level.column, value=others[0], proportion=round(1 - part, 6))


def _divided(level: Level, part: float) -> list[Share]:
    """Return the shares of several levels together, in the proportions that they have in the population."""
    common = {value: prevalences(level.column).get(value, 0.0) for value in level.values}
    total = sum(common.values())
    return [
        Share(column=level.column, value=value, proportion=round(part * own / total, 6))
        for value, own in common.items()
    ]


def _levels(column: Column) -> tuple[str, ...]:
    return ("false", "true") if column.kind is Kind.BOOLEAN else column.values or ()
