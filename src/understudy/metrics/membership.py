"""Can somebody who holds the synthetic table find out who was among the real patients it was made from?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field, field_validator
from scipy.stats import norm, rankdata

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Curve, Detail, Estimate, MetricResult, Outcome
from understudy.core.schema import Column
from understudy.core.seeds import Seed
from understudy.metrics.anchors import Anchored, Question, ask
from understudy.metrics.attacks.catalog import ATTACKS, NAMES
from understudy.metrics.attacks.trial import Trial, hold
from understudy.metrics.content import is_above, tables
from understudy.metrics.groups import protected_groups
from understudy.metrics.measures import AUC, MOST_ISOLATED, STRONGEST, TPR_1, TPR_10, spoken
from understudy.metrics.roc import Contest

_RATES = ((TPR_10, 0.10), (TPR_1, 0.01))
_LEAST_ROWS = 10
_LEAST_IN_GROUP = 20
_ANCHOR_ROWS = 1500
_CUTS = (10, 5, 4, 2)
# The question about the isolated few comes on top of that about everybody: it raises the alarm on stronger evidence.
_ISOLATED_CONFIDENCE = 0.99
QUESTION = Question(
    metric="membership",
    title="Membership inference",
    text="Can somebody who holds the synthetic table find out who was among the real patients?",
    axis=Axis.PRIVACY,
    best=0.5,
    worst=1.0,
    advice="Do not release a table that an attack sees through: learn with larger leaves or more smoothing, drop "
    "rare levels and extreme values, or choose a synthesizer with a privacy budget. If the answer is "
    "inconclusive, keep more patients out of training.",
)


class Membership(Metric):
    """Attacks the synthetic table with every listed attack and reports the strongest.

    The estimate is the area under the ROC of the strongest attack, 0.5 for coin tossing, 1 for certainty;
    its interval allows for the choice of the strongest. Refuses to run without a holdout.
    """

    attacks: tuple[str, ...] = Field(
        default=NAMES, min_length=1, description="The attacks to run: " + ", ".join(NAMES) + "."
    )
    enough_holdout: int = Field(
        default=250,
        ge=20,
        description="Holdout patients below which nothing is called safe: the outcome is inconclusive.",
    )
    most_rows: int = Field(
        default=4000, ge=100, description="Largest number of members, and of non-members, that are judged."
    )
    most_synthetic: int = Field(
        default=100_000, ge=1000, description="Largest number of synthetic rows that the attacker searches."
    )

    @field_validator("attacks")
    @classmethod
    def _are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(names) - set(NAMES))
        if unknown:
            raise ValueError(f"no attack is called {unknown[0]!r}; known: {', '.join(NAMES)}")
        return names

    def measure(self, comparison: Comparison) -> MetricResult:
        """Attack, and say how much better than guessing the strongest attack is."""
        return ask(QUESTION, comparison, self._answer)

    def explain(self, result: MetricResult) -> MetricResult:
        """Return the result with its reading, drawn from its numbers alone (also pooled ones).

        Of a pooled result, the strongest attack is chosen anew among the pooled attacks (the mean of each
        split's strongest would be too high by chance), and the outcome too: inconclusive, unless each split
        had enough non-members or the pooled interval lies above 0.5.
        """
        if result.estimate is None:
            return result
        if result.splits > 1:
            result = _with_strongest(result)
            outsiders = result.detail(STRONGEST, AUC).rows or 0
            is_seen = result.estimate is not None and is_above(result.estimate, 0.5)
            is_known = outsiders >= self.enough_holdout or is_seen
            outcome = Outcome.MEASURED if is_known else Outcome.INCONCLUSIVE
            reason = "" if is_known else self._too_few(outsiders)
            result = result.model_copy(update={"outcome": outcome, "reason": reason})
        return _read(result)

    def _answer(self, comparison: Comparison) -> MetricResult:
        holdout, columns = tables(comparison)
        if _smallest(comparison, holdout) < _LEAST_ROWS:
            return QUESTION.inconclusive(
                f"fewer than {_LEAST_ROWS} training patients, holdout patients or synthetic rows"
            )
        trial = self._trial(comparison, holdout, columns, self.most_rows)
        seed, outsiders = comparison.seed.child("strongest"), trial.contest.outsiders
        _, estimate = trial.contest.strongest(seed)
        ceiling = self._ceiling(comparison, holdout, columns)
        floor = self._anchor(comparison.instead(comparison.independent, "floor"), holdout, columns)
        found = Anchored(
            estimate,
            None if ceiling is None else ceiling.strongest(seed)[1],
            None if floor is None else floor.strongest(seed)[1],
            (
                *self._attack_details(trial, estimate, ceiling, floor),
                *self._isolated_details(trial, seed.child("isolated")),
                *_part_details(trial, comparison),
            ),
        )
        # A small table may raise the alarm, on stronger evidence, but never gives the all-clear.
        is_known = outsiders >= self.enough_holdout or is_above(trial.contest.strongest(seed, 0.999)[1], 0.5)
        outcome = Outcome.MEASURED if is_known else Outcome.INCONCLUSIVE
        reason = "" if is_known else self._too_few(outsiders)
        answer = QUESTION.answer(found, "", self._curves(trial.contest), outcome=outcome, reason=reason)
        return self.explain(answer)

    def _trial(
        self, comparison: Comparison, holdout: Dataset, columns: tuple[Column, ...], most_rows: int
    ) -> Trial:
        chosen = [attack for attack in ATTACKS if attack.name in self.attacks]
        return hold(comparison, holdout, columns, chosen, most_rows, self.most_synthetic)

    def _anchor(
        self, comparison: Comparison, holdout: Dataset, columns: tuple[Column, ...]
    ) -> Contest | None:
        if _smallest(comparison, holdout) < _LEAST_ROWS:
            return None
        rows = comparison.synthetic.rows
        if rows > _ANCHOR_ROWS:
            order = comparison.seed.child("anchor").rng().permutation(rows)[:_ANCHOR_ROWS]
            comparison = comparison.instead(comparison.synthetic.take(order), "smaller")
        return self._trial(comparison, holdout, columns, min(self.most_rows, _ANCHOR_ROWS)).contest

    def _ceiling(
        self, comparison: Comparison, holdout: Dataset, columns: tuple[Column, ...]
    ) -> Contest | None:
        """Attack half of the holdout in the place of the synthetic rows: there is nothing to find."""
        if len(np.unique(holdout.patients)) < 2 * _LEAST_ROWS:
            return None
        rest, released = holdout.split(0.5, comparison.seed.child("ceiling"))
        return self._anchor(comparison.instead(released, "ceiling"), rest, columns)

    def _names(self) -> list[str]:
        return [attack.name for attack in ATTACKS if attack.name in self.attacks]

    def _attack_details(
        self, trial: Trial, estimate: Estimate, ceiling: Contest | None, floor: Contest | None
    ) -> list[Detail]:
        contest, names = trial.contest, self._names()
        note = "the interval allows for the choice; rows = non-members"
        best = [(AUC, int(np.argmax(contest.auc)), estimate)]
        best += [(measure, *contest.most_caught(fpr)) for measure, fpr in _RATES]
        details = [
            Detail(
                scope="attack",
                name=STRONGEST,
                measure=measure,
                estimate=found,
                rows=contest.outsiders,
                note=f"{names[attack]}; {note}",
            )
            for measure, attack, found in best
        ]
        for k, name in enumerate(names):
            area = Detail(
                scope="attack",
                name=name,
                measure=AUC,
                estimate=contest.area(k),
                ceiling=None if ceiling is None else ceiling.area(k),
                floor=None if floor is None else floor.area(k),
                rows=len(contest.is_member),
            )
            rates = [(measure, contest.caught(k, fpr)) for measure, fpr in _RATES]
            details += [area, *_rates(name, rates, len(contest.is_member))]
        return details

    def _isolated_details(self, trial: Trial, seed: Seed) -> list[Detail]:
        """Measure every attack on the most isolated people, who are easiest to find (none where too few)."""
        count, part = _isolation(trial)
        if count < 2:
            return []
        contest = trial.contest.among(part == count - 1)
        note = f"{MOST_ISOLATED} 1 of {count}; the interval allows for the choice, AUC at 99 %; rows = non-members"
        area = contest.strongest(seed, _ISOLATED_CONFIDENCE)[1]
        best = [(AUC, area), (TPR_10, contest.most_caught(0.10)[1])]
        details = _rates(STRONGEST, best, contest.outsiders, note)
        for k, name in enumerate(self._names()):
            own = [(AUC, contest.area(k)), (TPR_10, contest.caught(k, 0.10))]
            details += _rates(name, own, len(contest.is_member))
        return [d.model_copy(update={"measure": f"{d.measure}, {MOST_ISOLATED}"}) for d in details]

    def _curves(self, contest: Contest) -> tuple[Curve, ...]:
        curves = []
        for k, name in enumerate(self._names()):
            x, y = contest.curve(k)
            curves.append(
                Curve(
                    name=name,
                    x=tuple(x.round(4).tolist()),
                    y=tuple(y.round(4).tolist()),
                    x_title="non-members wrongly accused",
                    y_title="members found",
                )
            )
        return tuple(curves)

    def _too_few(self, outsiders: int) -> str:
        half = float(norm.ppf(0.975)) * (0.09 / max(outsiders, 1)) ** 0.5
        return (
            f"only {outsiders} patients outside the training data, {self.enough_holdout} are needed: a share "
            f"of 10% is known to within {half:.0%} at best."
        )


def _rates(name: str, estimates: Sequence[tuple[str, Estimate]], rows: int, note: str = "") -> list[Detail]:
    return [
        Detail(scope="attack", name=name, measure=measure, estimate=estimate, rows=rows, note=note)
        for measure, estimate in estimates
    ]


def _part_details(trial: Trial, comparison: Comparison) -> list[Detail]:
    """Measure the strongest attack among protected groups and by how isolated people are."""
    best = int(np.argmax(trial.contest.auc))
    details = [
        _part(trial.contest.among(group.rows(trial.people)), best, group.name)
        for group in protected_groups(comparison)
    ]
    count, part = _isolation(trial)
    for k in range(count if count > 1 else 0):
        label = f"{MOST_ISOLATED} 1 of {count}" if k == count - 1 else f"isolation {k + 1} of {count}"
        details.append(_part(trial.contest.among(part == k), best, label))
    return details


def _isolation(trial: Trial) -> tuple[int, np.ndarray]:
    """Return a number of equal parts, and the part of each record, the last one most isolated."""
    order = rankdata(trial.isolation, method="ordinal") - 1
    count = max((k for k in _CUTS if trial.contest.outsiders >= k * 1.25 * _LEAST_IN_GROUP), default=1)
    return count, order * count // len(order)


def _part(contest: Contest, attack: int, name: str) -> Detail:
    rows = len(contest.is_member)
    if min(contest.members, contest.outsiders) < _LEAST_IN_GROUP:
        note = f"fewer than {_LEAST_IN_GROUP} members or non-members"
        return Detail(scope="group", name=name, measure=AUC, rows=rows, note=note)
    return Detail(scope="group", name=name, measure=AUC, estimate=contest.area(attack), rows=rows)


def _smallest(comparison: Comparison, holdout: Dataset) -> int:
    patients = [len(np.unique(part.patients)) for part in (comparison.real, holdout)]
    return min(*patients, comparison.synthetic.rows)


def _with_strongest(result: MetricResult) -> MetricResult:
    """Choose the strongest of the pooled attacks, with intervals that allow for the choice (Bonferroni)."""
    attacks = [d for d in result.details if d.scope == "attack" and d.name != STRONGEST]
    details = []
    for part in result.details:
        if part.scope == "attack" and part.name == STRONGEST:
            same = [d for d in attacks if d.measure == part.measure]
            part = part.model_copy(
                update={
                    "estimate": _largest([d.estimate for d in same], _confidence(part.measure)),
                    "note": "the interval allows for the choice",
                }
            )
        details.append(part)
    areas = [d for d in attacks if d.measure == AUC]
    update = {
        "estimate": _largest([d.estimate for d in areas]) or result.estimate,
        "ceiling": _largest([d.ceiling for d in areas]),
        "floor": _largest([d.floor for d in areas]),
        "details": tuple(details),
    }
    return result.model_copy(update=update)


def _confidence(measure: str) -> float:
    return _ISOLATED_CONFIDENCE if measure == f"{AUC}, {MOST_ISOLATED}" else 0.95


def _largest(estimates: Sequence[Estimate | None], confidence: float = 0.95) -> Estimate | None:
    known = [e for e in estimates if e is not None]
    if not known:
        return None
    best = max(known, key=lambda e: e.value)
    wider = float(norm.ppf(1 - (1 - confidence) / 2 / len(known)) / norm.ppf(0.975))
    low = best.value if best.low is None else best.value - wider * (best.value - best.low)
    high = best.value if best.high is None else best.value + wider * (best.high - best.value)
    return Estimate(value=best.value, low=max(low, 0.0), high=min(high, 1.0))


def _read(result: MetricResult) -> MetricResult:
    found = result.estimate
    if found is None:
        return result
    interval = f"AUC {spoken(found, '.2f')}"
    coin = "An attacker who guesses membership from the synthetic table"
    caught = result.detail(STRONGEST, TPR_10).estimate
    if is_above(found, 0.5) or is_above(caught, 0.10):
        share = (
            f"; it finds {spoken(caught, '.0%')} of the training patients where chance finds 10%"
            if caught
            else ""
        )
        few = result.outcome is Outcome.INCONCLUSIVE
        doubt = " The holdout is too small to say how much better." if few else ""
        reading = f"{coin} does better than by tossing a coin: {interval}{share}.{doubt}"
    elif result.outcome is Outcome.INCONCLUSIVE:
        reading = f"Nothing was found, but there are too few people outside the training data to say more: {interval}."
    else:
        reading = f"{coin} is right no more often than by tossing a coin: {interval}."
    return result.model_copy(update={"reading": reading})
