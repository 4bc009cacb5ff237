"""Stages of conditions: CKD 3b, class II obesity, severe depression, stages 3 to 5."""

from __future__ import annotations

import re
from collections.abc import Sequence

from understudy.agent.reading.limits import Limit
from understudy.agent.reading.sheet import Item, Match, Sheet
from understudy.core.conditions import Between
from understudy.knowledge.conditions import ROMAN, Condition, Stage, conditions

_END = re.compile(r"(\w+) (>=|<=|>|<) ([\d.]+)")


def read_stages(sheet: Sheet) -> None:
    """Read conditions that are named with a stage, class or severity."""
    many = "((to|and|or|slash) stage? (num|word)|comma word)*"
    for match in list(
        sheet.matches(
            f"(cond|obs) (comma|paren|with|colon|slash|people)* stage colon? (num|word) {many} p=postcmp? paren?"
        )
    ):
        _staged(sheet, match)
    for match in list(sheet.matches(f"stage (num|word) {many} (cond|obs)")):
        _staged(sheet, match)
    for match in list(sheet.matches("cond num")):
        if _is_stage(sheet, match):
            _staged(sheet, match)
    for match in list(sheet.matches("(cond|obs) (comma|paren)* word ((and|or|comma|to|slash) word)* paren?")):
        if all(_stages_of(match, [item]) for item in match.tagged("word")):
            _staged(sheet, match)
    for match in list(sheet.matches("severity cond|cond (comma|paren|colon)? severity")):
        _staged(sheet, match)
    for match in list(sheet.matches("s=staged")):
        sheet.claim(match, "condition", match["s"].value, match["s"].value.replace(":", ", "))


def _is_stage(sheet: Sheet, match: Match) -> bool:
    """Say whether a bare number after a condition is its stage ("CKD 3") rather than a count of patients."""
    after = sheet.items[match.last].tag if match.last < len(sheet.items) else ""
    number = match.items[-1].value
    return number <= 5 and after not in ("people", "rows", "unit", "to", "yearsold") and bool(
        _stages_of(match, [match.items[-1]])
    )  # fmt: skip


def _condition(match: Match) -> Condition | None:
    for item in match.items:
        if (name := item.sense("cond")) is not None:
            return conditions()[name]
    return None


def _stages_of(match: Match, items: Sequence[Item]) -> list[Stage]:
    entry = _condition(match)
    return [stage for item in items for stage in (entry.staged(_label(item)) if entry else ())]


def _label(item: Item) -> str:
    text = f"{item.value:g}" if item.tag == "num" else str(item.value)
    return ROMAN.get(text, text)


def _staged(sheet: Sheet, match: Match) -> None:
    entry = _condition(match)
    if entry is None or sheet.scope.is_table:
        return
    labels = match.tagged("num", "word", "severity")
    if match.tagged("to") and len(labels) == 2:
        labels = _between(labels)
    if "p" in match and match["p"].value == "ge":
        labels = [*labels, *(i for i in _between([labels[-1], _last(entry)]) if _stages_of(match, [i]))]
    missing = [label for label in labels if not _stages_of(match, [label])]
    if missing:
        if match.tagged("severity"):
            return
        known = ", ".join(stage.name for stage in entry.stages) or "none"
        says = f"{entry.name} has no stage {_label(missing[0])!r}; known: {known}"
        sheet.claim(match, "condition", None, says, is_kept=False)
        return
    stages = list(dict.fromkeys(s.id for label in labels for s in entry.staged(_label(label))))
    chosen = [stage for stage in entry.stages if stage.id in stages]
    axes = {_END.match(stage.when)[1] for stage in chosen if _END.match(stage.when)}  # type: ignore[index]
    if len(chosen) == 1 or len(axes) == len(chosen):
        names = tuple(f"{entry.id}:{stage.id}" for stage in chosen)
        sheet.claim(match, "conditions", names, f"{entry.name}, {', '.join(s.name for s in chosen)}")
        return
    limit = _union(chosen)
    says = f"{entry.name}, {' and '.join(s.name for s in chosen)}: {limit.says()}"
    sheet.claim(match, "staged", (entry.id, limit), says)


def _last(entry: Condition) -> Item:
    """Return the label of a condition's last numbered stage, the end of "stage 3 or worse"."""
    numbers = [int(n) for stage in entry.stages for n in re.findall(r"\d+", stage.id)]
    return Item("num", float(max(numbers, default=0)), 0, 1)


def _between(labels: Sequence[Item]) -> list[Item]:
    first, last = (_label(label) for label in labels)
    if not (first.isdigit() and last.isdigit()):
        return list(labels)
    numbers = range(int(first), int(last) + 1)
    return [Item("num", float(n), labels[0].start, labels[-1].end) for n in numbers]


def _union(stages: Sequence[Stage]) -> Limit:
    """Return the one range that several neighbouring stages of one observation make up."""
    ends: dict[str, list[tuple[float, bool]]] = {"low": [], "high": []}
    column = ""
    for stage in stages:
        sides = {}
        for name, sign, number in _END.findall(stage.when):
            column = name
            sides["low" if ">" in sign else "high"] = (float(number), "=" not in sign)
        for side in ends:
            ends[side] += [sides[side]] if side in sides else []
    changes: dict[str, object] = {"column": column}
    for side, pick in (("low", min), ("high", max)):
        if len(ends[side]) == len(stages):
            value, is_open = pick(ends[side])
            changes |= {side: value, f"{side}_open": is_open}
    return Limit(Between.model_validate(changes))
