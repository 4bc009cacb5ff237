"""Is every kind of real patient represented among the synthetic ones, and none of them outlandish?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field
from scipy.spatial.distance import cdist

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, MetricResult
from understudy.metrics.anchors import (
    Anchored,
    Measurement,
    NotApplicable,
    Question,
    anchored,
    ask,
    at_most,
    between,
    judged,
)
from understudy.metrics.groups import FEWEST_IN_GROUP, protected_groups
from understudy.metrics.intervals import around, wilson
from understudy.modalities.encoding import OrdinalEncoding

PRECISION, RECALL, DENSITY, COVERAGE = "precision", "recall", "density", "coverage"
FEWEST_ROWS = 10

QUESTION = Question(
    metric="coverage",
    title="Coverage",
    text="Is every kind of real patient represented among the synthetic ones, and none of them outlandish?",
    axis=Axis.FIDELITY,
    best=1.0,
    worst=0.0,
    advice="Low coverage or recall: whole kinds of patients are missing, so ask for a synthesizer that keeps "
    "rare combinations. Low precision or density: many synthetic patients resemble nobody; see the rules.",
)


class Coverage(Metric):
    """Precision, recall, density and coverage by nearest neighbours; the estimate is the coverage.

    Coverage: share of real rows with a synthetic row among their 5 nearest real neighbours' distance.
    Precision and recall: share of synthetic rows inside some real row's neighbourhood, and the reverse.
    Density: how many such neighbourhoods hold a synthetic row, on average, divided by 5. Distances are
    Gower's. As many rows are compared on all sides as the smallest table has.

    Reference:
        Kynkäänniemi et al., Improved precision and recall metric, NeurIPS 2019; Naeem et al., Reliable
        fidelity and diversity metrics for generative models, ICML 2020.
    """

    rows: int = Field(default=2_000, ge=50, le=10_000, description="Most rows of each table.")
    neighbours: int = Field(default=5, ge=1, le=50, description="Size of a neighbourhood.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        sizes = [comparison.real.rows, comparison.synthetic.rows, self.rows]
        if comparison.holdout is not None and comparison.holdout.rows:
            sizes.append(comparison.holdout.rows)
        rows = min(sizes)
        if rows < FEWEST_ROWS:
            raise NotApplicable(f"neighbourhoods need at least {FEWEST_ROWS} rows of each table")
        place = _Gower.fit(comparison.real)
        people = at_most(comparison.real, rows, comparison.seed.child("rows"))
        real = place.transform(people)
        radius = self._radius(real)

        members = {group.name: group.rows(people) for group in protected_groups(comparison)}

        def against_real(other: Comparison) -> Measurement:
            made = at_most(other.synthetic, rows, other.seed.child("rows"))
            return self._measure(real, radius, place.transform(made), members)

        found = anchored(comparison, against_real)
        return QUESTION.answer(found, _reading(found, rows))

    def _radius(self, rows: _Points) -> np.ndarray:
        """Return the distance of each row to its nearest neighbours' last, shape (rows,)."""
        distances = rows.to(rows)
        k = min(self.neighbours, len(distances) - 1)
        # The row itself is one of its neighbours, at distance 0.
        return np.asarray(np.partition(distances, k, axis=1)[:, k])

    def _measure(
        self, real: _Points, radius: np.ndarray, made: _Points, members: Mapping[str, np.ndarray]
    ) -> Measurement:
        distances = real.to(made)
        # Float32 sums differ in the last digit with the order of columns.
        inside = distances <= radius[:, None] + 1e-6
        near_made = distances <= self._radius(made)[None, :] + 1e-6
        count = len(radius)
        per_made = inside.sum(axis=0) / self.neighbours
        parts = {
            PRECISION: wilson(float(inside.any(axis=0).sum()), count),
            RECALL: wilson(float(near_made.any(axis=1).sum()), count),
            DENSITY: around(float(per_made.mean()), float(per_made.std() / np.sqrt(count)), 0.0),
            COVERAGE: wilson(float(inside.any(axis=1).sum()), count),
        }
        details = tuple(
            Detail(scope="table", name=name, measure="share", estimate=estimate, rows=count)
            for name, estimate in parts.items()
        )
        is_covered = np.asarray(inside.any(axis=1))
        groups = tuple(
            Detail(
                scope="group",
                name=name,
                measure=COVERAGE,
                estimate=wilson(float(is_covered[own].sum()), float(own.sum())),
                rows=int(own.sum()),
            )
            for name, own in members.items()
            if own.sum() >= FEWEST_IN_GROUP
        )
        return Measurement(parts[COVERAGE], (*details, *groups))


@dataclass(frozen=True)
class _Points:
    """Rows as scaled quantities, and codes of levels and of missing values, ready for Gower distances."""

    quantities: np.ndarray
    codes: np.ndarray

    def to(self, others: _Points) -> np.ndarray:
        """Return Gower distances times the number of columns, shape (rows, other rows)."""
        found = np.zeros((len(self.codes), len(others.codes)), dtype=np.float32)
        if self.quantities.shape[1]:
            found += cdist(self.quantities, others.quantities, "cityblock").astype(np.float32)
        for k in range(self.codes.shape[1]):
            found += self.codes[:, k][:, None] != others.codes[:, k][None, :]
        return found


@dataclass(frozen=True)
class _Gower:
    """Quantities over their real 1-99 % range; a missing one differs from any present one by one."""

    encoding: OrdinalEncoding
    low: np.ndarray
    width: np.ndarray
    median: np.ndarray

    @classmethod
    def fit(cls, real: Dataset) -> _Gower:
        encoding = OrdinalEncoding.fit(real, judged(real))
        values = encoding.transform(real)[:, ~encoding.discrete]
        safe = np.where(np.isnan(values).all(axis=0), 0.0, values)
        if not values.shape[1]:
            return cls(encoding, np.empty(0), np.empty(0), np.empty(0))
        low, median, high = np.nanquantile(safe, [0.01, 0.5, 0.99], axis=0)
        return cls(encoding, low, np.where(high > low, high - low, 1.0), median)

    def transform(self, rows: Dataset) -> _Points:
        matrix = self.encoding.transform(rows)
        values = matrix[:, ~self.encoding.discrete]
        missing = np.isnan(values)
        scaled = (np.where(missing, self.median, values) - self.low) / self.width
        codes = np.concatenate([matrix[:, self.encoding.discrete], missing], axis=1)
        return _Points(np.clip(scaled, -0.5, 1.5), codes.astype(np.int32))


def _reading(found: Anchored, rows: int) -> str:
    value = {d.name: d.estimate.value for d in found.details if d.estimate and d.scope == "table"}
    return (
        f"{100 * value[COVERAGE]:.0f} % of the real patients have a synthetic one in their neighbourhood "
        f"{between(found, 2)}; {100 * value[PRECISION]:.0f} % of the synthetic patients lie in a real one's. "
        f"{rows:,} rows of each table were compared."
    )
