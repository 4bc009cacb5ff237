"""Curves over each other in one chart, such as the ROC curves of the attacks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from understudy.core.blocks import Chart
from understudy.core.results import Curve
from understudy.reports.charts.theme import DASHES, FLOOR, SERIES, chart_spec
from understudy.reports.wording import listing, number, short

WIDTH = 400
HEIGHT = 300
MOST_POINTS = 160


def curve_chart(curves: Sequence[Curve], title: str = "") -> Chart:
    """Return one chart of curves that share their axes; a ROC gets the diagonal of pure chance."""
    first = curves[0]
    names = [short(c.name, 44) for c in curves]
    points = [
        {"i": i, "n": name, "x": curve.x[i], "y": curve.y[i]}
        for name, curve in zip(names, curves, strict=True)
        for i in _thinned(min(len(curve.x), len(curve.y)))
    ]
    axis = {"tickCount": 5, "domain": False}
    color = {"domain": names, "range": [SERIES[i % len(SERIES)] for i in range(len(names))]}
    dash = {"domain": names, "range": [list(DASHES[i % len(DASHES)]) for i in range(len(names))]}
    legend = {"orient": "bottom", "direction": "vertical", "symbolStrokeWidth": 2, "symbolSize": 260}
    lines = {
        "data": {"values": points},
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": first.x_title or "x", "axis": axis},
            "y": {"field": "y", "type": "quantitative", "title": first.y_title or "y", "axis": axis},
            "order": {"field": "i", "type": "quantitative"},
            "color": {"field": "n", "type": "nominal", "scale": color, "sort": None, "legend": legend},
            "strokeDash": {"field": "n", "type": "nominal", "scale": dash, "sort": None},
        },
    }
    layers = [_chance(), lines] if is_roc(first) else [lines]
    body = {"width": WIDTH, "height": HEIGHT, "layer": layers} | ({"title": title} if title else {})
    return Chart(spec=chart_spec(body), alt=_alt(curves), width="half")


def is_roc(curve: Curve) -> bool:
    """Say whether a curve is a ROC: from nothing accused and nothing found to everything."""
    ends = (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1])
    return ends == (0.0, 0.0, 1.0, 1.0) and "precision" not in curve.y_title.lower()


def area(curve: Curve) -> float:
    """Return the area under a curve, by trapezoids."""
    points = sorted(zip(curve.x, curve.y, strict=False))
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))


def _thinned(length: int) -> list[int]:
    if length <= MOST_POINTS:
        return list(range(length))
    return sorted({round(i * (length - 1) / (MOST_POINTS - 1)) for i in range(MOST_POINTS)})


def _chance() -> dict[str, object]:
    return {
        "data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]},
        "mark": {"type": "line", "color": FLOOR, "strokeWidth": 1.2, "strokeDash": [3, 4], "stroke": FLOOR},
        "encoding": {
            "x": {"field": "x", "type": "quantitative"},
            "y": {"field": "y", "type": "quantitative"},
        },
    }


def _alt(curves: Sequence[Curve]) -> str:
    first = curves[0]
    if is_roc(first):
        areas = [f"{c.name}, area {number(area(c), 2)}" for c in curves]
        return (
            f"ROC curves ({first.y_title} against {first.x_title}): {listing(areas)}. The diagonal is chance."
        )
    return f"{first.y_title or 'y'} against {first.x_title or 'x'} for {listing([c.name for c in curves])}."
