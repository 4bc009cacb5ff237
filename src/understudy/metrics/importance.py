"""Do models learned from the synthetic data rely on the same columns as models learned from real data?"""

from __future__ import annotations

import numpy as np
from pydantic import Field
from scipy.stats import rankdata

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.metrics.anchors import Anchored, NotApplicable, Question, ask, at_most
from understudy.metrics.intervals import around, patient_weights
from understudy.metrics.learned import Learned, redrawn, rivals
from understudy.metrics.task import Task

SHARE, TOP = "share of importance", 5
SHUFFLES = 45

QUESTION = Question(
    metric="importance",
    title="What predictions rest on",
    text="Do models learned from the synthetic data rely on the same columns as models learned from real data?",
    axis=Axis.UTILITY,
    best=1.0,
    worst=0.0,
    advice="Columns whose share grew or vanished show where relations to the target were lost or invented; "
    "do not draw conclusions about risk factors from the synthetic data alone.",
)


class Importance(Metric):
    """Overlap of permutation importances on the holdout, between synthetic-trained and real-trained models.

    A column's importance is the mean squared change of a model's predictions when that column is shuffled
    among the holdout patients: what the model relies on, rightly or wrongly. (The loss of accuracy would be
    blind to a relation that the synthetic data turned round.) Importances are divided by their sum; the
    overlap is the sum of the smaller shares, 1 where both models rest on the same columns alike. The ceiling
    is a model learned from the real patients drawn anew with replacement.

    Reference:
        Jansen, Analysis of variance designs for model output, Computer Physics Communications 117 (1999),
        total effects; Breiman, Random forests, Machine Learning 45 (2001), section 10.
    """

    rows: int = Field(default=1_000, ge=50, description="Most holdout rows that are shuffled.")
    draws: int = Field(default=30, ge=2, description="Bootstrap draws of holdout patients.")
    repeats: int = Field(default=3, ge=1, le=20, description="Most shuffles of each column.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        race = rivals(comparison)
        rows = at_most(race.test, self.rows, comparison.seed.child("importance rows"))
        weights = patient_weights(rows.patients, comparison.seed.child("draws").rng(), self.draws)
        weights = np.concatenate([np.ones((1, rows.rows), dtype=np.float32), weights])
        models = {**race.learned, "redrawn": redrawn(comparison)}
        raw = {
            name: self._importances(model, race.family, rows, weights, comparison)
            for name, model in models.items()
        }
        if not raw["real"][0].sum() > 0:
            raise NotApplicable("the real-trained model predicts the same for every holdout patient")
        share = {name: _shares(values) for name, values in raw.items()}
        overlap = {name: np.minimum(share[name], share["real"]).sum(axis=1) for name in models}
        found = Anchored(
            _estimate(overlap["synthetic"]), _estimate(overlap["redrawn"]), _estimate(overlap["shuffled"]), ()
        )
        details = _details(race.task, share)
        reading = (
            f"{100 * found.estimate.value:.0f} % of the predictive weight lies on the same columns as in the "
            f"real-trained model (real patients drawn anew {100 * overlap['redrawn'][0]:.0f} %); of its "
            f"{min(TOP, len(race.task.features))} most important columns {_top(share)} agree."
        )
        return QUESTION.answer(found, reading, (), details)

    def _importances(
        self, model: Learned, family: str, rows: Dataset, weights: np.ndarray, comparison: Comparison
    ) -> np.ndarray:
        """Return the mean squared change that shuffling each column makes, shape (draws, features)."""
        features, predictor = len(model.task.features), model.predictors.get(family)
        losses = np.zeros((len(weights), features))
        if predictor is None:
            return losses
        matrix = predictor.encode(rows)
        matrix = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
        whole = predictor.predict(matrix).reshape(len(matrix), -1)
        # Many columns are shuffled once only: each prediction takes its time.
        repeats = max(1, min(self.repeats, SHUFFLES // features))
        rng = comparison.seed.child("shuffles").rng()
        for feature in range(features):
            own = np.flatnonzero(predictor.owners == feature)
            for _ in range(repeats):
                changed = matrix.copy()
                changed[:, own] = matrix[rng.permutation(len(matrix))][:, own]
                change = (predictor.predict(changed).reshape(len(matrix), -1) - whole) ** 2
                losses[:, feature] += weights @ change.sum(axis=1) / repeats
        return losses


def _shares(values: np.ndarray) -> np.ndarray:
    total = values.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, values / np.where(total > 0, total, 1), 0.0))


def _estimate(overlap: np.ndarray) -> Estimate:
    return around(float(overlap[0]), float(overlap[1:].std(ddof=1)), 0.0, 1.0)


def _top(share: dict[str, np.ndarray]) -> int:
    count = min(TOP, share["real"].shape[1])
    best = [set(np.argsort(-share[name][0], kind="stable")[:count]) for name in ("real", "synthetic")]
    return len(best[0] & best[1])


def _details(task: Task, share: dict[str, np.ndarray]) -> list[Detail]:
    count = min(TOP, len(task.features))
    spearman = _rank_correlation(share["real"][0], share["synthetic"][0])
    details = [
        Detail(scope="table", name="rank correlation", measure="Spearman", estimate=Estimate(value=spearman)),
        Detail(
            scope="table",
            name=f"top {count}",
            measure="overlap",
            estimate=Estimate(value=_top(share) / count),
        ),
    ]
    for k in np.argsort(-share["real"][0], kind="stable"):
        details.append(
            Detail(
                scope="column",
                name=task.features[k].name,
                measure=SHARE,
                estimate=_column(share["synthetic"][:, k]),
                ceiling=_column(share["real"][:, k]),
                floor=_column(share["shuffled"][:, k]),
            )
        )
    return details


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation, 0 where one side does not vary."""
    ranks = rankdata(a) - (len(a) + 1) / 2, rankdata(b) - (len(b) + 1) / 2
    scale = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float(ranks[0] @ ranks[1]) / scale if scale > 0 else 0.0


def _column(shares: np.ndarray) -> Estimate:
    return around(float(shares[0]), float(shares[1:].std(ddof=1)), 0.0, 1.0)
