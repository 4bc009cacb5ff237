"""Do numbers that one real person alone has come back among the synthetic rows?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.core.schema import Column
from understudy.metrics.anchors import Anchored, NotApplicable, Question, ask
from understudy.metrics.content import is_above, tables, written
from understudy.metrics.groups import protected_groups
from understudy.metrics.measures import ALL, EXCESS, HOLDOUT, TRAINING
from understudy.metrics.proportions import excess, wilson
from understudy.modalities.encoding import is_quantity

QUESTION = Question(
    metric="single_values",
    title="One-of-a-kind numbers",
    text="Do numbers that one real person alone has come back among the synthetic rows?",
    axis=Axis.PRIVACY,
    best=0.0,
    worst=1.0,
    advice="Whoever knows such a number of a person sees from it that the person was learned from. Smooth more, "
    "or round the column that returns them: fewer decimals leave fewer people alone with their number.",
)


class SingleValues(Metric):
    """Share of one-of-a-kind numbers that the synthetic rows hold: of training patients beyond holdout patients.

    One of a kind is a number that occurs once among training and holdout rows together. Some come back by
    chance, on a coarse grid many; how many, the holdout's show, which nobody learned from. The estimate is the
    difference over all columns (never below zero), what an attacker gains who knows one such number; its
    interval allows for the numbers of one patient going together. The intervals of the columns hold all at
    once (Bonferroni), so that among many columns none stands out by chance.
    """

    is_of_release: ClassVar[bool] = True

    fewest: int = Field(
        default=20, ge=5, description="One-of-a-kind numbers on each side below which nothing is said."
    )

    def measure(self, comparison: Comparison) -> MetricResult:
        """Compare how often such numbers of training and of holdout patients return."""
        return ask(QUESTION, comparison, self._answer)

    def explain(self, result: MetricResult) -> MetricResult:
        """Return the result with its reading, drawn from its numbers alone."""
        if result.estimate is None:
            return result
        shares = [result.detail(ALL, measure).estimate for measure in (TRAINING, HOLDOUT)]
        own, chance = (share.value if share else 0.0 for share in shares)
        reading = (
            f"{own:.1%} of the numbers that one training patient alone has occur among the synthetic rows, and "
            f"{chance:.1%} of those that one unseen patient alone has"
        )
        beyond = [d.name for d in result.details if d.scope == "column" and is_above(d.estimate, 0.0)]
        if is_above(result.estimate, 0.0):
            reading += f": {result.estimate.value:.1%} more than by chance"
        else:
            reading += ": no more than chance explains"
        if beyond:
            reading += f". By column, beyond doubt: {', '.join(beyond)}"
        return result.model_copy(update={"reading": f"{reading}."})

    def _answer(self, comparison: Comparison) -> MetricResult:
        holdout, columns = tables(comparison)
        quantities = tuple(column for column in columns if is_quantity(column))
        if not quantities:
            raise NotApplicable("no column holds numbers or dates")
        sides = _tally(comparison.real, holdout, comparison.synthetic, quantities)
        if not sides[0].single.any():
            raise NotApplicable("every number belongs to several patients")
        if min(side.total for side in sides) < self.fewest:
            return QUESTION.inconclusive(
                f"fewer than {self.fewest} numbers belong to one training or one holdout patient alone"
            )
        found = Anchored(
            _gained(sides),
            self._ceiling(comparison, holdout, quantities),
            self._excess(_tally(comparison.real, holdout, comparison.independent, quantities)),
            (*_whole(sides), *self._columns(sides, quantities), *self._groups(comparison, holdout, sides)),
        )
        return self.explain(QUESTION.answer(found, ""))

    def _ceiling(
        self, comparison: Comparison, holdout: Dataset, columns: tuple[Column, ...]
    ) -> Estimate | None:
        """Put half of the holdout in the place of the synthetic rows."""
        if len(np.unique(holdout.patients)) < 2:
            return None
        rest, released = holdout.split(0.5, comparison.seed.child("ceiling"))
        return self._excess(_tally(comparison.real, rest, released, columns))

    def _excess(self, sides: tuple[_Side, _Side], confidence: float = 0.95) -> Estimate | None:
        if min(side.total for side in sides) < self.fewest:
            return None
        return _gained(sides, confidence)

    def _columns(self, sides: tuple[_Side, _Side], columns: tuple[Column, ...]) -> list[Detail]:
        known = [
            k for k in range(len(columns)) if min(side.single[:, k].sum() for side in sides) >= self.fewest
        ]
        confidence = 1 - 0.05 / max(len(known), 1)
        return [
            Detail(
                scope="column",
                name=columns[k].name,
                measure=EXCESS,
                estimate=self._excess((sides[0].of(column=k), sides[1].of(column=k)), confidence),
                rows=int(sides[0].single[:, k].sum()),
                note=f"the intervals of {len(known)} columns hold all at once",
            )
            for k in known
        ]

    def _groups(self, comparison: Comparison, holdout: Dataset, sides: tuple[_Side, _Side]) -> list[Detail]:
        details = []
        for group in protected_groups(comparison):
            parts = sides[0].of(group.rows(comparison.real)), sides[1].of(group.rows(holdout))
            estimate = self._excess(parts)
            note = "" if estimate else f"fewer than {self.fewest} one-of-a-kind numbers"
            details.append(
                Detail(
                    scope="group",
                    name=group.name,
                    measure=EXCESS,
                    estimate=estimate,
                    rows=parts[0].total,
                    note=note,
                )
            )
        return details


@dataclass(frozen=True)
class _Side:
    """Which numbers of one table are one of a kind, and which of these the synthetic rows hold.

    Attributes:
        single, back: booleans, shape (rows, columns).
        patients: the patient of each row, shape (rows,).
    """

    single: np.ndarray
    back: np.ndarray
    patients: np.ndarray

    @property
    def total(self) -> int:
        return int(self.single.sum())

    def of(self, rows: np.ndarray | None = None, column: int | None = None) -> _Side:
        """Return some of the rows (a mask), or one column."""
        columns = slice(None) if column is None else [column]
        chosen = np.ones(len(self.patients), dtype=bool) if rows is None else rows
        return _Side(self.single[chosen][:, columns], self.back[chosen][:, columns], self.patients[chosen])

    def share(self) -> tuple[float, float]:
        """Return the share that came back, and how many independent numbers know it as well.

        The variance is that of a ratio over patients, whose numbers may return together.
        """
        singles, back = self.single.sum(axis=1), self.back.sum(axis=1)
        share = float(back.sum() / singles.sum())
        names, patient = np.unique(self.patients, return_inverse=True)
        left = np.bincount(patient, back) - share * np.bincount(patient, singles)
        variance = float((left**2).sum()) / float(singles.sum()) ** 2
        alone = float(min((np.bincount(patient, singles) > 0).sum(), len(names)))
        return share, min(share * (1 - share) / variance, self.total) if variance > 0 else alone


def _tally(
    real: Dataset, holdout: Dataset, released: Dataset, columns: tuple[Column, ...]
) -> tuple[_Side, _Side]:
    single, back = [], []
    for column in columns:
        both = pl.concat([written(real, (column,)), written(holdout, (column,))])[column.name]
        alone = (both.is_unique() & both.is_not_null()).to_numpy()
        known = written(released, (column,))[column.name].unique()
        single.append(alone)
        back.append(alone & both.is_in(known.implode()).fill_null(value=False).to_numpy())
    parts = [np.column_stack(part) for part in (single, back)]
    return (
        _Side(parts[0][: real.rows], parts[1][: real.rows], real.patients),
        _Side(parts[0][real.rows :], parts[1][real.rows :], holdout.patients),
    )


def _gained(sides: tuple[_Side, _Side], confidence: float = 0.95) -> Estimate:
    return excess(sides[0].share(), sides[1].share(), confidence)


def _whole(sides: tuple[_Side, _Side]) -> list[Detail]:
    note = "numbers that occur once among training and holdout rows together"
    parts = [(EXCESS, _gained(sides), sides[0].total)]
    parts += [
        (measure, wilson(*side.share()), side.total)
        for measure, side in zip((TRAINING, HOLDOUT), sides, strict=True)
    ]
    return [
        Detail(scope="table", name=ALL, measure=measure, estimate=estimate, rows=rows, note=note)
        for measure, estimate, rows in parts
    ]
