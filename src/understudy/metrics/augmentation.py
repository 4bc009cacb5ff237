"""Does a model get better when the synthetic rows are added to the real ones it learns from?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import Field
from sklearn.neighbors import NearestNeighbors

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.metrics.anchors import Anchored, NotApplicable, Question, ask
from understudy.metrics.intervals import patient_weights, percentile
from understudy.metrics.learned import TRAIN_ROWS, Rivals, learn, rivals
from understudy.metrics.models import LinearDesign
from understudy.metrics.task import Task, performance
from understudy.modalities.encoding import is_quantity

REAL, ADDED, WEIGHTED = "real rows alone", "with the synthetic rows", "real rows, classes weighted"
SMOTE, SHUFFLED = "real rows and SMOTE", "with shuffled rows"
GAIN, BALANCED = "gain in AUROC", "balanced accuracy"
_NEIGHBOURS = 5

QUESTION = Question(
    metric="augmentation",
    title="Real rows with synthetic ones added",
    text="Does a model get better when the synthetic rows are added to the real ones it learns from?",
    axis=Axis.UTILITY,
    best=1.0,
    worst=0.5,
    advice="Where adding rows does not help, learn from the real rows alone: synthetic rows hold nothing that the real "
    "ones do not, and a decision threshold or class weights answer a rare class more simply.",
)


class Augmentation(Metric):
    """Models learned from real rows, from real and synthetic rows together, and the usual ways with rare classes.

    Tested on held-out real patients: AUROC of the family that does better on real rows set aside, and balanced
    accuracy of its decisions at the likeliest class. Beside it stand weights by class and SMOTE (to equal classes).
    The estimate is the AUROC with the synthetic rows added, the ceiling that of the real rows alone, the floor that
    with the synthetic rows replaced by shuffled ones. A gain counts when its 95 % interval, over patients of the
    holdout drawn anew, lies above 0.

    Reference:
        Chawla et al., SMOTE: Synthetic Minority Over-sampling Technique, JAIR 16 (2002).
    """

    # Further splits of a small table draw without the conditions of the added rows.
    is_of_release: ClassVar[bool] = True

    draws: int = Field(default=200, ge=20, description="Bootstrap draws of holdout patients.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        race = rivals(comparison)
        if not race.task.classes:
            raise NotApplicable(
                "the target is a number; adding rows is measured for decisions between levels"
            )
        predicted = _predictions(race, comparison)
        weights = patient_weights(race.test.patients, comparison.seed.child("draws").rng(), self.draws)
        weights = np.concatenate([np.ones((1, race.test.rows), dtype=np.float32), weights])
        areas = {name: performance(race.task, race.truth, p, weights) for name, p in predicted.items()}
        hits = {name: _balanced_accuracy(race.truth, p, weights) for name, p in predicted.items()}
        details = [
            Detail(scope="model", name=name, measure=measure, estimate=_interval(values), rows=race.test.rows)
            for measure, by_name in ((race.task.measure, areas), (BALANCED, hits))
            for name, values in by_name.items()
        ]
        gains = {name: _interval(areas[name] - areas[REAL]) for name in areas if name != REAL}
        details += [
            Detail(scope="model", name=name, measure=GAIN, estimate=gain) for name, gain in gains.items()
        ]
        found = Anchored(_interval(areas[ADDED]), _interval(areas[REAL]), _interval(areas[SHUFFLED]), ())
        return QUESTION.answer(found, _reading(comparison, gains, hits), (), details)


def _predictions(race: Rivals, comparison: Comparison) -> dict[str, np.ndarray]:
    """Return the class probabilities of the test rows by what was learned from, each of shape (rows, classes)."""
    task, family = race.task, (race.family,)
    real = comparison.real
    shuffled = comparison.independent
    many = np.resize(np.arange(shuffled.rows), comparison.synthetic.rows)
    tables = {
        ADDED: with_rows(real, comparison.synthetic),
        SHUFFLED: with_rows(real, shuffled.take(many)),
        SMOTE: with_rows(real, smote(task, real, comparison.seed.child("smote").rng())),
    }
    most = TRAIN_ROWS + comparison.synthetic.rows
    learned = {name: learn(task, table, comparison, most, family) for name, table in tables.items()}
    learned[REAL] = race.learned["real"]
    learned[WEIGHTED] = learn(task, real, comparison, TRAIN_ROWS, family, is_weighted=True)
    order = (REAL, ADDED, WEIGHTED, SMOTE, SHUFFLED)
    return {name: learned[name].predict(race.family, race.test) for name in order}


def with_rows(rows: Dataset, more: Dataset) -> Dataset:
    """Return both together."""
    return rows.with_frame(rows.frame.vstack(more.frame.select(rows.frame.columns)))


def smote(task: Task, real: Dataset, rng: np.random.Generator) -> Dataset:
    """Return rows between neighbours of the same class, as many as make all classes equal.

    Numbers lie between a row and one of its five nearest neighbours; other cells come from one of the two.

    Args:
        task: what is predicted.
        real: rows to learn from.
        rng: source of randomness.
    """
    known = task.known(real)
    truth = task.truth(known).astype(np.int64)
    sizes = np.bincount(truth, minlength=len(task.classes))
    matrix = LinearDesign.fit(known, task.features).transform(known).toarray()
    bases, others = [], []
    for label in np.flatnonzero((sizes > 1) & (sizes < sizes.max())):
        own = np.flatnonzero(truth == label)
        near = min(_NEIGHBOURS, len(own) - 1)
        found = NearestNeighbors(n_neighbors=near + 1).fit(matrix[own]).kneighbors(return_distance=True)[1]
        picked = rng.integers(0, len(own), sizes.max() - sizes[label])
        bases.append(own[picked])
        others.append(own[found[picked, rng.integers(0, near, len(picked))]])
    if not bases:
        return known.take(np.zeros(0, dtype=np.int64))
    base, other = known.take(np.concatenate(bases)), known.take(np.concatenate(others))
    share = pl.Series(rng.random(base.rows))
    mixed = [
        _between(base.frame[c.name], other.frame[c.name], share, is_number=is_quantity(c))
        for c in base.columns
    ]
    return base.with_frame(pl.DataFrame(mixed))


def _between(one: pl.Series, other: pl.Series, share: pl.Series, *, is_number: bool) -> pl.Series:
    if is_number and one.dtype == pl.Float64:
        return (one + share * (other - one)).fill_null(one).rename(one.name)
    return one.zip_with(share < 0.5, other)


def _balanced_accuracy(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean share of each class that is called by its name, for each set of row weights, shape (draws,)."""
    is_right = predicted.argmax(axis=1) == truth
    shares = []
    for label in np.unique(truth):
        own = truth == label
        with np.errstate(invalid="ignore", divide="ignore"):
            shares.append(weights[:, own & is_right].sum(axis=1) / weights[:, own].sum(axis=1))
    return np.asarray(np.nanmean(shares, axis=0), dtype=np.float64)


