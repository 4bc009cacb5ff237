"""Can a classifier tell synthetic patients from real ones that the generator never saw?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from pydantic import Field
from scipy import sparse

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.core.seeds import Seed
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
from understudy.metrics.intervals import auc
from understudy.metrics.models import Classifier, LinearDesign, boosted_classifier, logistic, without_blanks
from understudy.modalities.encoding import OrdinalEncoding

BOOSTED, LINEAR, GIVES_AWAY = "boosted trees", "logistic regression", "gives it away"
FEWEST_ROWS = 10
EXPLAINED_ROWS = 500

QUESTION = Question(
    metric="detection",
    title="Telling apart",
    text="Can a classifier tell synthetic patients from real ones that the generator never saw?",
    axis=Axis.FIDELITY,
    best=0.5,
    worst=1.0,
    advice="Look at the columns that give the synthetic rows away: rounding, impossible combinations and "
    "missing values are the usual tells. Correct the schema there first, then try a stronger synthesizer.",
)


class Detection(Metric):
    """Classifier two-sample test: cross-fitted area under the ROC curve, 0.5 where nobody could tell.

    As many real as synthetic rows, five folds, 100 boosted trees of 15 leaves; logistic regression as a
    detail. Exact twins, one real and one synthetic, share a fold: else the classifier would be punished for
    having seen the twin with the other label. Real rows are the holdout's; without one they are those that
    the generator learned from, which flatters a generator that copies.

    Reference:
        Lopez-Paz and Oquab, Revisiting classifier two-sample tests, ICLR 2017.
    """

    rows: int = Field(default=10_000, ge=100, description="Most rows of each table that are compared.")
    folds: int = Field(default=5, ge=2, le=20, description="Folds of the cross-fitting.")
    trees: int = Field(default=100, ge=1, le=1000, description="Boosted trees of a classifier.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        has_holdout = comparison.holdout is not None and comparison.holdout.rows > 0
        reference = comparison.holdout if comparison.holdout is not None and has_holdout else comparison.real
        if min(reference.rows, comparison.real.rows, comparison.synthetic.rows) < FEWEST_ROWS:
            raise NotApplicable(f"a classifier needs at least {FEWEST_ROWS} rows of each table")
        found = anchored(
            comparison,
            lambda other: self._measure(other, reference, explain=other is comparison),
            "holdout" if has_holdout else "train",
        )
        return QUESTION.answer(found, self._reading(found, has_holdout, reference, comparison.synthetic))

    def _measure(self, comparison: Comparison, reference: Dataset, explain: bool) -> Measurement:
        rows = min(reference.rows, comparison.synthetic.rows, self.rows)
        real = at_most(reference, rows, comparison.seed.child("rows"))
        made = at_most(comparison.synthetic, rows, comparison.seed.child("rows"))
        columns = judged(comparison.real)
        both = real.with_frame(real.frame.vstack(made.frame))
        encoding = OrdinalEncoding.fit(both, columns)
        pooled = _Pooled(encoding.transform(real), encoding.transform(made))
        folds = pooled.folds(self.folds, comparison.seed.child("folds").rng())
        boosted, losses = self._boosted(pooled, folds, comparison.seed, explain)
        design = LinearDesign.fit(both, columns).transform(both)
        linear = _cross_fitted_logistic(design, pooled.is_synthetic, folds)
        estimate = _auc(boosted, pooled.is_synthetic)
        by_group = _by_group(comparison, both, boosted, pooled.is_synthetic)
        parts = [
            Detail(scope="model", name=BOOSTED, measure="AUC", estimate=estimate, rows=2 * rows),
            Detail(
                scope="model",
                name=LINEAR,
                measure="AUC",
                estimate=_auc(linear, pooled.is_synthetic),
                rows=2 * rows,
            ),
            *by_group,
        ]
        if explain:
            parts += [
                Detail(
                    scope="column",
                    name=columns[k].name,
                    measure=GIVES_AWAY,
                    estimate=Estimate(value=float(losses[k])),
                )
                for k in np.argsort(-losses, kind="stable")
            ]
        return Measurement(estimate, tuple(parts))

    def _boosted(
        self, pooled: _Pooled, folds: np.ndarray, seed: Seed, explain: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return cross-fitted scores, and the AUC that shuffling each column costs, shape (columns,)."""
        matrix, truth = pooled.matrix, pooled.is_synthetic
        rng = seed.child("shuffles").rng()
        scores, losses = np.full(len(truth), 0.5), np.zeros(matrix.shape[1])
        for fold in np.unique(folds):
            test = folds == fold
            model = boosted_classifier(self.trees, 0.1, seed.child("trees").integer())
            model.fit(without_blanks(matrix[~test]), truth[~test])
            scores[test] = model.predict_proba(matrix[test])[:, 1]
            if explain:
                chosen = rng.permutation(np.flatnonzero(test))[:EXPLAINED_ROWS]
                losses += _losses(model, matrix[chosen], truth[chosen], rng) / len(np.unique(folds))
        return scores, losses

    def _reading(self, found: Anchored, has_holdout: bool, reference: Dataset, made: Dataset) -> str:
        rows = min(reference.rows, made.rows, self.rows)
        right = 100 * found.estimate.value
        text = (
            f"Shown one real and one synthetic patient, a classifier picks the synthetic one {right:.0f} "
            f"times in 100, where 50 is guessing {between(found)}; {rows:,} rows of each."
        )
        if not has_holdout:
            text += " Without a holdout the real rows are those learned from, which flatters copies."
        return text


