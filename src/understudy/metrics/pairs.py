"""Are columns related to each other as in the real data: what rises together, what goes with what?"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.results import Axis, Detail, Estimate, Matrix, MetricResult
from understudy.metrics.anchors import (
    EQUAL_ROWS,
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
    kept,
)
from understudy.metrics.association import AssociationCoding, Coded, association
from understudy.metrics.intervals import around, patient_draw

DIFFERENCE = "difference"
MOST_LEVELS = 60
BOOTSTRAP_ROWS = 2_000
SHOWN_PAIRS = 15

QUESTION = Question(
    metric="pairs",
    title="Pairs of columns",
    text="Are columns related to each other as in the real data: what rises together, what goes with what?",
    axis=Axis.FIDELITY,
    best=0.0,
    worst=1.0,
    advice="Look at the pairs that differ most. If the whole picture is paler than the real one, the "
    "synthesizer learned too little dependence: give it more rows or choose one with trees.",
)


class Pairs(Metric):
    """Mean absolute difference of the association matrices, over all pairs of columns.

    Spearman's correlation for two quantities (signed, so a turned sign counts fully), bias-corrected Cramér's
    V for two discrete columns, bias-corrected correlation ratio for a mixed pair.
    """

    rows: int = Field(default=50_000, ge=100, description="Most rows of each table that are compared.")
    draws: int = Field(default=15, ge=2, description="Bootstrap draws (of patients) behind the intervals.")
    shown: int = Field(default=30, ge=2, le=200, description="Most columns in the figures.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        coding = _coding(comparison)
        if len(coding.names) < 2:
            raise NotApplicable("a pair needs two columns, and the table has one that can be judged")
        rng = comparison.seed.child("real bootstrap").rng()
        rows = at_most(comparison.real, self.rows, comparison.seed.child("rows"))
        real = coding.transform(rows)
        matrix = association(real)
        drawn = self._drawn(real, rows.patients, rng)

        def against_real(other: Comparison) -> Measurement:
            return self._measure(other, coding, matrix, drawn)

        found = anchored(comparison, against_real, is_larger_better=True)
        table = coding.transform(at_most(comparison.synthetic, self.rows, comparison.seed.child("rows")))
        return QUESTION.answer(
            found,
            self._reading(found, comparison),
            self._figures(coding.names, matrix, association(table)),
            [*found.details[:SHOWN_PAIRS], *(d for d in found.details if d.name == EQUAL_ROWS)],
        )

    def _measure(
        self, comparison: Comparison, coding: AssociationCoding, real: np.ndarray, drawn: np.ndarray
    ) -> Measurement:
        rows = at_most(comparison.synthetic, self.rows, comparison.seed.child("rows"))
        table = coding.transform(rows)
        matrix = association(table)
        upper = np.triu_indices(len(matrix), 1)
        gaps = np.abs(matrix - real)[upper]
        rng = comparison.seed.child("bootstrap").rng()
        draws = np.abs(self._drawn(table, rows.patients, rng) - drawn)[:, upper[0], upper[1]]
        seen = min(rows.rows, BOOTSTRAP_ROWS), min(comparison.real.rows, self.rows, BOOTSTRAP_ROWS)
        total = rows.rows, min(comparison.real.rows, self.rows)
        scale = float(np.sqrt(sum(1 / n for n in total) / sum(1 / n for n in seen)))
        spread = draws.mean(axis=1).std(ddof=1) * scale
        each = draws.std(axis=0, ddof=1) * scale
        parts = tuple(
            Detail(
                scope="pair",
                name=f"{coding.names[upper[0][k]]} × {coding.names[upper[1][k]]}",
                measure=DIFFERENCE,
                estimate=around(float(gaps[k]), float(each[k]), 0.0, 2.0),
            )
            for k in np.argsort(-gaps, kind="stable")
        )
        return Measurement(around(float(gaps.mean()), float(spread), 0.0, 2.0), parts)

    def _drawn(self, table: Coded, patients: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return association matrices of resampled patients, shape (draws, columns, columns)."""
        return np.stack(
            [association(table.take(patient_draw(patients, rng, BOOTSTRAP_ROWS))) for _ in range(self.draws)]
        )

    def _figures(self, names: tuple[str, ...], real: np.ndarray, synthetic: np.ndarray) -> tuple[Matrix, ...]:
        strength = np.abs(real).sum(axis=0)
        keep = np.sort(np.argsort(-strength, kind="stable")[: self.shown])
        labels = tuple(names[k] for k in keep)
        block = np.ix_(keep, keep)
        return (
            _matrix("real", labels, real[block]),
            _matrix("synthetic", labels, synthetic[block]),
            _matrix(DIFFERENCE, labels, (synthetic - real)[block]),
        )

    def _reading(self, found: Anchored, comparison: Comparison) -> str:
        first = found.details[0]
        gap = first.estimate or Estimate(value=0.0)
        return (
            f"Associations differ by {found.estimate.value:.3f} on average {between(found)}; most for "
            f"{first.name} ({gap.value:.2f})."
        ) + capped(max(comparison.real.rows, comparison.synthetic.rows), self.rows)


@kept
def _coding(comparison: Comparison) -> AssociationCoding:
    return AssociationCoding.fit(comparison.real, judged(comparison.real), MOST_LEVELS)


def _matrix(name: str, labels: tuple[str, ...], values: np.ndarray) -> Matrix:
    rows = tuple(tuple(round(float(v), 3) for v in row) for row in values)
    return Matrix(name=name, labels=labels, values=rows)
