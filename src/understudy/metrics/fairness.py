"""Would a model learned from the synthetic data treat groups of patients less equally than a real one?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.metrics.anchors import Anchored, NotApplicable, Question, ask
from understudy.metrics.groups import Grouping, groupings
from understudy.metrics.intervals import around, patient_weights, percentile
from understudy.metrics.learned import Rivals, learned_anew, redrawn, rivals

PARITY = "demographic parity difference"
ODDS = "equalised odds difference"
RATIO = "false positive rate ratio"
FALSE_RATE = "false positive rate"
FEWEST_ROWS, FEWEST_OF_A_CLASS = 30, 10

QUESTION = Question(
    metric="fairness",
    title="Equal treatment of groups",
    text="Would a model learned from the synthetic data treat groups of patients less equally than a real one?",
    axis=Axis.FAIRNESS,
    best=0.0,
    worst=1.0,
    advice="A gap that grew comes from relations between the group and the target that the synthetic data "
    "exaggerate; one that shrank may hide a real inequality. Report both gaps with any model built on them.",
)


class Fairness(Metric):
    """Gaps between protected groups in decisions on held-out real patients, synthetic- against real-trained.

    Each model calls positive whom it gives a greater chance than the share of positives among the real
    training rows, so that the people who are judged have no say. The demographic parity difference is the
    range of the shares called positive; the equalised odds difference the larger range of true and of false
    positive rates; the false positive rate ratio that of a group to the largest group of the same kind, among
    crossed groups to the one that differs in a single column (Black men to White men, not to White women).
    Groups need 30 holdout rows, rates 10 of their class. The estimate is the largest change of a difference
    (not of a ratio) that comes from learning from synthetic rows; the ceiling is the change that comes from
    drawing the real patients anew with replacement.

    Reference:
        Hardt et al., Equality of opportunity in supervised learning, NeurIPS 2016; Agarwal et al., A
        reductions approach to fair classification, ICML 2018.
    """

    draws: int = Field(default=100, ge=20, description="Bootstrap draws of holdout patients.")
    model: Literal["better", "boosted trees", "linear model"] = Field(
        default="better",
        description="Whose decisions count; by default those of the model that does better on real rows set aside.",
    )

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        ways = groupings(comparison)
        race = rivals(comparison)
        if self.model != "better":
            race = replace(race, family=self.model)
        if len(race.task.classes) < 2:
            raise NotApplicable("gaps are defined for decisions between levels, and the target is a number")
        decisions = _decisions(race, comparison)
        weights = patient_weights(race.test.patients, comparison.seed.child("draws").rng(), self.draws)
        weights = np.concatenate([np.ones((1, race.test.rows), dtype=np.float32), weights])
        gaps = {
            (way.name, measure): by_table
            for way in ways
            for measure, by_table in _gaps(way, race, decisions, weights).items()
        }
        if not gaps:
            raise NotApplicable(f"no protected column has two groups of {FEWEST_ROWS} holdout rows")
        found = Anchored(
            _largest_change(gaps, "synthetic"),
            _largest_change(gaps, "redrawn"),
            _largest_change(gaps, "shuffled"),
            (),
        )
        details = [_detail(name, measure, by, race.test.rows) for (name, measure), by in gaps.items()]
        details += [part for way in ways for part in _false_rates(way, race, decisions, weights)]
        return QUESTION.answer(found, _reading(race, gaps, found), (), details)


Gap = Mapping[str, np.ndarray]


def _decisions(race: Rivals, comparison: Comparison) -> dict[str, np.ndarray]:
    """Return who is called positive, by the table learned from, booleans of shape (test rows,)."""
    positive = len(race.task.classes) - 1
    known = race.task.truth(comparison.real)
    share = float((known[~np.isnan(known)] == positive).mean())
    scores = {table: race.predictions[table, race.family][:, positive] for table in race.learned}
    is_better = race.family == rivals(comparison).family
    again = redrawn(comparison) if is_better else learned_anew(comparison, race.family)
    scores["redrawn"] = again.predict(race.family, race.test)[:, positive]
    return {table: score > share for table, score in scores.items()}


def _gaps(
    way: Grouping, race: Rivals, decisions: Mapping[str, np.ndarray], weights: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    """Return each gap of a grouping by table, first on the rows as they are, then in the draws."""
    member = way.membership(race.test)
    is_positive = race.truth == len(race.task.classes) - 1
    found: dict[str, dict[str, np.ndarray]] = {PARITY: {}, ODDS: {}}
    large = [member == k for k in range(len(way.groups)) if (member == k).sum() >= FEWEST_ROWS]
    for table, called in decisions.items():
        called_share = [_rate(called, rows, weights) for rows in large]
        true_rate, false_rate = (
            [
                _rate(called, rows & of_class, weights)
                for rows in large
                if (rows & of_class).sum() >= FEWEST_OF_A_CLASS
            ]
            for of_class in (is_positive, ~is_positive)
        )
        if len(called_share) > 1:
            found[PARITY][table] = _range(called_share)
        ranges = [_range(rates) for rates in (true_rate, false_rate) if len(rates) > 1]
        if ranges:
            found[ODDS][table] = np.max(ranges, axis=0)
    return {measure: by_table for measure, by_table in found.items() if by_table}


def _rate(called: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights[:, rows].sum(axis=1, dtype=np.float64)
    return np.asarray(weights[:, rows & called].sum(axis=1, dtype=np.float64) / np.maximum(total, 1e-9))


def _range(rates: list[np.ndarray]) -> np.ndarray:
    return np.asarray(np.max(rates, axis=0) - np.min(rates, axis=0))


def _false_rates(
    way: Grouping, race: Rivals, decisions: Mapping[str, np.ndarray], weights: np.ndarray
) -> list[Detail]:
    """Return the false positive rate of each group, and its ratios to the groups that it is compared with."""
    member = way.membership(race.test)
    is_negative = race.truth != len(race.task.classes) - 1
    enough = {
        place: rows
        for place in range(len(way.groups))
        if (member == place).sum() >= FEWEST_ROWS
        and (rows := (member == place) & is_negative).sum() >= FEWEST_OF_A_CLASS
    }
    if len(enough) < 2:
        return []
    sizes = {place: int(rows.sum()) for place, rows in enough.items()}
    rates = {
        place: {table: _rate(called, rows, weights) for table, called in decisions.items()}
        for place, rows in enough.items()
    }
    details = [_detail(way.groups[k], FALSE_RATE, rate, sizes[k]) for k, rate in rates.items()]
    for place, other in way.contrasts(sizes):
        if all(rates[other][table][0] > 0 for table in decisions):
            ratio = {
                table: rate_ratio(called, enough[place], enough[other], weights)
                for table, called in decisions.items()
            }
            name = f"{way.groups[place]} to {way.groups[other]}"
            details.append(_detail(name, RATIO, ratio, sizes[place]))
    return details


def rate_ratio(called: np.ndarray, rows: np.ndarray, others: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the ratio of two rates, as it is and in the draws.

    Draws in which nobody of the other group was called count too: each rate gets half a person, or the interval
    would be blind to the ratios that are largest (Haldane 1956; Anscombe 1956).
    """
    own, other = (
        (
            weights[:, mask & called].sum(axis=1, dtype=np.float64),
            weights[:, mask].sum(axis=1, dtype=np.float64),
        )
        for mask in (rows, others)
    )
    ratio = ((own[0] + 0.5) / (own[1] + 1)) / ((other[0] + 0.5) / (other[1] + 1))
    ratio[0] = (own[0][0] / own[1][0]) / (other[0][0] / other[1][0])
    return np.asarray(ratio)


