"""Fidelity against what an attack gains: where this dataset stands between the extremes."""

from __future__ import annotations

import math
from typing import Any

from understudy.core.blocks import Chart
from understudy.core.results import Estimate, MetricResult
from understudy.reports.charts.theme import FLOOR, HOLDOUT, SYNTHETIC, chart_spec, crosses
from understudy.reports.wording import number

WIDTH = 430
HEIGHT = 300
_POINTS = (
    ("estimate", "this synthetic table", SYNTHETIC),
    ("ceiling", "unseen real rows", HOLDOUT),
    ("floor", "shuffled columns", FLOOR),
)


def frontier_chart(fidelity: MetricResult, attack: MetricResult) -> Chart | None:
    """Return the chart, better to the right (fidelity) and better upward (attack gain); None without both."""
    rows = []
    for field, name, _ in _POINTS:
        x: Estimate | None = getattr(fidelity, field)
        y: Estimate | None = getattr(attack, field)
        if x is not None and y is not None and math.isfinite(x.value) and math.isfinite(y.value):
            rows.append(_point(name, x, y))
    if not any(row["n"] == _POINTS[0][1] for row in rows):
        return None
    names = [row["n"] for row in rows]
    hues = [hue for _, name, hue in _POINTS if name in names]
    color = {"field": "n", "type": "nominal", "scale": {"domain": names, "range": hues}, "legend": None}
    x_axis = _axis(fidelity, f"{fidelity.title} (better →)")
    y_axis = _axis(attack, f"{attack.title} (better ↑)")
    layers = [
        *crosses(x_axis, y_axis, color, 130),
        *(_name(row, rows, x_axis, y_axis) for row in rows),
    ]
    body = {"width": WIDTH, "height": HEIGHT, "data": {"values": rows}, "layer": layers}
    said = "; ".join(f"{r['n']}: {number(r['x'])} and {number(r['y'])}" for r in rows)
    return Chart(spec=chart_spec(body), alt=f"{fidelity.title} and {attack.title}. {said}.", width="half")


def _point(name: str, x: Estimate, y: Estimate) -> dict[str, Any]:
    ends = {"xlo": x.low, "xhi": x.high, "ylo": y.low, "yhi": y.high}
    middle = {"x": x.value, "y": y.value}
    return {"n": name} | middle | {k: middle[k[0]] if v is None else v for k, v in ends.items()}


def _axis(result: MetricResult, title: str) -> Any:
    is_reversed = result.best < result.worst
    scale = {"zero": False, "reverse": is_reversed, "nice": True, "padding": 18}

    def encoding(name: str) -> dict[str, Any]:
        return {
            "field": name,
            "type": "quantitative",
            "scale": scale,
            "axis": {"title": title, "tickCount": 5, "domain": False},
        }

    return encoding


def _name(row: dict[str, Any], rows: list[dict[str, Any]], x_axis: Any, y_axis: Any) -> dict[str, Any]:
    """Write a point's name beside it, on the side that keeps clear of the chart's edge."""
    xs = [r["x"] for r in rows]
    is_left_half = (row["x"] - min(xs)) * 2 <= max(xs) - min(xs)
    grows_right = not x_axis("x")["scale"]["reverse"]
    goes_right = is_left_half == grows_right
    mark = {
        "type": "text",
        "align": "left" if goes_right else "right",
        "dx": 11 if goes_right else -11,
        # The three names may crowd one corner: each keeps its own height.
        "dy": (-13, 15, -13)[[p[1] for p in _POINTS].index(row["n"])],
    }
    return {
        "data": {"values": [row]},
        "mark": mark,
        "encoding": {"x": x_axis("x"), "y": y_axis("y"), "text": {"field": "n", "type": "nominal"}},
    }
