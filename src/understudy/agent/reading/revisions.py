"""Follow-ups: what of the plan before they take back, replace or leave as it was."""

from __future__ import annotations

from understudy.agent.reading.limits import Limit
from understudy.agent.reading.planning import Revision
from understudy.agent.reading.sheet import Item, Sheet
from understudy.core.conditions import Between, OneOf
from understudy.knowledge.conditions import conditions
from understudy.workflow.plan import Plan

_CUES = ("same", "change", "instead", "add", "drop", "fine", "more", "fewer", "times")


def read_withdrawals(sheet: Sheet, plan: Plan) -> None:
    """Read what is taken back: a condition, a limit, a share, an exclusion."""
    had = {c.partition(":")[0] for c in plan.cohort.conditions}
    for match in list(sheet.matches("(drop|not|except|instead) (with|every|people|onlypeople)* c=cond")):
        if (name := match["c"].sense("cond")) in had:
            sheet.claim(match, "uncondition", (name,), f"{conditions()[name].name} no longer asked for")
    for match in list(sheet.matches("c=cond (people|with)* fine")):
        name = match["c"].sense("cond")
        sheet.claim(match, "uncondition", (name,), f"{conditions()[name].name} no longer excluded")
    for match in list(sheet.matches("instead num")):
        sheet.claim(match, "background", None, "what it was before")
    for match in list(sheet.matches("a=anysex")):
        column = sheet.scope.column("sex")
        if column is not None:
            sheet.claim(match, "unlimit", (column.name,), "both sexes")
    patterns = (
        "(drop|not) (with|every)* o=(obs|level|aged) limitword",
        "(drop|not) limitword (with|colon)* o=(obs|aged)",
        "drop (every|with)* o=level",
    )
    for match in [m for pattern in patterns for m in sheet.matches(pattern)]:
        names = _columns(sheet, match["o"])
        spoken = {w.column for w in plan.given.where} | {s.column for s in plan.given.shares}
        found = tuple(n for n in names if n in spoken)
        if found:
            sheet.claim(match, "unlimit", found, f"no limit on {', '.join(found)}")


def revision_of(sheet: Sheet, plan: Plan) -> Revision | None:
    """Return how a request revises a plan; None where it asks for something new of its own."""
    fields = {finding.field for finding in sheet.findings}
    if "startover" in sheet.tags:
        return None
    names_people = bool(fields & {"conditions", "condition", "staged"})
    has_cue = any(tag in sheet.tags for tag in _CUES)
    if plan.population is not None and names_people and fields & {"rows", "counts"} and not has_cue:
        return None
    is_replacing = (
        names_people
        and "uncondition" not in fields
        and any(t in sheet.tags for t in ("same", "change", "instead"))
    )
    return Revision(plan, frozenset(_spoken(sheet)), is_replacing)


def _columns(sheet: Sheet, item: Item) -> list[str]:
    if item.tag == "aged":
        column = sheet.scope.column("age")
        return [column.name] if column else []
    level = sheet.level(item) if item.tag == "level" else None
    names = [level.column] if level else [s.value for s in item.senses if s.tag == "obs"]
    return [c.name for n in names if (c := sheet.scope.column(n))]


def _spoken(sheet: Sheet) -> list[str]:
    """Return the columns whose limits and shares the request states anew."""
    names: list[str] = []
    for finding in sheet.findings:
        if not finding.is_kept:
            continue
        value = finding.value
        if finding.field == "limits":
            names += [limit.where.column for limit in value]
        elif finding.field == "where" and isinstance(value, OneOf | Between):
            names.append(value.column)
        elif finding.field == "staged" and isinstance(value[1], Limit):
            names.append(value[1].where.column)
        elif finding.field in ("shares", "counts"):
            names += [s.column for s in (value if finding.field == "shares" else value[1])]
    return names
