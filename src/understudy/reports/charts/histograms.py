"""Distributions of a column, real and synthetic over each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from understudy.core.blocks import Chart
from understudy.core.results import Histogram
from understudy.knowledge.units import written
from understudy.reports.charts.theme import REAL, REAL_LEGEND, SYNTHETIC, SYNTHETIC_LEGEND, chart_spec
from understudy.reports.wording import count, date, number, percent, short

WIDTH = 206
HEIGHT = 78
MOST_LEVELS = 12
_MILLISECONDS = 1000


def histogram_chart(figure: Histogram) -> Chart:
    """Return one small chart: real filled, synthetic as a line or a tick."""
    is_levels = figure.kind == "levels" or not figure.edges
    body = _levels(figure) if is_levels else _bins(figure)
    unit = f" [{shown}]" if (shown := written(figure.unit)) else ""
    title = {"title": short(figure.column + unit, 34)}
    legend = (REAL_LEGEND, SYNTHETIC_LEGEND)
    return Chart(spec=chart_spec(title | body, legend), alt=_alt(figure, is_levels=is_levels), width="third")


def _alt(figure: Histogram, *, is_levels: bool) -> str:
    pairs = list(zip(figure.real, figure.synthetic, strict=False))
    shown = [(r, s) for r, s in pairs if r is not None and s is not None]
    if not shown:
        return f"Distribution of {figure.column}: no bin holds enough people to be shown."
    apart = sum(abs(r - s) for r, s in shown) / 2
    what = "levels" if is_levels else "bins"
    span = ""
    edges = _finite(figure.edges)
    if not is_levels and edges:
        write = date if figure.kind == "datetime" else number
        span = f" from {write(edges[0])} to {write(edges[-1])}"
    return (
        f"Distribution of {figure.column}{span}, {count(len(shown))} {what}: "
        f"{percent(apart)} of the synthetic rows would have to move to match the real ones."
    )


def _finite(edges: Sequence[float]) -> list[float]:
    """Return the edges with open ends closed by the width of their neighbour."""
    inner = [e for e in edges if math.isfinite(e)]
    if len(inner) < 2:
        return [0.0, 1.0] if not inner else [inner[0], inner[0] + 1.0]
    closed = [inner[0] - (inner[1] - inner[0])] if not math.isfinite(edges[0]) else []
    closed += inner
    return closed + ([inner[-1] + (inner[-1] - inner[-2])] if not math.isfinite(edges[-1]) else [])


def _bins(figure: Histogram) -> dict[str, Any]:
    scale = _MILLISECONDS if figure.kind == "datetime" else 1
    edges = [e * scale for e in _finite(figure.edges)]
    widths = [max(b - a, 1e-12) for a, b in pairwise(edges)]
    whole = max(edges[-1] - edges[0], 1e-12)
    bars, line = [], []
    for i, ((left, right), width) in enumerate(zip(pairwise(edges), widths, strict=True)):
        # Height is a density, so that bins of unequal width keep their area; 1 is the uniform density.
        real, synthetic = (_density(shares, i, width / whole) for shares in (figure.real, figure.synthetic))
        if real is not None:
            bars.append({"a": left, "b": right, "h": real})
        line += [{"i": 2 * i, "a": left, "h": synthetic}, {"i": 2 * i + 1, "a": right, "h": synthetic}]
    if line:
        line = [{"i": -1, "a": line[0]["a"], "h": 0}, *line, {"i": len(line), "a": line[-1]["a"], "h": 0}]
    is_date = figure.kind == "datetime"
    x = {
        "type": "temporal" if is_date else "quantitative",
        "scale": {"type": "utc"} if is_date else {"zero": False, "nice": False},
        "axis": {"title": None, "grid": False, "tickCount": 3 if is_date else 4, "labelFlush": True},
    }
    y = {"field": "h", "type": "quantitative", "axis": None}
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "layer": [
            {
                "data": {"values": bars},
                "mark": {"type": "rect", "color": REAL, "opacity": 0.42},
                "encoding": {"x": {"field": "a", **x}, "x2": {"field": "b"}, "y": y, "y2": {"datum": 0}},
            },
            {
                "data": {"values": line},
                "mark": {"type": "line", "color": SYNTHETIC, "strokeWidth": 1.6, "strokeJoin": "round"},
                "encoding": {
                    "x": {"field": "a", **x},
                    "y": y,
                    "order": {"field": "i", "type": "quantitative"},
                },
            },
        ],
    }


def _density(shares: Sequence[float | None], index: int, width: float) -> float | None:
    share = shares[index] if index < len(shares) else None
    return None if share is None or not math.isfinite(share) else share / width


def _levels(figure: Histogram) -> dict[str, Any]:
    levels = list(zip(figure.levels, figure.real, figure.synthetic, strict=False))
    if len(levels) > MOST_LEVELS:
        rest = levels[MOST_LEVELS - 1 :]
        shares = (sum(r or 0.0 for _, r, _ in rest), sum(s or 0.0 for _, _, s in rest))
        levels = [*levels[: MOST_LEVELS - 1], (f"{count(len(rest))} more", *shares)]
    rows = [
        # A share of few people, or one from which theirs could be computed, is not shown.
        {
            "n": i,
            "level": short(level or "(empty)", 24) + (" (real share hidden)" if r is None else ""),
            "real": r,
            "synthetic": s,
        }
        for i, (level, r, s) in enumerate(levels)
    ]
    y = {
        "field": "n",
        "type": "ordinal",
        "axis": None,
        "scale": {"paddingInner": 0.35, "paddingOuter": 0.1},
    }
    x = {"type": "quantitative", "axis": {"title": None, "format": "%", "tickCount": 3, "grid": False}}
    label = {"field": "n", "type": "ordinal", "axis": None}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "bar", "color": REAL, "opacity": 0.42},
            "encoding": {"y": y, "x": {"field": "real", **x}},
        },
        {
            "mark": {"type": "tick", "color": SYNTHETIC, "thickness": 2.4, "size": 15, "opacity": 1},
            "encoding": {"y": y, "x": {"field": "synthetic", **x}},
        },
        {
            "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 5, "fontSize": 10.5},
            "encoding": {"y": label, "x": {"value": 0}, "text": {"field": "level", "type": "nominal"}},
        },
    ]
    return {
        "width": WIDTH,
        "height": max(HEIGHT, 18 * len(rows)),
        "data": {"values": rows},
        "layer": layers,
    }
