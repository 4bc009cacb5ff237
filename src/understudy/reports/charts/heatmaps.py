"""Matrices of association as maps: hue for the sign, strength of colour for the size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from understudy.core.blocks import Chart
from understudy.core.results import Matrix
from understudy.reports.charts.theme import OCHRE, PLUM, REAL, SYNTHETIC, chart_spec
from understudy.reports.wording import count, exact, number, short

SIDE = 232
MOST_COLUMNS = 40
_NAMED_HUES = {"real": REAL, "synthetic": SYNTHETIC}


def heatmap_charts(matrices: Sequence[Matrix]) -> list[Chart]:
    """Return one map a matrix, all with the same columns; the difference is added where it is missing."""
    found = list(matrices)
    by_name = {m.name.lower(): m for m in found}
    if len(found) == 2 and set(by_name) == {"real", "synthetic"}:
        found.append(difference(by_name["real"], by_name["synthetic"]))
    return [_chart(m) for m in found if m.labels]


def difference(real: Matrix, synthetic: Matrix) -> Matrix:
    """Return synthetic less real, for the columns that both have."""
    there = {label: i for i, label in enumerate(synthetic.labels)}
    labels = tuple(label for label in real.labels if label in there)
    here = {label: i for i, label in enumerate(real.labels)}
    values = tuple(
        tuple(_less(synthetic.values[there[a]][there[b]], real.values[here[a]][here[b]]) for b in labels)
        for a in labels
    )
    return Matrix(name="difference", labels=labels, values=values)


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _strongest(matrix: Matrix) -> list[int]:
    """Return the positions of the columns to show, at most MOST_COLUMNS: those with the largest entries."""
    if len(matrix.labels) <= MOST_COLUMNS:
        return list(range(len(matrix.labels)))
    size = [sum(abs(_finite(v) or 0.0) for v in row) for row in matrix.values]
    return sorted(sorted(range(len(size)), key=lambda i: -size[i])[:MOST_COLUMNS])


def _chart(matrix: Matrix) -> Chart:
    kept = _strongest(matrix)
    found = [
        (a, b, v)
        for a, i in enumerate(kept)
        for b, j in enumerate(kept)
        if i != j and (v := _finite(matrix.values[i][j])) is not None
    ]
    is_difference = "diff" in matrix.name.lower()
    top = max([abs(v) for _, _, v in found] + [1e-9 if is_difference else 1.0])
    cells = [
        {"r": a, "c": b, "o": round(abs(v) / top, 4), "s": "below" if v < 0 else "above"} for a, b, v in found
    ]
    hue = next((h for name, h in _NAMED_HUES.items() if name in matrix.name.lower()), PLUM)
    spec = _spec(matrix.name, [short(matrix.labels[i], 17) for i in kept], cells, hue, top)
    return Chart(spec=spec, alt=_alt(matrix), width="third")


def _spec(name: str, names: list[str], cells: list[dict[str, Any]], hue: str, top: float) -> dict[str, Any]:
    font = max(5.5, min(10.0, SIDE / max(len(names), 1) * 0.85))
    place = {"type": "ordinal", "axis": None, "scale": {"domain": list(range(len(names))), "padding": 0.06}}
    below = any(cell["s"] == "below" for cell in cells)
    scale = f"full colour = {exact(round(top, 3))}" + ("; below zero in another hue" if below else "")
    fill = {"domain": ["above", "below"], "range": [hue, OCHRE]}
    layers = [
        {
            "data": {"values": cells},
            "mark": {"type": "rect"},
            "encoding": {
                "x": {"field": "c", **place},
                "y": {"field": "r", **place},
                "fill": {"field": "s", "type": "nominal", "scale": fill, "legend": None},
                "fillOpacity": {"field": "o", "type": "quantitative", "scale": None},
            },
        },
        {
            "data": {"values": [{"r": i, "t": text} for i, text in enumerate(names)]},
            "mark": {"type": "text", "align": "right", "baseline": "middle", "fontSize": font, "dx": -4},
            "encoding": {
                "x": {"value": 0},
                "y": {"field": "r", **place},
                "text": {"field": "t", "type": "nominal"},
            },
        },
    ]
    title = {"text": short(name, 40).capitalize(), "subtitle": scale}
    return chart_spec({"title": title, "width": SIDE, "height": SIDE, "layer": layers})


def _alt(matrix: Matrix) -> str:
    pairs = [
        (v, matrix.labels[i], matrix.labels[j])
        for i in range(len(matrix.labels))
        for j in range(i)
        if (v := _finite(matrix.values[i][j])) is not None
    ]
    if not pairs:
        return f"Map of associations ({matrix.name}): nothing to show."
    value, a, b = max(pairs, key=lambda p: abs(p[0]))
    return (
        f"Map of associations ({matrix.name}) between {count(len(matrix.labels), 'column')}; "
        f"the largest is {number(value, 2)}, between {a} and {b}."
    )
