"""Are columns related to each other as in the real data: what rises together, what goes with what?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, Matrix, MetricResult
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
    kept,
)
from understudy.metrics.association import AssociationCoding, Coded, association
from understudy.metrics.groups import Group, protected_groups
from understudy.metrics.intervals import around, patient_draw

DIFFERENCE = "difference"
MOST_LEVELS = 60
BOOTSTRAP_ROWS = 2_000
SHOWN_PAIRS = 15
# Associations of fewer rows are mostly noise.
FEWEST_ROWS, GROUP_ROWS = 100, 4_000

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
    V for two discrete columns, bias-corrected correlation ratio for a mixed pair. The details are the 15 pairs
    that differ most, and the mean difference within each protected group (few rows differ more by chance:
    see its ceiling).
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
        rows = at_most(comparison.real, self.rows, comparison.seed.child("rows"))
        made = at_most(comparison.synthetic, self.rows, comparison.seed.child("rows"))
        table = coding.transform(rows)
        matrix, synthetic = association(table), association(coding.transform(made))
        first, second = np.triu_indices(len(matrix), 1)
        worst = np.argsort(-np.abs(synthetic - matrix)[first, second], kind="stable")[:SHOWN_PAIRS]
        drawn = self._drawn(table, rows.patients, comparison.seed.child("real bootstrap").rng())
        shown = tuple(zip(first[worst], second[worst], strict=True))
        groups = self._by_group(comparison, coding, rows)
        real = _Real(coding, rows.rows, matrix, drawn, shown, groups)
        found = anchored(comparison, lambda other: self._measure(other, real), is_larger_better=True)
        figures = self._figures(coding.names, matrix, synthetic)
        return QUESTION.answer(found, self._reading(found, comparison), figures)

    def _measure(self, comparison: Comparison, real: _Real) -> Measurement:
        rows = at_most(comparison.synthetic, self.rows, comparison.seed.child("rows"))
        table = real.coding.transform(rows)
        gaps = np.abs(association(table) - real.matrix)
        rng = comparison.seed.child("bootstrap").rng()
        draws = np.abs(self._drawn(table, rows.patients, rng) - real.drawn)
        total = 1 / rows.rows + 1 / real.rows
        seen = 1 / min(rows.rows, BOOTSTRAP_ROWS) + 1 / min(real.rows, BOOTSTRAP_ROWS)
        each = draws.std(axis=0, ddof=1) * np.sqrt(total / seen)
        upper = np.triu_indices(len(gaps), 1)
        spread = draws[:, upper[0], upper[1]].mean(axis=1).std(ddof=1) * np.sqrt(total / seen)
        parts = tuple(
            Detail(
                scope="pair",
                name=f"{real.coding.names[i]} × {real.coding.names[j]}",
                measure=DIFFERENCE,
                estimate=around(float(gaps[i, j]), float(each[i, j]), 0.0, 2.0),
            )
            for i, j in real.worst
        )
        groups = self._group_details(real, rows)
        return Measurement(around(float(gaps[upper].mean()), float(spread), 0.0, 2.0), (*parts, *groups))

    def _by_group(
        self, comparison: Comparison, coding: AssociationCoding, rows: Dataset
    ) -> tuple[tuple[Group, np.ndarray | None], ...]:
        """Return the association matrix within each protected group, None where it has too few real rows."""
        groups = protected_groups(comparison)
        return tuple((group, _within(group, coding, rows)[0]) for group in groups)

    def _group_details(self, real: _Real, rows: Dataset) -> list[Detail]:
        details = []
        for group, matrix in real.groups:
            own, count = _within(group, real.coding, rows)
            if matrix is None or own is None:
                note = f"fewer than {FEWEST_ROWS} real or synthetic rows"
                details.append(
                    Detail(scope="group", name=group.name, measure=DIFFERENCE, rows=count, note=note)
                )
                continue
            gap = float(np.abs(own - matrix)[np.triu_indices(len(own), 1)].mean())
            details.append(
                Detail(
                    scope="group",
                    name=group.name,
                    measure=DIFFERENCE,
                    estimate=Estimate(value=gap),
                    rows=count,
                )
            )
        return details

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


def _within(group: Group, coding: AssociationCoding, rows: Dataset) -> tuple[np.ndarray | None, int]:
    """Return the association matrix of a group's rows, None of too few, and how many rows it rests on."""
    own = np.flatnonzero(group.rows(rows))[:GROUP_ROWS]
    if len(own) < FEWEST_ROWS:
        return None, len(own)
    return association(coding.transform(rows.take(own))), len(own)


@dataclass(frozen=True)
class _Real:
    """The real side: its coding, number of rows, matrix and resampled matrices, pairs to speak of, and groups."""

    coding: AssociationCoding
    rows: int
    matrix: np.ndarray
    drawn: np.ndarray
    worst: tuple[tuple[int, int], ...]
    groups: tuple[tuple[Group, np.ndarray | None], ...]


@kept
def _coding(comparison: Comparison) -> AssociationCoding:
    return AssociationCoding.fit(comparison.real, judged(comparison.real), MOST_LEVELS)


def _matrix(name: str, labels: tuple[str, ...], values: np.ndarray) -> Matrix:
    rows = tuple(tuple(round(float(v), 3) for v in row) for row in values)
    return Matrix(name=name, labels=labels, values=rows)
