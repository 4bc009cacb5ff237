"""Parts of a result beside each other with their intervals: groups, models, attacks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from understudy.core.blocks import Chart
from understudy.core.results import Detail, Estimate
from understudy.reports.charts.theme import FLOOR, HOLDOUT, SYNTHETIC, chart_spec
from understudy.reports.wording import interval, listing, short

WIDTH = 300
ROW = 26
MOST_PARTS = 20
_SOURCES = (
    ("estimate", "synthetic", SYNTHETIC),
    ("ceiling", "real rows", HOLDOUT),
    ("floor", "shuffled columns", FLOOR),
)


def dot_chart(title: str, parts: Sequence[Detail]) -> Chart | None:
    """Return the parts as a dot plot: synthetic with its interval, and the anchors; None if nothing to show."""
    shown = [p for p in parts if p.estimate is not None and math.isfinite(p.estimate.value)][:MOST_PARTS]
    if len(shown) < 2:
        return None
    points = [
        {"n": i, "who": who, "v": e.value, "lo": _end(e, e.low), "hi": _end(e, e.high)}
        for i, part in enumerate(shown)
        for field, who, _ in _SOURCES
        if (e := getattr(part, field)) is not None and math.isfinite(e.value)
    ]
    present = [(who, hue) for _, who, hue in _SOURCES if any(p["who"] == who for p in points)]
    body = {
        "title": short(title, 48),
        "width": WIDTH,
        "height": ROW * len(shown),
        # Labels are measured in a narrower font than most readers have.
        "padding": {"left": 12, "top": 2, "right": 8, "bottom": 2},
        "layer": [*_marks(points, present, len(shown)), _labels(shown)],
    }
    said = [f"{p.name} {interval(p.estimate)}" for p in shown]
    return Chart(spec=chart_spec(body, tuple(present)), alt=f"{title}: {listing(said, 20)}.", width="half")


def _end(estimate: Estimate, end: float | None) -> float:
    return end if end is not None and math.isfinite(end) else estimate.value


def _y(count: int) -> dict[str, Any]:
    domain = list(range(count))
    return {"field": "n", "type": "ordinal", "axis": None, "scale": {"domain": domain}}


def _marks(points: list[dict[str, Any]], present: list[tuple[str, str]], count: int) -> list[dict[str, Any]]:
    names = [who for who, _ in present]
    color = {
        "field": "who",
        "type": "nominal",
        "scale": {"domain": names, "range": [hue for _, hue in present]},
        "legend": None,
    }
    x = {"type": "quantitative", "scale": {"zero": False}, "axis": {"title": None, "tickCount": 4}}
    offset = {"field": "who", "scale": {"domain": names[::-1]}}
    shapes = {"domain": names, "range": ["circle", "diamond", "square"][: len(names)]}
    y = _y(count)
    data = {"values": points}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.55},
            "encoding": {"x": {"field": "lo", **x}, "x2": {"field": "hi"}, "y": y, "yOffset": offset, "color": color},
        },
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "size": 42, "opacity": 1},
            "encoding": {
                "x": {"field": "v", **x},
                "y": y,
                "yOffset": offset,
                "color": color,
                "shape": {"field": "who", "type": "nominal", "scale": shapes, "legend": None},
            },
        },
    ]  # fmt: skip


def _labels(shown: Sequence[Detail]) -> dict[str, Any]:
    rows = [{"n": i, "t": short(part.name, 26)} for i, part in enumerate(shown)]
    return {
        "data": {"values": rows},
        "mark": {"type": "text", "align": "right", "baseline": "middle", "dx": -8},
        "encoding": {"x": {"value": 0}, "y": _y(len(shown)), "text": {"field": "t", "type": "nominal"}},
    }
