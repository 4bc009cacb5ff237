"""Figures of a result as charts, whatever their number and kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from understudy.core.blocks import Block, Chart, Text
from understudy.core.results import Curve, Histogram, Matrix, MetricResult
from understudy.reports.charts.curves import curve_chart
from understudy.reports.charts.heatmaps import heatmap_charts
from understudy.reports.charts.histograms import histogram_chart
from understudy.reports.parts import ranked
from understudy.reports.wording import code, count


def figure_blocks(result: MetricResult, most: int = 32) -> list[Block]:
    """Return the charts of a result's figures; a kind that nobody can draw yet is named, not hidden."""
    figures: Sequence[Any] = result.figures
    blocks: list[Block] = [*_histograms(result, [f for f in figures if isinstance(f, Histogram)], most)]
    blocks += heatmap_charts([f for f in figures if isinstance(f, Matrix)])
    blocks += _curves([f for f in figures if isinstance(f, Curve)])
    unknown = [f for f in figures if not isinstance(f, Histogram | Matrix | Curve)]
    for kind in dict.fromkeys(str(getattr(f, "figure", type(f).__name__)) for f in unknown):
        blocks.append(
            Text(
                text=f"A figure of the kind {code(kind)} cannot be drawn here; its numbers are in the evaluation."
            )
        )
    return blocks


def _histograms(result: MetricResult, figures: list[Histogram], most: int) -> list[Block]:
    if not figures:
        return []
    columns = [d for d in result.details if d.scope == "column"]
    places = (
        {d.name: i for i, d in enumerate(ranked(columns, is_rising=result.best >= result.worst))}
        if columns
        else {}
    )
    ordered = sorted(figures, key=lambda f: places.get(f.column, len(places)))
    blocks: list[Block] = [histogram_chart(f) for f in ordered[:most]]
    if len(ordered) > most:
        left = count(len(ordered) - most, "column")
        blocks.append(Text(text=f"{left} with smaller differences: see the table and the evaluation."))
    return blocks


def _curves(figures: list[Curve]) -> list[Chart]:
    together: dict[tuple[str, str], list[Curve]] = {}
    for figure in figures:
        if figure.x and figure.y:
            together.setdefault((figure.x_title, figure.y_title), []).append(figure)
    return [curve_chart(curves) for curves in together.values()]
