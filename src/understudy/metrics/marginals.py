"""Does each column on its own look like the real one: the same values, as often, missing as often?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.core.schema import Column
from understudy.metrics.anchors import (
    Anchored,
    Measurement,
    Question,
    anchored,
    ask,
    at_most,
    between,
    capped,
    judged,
)
from understudy.metrics.histograms import histogram
from understudy.metrics.intervals import around, patient_weights
from understudy.modalities.encoding import is_quantity, levels_of, numeric

AGREEMENT = "agreement"
SHIFT = "shift"
BOOTSTRAP_ROWS = 4_000

QUESTION = Question(
    metric="marginals",
    title="Single columns",
    text="Does each column on its own look like the real one: the same values, as often, missing as often?",
    axis=Axis.FIDELITY,
    best=1.0,
    worst=0.0,
    advice="Open the columns with the lowest agreement: a wrong kind, unit or sentinel in the schema is the "
    "usual cause. If all are low, learn from more rows or use a synthesizer that keeps the margins.",
)


class Marginals(Metric):
    """One minus the largest difference of two distributions, column by column; the estimate is the mean.

    Quantities are compared by the Kolmogorov-Smirnov distance with missing values as the last value, so that
    a masked column falls; levels by the total variation distance with missing as a level. The `shift` of a
    quantity is its Wasserstein distance divided by the 1-99 % range of the real values (0 is best).
    """

    rows: int = Field(default=50_000, ge=100, description="Most rows of each table that are compared.")
    draws: int = Field(default=30, ge=2, description="Bootstrap draws (of patients) behind the intervals.")
    bins: int = Field(default=25, ge=2, le=100, description="Bins of the figures, about.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        columns = judged(comparison.real)
        found = anchored(comparison, self._measure, is_larger_better=True)
        figures = [histogram(comparison.real, comparison.synthetic, column, self.bins) for column in columns]
        return QUESTION.answer(found, self._reading(found, comparison), figures)

    def _measure(self, comparison: Comparison) -> Measurement:
        real = at_most(comparison.real, self.rows, comparison.seed.child("rows"))
        synthetic = at_most(comparison.synthetic, self.rows, comparison.seed.child("rows"))
        columns = judged(real)
        pairs = [compare(real, synthetic, column) for column in columns]
        values = np.array([pair.agreement() for pair in pairs])
        spread, of_mean = self._spread(comparison, real, synthetic, columns)
        parts = []
        for column, pair, value, deviation in zip(columns, pairs, values, spread, strict=True):
            parts.append(_part(column, AGREEMENT, around(value, deviation, 0.0, 1.0)))
            if pair.points is not None:
                parts.append(_part(column, SHIFT, Estimate(value=pair.shift())))
        return Measurement(around(float(values.mean()), of_mean, 0.0, 1.0), tuple(parts))

    def _spread(
        self, comparison: Comparison, real: Dataset, synthetic: Dataset, columns: tuple[Column, ...]
    ) -> tuple[np.ndarray, float]:
        """Return standard errors of each column's agreement and of their mean, from resampled patients."""
        a = at_most(real, BOOTSTRAP_ROWS, comparison.seed.child("fewer rows"))
        b = at_most(synthetic, BOOTSTRAP_ROWS, comparison.seed.child("fewer rows"))
        rng = comparison.seed.child("bootstrap").rng()
        of_real = patient_weights(a.patients, rng, self.draws)
        of_synthetic = patient_weights(b.patients, rng, self.draws)
        draws = np.stack([compare(a, b, c).resampled(of_real, of_synthetic) for c in columns])
        # A standard error shrinks with the square root of the rows; the draws saw fewer.
        scale = np.sqrt((1 / real.rows + 1 / synthetic.rows) / (1 / a.rows + 1 / b.rows))
        return draws.std(axis=1, ddof=1) * scale, float(draws.mean(axis=0).std(ddof=1) * scale)

    def _reading(self, found: Anchored, comparison: Comparison) -> str:
        parts = [d for d in found.details if d.measure == AGREEMENT and d.estimate]
        low = min(parts, key=lambda part: part.estimate.value if part.estimate else 1.0)
        return (
            f"On average a column agrees to {100 * found.estimate.value:.1f} % with the real one "
            f"{between(found)}; the least alike is {low.name} "
            f"({100 * low.estimate.value if low.estimate else 0:.1f} %)."
        ) + capped(max(comparison.real.rows, comparison.synthetic.rows), self.rows)


