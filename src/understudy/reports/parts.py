"""Parts of a result as tables and dot plots: columns, pairs, groups, attacks, models, rules."""

from __future__ import annotations

import math
from collections.abc import Sequence

from understudy.core.blocks import Block, TableBlock
from understudy.core.results import Detail, MetricResult
from understudy.reports.charts.dots import dot_chart
from understudy.reports.wording import ABSENT, count, interval, sentence

MOST_ROWS = 200
NAMES = {
    "column": ("Column", "columns"),
    "pair": ("Pair of columns", "pairs"),
    "group": ("Group", "groups"),
    "attack": ("Attack", "attacks"),
    "model": ("Model", "models"),
    "rule": ("Rule", "rules"),
    "table": ("What", "figures"),
}
_PLOTTED = ("group", "model")
_PIVOTED = ("attack",)


def part_blocks(result: MetricResult, most: int = 8) -> list[Block]:
    """Return the parts of a result, scope by scope: a plot where parts are few, a table, the rest folded."""
    blocks: list[Block] = []
    for scope in dict.fromkeys(d.scope for d in result.details):
        parts = [d for d in result.details if d.scope == scope]
        if scope in _PLOTTED:
            for measure in dict.fromkeys(p.measure for p in parts):
                chart = dot_chart(measure or result.title, [p for p in parts if p.measure == measure])
                blocks += [chart] if chart else []
        blocks += part_tables(scope, parts, most, is_rising=result.best >= result.worst)
    return blocks


def part_tables(
    scope: str, parts: Sequence[Detail], most: int = 8, *, is_rising: bool = True
) -> list[TableBlock]:
    """Return the parts as one table, or the foremost as a table and all of them as a folded one."""
    title, plural = NAMES.get(scope, (scope.capitalize(), f"{scope}s"))
    if scope in _PIVOTED and len({p.measure for p in parts}) > 1:
        return [pivot_table(title, parts)]
    first = ranked(parts, is_rising=is_rising)
    everything = first + [p for p in parts if p.measure != first[0].measure]
    if len(everything) <= most:
        return [_table(title, everything)]
    folded = _table(title, everything[:MOST_ROWS], caption=f"All {plural}", collapsed=True)
    if len(everything) > MOST_ROWS:
        note = f"The first {count(MOST_ROWS)} of {count(len(everything))}; the evaluation holds them all."
        folded = folded.model_copy(update={"note": note})
    if len(first) <= most and len(first) < len(everything):
        return [_table(title, first), folded]
    words = "are furthest behind the real rows" if _has_ceilings(first) else "stand out most"
    return [_table(title, first[:most], caption=f"The {plural} that {words}"), folded]


def ranked(parts: Sequence[Detail], *, is_rising: bool) -> list[Detail]:
    """Return the parts of the leading measure, those first that are furthest behind the real rows.

    Where real rows give nothing to compare with, the metric's own order counts: only it knows the scale.

    Args:
        parts: parts of one scope.
        is_rising: whether larger is better.
    """
    first = [p for p in parts if p.measure == parts[0].measure]
    if not _has_ceilings(first):
        return first
    return sorted(first, key=lambda p: -_shortfall(p) if is_rising else _shortfall(p))


def pivot_table(title: str, parts: Sequence[Detail]) -> TableBlock:
    """Return one row a part and one column a measure, synthetic with interval; remarks stand below."""
    measures = list(dict.fromkeys(p.measure for p in parts))
    names = list(dict.fromkeys(p.name for p in parts))
    cells = {(p.name, p.measure): interval(p.estimate) for p in parts}
    notes = {p.name: p.note for p in parts if p.note}
    rows = tuple((n, *(cells.get((n, m), ABSENT) for m in measures)) for n in names)
    columns = (title, *(m or "value" for m in measures))
    below = " ".join(sentence(f"{name}: {note}") for name, note in notes.items())
    return TableBlock(columns=columns, rows=rows, align="l" + "r" * len(measures), note=below)


def _has_ceilings(parts: Sequence[Detail]) -> bool:
    return any(p.ceiling is not None for p in parts)


def _shortfall(part: Detail) -> float:
    if part.estimate is None or part.ceiling is None:
        return 0.0
    gap = part.ceiling.value - part.estimate.value
    return gap if math.isfinite(gap) else 0.0


def _table(title: str, parts: Sequence[Detail], caption: str = "", *, collapsed: bool = False) -> TableBlock:
    measures = list(dict.fromkeys(p.measure for p in parts))
    offered = [
        (title, "l", [p.name for p in parts]),
        ("Measure", "l", [p.measure for p in parts] if len(measures) > 1 else []),
        (
            f"Synthetic ({measures[0]})" if len(measures) == 1 and measures[0] else "Synthetic",
            "r",
            [interval(p.estimate) for p in parts],
        ),
        ("Real rows", "r", [interval(p.ceiling) for p in parts]),
        ("Shuffled columns", "r", [interval(p.floor) for p in parts]),
        ("Rows", "r", [ABSENT if p.rows is None else count(p.rows) for p in parts]),
        ("Remark", "l", [p.note for p in parts]),
    ]
    kept = [column for i, column in enumerate(offered) if i in (0, 2) or set(column[2]) - {"", ABSENT}]
    return TableBlock(
        columns=tuple(name for name, _, _ in kept),
        rows=tuple(zip(*(cells for _, _, cells in kept), strict=True)),
        align="".join(align for _, align, _ in kept),
        caption=caption,
        collapsed=collapsed,
    )