def _largest_change(gaps: Mapping[tuple[str, str], Gap], table: str) -> Estimate:
    changes = np.stack([np.abs(by[table] - by["real"]) for by in gaps.values()])
    largest = changes.max(axis=0)
    return around(float(largest[0]), float(largest[1:].std(ddof=1)), 0.0, 1.0)


def _detail(name: str, measure: str, by_table: Gap, rows: int) -> Detail:
    synthetic, real, shuffled = (
        percentile(float(by_table[table][0]), by_table[table][1:])
        for table in ("synthetic", "real", "shuffled")
    )
    return Detail(
        scope="group",
        name=name,
        measure=measure,
        estimate=synthetic,
        ceiling=real,
        floor=shuffled,
        rows=rows,
    )


def _reading(race: Rivals, gaps: Mapping[tuple[str, str], Gap], found: Anchored) -> str:
    changes = {key: float(by["synthetic"][0] - by["real"][0]) for key, by in gaps.items()}
    name, measure = max(changes, key=lambda key: abs(changes[key]))
    by = gaps[name, measure]
    ceiling = found.ceiling.value if found.ceiling else 0.0
    return (
        f"Learning from synthetic data changes a gap between groups by up to {found.estimate.value:.3f} "
        f"(drawing the real patients anew: {ceiling:.3f}): the {measure} over {name} is "
        f"{by['synthetic'][0]:.3f} instead of {by['real'][0]:.3f}. Positive is {race.task.target.name} = "
        f"{race.task.classes[-1]}."
    )
