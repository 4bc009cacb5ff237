"""Do models learned from the synthetic data serve every group of real patients?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.metrics.anchors import Anchored, NotApplicable, Question, ask
from understudy.metrics.groups import groupings
from understudy.metrics.intervals import patient_weights, percentile
from understudy.metrics.learned import Rivals, rivals
from understudy.metrics.prediction import LOSS
from understudy.metrics.task import performance, plain

FEWEST_ROWS, FEWEST_OF_A_CLASS = 30, 10

QUESTION = Question(
    metric="group_prediction",
    title="Prediction by group",
    text="Do models learned from the synthetic data serve every group of real patients?",
    axis=Axis.FAIRNESS,
    best=1.0,
    worst=0.5,
    advice="Where one group loses more than the others, its patients were portrayed too coarsely: ask for a "
    "larger share of that group among the real rows, or do not use the data for that group.",
)


class GroupPrediction(Metric):
    """Performance of synthetic-trained and real-trained models by protected group and intersection.

    Groups with at least 30 holdout rows, and 10 of each class, count. The estimate is the performance in the
    group that the synthetic-trained model serves worst; the ceiling is that of the real-trained model in the
    group that it serves worst.
    """

    draws: int = Field(default=100, ge=20, description="Bootstrap draws of holdout patients.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        ways = groupings(comparison)
        race = rivals(comparison)
        weights = patient_weights(race.test.patients, comparison.seed.child("draws").rng(), self.draws)
        groups, notes = [], []
        for way in ways:
            member = way.membership(race.test)
            for k, name in enumerate(way.groups):
                rows = member == k
                if problem := _too_few(race, rows):
                    notes.append(Detail(scope="group", name=name, rows=int(rows.sum()), note=problem))
                else:
                    groups.append(_Group.of(race, name, rows, weights))
        if not groups:
            raise NotApplicable(
                f"no protected group has {FEWEST_ROWS} holdout rows, and {FEWEST_OF_A_CLASS} of each class"
            )
        everyone = _Group.of(race, "all patients", np.ones(race.test.rows, dtype=bool), weights)
        found = Anchored(
            _lowest(groups, "synthetic"), _lowest(groups, "real"), _lowest(groups, "shuffled"), ()
        )
        details = [part for group in (everyone, *groups) for part in group.details(race)]
        question = replace(QUESTION, worst=race.task.worst)
        return question.answer(found, _reading(race, groups, everyone), (), [*details, *notes])


@dataclass(frozen=True)
class _Group:
    """Performance in one group: on its rows, and in bootstrap draws, by the table learned from."""

    name: str
    rows: int
    value: dict[str, float]
    drawn: dict[str, np.ndarray]

    @classmethod
    def of(cls, race: Rivals, name: str, rows: np.ndarray, weights: np.ndarray) -> _Group:
        truth = race.truth[rows]
        predicted = {table: race.predictions[table, race.family][rows] for table in race.learned}
        return cls(
            name,
            int(rows.sum()),
            {table: plain(race.task, truth, p) for table, p in predicted.items()},
            {table: performance(race.task, truth, p, weights[:, rows]) for table, p in predicted.items()},
        )

    def details(self, race: Rivals) -> tuple[Detail, Detail]:
        estimate = {table: percentile(self.value[table], self.drawn[table]) for table in self.value}
        performed = Detail(
            scope="group",
            name=self.name,
            measure=race.task.measure,
            estimate=estimate["synthetic"],
            ceiling=estimate["real"],
            floor=estimate["shuffled"],
            rows=self.rows,
        )
        lost = Detail(scope="group", name=self.name, measure=LOSS, estimate=self.difference, rows=self.rows)
        return performed, lost

    @property
    def difference(self) -> Estimate:
        """Synthetic-trained minus real-trained, on the same patients."""
        return percentile(
            self.value["synthetic"] - self.value["real"], self.drawn["synthetic"] - self.drawn["real"]
        )


def _too_few(race: Rivals, rows: np.ndarray) -> str:
    count = int(rows.sum())
    if count < FEWEST_ROWS:
        return f"fewer than {FEWEST_ROWS} holdout rows"
    classes = np.bincount(race.truth[rows].astype(np.int64)) if race.task.classes else np.array([count])
    least = np.sort(np.pad(classes, (0, max(0, len(race.task.classes) - len(classes)))))[::-1]
    if race.task.classes and least[1] < FEWEST_OF_A_CLASS:
        return f"fewer than {FEWEST_OF_A_CLASS} holdout rows of a class"
    return ""


def _lowest(groups: list[_Group], table: str) -> Estimate:
    drawn = np.stack([group.drawn[table] for group in groups])
    with np.errstate(invalid="ignore"):
        low = np.where(np.isnan(drawn), np.inf, drawn).min(axis=0)
    # The lowest of noisy draws lies lower than the lowest value: centre the draws on the value.
    value = min(group.value[table] for group in groups)
    centred = low[np.isfinite(low)]
    return percentile(value, centred - centred.mean() + value if len(centred) else centred)


def _reading(race: Rivals, groups: list[_Group], everyone: _Group) -> str:
    lowest = min(groups, key=lambda g: g.value["synthetic"])
    hurt = min(groups, key=lambda g: g.value["synthetic"] - g.value["real"])
    change = hurt.difference
    span = f" ({change.low:+.3f} to {change.high:+.3f})" if change.low is not None else ""
    return (
        f"In the worst-served of {len(groups)} groups, {lowest.name}, the synthetic-trained model reaches "
        f"{race.task.measure} {lowest.value['synthetic']:.3f} (real-trained {lowest.value['real']:.3f}; all "
        f"patients {everyone.value['synthetic']:.3f}). {hurt.name} changes most: {change.value:+.3f}{span}."
    )