def _interval(values: np.ndarray) -> Estimate:
    return percentile(float(values[0]), values[1:])


def _reading(comparison: Comparison, gains: Mapping[str, Estimate], hits: Mapping[str, np.ndarray]) -> str:
    own = gains[ADDED]
    low, high = own.low or 0.0, own.high or 0.0
    helps = "it helps" if low > 0 else "it does harm" if high < 0 else "it does not help beyond chance"
    beside = "; ".join(
        f"{words} {gain.value:+.3f} ({gain.low or 0.0:+.3f} to {gain.high or 0.0:+.3f})"
        for words, gain in (("class weights", gains[WEIGHTED]), ("SMOTE", gains[SMOTE]))
    )
    called = ", ".join(
        f"{words} {float(hits[name][0]):.3f}"
        for words, name in (
            ("real rows alone", REAL),
            ("with synthetic rows", ADDED),
            ("class weights", WEIGHTED),
            ("SMOTE", SMOTE),
        )
    )
    return (
        f"Adding {comparison.synthetic.rows:,} synthetic rows to {comparison.real.rows:,} real ones changes AUROC by "
        f"{own.value:+.3f} ({low:+.3f} to {high:+.3f}): {helps}. Beside it: {beside}. Balanced accuracy of decisions: "
        f"{called}."
    )
