"""Fidelity against what an attack gains: more of one tends to cost the other."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from understudy.core.blocks import Block, Heading, TableBlock, Text
from understudy.core.contracts import Evidence, Section
from understudy.core.results import Axis, MetricResult
from understudy.reports.charts.frontier import frontier_chart
from understudy.reports.wording import interval

_INTRO = (
    "Rows that follow the real ones closely are useful, and may give people away; rows that give nothing away "
    "may be useless. The best place is the upper right: as faithful as unseen real rows, and no gain for an "
    "attack. Shuffled columns are safe and unfaithful; unseen real rows show what is possible."
)


class Tradeoff(Section):
    """One chart: this synthetic table between shuffled columns and unseen real rows."""

    fidelity: tuple[str, ...] = Field(
        default=("pairs", "detection", "marginals"),
        description="Fidelity metrics, the first measured is drawn.",
    )
    attack: tuple[str, ...] = Field(
        default=("membership",), description="Attack metrics, the first measured is drawn."
    )

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the chart and its table; nothing where either axis has no answer."""
        faithful = _first(evidence, self.fidelity, Axis.FIDELITY)
        attack = _first(evidence, self.attack, Axis.PRIVACY)
        chart = frontier_chart(faithful, attack) if faithful and attack else None
        if chart is None or faithful is None or attack is None:
            return []
        offered = (
            ("This synthetic table", faithful.estimate, attack.estimate),
            ("Unseen real rows", faithful.ceiling, attack.ceiling),
            ("Shuffled columns", faithful.floor, attack.floor),
        )
        rows = tuple((name, interval(x), interval(y)) for name, x, y in offered)
        table = TableBlock(columns=("", faithful.title, attack.title), rows=rows, align="lrr")
        return [Heading(text="Trade-off"), Text(text=_INTRO), chart, table]


def _first(evidence: Evidence, names: Sequence[str], axis: Axis) -> MetricResult | None:
    results = evidence.evaluation.on(axis)
    preferred = [r for name in names for r in results if r.metric == name]
    return next((r for r in [*preferred, *results] if r.estimate is not None), None)
