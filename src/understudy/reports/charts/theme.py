"""Colours and type of every chart: one colour for real, one for synthetic, told apart by all eyes.

Charts carry the light colours; the page maps each of them to a variable, so that dark mode and print work
without a second rendering.

Reference: Okabe and Ito, Color Universal Design (2008), for the hues.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Colour(NamedTuple):
    """A colour on a light and on a dark page, as #rrggbb."""

    light: str
    dark: str


PALETTE: Mapping[str, Colour] = {
    "ink": Colour("#1d2733", "#e8edf2"),
    "muted": Colour("#5b6875", "#a3b0bd"),
    "line": Colour("#d9dfe5", "#36424e"),
    "track": Colour("#e6eaee", "#2a343e"),
    "real": Colour("#0072b2", "#5cb8ec"),
    "synthetic": Colour("#d55e00", "#ff9a4d"),
    "holdout": Colour("#00856a", "#3fcca7"),
    "floor": Colour("#7d8791", "#8b97a3"),
    "plum": Colour("#a2488f", "#e08fce"),
    "ochre": Colour("#9a7400", "#e6c04a"),
    "slate": Colour("#47566b", "#b4c2d6"),
}

INK = PALETTE["ink"].light
MUTED = PALETTE["muted"].light
LINE = PALETTE["line"].light
TRACK = PALETTE["track"].light
REAL = PALETTE["real"].light
SYNTHETIC = PALETTE["synthetic"].light
HOLDOUT = PALETTE["holdout"].light
FLOOR = PALETTE["floor"].light
PLUM = PALETTE["plum"].light
OCHRE = PALETTE["ochre"].light
SLATE = PALETTE["slate"].light

SERIES = (PLUM, HOLDOUT, OCHRE, SLATE, REAL, SYNTHETIC)
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (4, 4), (1, 3))

REAL_LEGEND = ("real", REAL)
SYNTHETIC_LEGEND = ("synthetic", SYNTHETIC)

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_AXIS = {
    "labelColor": MUTED,
    "titleColor": MUTED,
    "titleFontWeight": "normal",
    "titleFontSize": 11,
    "labelFontSize": 10.5,
    "domainColor": LINE,
    "tickColor": LINE,
    "gridColor": LINE,
    "gridOpacity": 0.6,
    "tickSize": 3,
    "labelOverlap": True,
}
_CONFIG: Mapping[str, Any] = {
    "background": None,
    "aria": False,  # the page says what a chart shows, once
    "font": FONT,
    "padding": 2,
    "view": {"stroke": None},
    "axis": _AXIS,
    "title": {
        "color": INK,
        "subtitleColor": MUTED,
        "fontSize": 12,
        "subtitleFontSize": 10.5,
        "fontWeight": 600,
        "anchor": "start",
        "offset": 6,
    },
    "text": {"color": INK, "fontSize": 11},
    "legend": {"labelColor": INK, "titleColor": MUTED, "labelFontSize": 11, "labelLimit": 320, "title": None},
}


def chart_spec(body: Mapping[str, Any], legend: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """Return a whole specification: the body in this theme, with its legend for the page to show once.

    Args:
        body: a Vega-Lite view with its data inside.
        legend: pairs of label and colour.
    """
    head: dict[str, Any] = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "config": _CONFIG}
    if legend:
        head["usermeta"] = {"legend": [list(pair) for pair in legend]}
    # JSON in, JSON out: a specification holds lists, not tuples, and is nobody's to change.
    document: dict[str, Any] = json.loads(json.dumps(head | dict(body)))
    return document


def crosses(
    x: Callable[[str], dict[str, Any]],
    y: Callable[[str], dict[str, Any]],
    color: Mapping[str, Any],
    size: int,
    *,
    is_clipped: bool = False,
) -> list[dict[str, Any]]:
    """Return the layers of points with an interval on each axis; rows hold `x`, `xlo`, `xhi` and the same of `y`.

    Args:
        x, y: give the encoding of a field on that axis.
        color: the encoding of the colour.
        size: area of a point in square pixels.
        is_clipped: whether intervals end where the axes do.
    """
    rule = {"type": "rule", "strokeWidth": 2, "opacity": 0.45} | ({"clip": True} if is_clipped else {})
    return [
        {"mark": rule, "encoding": {"x": x("xlo"), "x2": {"field": "xhi"}, "y": y("y"), "color": color}},
        {"mark": rule, "encoding": {"x": x("x"), "y": y("ylo"), "y2": {"field": "yhi"}, "color": color}},
        {
            "mark": {"type": "circle", "size": size, "opacity": 1},
            "encoding": {"x": x("x"), "y": y("y"), "color": color},
        },
    ]
