"""Does a model learned from the synthetic data work on real patients as one learned from real data?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.metrics.anchors import Anchored, Question, ask
from understudy.metrics.intervals import patient_weights, percentile
from understudy.metrics.learned import (
    FAMILIES,
    TEST_ROWS,
    TRAIN_ROWS,
    Learned,
    Rivals,
    rivals,
    with_giveaways,
)
from understudy.metrics.task import performance, plain

LOSS = "difference to real"

QUESTION = Question(
    metric="prediction",
    title="Prediction of the target",
    text="Does a model learned from the synthetic data work on real patients as one learned from real data?",
    axis=Axis.UTILITY,
    best=1.0,
    worst=0.5,
    advice="If the synthetic-trained model falls behind, compare the pairs that involve the target: their "
    "relation was lost. Ask for more synthetic rows only after that; rows do not repair a lost relation.",
)


class Prediction(Metric):
    """Train on synthetic, test on real (TSTR), beside train on real, test on the same real holdout.

    AUROC for levels (one against the rest, averaged), R2 for numbers; a boosted and a linear model. The
    estimate is that of the family which did better on real training rows set aside. The ceiling is the model
    learned from the real rows, the floor the one learned from shuffled columns. Never trained and tested on
    synthetic data. A column from which alone a small tree tells the target of real training rows (AUROC or R2
    of 0.995 and more) is another word for it: it is left out, named, and measured with it as a part.

    Reference:
        Esteban et al., Real-valued medical time series generation with recurrent conditional GANs,
        arXiv 1706.02633 (2017), section 4.2.
    """

    draws: int = Field(default=200, ge=20, description="Bootstrap draws of holdout patients.")

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        race = rivals(comparison)
        rng = comparison.seed.child("holdout draws").rng()
        weights = patient_weights(race.test.patients, rng, self.draws)
        details = [part for family in FAMILIES for part in _of_family(race, family, weights)]
        if race.task.giveaways:
            details.append(_given_away(race, with_giveaways(comparison), weights))
        own = next(d for d in details if d.name == race.family and d.measure == race.task.measure)
        gap = next(d for d in details if d.name == race.family and d.measure == LOSS)
        found = Anchored(own.estimate or Estimate(value=race.task.worst), own.ceiling, own.floor, ())
        question = replace(QUESTION, worst=race.task.worst)
        return question.answer(found, _reading(race, found, gap.estimate), (), details)


def _of_family(race: Rivals, family: str, weights: np.ndarray) -> tuple[Detail, Detail]:
    task, truth = race.task, race.truth
    value = {name: plain(task, truth, race.predictions[name, family]) for name in race.learned}
    drawn = {name: performance(task, truth, race.predictions[name, family], weights) for name in race.learned}
    estimate = {name: percentile(value[name], drawn[name]) for name in race.learned}
    return (
        Detail(
            scope="model",
            name=family,
            measure=task.measure,
            estimate=estimate["synthetic"],
            ceiling=estimate["real"],
            floor=estimate["shuffled"],
            rows=race.test.rows,
        ),
        Detail(
            scope="model",
            name=family,
            measure=LOSS,
            # The same draws on both sides: an interval for the difference on the same patients.
            estimate=percentile(value["synthetic"] - value["real"], drawn["synthetic"] - drawn["real"]),
            rows=race.test.rows,
        ),
    )


def _given_away(race: Rivals, learned: Mapping[str, Learned], weights: np.ndarray) -> Detail:
    """Measure with the columns that give the target away, for comparison."""
    estimate = {}
    for name, model in learned.items():
        predicted = model.predict(race.family, race.test)
        drawn = performance(race.task, race.truth, predicted, weights)
        estimate[name] = percentile(plain(race.task, race.truth, predicted), drawn)
    return Detail(
        scope="model",
        name=f"{race.family}, with {', '.join(c.name for c in race.task.giveaways)}",
        measure=race.task.measure,
        estimate=estimate["synthetic"],
        ceiling=estimate["real"],
        rows=race.test.rows,
        note="with the columns that give the target away",
    )


def _reading(race: Rivals, found: Anchored, gap: Estimate | None) -> str:
    real = found.ceiling.value if found.ceiling else float("nan")
    text = (
        f"Predicting {race.task.target.name} for {race.test.rows:,} real patients never learned from, a model "
        f"trained on synthetic data reaches {race.task.measure} {found.estimate.value:.3f}, one trained on real "
        f"data {real:.3f} ({race.family})."
    )
    if gap is not None and gap.low is not None and gap.high is not None:
        sure = "within chance" if gap.low <= 0 <= gap.high else "more than chance"
        text += f" The difference is {gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f}): {sure}."
    if race.task.giveaways:
        names = ", ".join(column.name for column in race.task.giveaways)
        text += f" Left out, since it gives the target away by itself: {names}; with it see the parts."
    if race.learned["real"].rows >= TRAIN_ROWS or race.test.rows >= TEST_ROWS:
        text += f" At most {TRAIN_ROWS:,} rows were learned from and {TEST_ROWS:,} tested."
    return text
