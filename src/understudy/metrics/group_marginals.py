"""Is every protected group of patients portrayed as faithfully as the others, column by column?"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.core.schema import Column
from understudy.metrics.anchors import (
    Anchored,
    Measurement,
    NotApplicable,
    Question,
    anchored,
    ask,
    at_most,
    between,
    capped,
    judged,
)
from understudy.metrics.groups import Grouping, groupings
from understudy.metrics.intervals import around, patient_weights
from understudy.metrics.marginals import AGREEMENT, compare

FEWEST_ROWS = 30

QUESTION = Question(
    metric="group_marginals",
    title="Columns by group",
    text="Is every protected group of patients portrayed as faithfully as the others, column by column?",
    axis=Axis.FAIRNESS,
    best=1.0,
    worst=0.0,
    advice="A group that agrees less than the others is drawn with the features of the majority: sample it "
    "with a larger share, or learn from more of its patients.",
)


class GroupMarginals(Metric):
    """Mean agreement of the columns (as in `marginals`) within each protected group and intersection.

    Groups with at least 30 real and 30 holdout rows count; the estimate is the group that agrees least. A
    small group agrees less by chance alone, which its ceiling shows.
    """

    rows: int = Field(default=10_000, ge=100, description="Most rows of each table that are compared.")
    draws: int = Field(default=20, ge=2, description="Bootstrap draws (of patients) behind the intervals.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        ways = groupings(comparison)
        real = at_most(comparison.real, self.rows, comparison.seed.child("rows"))
        held = comparison.holdout or real
        held = at_most(held, self.rows, comparison.seed.child("rows"))
        large = [
            (way, k, np.flatnonzero(member == k))
            for way, member, others in ((w, w.membership(real), w.membership(held)) for w in ways)
            for k in range(len(way.groups))
            if min((member == k).sum(), (others == k).sum()) >= FEWEST_ROWS
        ]
        if not large:
            raise NotApplicable(f"no protected group has {FEWEST_ROWS} rows, real and held out")
        found = anchored(comparison, lambda other: self._measure(other, real, large))
        low = min(found.details, key=lambda part: part.estimate.value if part.estimate else 1.0)
        return QUESTION.answer(found, self._reading(found, low, comparison))

    def _measure(
        self, comparison: Comparison, real: Dataset, large: list[tuple[Grouping, int, np.ndarray]]
    ) -> Measurement:
        made = at_most(comparison.synthetic, self.rows, comparison.seed.child("rows"))
        rng = comparison.seed.child("draws").rng()
        parts = []
        for way, k, rows in large:
            own = np.flatnonzero(way.membership(made) == k)
            names = {column.name for column, _ in way.parts}
            columns = tuple(c for c in judged(real) if c.name not in names)
            if not columns:
                raise NotApplicable("there is no column beside the protected ones")
            if len(own):
                estimate = _agreement(real.take(rows), made.take(own), columns, rng, self.draws)
            else:
                estimate = Estimate(value=0.0)
            parts.append(
                Detail(
                    scope="group",
                    name=way.groups[k],
                    measure=AGREEMENT,
                    estimate=estimate,
                    rows=len(own),
                    note="" if len(own) else "no such row",
                )
            )
        lowest = min((p.estimate for p in parts if p.estimate), key=lambda estimate: estimate.value)
        return Measurement(lowest, tuple(parts))

    def _reading(self, found: Anchored, low: Detail, comparison: Comparison) -> str:
        return (
            f"The least faithful of {len(found.details)} groups is {low.name}: its columns agree to "
            f"{100 * found.estimate.value:.1f} % with the real ones {between(found)}."
        ) + capped(max(comparison.real.rows, comparison.synthetic.rows), self.rows)


def _agreement(
    real: Dataset, made: Dataset, columns: tuple[Column, ...], rng: np.random.Generator, draws: int
) -> Estimate:
    pairs = [compare(real, made, column) for column in columns]
    weights = patient_weights(real.patients, rng, draws), patient_weights(made.patients, rng, draws)
    drawn = np.mean([pair.resampled(*weights) for pair in pairs], axis=0)
    value = float(np.mean([pair.agreement() for pair in pairs]))
    return around(value, float(drawn.std(ddof=1)), 0.0, 1.0)
