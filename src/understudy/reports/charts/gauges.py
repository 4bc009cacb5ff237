"""Gauges: where an answer stands between what shuffled columns and what real rows reach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from understudy.core.blocks import Chart
from understudy.core.results import Estimate, MetricResult
from understudy.reports.charts.theme import FLOOR, HOLDOUT, MUTED, SYNTHETIC, TRACK, chart_spec
from understudy.reports.judgement import SIGNS, judge
from understudy.reports.wording import interval, number, short

WIDTH = 298
ROW = 46
LONGEST = 47  # characters of a label and of the interval beside it
LEAST_SPAN = 0.25  # of the whole scale, so that a hair's breadth does not fill the gauge
LEGEND = (("synthetic, with its interval", SYNTHETIC), ("real rows", HOLDOUT), ("shuffled columns", FLOOR))


def gauge_chart(title: str, results: Sequence[MetricResult]) -> Chart | None:
    """Return the gauges of one axis under each other, worse on the left and better on the right."""
    shown = [r for r in results if r.estimate is not None and math.isfinite(r.estimate.value)]
    if not shown:
        return None
    rows = [_row(i, r) for i, r in enumerate(shown)]
    y = {
        "field": "row",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [len(rows) - 0.65, -0.65], "nice": False, "zero": False},
    }
    body = {
        "title": title,
        "width": WIDTH,
        "height": ROW * len(rows),
        "data": {"values": rows},
        "layer": [
            _rule("zero", "one", y, TRACK, 7),
            _rule("lo", "hi", y, SYNTHETIC, 7, opacity=0.38),
            _tick("floor", y, FLOOR, 15),
            _tick("ceiling", y, HOLDOUT, 15),
            {
                "mark": {"type": "circle", "color": SYNTHETIC, "size": 95, "opacity": 1},
                "encoding": {"x": _x("at"), "y": y},
            },
            _words("label", y, 0, "left"),
            _words("value", y, WIDTH, "right", color=MUTED),
        ],
    }
    return Chart(spec=chart_spec(body, _legend(rows)), alt=_alt(title, shown), width="third")


def _legend(rows: Sequence[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return what the marks mean, without those that no row has."""
    needs = (None, "ceiling", "floor")
    pairs = zip(LEGEND, needs, strict=True)
    return tuple(pair for pair, field in pairs if field is None or any(r[field] is not None for r in rows))


def _x(field: str) -> dict[str, Any]:
    scale = {"domain": [0, 1], "nice": False}
    return {"field": field, "type": "quantitative", "axis": None, "scale": scale}


def _rule(start: str, end: str, y: Any, color: str, size: int, opacity: float = 1.0) -> dict[str, Any]:
    mark = {"type": "rule", "color": color, "size": size, "strokeCap": "round", "opacity": opacity}
    return {"mark": mark, "encoding": {"x": _x(start), "x2": {"field": end}, "y": y}}


def _tick(field: str, y: Any, color: str, size: int) -> dict[str, Any]:
    mark = {"type": "tick", "color": color, "thickness": 3, "size": size, "orient": "vertical", "opacity": 1}
    return {
        "transform": [{"filter": f"isValid(datum.{field})"}],
        "mark": mark,
        "encoding": {"x": _x(field), "y": y},
    }


def _words(field: str, y: Any, x: int, align: str, color: str = "") -> dict[str, Any]:
    mark: dict[str, Any] = {"type": "text", "align": align, "dy": -17, "baseline": "middle", "fontSize": 12}
    if color:
        mark["color"] = color
    return {
        "mark": mark,
        "encoding": {"x": {"value": x}, "y": y, "text": {"field": field, "type": "nominal"}},
    }


def _row(index: int, result: MetricResult) -> dict[str, Any]:
    estimate = result.estimate or Estimate(value=math.nan)
    place, shown = GaugeScale(result), interval(estimate)
    lo, hi = sorted(place(v if v is not None else estimate.value) for v in (estimate.low, estimate.high))
    return {
        "row": index,
        "label": f"{SIGNS[judge(result).tone]}  {short(result.title.split(' (')[0], LONGEST - len(shown))}",
        "value": shown,
        "zero": 0,
        "one": 1,
        "at": place(estimate.value),
        "lo": lo,
        "hi": hi,
        "floor": place(result.floor.value) if result.floor else None,
        "ceiling": place(result.ceiling.value) if result.ceiling else None,
    }


class GaugeScale:
    """Where a value of a result stands on its gauge: 0 is the worst end in view, 1 the best."""

    def __init__(self, result: MetricResult) -> None:
        self.sign = 1.0 if result.best >= result.worst else -1.0
        estimates = [e for e in (result.estimate, result.ceiling, result.floor) if e is not None]
        ends = [v for e in estimates for v in (e.value, e.low, e.high) if v is not None and math.isfinite(v)]
        goods = [self.sign * v for v in ends] or [0.0]
        whole = abs(result.best - result.worst)
        least = LEAST_SPAN * whole if 0 < whole < math.inf else 1e-9
        self.top = max(goods)
        if math.isfinite(result.best) and self.sign * result.best - self.top < least:
            self.top = max(self.top, self.sign * result.best)
        self.bottom = min([*goods, self.top - least])

    def __call__(self, value: float) -> float:
        """Return the place of a value, from 0 to 1."""
        place = (self.sign * value - self.bottom) / (self.top - self.bottom)
        return round(min(max(place, 0.0), 1.0), 4) if math.isfinite(place) else 0.0


def _alt(title: str, results: Sequence[MetricResult]) -> str:
    parts = []
    for r in results:
        anchors = [f"real rows {number(r.ceiling.value)}"] if r.ceiling else []
        anchors += [f"shuffled columns {number(r.floor.value)}"] if r.floor else []
        beside = f" ({', '.join(anchors)})" if anchors else ""
        parts.append(f"{r.title} {interval(r.estimate)}{beside}")
    return f"{title}: {'; '.join(parts)}."
