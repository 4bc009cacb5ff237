"""What is predicted from what, and how well it was predicted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.schema import Column, Kind
from understudy.metrics.anchors import NotApplicable, at_most, judged, kept
from understudy.metrics.intervals import weighted_auc
from understudy.metrics.models import without_blanks
from understudy.modalities.encoding import OrdinalEncoding, numeric

MOST_CLASSES = 10
GIVEAWAY = 0.995
FEWEST_SEARCHED, SEARCHED_ROWS = 50, 5_000


@dataclass(frozen=True)
class Task:
    """What is predicted from what.

    Attributes:
        target: the column that is predicted.
        features: the columns that it is predicted from.
        classes: its levels in order, the last one being the positive of two; empty for a regression.
        giveaways: columns left out of `features` because each of them tells the target by itself: another
            spelling of it, most often, or something known only afterwards.
    """

    target: Column
    features: tuple[Column, ...]
    classes: tuple[str, ...]
    giveaways: tuple[Column, ...] = ()

    @property
    def measure(self) -> str:
        """The name of the performance measure."""
        return "AUROC" if self.classes else "R2"

    @property
    def worst(self) -> float:
        """The performance of a model that knows nothing."""
        return 0.5 if self.classes else 0.0

    def known(self, dataset: Dataset) -> Dataset:
        """Return the rows whose target is present and, for levels, one of `classes`."""
        return dataset.take(np.flatnonzero(~np.isnan(self.truth(dataset))))

    def truth(self, dataset: Dataset) -> np.ndarray:
        """Return the target as class codes or numbers, NaN where unknown, shape (rows,)."""
        if not self.classes:
            return numeric(dataset, self.target)
        codes = level_names(dataset, self.target).replace_strict(
            list(self.classes), list(range(len(self.classes))), default=None, return_dtype=pl.Float64
        )
        return np.array(codes.fill_null(float("nan")).to_numpy(), dtype=np.float64)


@kept
def task_of(comparison: Comparison) -> Task:
    """Return the prediction task: the first column of role target from all others that do not give it away.

    Raises:
        NotApplicable: if there is no target, or one that cannot be predicted.
    """
    real = comparison.real
    names = comparison.targets
    if not names:
        raise NotApplicable("the schema names no target column")
    target = real.table.column(names[0])
    features = tuple(c for c in judged(real) if c.name not in names)
    if not features:
        raise NotApplicable("there is no column to predict the target from")
    classes = _classes_of(real, target)
    task = Task(target, features, classes)
    giveaways = _giveaways(task, at_most(task.known(real), SEARCHED_ROWS, comparison.seed.child("giveaways")))
    kept = tuple(c for c in features if c not in giveaways)
    return replace(task, features=kept, giveaways=giveaways) if kept else task


def _classes_of(real: Dataset, target: Column) -> tuple[str, ...]:
    """Return the levels to tell apart, none for a number of more than two values."""
    if target.kind is Kind.NUMBER:
        levels = real.frame[target.name].drop_nulls().unique()
        if len(levels) > 2:
            return ()
        classes = tuple(levels.sort().cast(pl.String))
    elif target.is_discrete:
        classes = _classes(real, target)
    else:
        raise NotApplicable(f"the target {target.name!r} is a {target.kind.value}, which is not predicted")
    if len(classes) < 2:
        raise NotApplicable(f"the target {target.name!r} has a single level in the real rows")
    return classes


def _giveaways(task: Task, known: Dataset) -> tuple[Column, ...]:
    """Return the features from each of which a small tree tells the target of rows that it has not seen.

    A number is also given away by one that lies on a line with it, such as itself in another unit.
    """
    truth = task.truth(known)
    matrix = without_blanks(OrdinalEncoding.fit(known, task.features).transform(known))
    learning = np.arange(len(truth)) % 2 == 0
    if len(truth) < FEWEST_SEARCHED or len(np.unique(truth[learning])) < 2:
        return ()
    # A column that holds the target in other words needs a leaf for each of its levels, and no more.
    settings = {"max_leaf_nodes": 4 * max(len(task.classes), 16), "min_samples_leaf": 2, "random_state": 0}
    found = []
    for k, column in enumerate(task.features):
        if not task.classes and _correlation(matrix[:, k], truth) ** 2 >= GIVEAWAY:
            found.append(column)
            continue
        tree = DecisionTreeClassifier(**settings) if task.classes else DecisionTreeRegressor(**settings)
        tree.fit(matrix[learning, k : k + 1], truth[learning])
        tested = matrix[~learning, k : k + 1]
        if not task.classes:
            predicted = tree.predict(tested)
        else:
            predicted = np.zeros((len(tested), len(task.classes)))
            predicted[:, tree.classes_.astype(np.int64)] = tree.predict_proba(tested)
        if plain(task, truth[~learning], predicted) >= GIVEAWAY:
            found.append(column)
    return tuple(found)


def _correlation(values: np.ndarray, truth: np.ndarray) -> float:
    """Return Pearson's correlation where both are known, 0 where one does not vary."""
    known = ~np.isnan(values)
    centred = (
        [part[known] - part[known].mean() for part in (values, truth)] if known.any() else [truth * 0] * 2
    )
    scale = float(np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float(centred[0] @ centred[1]) / scale if scale > 0 else 0.0


def _classes(real: Dataset, target: Column) -> tuple[str, ...]:
    """Return the most frequent levels in the order of the schema, else alphabetically."""
    counts = level_names(real, target).drop_nulls().rename("level").value_counts(name="rows")
    ranked = counts.sort(["rows", "level"], descending=[True, False])["level"].head(MOST_CLASSES).to_list()
    order = {value: k for k, value in enumerate(target.values or ())}
    return tuple(sorted(ranked, key=lambda level: (order.get(level, len(order)), level)))


def level_names(dataset: Dataset, column: Column) -> pl.Series:
    """Return a target of two numbers, or a discrete column, as text."""
    return dataset.frame[column.name].cast(pl.String)


def performance(task: Task, truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return AUROC (one class against the rest, averaged) or R2 for each set of row weights, shape (draws,).

    NaN where it is not defined: a class without weight, or a target without variation.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        if not task.classes:
            total = weights.sum(axis=1)
            mean = (weights @ truth) / total
            left = weights @ (truth - predicted) ** 2
            whole = weights @ truth**2 - total * mean**2
            return np.asarray(np.where(whole > 1e-12 * np.abs(total), 1 - left / whole, np.nan))
    if len(task.classes) == 2:
        return weighted_auc(predicted[:, 1], truth == 1, weights)
    present = [k for k in range(len(task.classes)) if 0 < (truth == k).sum() < len(truth)]
    if not present:
        return np.full(len(weights), np.nan)
    each = np.stack([weighted_auc(predicted[:, k], truth == k, weights) for k in present])
    with np.errstate(invalid="ignore"):
        count = (~np.isnan(each)).sum(axis=0)
        return np.asarray(np.where(count > 0, np.nansum(each, axis=0) / np.maximum(count, 1), np.nan))


def plain(task: Task, truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the performance on all rows alike."""
    return float(performance(task, truth, predicted, np.ones((1, len(truth))))[0])
