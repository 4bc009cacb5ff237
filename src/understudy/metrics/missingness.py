"""Are values missing as often as in the real data, together with the same others, for the same patients?"""

from __future__ import annotations

from dataclasses import dataclass

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
from understudy.metrics.cells import cells
from understudy.metrics.groups import FEWEST_IN_GROUP, protected_groups
from understudy.metrics.intervals import around, patient_weights

RATE, DEPENDENCE, PATTERN = "rate", "dependence", "joint pattern"
LEVELS, BINS = 8, 5

QUESTION = Question(
    metric="missingness",
    title="Missing values",
    text="Are values missing as often as in the real data, together with the same others, for the same patients?",
    axis=Axis.FIDELITY,
    best=0.0,
    worst=1.0,
    advice="A lab is often ordered because the patient is ill, so lost missingness loses information. Check "
    "the sentinels in the schema first, then use a synthesizer that models missing values.",
)


class Missingness(Metric):
    """How far the chance that a value is missing, given what else is known, is from the real one.

    For each column with missing values and each other column (5 bins or 8 levels, missing as a level), the
    absolute difference of the missing rates, real against synthetic, is averaged over the bins by their real
    share; the estimate is the mean over all such pairs. It moves with the rate, with joint missingness and
    with dependence on present values. Details: the difference of each rate, the other column for which
    the difference is largest, and the total variation distance of the joint patterns.
    """

    rows: int = Field(default=20_000, ge=100, description="Most rows of each table that are compared.")
    draws: int = Field(default=20, ge=2, description="Bootstrap draws (of patients) behind the interval.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        columns = judged(comparison.real)
        gappy = tuple(
            c
            for c in columns
            if comparison.real.frame[c.name].null_count() or comparison.synthetic.frame[c.name].null_count()
        )
        if not gappy:
            raise NotApplicable("nothing is missing, neither in the real nor in the synthetic table")
        found = anchored(
            comparison, lambda other: self._measure(other, columns, gappy), is_larger_better=True
        )
        return QUESTION.answer(found, self._reading(found, comparison))

    def _measure(
        self, comparison: Comparison, columns: tuple[Column, ...], gappy: tuple[Column, ...]
    ) -> Measurement:
        real = at_most(comparison.real, self.rows, comparison.seed.child("rows"))
        made = at_most(comparison.synthetic, self.rows, comparison.seed.child("rows"))
        coding = [cells(real, column, LEVELS, BINS) for column in columns]
        sides = [
            _Side(_absent(rows, gappy), [c.transform(rows) for c in coding], [c.size for c in coding])
            for rows in (real, made)
        ]
        same = np.array([[g.name == c.name for c in columns] for g in gappy])
        ones = [np.ones((1, rows.rows), dtype=np.float32) for rows in (real, made)]
        gaps = _gaps(sides, ones, same)[0]
        rng = comparison.seed.child("bootstrap").rng()
        weights = [patient_weights(rows.patients, rng, self.draws) for rows in (real, made)]
        spread = _mean(_gaps(sides, weights, same), same).std(ddof=1)
        parts = [
            *_rates(gappy, sides),
            *_by_group(comparison, gappy, real, made),
            *_dependences(gappy, columns, gaps, same),
            Detail(
                scope="table",
                name=PATTERN,
                measure="total variation",
                estimate=Estimate(value=_pattern_distance(sides[0].absent, sides[1].absent)),
            ),
        ]
        value = float(_mean(gaps[None], same)[0])
        return Measurement(around(value, float(spread), 0.0, 1.0), tuple(parts))

    def _reading(self, found: Anchored, comparison: Comparison) -> str:
        worst = max(
            (d for d in found.details if d.measure == RATE),
            key=lambda d: d.estimate.value if d.estimate else 0.0,
        )
        return (
            f"Given what else is known of a patient, the chance that a value is missing differs by "
            f"{found.estimate.value:.4f} on average from the real one {between(found, 4)}; the rate differs most "
            f"for {worst.name} ({worst.note})."
        ) + capped(max(comparison.real.rows, comparison.synthetic.rows), self.rows)


@dataclass(frozen=True)
class _Side:
    """One table: which values are absent, shape (rows, gappy columns), and each column's codes."""

    absent: np.ndarray
    codes: list[np.ndarray]
    sizes: list[int]

    def rates(self, weights: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the missing rate in each cell of a column, shape (draws, cells, gappy), and the cell shares."""
        hot = np.eye(self.sizes[column], dtype=np.float32)[self.codes[column]]
        total = weights @ hot
        absent = np.stack([(weights * cell) @ self.absent for cell in hot.T], axis=1)
        rate = absent / np.maximum(total, 1e-9)[..., None]
        # An empty cell tells nothing: it takes the overall rate.
        overall = (weights @ self.absent) / weights.sum(axis=1, keepdims=True)
        return np.where(total[..., None] > 0, rate, overall[:, None, :]), total / total.sum(
            axis=1, keepdims=True
        )


def _absent(rows: Dataset, gappy: tuple[Column, ...]) -> np.ndarray:
    return np.column_stack([rows.frame[c.name].is_null().to_numpy() for c in gappy]).astype(np.float32)


def _gaps(sides: list[_Side], weights: list[np.ndarray], same: np.ndarray) -> np.ndarray:
    """Return the mean difference of missing rates, shape (draws, gappy columns, columns)."""
    found = np.zeros((len(weights[0]), *same.shape))
    for column in range(same.shape[1]):
        (real, share), (made, _) = (side.rates(w, column) for side, w in zip(sides, weights, strict=True))
        found[:, :, column] = (np.abs(real - made) * share[..., None]).sum(axis=1)
    return found


def _mean(gaps: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Average over pairs of different columns; a lone column stands for itself, by its rate."""
    keep = ~same if same.shape[1] > 1 else same
    return np.asarray(gaps[:, keep].mean(axis=1))


def _rates(gappy: tuple[Column, ...], sides: list[_Side]) -> list[Detail]:
    real, made = (side.absent.mean(axis=0) for side in sides)
    return [
        Detail(
            scope="column",
            name=column.name,
            measure=RATE,
            estimate=Estimate(value=float(abs(real[k] - made[k]))),
            note=f"{100 * made[k]:.1f} % missing, {100 * real[k]:.1f} % in the real data",
        )
        for k, column in enumerate(gappy)
    ]


def _by_group(
    comparison: Comparison, gappy: tuple[Column, ...], real: Dataset, made: Dataset
) -> list[Detail]:
    """Return the mean difference of the missing rates within each protected group."""
    details = []
    for group in protected_groups(comparison):
        parts = [rows.take(np.flatnonzero(group.rows(rows))) for rows in (real, made)]
        if min(part.rows for part in parts) >= FEWEST_IN_GROUP:
            rates = [_absent(part, gappy).mean(axis=0) for part in parts]
            value = float(np.abs(rates[0] - rates[1]).mean())
            details.append(
                Detail(
                    scope="group",
                    name=group.name,
                    measure="mean difference of rates",
                    estimate=Estimate(value=value),
                    rows=parts[1].rows,
                )
            )
    return details


def _dependences(
    gappy: tuple[Column, ...], columns: tuple[Column, ...], gaps: np.ndarray, same: np.ndarray
) -> list[Detail]:
    if len(columns) < 2:
        return []
    others = np.where(same, -1.0, gaps)
    return [
        Detail(
            scope="column",
            name=column.name,
            measure=DEPENDENCE,
            estimate=Estimate(value=float(others[k].max())),
            note=f"given {columns[int(others[k].argmax())].name}",
        )
        for k, column in enumerate(gappy)
    ]


def _pattern_distance(real: np.ndarray, made: np.ndarray) -> float:
    pooled = np.concatenate([real, made]).astype(bool)
    _, codes = np.unique(np.packbits(pooled, axis=1), axis=0, return_inverse=True)
    codes = codes.ravel()
    size = int(codes.max()) + 1
    p = np.bincount(codes[: len(real)], minlength=size) / len(real)
    q = np.bincount(codes[len(real) :], minlength=size) / len(made)
    return float(np.abs(p - q).sum() / 2)
