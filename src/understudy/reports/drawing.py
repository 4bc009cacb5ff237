"""Charts drawn as SVG to stand inside a page: no request, no script, identifiers that cannot collide."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import vl_convert

from understudy.core.errors import RequestError

_IDS = re.compile(r'\bid="([^"]+)"')


def draw(spec: Mapping[str, Any], number: int) -> str:
    """Return a chart as an SVG element that fills its place.

    Args:
        spec: a Vega-Lite specification with its data inside.
        number: the chart's number on the page; its identifiers carry it.

    Raises:
        RequestError: if the specification cannot be drawn, or asks for data from elsewhere.
    """
    if _asks_elsewhere(spec):
        raise RequestError("a chart asks for data from elsewhere; a report holds its data inside")
    try:
        svg: str = vl_convert.vegalite_to_svg(json.dumps(spec), allowed_base_urls=[])
    except ValueError as error:
        raise RequestError(f"a chart cannot be drawn: {str(error).splitlines()[0]}") from error
    svg = svg[svg.index("<svg") :]
    # Clip paths are numbered across the whole process: the same chart must give the same bytes.
    for i, name in enumerate(dict.fromkeys(_IDS.findall(svg))):
        svg = svg.replace(f'id="{name}"', f'id="c{number}-{i}"').replace(
            f"url(#{name})", f"url(#c{number}-{i})"
        )
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def natural_width(svg: str) -> float:
    """Return the width in pixels at which the chart was drawn."""
    found = re.search(r'<svg[^>]*? width="([\d.]+)"', svg)
    return float(found[1]) if found else 0.0


def _asks_elsewhere(node: Any) -> bool:
    if isinstance(node, Mapping):
        return "url" in node or "href" in node or any(_asks_elsewhere(v) for v in node.values())
    return isinstance(node, list | tuple) and any(_asks_elsewhere(v) for v in node)