@dataclass(frozen=True)
class ColumnPair:
    """One column of two tables, as codes of its pooled values in rising order; missing comes last.

    Attributes:
        real, synthetic: codes from 0 to `size` - 1, shapes (real rows,), (synthetic rows,).
        size: number of pooled values.
        points: the value behind each code for quantities (the missing one has none); None for levels.
        width: the 1-99 % range of the real values, in the column's unit.
    """

    real: np.ndarray
    synthetic: np.ndarray
    size: int
    points: np.ndarray | None
    width: float = 1.0

    def agreement(self) -> float:
        """Return one minus the distance of the two distributions."""
        p = np.bincount(self.real, minlength=self.size) / len(self.real)
        q = np.bincount(self.synthetic, minlength=self.size) / len(self.synthetic)
        return float(self._agreement(p - q))

    def resampled(self, of_real: np.ndarray, of_synthetic: np.ndarray) -> np.ndarray:
        """Return the agreement for each set of row weights, shape (draws,)."""
        difference = _shares(self.real, of_real, self.size) - _shares(self.synthetic, of_synthetic, self.size)
        return np.asarray(self._agreement(difference))

    def shift(self) -> float:
        """Return the Wasserstein distance of the present values in units of the real 1-99 % range."""
        if self.points is None or len(self.points) < 2:
            return 0.0
        p = np.bincount(self.real, minlength=self.size)[: len(self.points)]
        q = np.bincount(self.synthetic, minlength=self.size)[: len(self.points)]
        if not p.sum() or not q.sum():
            return 0.0
        gap = np.abs(np.cumsum(p / p.sum()) - np.cumsum(q / q.sum()))[:-1]
        return float((gap * np.diff(self.points)).sum() / self.width)

    def _agreement(self, difference: np.ndarray) -> np.ndarray:
        if self.points is None:
            return np.asarray(1 - np.abs(difference).sum(axis=-1) / 2)
        return np.asarray(1 - np.abs(np.cumsum(difference, axis=-1)).max(axis=-1))


def compare(real: Dataset, synthetic: Dataset, column: Column) -> ColumnPair:
    """Code one column of both tables together."""
    if not is_quantity(column):
        text = pl.concat([levels_of(real, column), levels_of(synthetic, column)])
        level = text.rank("dense").to_numpy().astype(np.int64) - 1
        return ColumnPair(level[: real.rows], level[real.rows :], int(level.max()) + 1, None)
    values = numeric(real, column)
    pooled = np.concatenate([values, numeric(synthetic, column)])
    points, codes = np.unique(pooled, return_inverse=True)
    present = values[~np.isnan(values)]
    low, high = np.quantile(present, [0.01, 0.99]) if len(present) else (0.0, 0.0)
    if not high > low and len(present):
        low, high = present.min(), present.max()
    width = float(high - low) if high > low else 1.0
    return ColumnPair(codes[: real.rows], codes[real.rows :], len(points), points[~np.isnan(points)], width)


def _shares(codes: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """Return the weighted share of each code, shape (draws, size)."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(codes[order]) != 0]))
    sums = np.zeros((len(weights), size))
    sums[:, codes[order][starts]] = np.add.reduceat(weights[:, order], starts, axis=1)
    return np.asarray(sums / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12))


def _part(column: Column, measure: str, estimate: Estimate) -> Detail:
    return Detail(scope="column", name=column.name, measure=measure, estimate=estimate)
