"""Synthesizers by what they keep and what an attack gains: who is beaten on both, and who is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from understudy.core.blocks import Chart
from understudy.core.results import Estimate, MetricResult
from understudy.reports.charts.theme import FLOOR, HOLDOUT, LINE, SYNTHETIC, chart_spec, crosses
from understudy.reports.wording import listing, number

WIDTH, HEIGHT = 400, 290
_LETTER, _LINE_HEIGHT = 6.1, 14.0  # pixels of a name in the charts' type
REAL, SHUFFLED = "unseen real rows", "shuffled columns"


class Point(NamedTuple):
    """A synthesizer or an anchor with its two figures; larger is better on both once `turned`."""

    name: str
    x: Estimate
    y: Estimate


def pareto_chart(
    points: Sequence[Point], kept: MetricResult, attack: MetricResult, caption: str = ""
) -> Chart | None:
    """Return the chart, better to the right and upward, with the line of those that nobody beats on both.

    Args:
        points: the synthesizers.
        kept: any of their results on the axis drawn to the right, for its scale and anchors.
        attack: likewise for the axis drawn upward.
        caption: what the chart is about.
    """
    anchors = [
        Point(name, x, y)
        for name, x, y in ((REAL, kept.ceiling, attack.ceiling), (SHUFFLED, kept.floor, attack.floor))
        if x is not None and y is not None
    ]
    shown = [p for p in (*points, *anchors) if math.isfinite(p.x.value) and math.isfinite(p.y.value)]
    if sum(p.name not in (REAL, SHUFFLED) for p in shown) < 2:
        return None
    x_scale, y_scale = _scale(kept, [p.x for p in shown]), _scale(attack, [p.y for p in shown])
    x_axis = _axis(f"{kept.title} (better →)", x_scale)
    y_axis = _axis(f"{attack.title} (better ↑)", y_scale)
    rows = [_row(p) for p in shown]
    hue = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": ["made", REAL, SHUFFLED], "range": [SYNTHETIC, HOLDOUT, FLOOR]},
        "legend": None,
    }
    unbeaten = pareto(points, kept, attack)
    front = [{"x": p.x.value, "y": p.y.value} for p in sorted(unbeaten, key=lambda p: p.x.value)]
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": front},
            "mark": {"type": "line", "color": LINE, "strokeWidth": 5, "interpolate": "linear"},
            "encoding": {"x": x_axis("x"), "y": y_axis("y"), "order": {"field": "x", "type": "quantitative"}},
        },
        *crosses(x_axis, y_axis, hue, 110, is_clipped=True),
        *_names(shown, x_scale, y_scale, x_axis, y_axis),
    ]
    body = {"width": WIDTH, "height": HEIGHT, "data": {"values": rows}, "layer": layers}
    said = "; ".join(f"{p.name}: {number(p.x.value)} and {number(p.y.value)}" for p in shown)
    beaten = listing([p.name for p in unbeaten], 12)
    alt = f"{kept.title} and {attack.title}. {said}. Beaten by nobody on both: {beaten}."
    return Chart(spec=chart_spec(body), alt=alt, caption=caption, width="half")


def pareto(points: Sequence[Point], kept: MetricResult, attack: MetricResult) -> list[Point]:
    """Return the points that no other point beats on one axis and equals or beats on the other."""
    x_sign, y_sign = (1 if r.best > r.worst else -1 for r in (kept, attack))

    def beats(one: Point, other: Point) -> bool:
        x = x_sign * (one.x.value - other.x.value)
        y = y_sign * (one.y.value - other.y.value)
        return x >= 0 and y >= 0 and x + y > 0

    return [p for p in points if not any(beats(other, p) for other in points)]


def _row(point: Point) -> dict[str, Any]:
    kind = point.name if point.name in (REAL, SHUFFLED) else "made"
    row: dict[str, Any] = {"n": point.name, "kind": kind, "x": point.x.value, "y": point.y.value}
    for axis, own in (("x", point.x), ("y", point.y)):
        row[f"{axis}lo"] = own.value if own.low is None else own.low
        row[f"{axis}hi"] = own.value if own.high is None else own.high
    return row


def _scale(result: MetricResult, values: Sequence[Estimate]) -> dict[str, Any]:
    """Return the scale that shows the points apart; intervals may run out of the picture."""
    low, high = min(v.value for v in values), max(v.value for v in values)
    margin = max(0.25 * (high - low), 0.02 * abs(result.best - result.worst))
    return {
        "domain": [low - margin, high + margin],
        "reverse": result.best < result.worst,
        "nice": False,
        "zero": False,
    }


def _axis(title: str, scale: dict[str, Any]) -> Any:
    def encoding(name: str) -> dict[str, Any]:
        axis = {"title": title, "tickCount": 5, "domain": False}
        return {"field": name, "type": "quantitative", "scale": scale, "axis": axis}

    return encoding


def _place(value: float, scale: dict[str, Any], length: float, *, is_up: bool) -> float:
    """Return where a value lies, in pixels from the left or from the top."""
    low, high = scale["domain"]
    share = (value - low) / (high - low)
    share = 1 - share if scale["reverse"] else share
    return float(length * (1 - share if is_up else share))


def _names(
    points: Sequence[Point], x_scale: dict[str, Any], y_scale: dict[str, Any], x_axis: Any, y_axis: Any
) -> list[dict[str, Any]]:
    """Write the names beside their points, each where it covers no other name."""
    taken: list[tuple[float, float, float]] = []
    layers = []
    for point in sorted(points, key=lambda p: _place(p.y.value, y_scale, HEIGHT, is_up=True)):
        x = _place(point.x.value, x_scale, WIDTH, is_up=False)
        y = _place(point.y.value, y_scale, HEIGHT, is_up=True)
        size = _LETTER * len(point.name)
        goes_right = x + size + 12 < WIDTH
        left = x + 10 if goes_right else x - 10 - size
        shifts = (-10.0, 12.0, -24.0, 26.0, -38.0, 40.0, 54.0)
        dy = next((s for s in shifts if _is_free(left, y + s, size, taken)), shifts[0])
        taken.append((left, y + dy, size))
        mark = {
            "type": "text",
            "align": "left" if goes_right else "right",
            "dx": 10 if goes_right else -10,
            "dy": dy,
        }
        text = {"field": "n", "type": "nominal"}
        layers.append(
            {
                "data": {"values": [_row(point)]},
                "mark": mark,
                "encoding": {"x": x_axis("x"), "y": y_axis("y"), "text": text},
            }
        )
    return layers


def _is_free(left: float, y: float, size: float, taken: Sequence[tuple[float, float, float]]) -> bool:
    inside = _LINE_HEIGHT / 2 <= y <= HEIGHT
    return inside and all(
        abs(y - other_y) >= _LINE_HEIGHT or left >= other + other_size or other >= left + size
        for other, other_y, other_size in taken
    )
