"""Words without a number: high, low, most, uncontrolled; they become a published limit, or are said to need one."""

from __future__ import annotations

from understudy.agent.reading.limits import Limit
from understudy.agent.reading.sheet import DONE, Match, Sheet
from understudy.core.conditions import Between
from understudy.knowledge.observations import ReferenceRange, observations


def read_unneeded(sheet: Sheet) -> None:
    """Read what the person says not to need: "GOLD not needed", "or statins not considered"."""
    for match in list(sheet.matches("not comma")):
        if match.first == 0:
            sheet.claim(match, "background", None, "an answer")
    thing = "(severity|dataset|people|obs|cond|level|stage|export|companion|word|cmp|num|part|unit|to|group|bundle)"
    for match in list(sheet.matches(f"(or|and|paren|comma)? {thing}+ unneeded paren?")):
        sheet.claim(match, "background", None, "said not to be needed")


def read_vague(sheet: Sheet) -> None:
    """Read vague words; where a limit says the same, the word adds nothing."""
    for match in list(sheet.matches("v=vague")):
        if _is_limited(sheet, match) or ("controlled" in match["v"].value and sheet.has("limits")):
            sheet.claim(match, "background", None, "said precisely by the limit beside it")
    for match in list(sheet.matches("v=vague o=obs")):
        _by_reference(sheet, match)
    for match in list(sheet.matches("v=vague")):
        words = sheet.verbatim(match["v"])
        says = f"{words!r} is no number: state a limit or a percentage, such as 'HbA1c > 9 %' or '70 % women'"
        sheet.claim(match, "vague", None, says, is_kept=False)


def _is_limited(sheet: Sheet, match: Match) -> bool:
    """Say whether a limit or share stands right beside the word, or on the quantity that follows it."""
    near = [sheet.items[i] for i in (match.first - 1, match.last) if 0 <= i < len(sheet.items)]
    starts = [item.start for item in near if item.tag == DONE]
    precise = [f for f in sheet.findings if f.field in ("limits", "shares")]
    return any(f.start <= start < f.start + len(f.words) for f in precise for start in starts)


def _by_reference(sheet: Sheet, match: Match) -> None:
    column = sheet.scope.column(str(match["o"].sense("obs")))
    entry = observations().get(column.name) if column is not None and not sheet.scope.is_table else None
    ranges = [r for r in entry.reference if r.sex is None] if entry else []
    if column is None or not ranges or sheet.has_limit(column.name):
        return
    limit = _limit(column.name, match["v"].value, ranges[0])
    if limit is not None:
        says = f"{limit.says()}: {sheet.verbatim(match['v'])!r} by the reference range ({', '.join(ranges[0].sources)})"
        sheet.claim(match, "limits", (limit,), says)


def _limit(name: str, word: str, usual: ReferenceRange) -> Limit | None:
    if word == "high" and usual.high is not None:
        return Limit(Between(column=name, low=usual.high, low_open=True))
    if word == "low" and usual.low is not None:
        return Limit(Between(column=name, high=usual.low, high_open=True))
    if word == "normal":
        return Limit(Between(column=name, low=usual.low, high=usual.high))
    return None