@dataclass(frozen=True)
class _Pooled:
    """Real rows above synthetic rows."""

    real: np.ndarray
    made: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        return np.concatenate([self.real, self.made])

    @property
    def is_synthetic(self) -> np.ndarray:
        return np.repeat([False, True], [len(self.real), len(self.made)])

    def folds(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return the fold of each row; classes are spread evenly and exact twins stay together."""
        waiting = defaultdict(list)
        for i, row in enumerate(self.real):
            waiting[row.tobytes()].append(i)
        twins = np.full(len(self.made), -1)
        for j, row in enumerate(self.made):
            if waiting[row.tobytes()]:
                twins[j] = waiting[row.tobytes()].pop()
        of_real = rng.permutation(len(self.real)) % count
        alone = np.flatnonzero(twins < 0)
        of_made = of_real[twins]
        free = np.setdiff1d(np.arange(len(self.real)), twins)
        # Synthetic rows without a twin take the folds that real rows without one have.
        of_made[alone] = rng.permutation(np.resize(of_real[free] if len(free) else of_real, len(alone)))
        return np.concatenate([of_real, of_made])


def _by_group(
    comparison: Comparison, both: Dataset, scores: np.ndarray, is_synthetic: np.ndarray
) -> list[Detail]:
    """Return how well the rows of each protected group are told apart, by the scores for all rows."""
    details = []
    for group in protected_groups(comparison):
        own = group.rows(both)
        if min((own & is_synthetic).sum(), (own & ~is_synthetic).sum()) >= FEWEST_IN_GROUP:
            found = _auc(scores[own], is_synthetic[own])
            details.append(
                Detail(scope="group", name=group.name, measure="AUC", estimate=found, rows=int(own.sum()))
            )
    return details


def _auc(scores: np.ndarray, is_synthetic: np.ndarray) -> Estimate:
    return auc(scores[is_synthetic], scores[~is_synthetic])


def _losses(model: Classifier, matrix: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    whole = _auc(model.predict_proba(matrix)[:, 1], truth).value
    losses = np.zeros(matrix.shape[1])
    for column in range(matrix.shape[1]):
        shuffled = matrix.copy()
        shuffled[:, column] = matrix[rng.permutation(len(matrix)), column]
        losses[column] = whole - _auc(model.predict_proba(shuffled)[:, 1], truth).value
    return losses


def _cross_fitted_logistic(design: sparse.csr_matrix, truth: np.ndarray, folds: np.ndarray) -> np.ndarray:
    scores = np.zeros(len(truth))
    for fold in np.unique(folds):
        test = folds == fold
        scores[test] = logistic(design[~test], truth[~test]).predict_proba(design[test])[:, 1]
    return scores
