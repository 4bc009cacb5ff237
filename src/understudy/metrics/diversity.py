"""Do synthetic patients vary as much as real ones, or are they all alike?"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.metrics.anchors import (
    Anchored,
    Measurement,
    Question,
    anchored,
    ask,
    at_most,
    between,
    judged,
)
from understudy.metrics.cells import BinCodes, LevelCodes, cells
from understudy.metrics.intervals import around, patient_draw
from understudy.modalities.encoding import levels_of

VARIETY, KEPT, DISTINCT = "variety", "levels kept", "distinct rows"
LEVELS, BINS, MOST_PAIRS = 20, 8, 300

QUESTION = Question(
    metric="diversity",
    title="Variety",
    text="Do synthetic patients vary as much as real ones, or are they all alike?",
    axis=Axis.DIVERSITY,
    best=1.0,
    worst=0.0,
    advice="Low variety means that the synthesizer fell back on a few typical patients: train it longer, or "
    "choose another. Columns with lost levels may need more rows, or a larger share in the conditions.",
)


class Diversity(Metric):
    """Effective number of different patients, synthetic against real: smaller divided by larger.

    For each pair of columns (quantities in 8 bins, up to 20 levels), the effective number of combinations is
    the exponential of their entropy; the estimate is the mean ratio over pairs. Equally many rows are
    compared on both sides, since few rows look less varied. Details: the same for each column, levels kept,
    and the share of distinct rows.

    Reference:
        Hill, Diversity and evenness, Ecology 54 (1973), order 1.
    """

    rows: int = Field(default=5_000, ge=50, description="Most rows of each table that are compared.")
    draws: int = Field(default=8, ge=2, description="Bootstrap draws (of patients) behind the interval.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        found = anchored(comparison, self._measure)
        return QUESTION.answer(found, _reading(found))

    def _measure(self, comparison: Comparison) -> Measurement:
        sizes = [comparison.real.rows, comparison.synthetic.rows, self.rows]
        if comparison.holdout is not None and comparison.holdout.rows:
            sizes.append(comparison.holdout.rows)
        real = at_most(comparison.real, min(sizes), comparison.seed.child("rows"))
        made = at_most(comparison.synthetic, min(sizes), comparison.seed.child("rows"))
        codings = [cells(comparison.real, column, LEVELS, BINS) for column in judged(real)]
        chosen = _pairs(len(codings), comparison)
        codes = [np.column_stack([c.transform(rows) for c in codings]) for rows in (real, made)]
        size = np.array([c.size for c in codings])
        number = [_effective(c, size, chosen) for c in codes]
        ratio = _ratio(number[0], number[1])
        rng = comparison.seed.child("bootstrap").rng()
        drawn = [
            _ratio(
                *(
                    _effective(c[patient_draw(d.patients, rng)], size, chosen)
                    for c, d in zip(codes, (real, made), strict=True)
                )
            ).mean()
            for _ in range(self.draws)
        ]
        estimate = around(float(ratio.mean()), float(np.std(drawn, ddof=1)), 0.0, 1.0)
        alone = [np.array([[k, k] for k in range(len(codings))])] * 2
        of_column = _ratio(*(_effective(c, size, pairs) for c, pairs in zip(codes, alone, strict=True)))
        return Measurement(estimate, (*_columns(codings, of_column, comparison), _distinct(real, made)))


def _pairs(columns: int, comparison: Comparison) -> np.ndarray:
    """Return pairs of columns, at random where there are too many; a lone column is its own pair."""
    pairs = np.array(list(combinations(range(columns), 2)) or [(0, 0)])
    if len(pairs) > MOST_PAIRS:
        pairs = pairs[comparison.seed.child("pairs").rng().permutation(len(pairs))[:MOST_PAIRS]]
    return pairs


def _effective(codes: np.ndarray, size: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the effective number of combinations of each pair of columns, shape (pairs,)."""
    found = np.empty(len(pairs))
    for k, (a, b) in enumerate(pairs):
        share = np.bincount(codes[:, a] * size[b] + codes[:, b]) / len(codes)
        share = share[share > 0]
        found[k] = np.exp(-(share * np.log(share)).sum())
    return found


def _ratio(real: np.ndarray, made: np.ndarray) -> np.ndarray:
    return np.asarray(np.minimum(real, made) / np.maximum(real, made))


def _columns(codings: list[LevelCodes | BinCodes], ratio: np.ndarray, comparison: Comparison) -> list[Detail]:
    parts = []
    for coding, value in zip(codings, ratio, strict=True):
        name = coding.column.name
        parts.append(
            Detail(scope="column", name=name, measure=VARIETY, estimate=Estimate(value=float(value)))
        )
        if isinstance(coding, LevelCodes):
            kept = _kept(comparison.real, comparison.synthetic, coding)
            parts.append(Detail(scope="column", name=name, measure=KEPT, estimate=Estimate(value=kept)))
    return parts


def _kept(real: Dataset, made: Dataset, coding: LevelCodes) -> float:
    levels = set(levels_of(real, coding.column).unique())
    return len(levels & set(levels_of(made, coding.column).unique())) / max(len(levels), 1)


def _distinct(real: Dataset, made: Dataset) -> Detail:
    names = [column.name for column in judged(real)]
    share = [rows.frame.select(names).n_unique() / rows.rows for rows in (real, made)]
    return Detail(
        scope="table",
        name=DISTINCT,
        measure="share",
        estimate=Estimate(value=share[1]),
        rows=made.rows,
        note=f"{100 * share[0]:.1f} % of as many real rows are distinct",
    )


def _reading(found: Anchored) -> str:
    distinct = next(d for d in found.details if d.name == DISTINCT)
    share = distinct.estimate.value if distinct.estimate else 0.0
    return (
        f"The effective number of different patients agrees to {100 * found.estimate.value:.1f} % with the real "
        f"one {between(found)}; {100 * share:.1f} % of the synthetic rows are distinct ({distinct.note})."
    )
