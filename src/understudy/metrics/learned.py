"""Models learned from synthetic, real and shuffled rows, tested on the same held-out real patients.

They are fitted once for a comparison; prediction, importance and fairness all read them. Nothing here is ever
trained and tested on synthetic data, and the holdout chooses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse
from sklearn.utils.class_weight import compute_sample_weight

from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.errors import SchemaError
from understudy.metrics.anchors import NotApplicable, at_most, kept
from understudy.metrics.intervals import patient_draw
from understudy.metrics.models import (
    Classifier,
    LinearDesign,
    Regressor,
    boosted_classifier,
    boosted_regressor,
    logistic,
    ridge,
    without_blanks,
)
from understudy.metrics.task import Task, plain, task_of
from understudy.modalities.encoding import OrdinalEncoding

BOOSTED, LINEAR = "boosted trees", "linear model"
FAMILIES = (BOOSTED, LINEAR)
TRAIN_ROWS, FLOOR_ROWS, CHOICE_ROWS, TEST_ROWS = 20_000, 5_000, 5_000, 10_000
FEWEST_TRAIN_ROWS, FEWEST_TEST_ROWS = 10, 10
TREES, LEARNING_RATE = 100, 0.06


@dataclass(frozen=True)
class Learned:
    """Both model families, learned from one table and applied to others.

    Attributes:
        task: what is predicted.
        rows: number of rows learned from.
        predictors: what predicts, by family; empty where the table could teach nothing.
        fallback: the prediction of a table that teaches nothing: class shares, or the mean.
    """

    task: Task
    rows: int
    predictors: Mapping[str, Predictor]
    fallback: np.ndarray

    def predict(self, family: str, dataset: Dataset) -> np.ndarray:
        """Return class probabilities, shape (rows, classes), or values, shape (rows,)."""
        if family not in self.predictors:
            return (
                np.tile(self.fallback, (dataset.rows, 1))
                if self.task.classes
                else np.full(dataset.rows, self.fallback[0])
            )
        predictor = self.predictors[family]
        return predictor.predict(predictor.encode(dataset))


@dataclass(frozen=True)
class Predictor:
    """One fitted model with the encoding that it was fitted through."""

    task: Task
    encoding: OrdinalEncoding | LinearDesign
    model: Classifier | Regressor

    def encode(self, dataset: Dataset) -> np.ndarray | sparse.csr_matrix:
        """Return the matrix that the model reads, shape (rows, matrix columns)."""
        return self.encoding.transform(dataset)

    @property
    def owners(self) -> np.ndarray:
        """The feature behind each matrix column, as a position in `task.features`."""
        if isinstance(self.encoding, OrdinalEncoding):
            return np.arange(len(self.task.features))
        place = {column.name: k for k, column in enumerate(self.task.features)}
        return np.array([place[name] for name in self.encoding.owners], dtype=np.int64)

    def predict(self, matrix: np.ndarray | sparse.csr_matrix) -> np.ndarray:
        """Return class probabilities, shape (rows, classes), or values, shape (rows,)."""
        if isinstance(self.model, Regressor):
            return np.asarray(self.model.predict(matrix))
        found = np.zeros((matrix.shape[0], len(self.task.classes)))
        found[:, self.model.classes_.astype(np.int64)] = self.model.predict_proba(matrix)
        return found


@dataclass(frozen=True)
class Rivals:
    """Models learned from different tables, and the held-out real patients that judge them all.

    Attributes:
        task: what is predicted.
        test: holdout rows with a known target.
        truth: their targets, shape (rows,).
        learned: by the rows learned from: `synthetic`, `real`, `shuffled`.
        family: the family that did better on real training rows set aside; neither holdout nor synthetic
            rows had a say.
    """

    task: Task
    test: Dataset
    truth: np.ndarray
    learned: Mapping[str, Learned]
    family: str

    @cached_property
    def predictions(self) -> Mapping[tuple[str, str], np.ndarray]:
        """Predictions for the test rows, by table and family."""
        return {
            (name, family): learned.predict(family, self.test)
            for name, learned in self.learned.items()
            for family in FAMILIES
        }


@kept
def rivals(comparison: Comparison) -> Rivals:
    """Fit the models of a comparison.

    Raises:
        NotApplicable: without a target or a holdout, or where the real rows cannot teach or test anything.
    """
    if comparison.holdout is None or not comparison.holdout.rows:
        raise NotApplicable(
            "there is no holdout: utility is only ever tested on real rows never learned from"
        )
    task = task_of(comparison)
    test = at_most(task.known(comparison.holdout), TEST_ROWS, comparison.seed.child("test rows"))
    truth = task.truth(test)
    if test.rows < FEWEST_TEST_ROWS:
        raise NotApplicable(
            f"the holdout has {test.rows} rows with a known target; {FEWEST_TEST_ROWS} needed"
        )
    if len(np.unique(truth)) < 2:
        raise NotApplicable(f"all holdout rows have the same {task.target.name!r}")
    tables = {"synthetic": comparison.synthetic, "real": comparison.real, "shuffled": comparison.independent}
    learned = {
        name: learn(task, table, comparison, FLOOR_ROWS if name == "shuffled" else TRAIN_ROWS)
        for name, table in tables.items()
    }
    if learned["real"].rows < FEWEST_TRAIN_ROWS or not learned["real"].predictors:
        raise NotApplicable(
            f"the real rows cannot teach a model: too few, or one level of {task.target.name!r}"
        )
    return Rivals(task, test, truth, learned, _better_family(task, comparison))


@kept
def with_giveaways(comparison: Comparison) -> Mapping[str, Learned]:
    """Learn once more, with the columns that give the target away: from synthetic and from real rows."""
    race = rivals(comparison)
    task = replace(race.task, features=(*race.task.features, *race.task.giveaways), giveaways=())
    tables = {"synthetic": comparison.synthetic, "real": comparison.real}
    return {
        name: learn(task, table, comparison, TRAIN_ROWS, (race.family,)) for name, table in tables.items()
    }


@kept
def redrawn(comparison: Comparison) -> Learned:
    """Learn the better family once more from real patients drawn anew: what chance alone changes."""
    return learned_anew(comparison, rivals(comparison).family)


def learned_anew(comparison: Comparison, family: str) -> Learned:
    """Learn one family from the real patients drawn anew with replacement."""
    rng = comparison.seed.child("redrawn").rng()
    again = comparison.real.take(patient_draw(comparison.real.patients, rng))
    return learn(task_of(comparison), again, comparison, TRAIN_ROWS, (family,))


def learn(
    task: Task,
    table: Dataset,
    comparison: Comparison,
    rows: int,
    families: tuple[str, ...] = FAMILIES,
    *,
    is_weighted: bool = False,
) -> Learned:
    """Learn from at most `rows` rows of a table; weighted, all classes count alike, however rare."""
    known = at_most(task.known(table), rows, comparison.seed.child("training rows"))
    truth = task.truth(known)
    if task.classes:
        shares = np.bincount(truth.astype(np.int64), minlength=len(task.classes)) + 1.0
        fallback = shares / shares.sum()
    else:
        fallback = np.array([truth.mean() if len(truth) else 0.0])
    if len(truth) < FEWEST_TRAIN_ROWS or len(np.unique(truth)) < 2:
        return Learned(task, known.rows, {}, fallback)
    state = comparison.seed.child("trees").integer()
    return Learned(
        task,
        known.rows,
        {family: _fit(task, family, known, truth, state, is_weighted=is_weighted) for family in families},
        fallback,
    )


def _fit(
    task: Task, family: str, known: Dataset, truth: np.ndarray, state: int, *, is_weighted: bool
) -> Predictor:
    weights = compute_sample_weight("balanced", truth) if is_weighted and task.classes else None
    if family == LINEAR:
        design = LinearDesign.fit(known, task.features)
        matrix = design.transform(known)
        return Predictor(
            task, design, logistic(matrix, truth, weights) if task.classes else ridge(matrix, truth)
        )
    ordinal = OrdinalEncoding.fit(known, task.features)
    make = boosted_classifier if task.classes else boosted_regressor
    model = make(TREES, LEARNING_RATE, state).fit(
        without_blanks(ordinal.transform(known)), truth, sample_weight=weights
    )
    return Predictor(task, ordinal, model)


def _better_family(task: Task, comparison: Comparison) -> str:
    """Choose by a quarter of the real training rows, set aside."""
    known = at_most(task.known(comparison.real), CHOICE_ROWS, comparison.seed.child("choice rows"))
    try:
        rest, aside = known.split(0.25, comparison.seed.child("choice"))
    except SchemaError:
        return BOOSTED
    truth = task.truth(aside)
    learned = learn(task, rest, comparison, CHOICE_ROWS)
    found = {family: plain(task, truth, learned.predict(family, aside)) for family in FAMILIES}
    return LINEAR if found[LINEAR] > found[BOOSTED] else BOOSTED
