"""Does the synthetic table contain real patients' rows, word for word or nearly so?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.core.schema import Column
from understudy.metrics.anchors import Anchored, Question, ask
from understudy.metrics.content import is_above, tables, times_seen
from understudy.metrics.groups import protected_groups
from understudy.metrics.neighbours import nearest
from understudy.metrics.proportions import excess, wilson
from understudy.modalities.encoding import DistanceEncoding

EXACT, NEAR, UNIQUE = "exact copies", "near copies", "copies of unique people"
EXCESS, SYNTHETIC, HOLDOUT = "excess share", "share of synthetic rows", "share of holdout rows"
REPUBLISHED = "unique people republished"
_SAME = 1e-6
_LEAST_ROWS = 20
QUESTION = Question(
    metric="copies",
    title="Copies of training rows",
    text="Does the synthetic table contain real patients' rows, word for word or nearly so?",
    axis=Axis.PRIVACY,
    best=0.0,
    worst=1.0,
    advice="Do not release copied rows. Raise the leaf size or the smoothing, protect rare combinations, and "
    "round or smooth numbers that single people out.",
)


class Copies(Metric):
    """Counts copies of training rows among the synthetic rows, beyond what chance makes among holdout rows.

    The estimate is the share of synthetic rows that equal a training row minus the share of holdout rows
    that do (never below zero). Keys, direct identifiers, constants, free text, signals and images do not
    count as content. Near copies lie closer to a training row than all but a few holdout rows do.
    """

    is_of_release: ClassVar[bool] = True

    near_quantile: float = Field(
        default=0.05,
        gt=0,
        lt=0.5,
        description="Share of holdout rows (exact copies aside) that lie as close to a training row as a "
        "near copy does.",
    )
    most_rows: int = Field(
        default=4000,
        ge=100,
        description="Largest number of rows whose neighbours are searched (near copies).",
    )

    def measure(self, comparison: Comparison) -> MetricResult:
        """Count exact and near copies, and copies of people who are the only ones of their kind."""
        return ask(QUESTION, comparison, self._answer)

    def explain(self, result: MetricResult) -> MetricResult:
        """Return the result with its reading, drawn from its numbers alone (also pooled ones)."""
        if result.estimate is None:
            return result
        found = {m: result.detail(EXACT, m).estimate for m in (SYNTHETIC, HOLDOUT)}
        shares = " and ".join(f"{e.value:.1%} of the {m.split()[2]} rows" for m, e in found.items() if e)
        near = result.detail(NEAR, EXCESS).estimate
        if is_above(result.estimate, 0.0):
            reading = f"{shares} equal a training row: {result.estimate.value:.1%} more than by chance."
        else:
            reading = f"{shares} equal a training row: no more than by chance."
        if near and is_above(near, 0.0):
            reading += f" {near.value:.1%} are near copies beyond chance."
        return result.model_copy(update={"reading": reading})

    def _answer(self, comparison: Comparison) -> MetricResult:
        holdout, columns = tables(comparison)
        real = comparison.real
        estimate = _exact(comparison.synthetic, holdout, real, columns)
        halves = holdout.split(0.5, comparison.seed.child("ceiling")) if _is_divisible(holdout) else None
        details = (
            *_exact_details(comparison, holdout, columns),
            *self._near_details(comparison, holdout, columns),
            *_group_details(comparison, columns),
        )
        ceiling = _exact(halves[1], halves[0], real, columns) if halves else None
        floor = _exact(comparison.independent, holdout, real, columns)
        return self.explain(QUESTION.answer(Anchored(estimate, ceiling, floor, details), ""))

    def _near_details(
        self, comparison: Comparison, holdout: Dataset, columns: tuple[Column, ...]
    ) -> list[Detail]:
        encoding = DistanceEncoding.fit(comparison.real, columns)
        training = encoding.transform(comparison.real)
        far = []
        for rows, name in ((comparison.synthetic, "near synthetic"), (holdout, "near holdout")):
            chosen = comparison.seed.child(name).rng().permutation(rows.rows)[: self.most_rows]
            far.append(nearest(encoding.transform(rows.take(chosen)), training).distances[:, 0])
        distinct = far[1][far[1] > _SAME]
        if len(distinct) * self.near_quantile < 1:
            return [
                Detail(
                    scope="table", name=NEAR, measure=EXCESS, note="too few holdout rows to set a distance"
                )
            ]
        limit = float(np.quantile(distinct, self.near_quantile))
        shares = [(float(((d > _SAME) & (d <= limit)).mean()), len(d)) for d in far]
        note = f"Gower distance of at most {limit:.4f} to a training row, exact copies aside"
        return _details(NEAR, excess(shares[0], shares[1]), shares, note)


def _exact(rows: Dataset, expected: Dataset, real: Dataset, columns: tuple[Column, ...]) -> Estimate:
    return excess(_share(rows, real, columns), _share(expected, real, columns))


def _share(rows: Dataset, real: Dataset, columns: tuple[Column, ...]) -> tuple[float, int]:
    return float((times_seen(rows, real, columns) > 0).to_numpy().mean()), rows.rows


def _exact_details(comparison: Comparison, holdout: Dataset, columns: tuple[Column, ...]) -> list[Detail]:
    real = comparison.real
    seen = [times_seen(rows, real, columns).to_numpy() for rows in (comparison.synthetic, holdout)]
    exact = [(float((times > 0).mean()), len(times)) for times in seen]
    unique = [(float((times == 1).mean()), len(times)) for times in seen]
    alone = np.flatnonzero(times_seen(real, real, columns).to_numpy() == 1)
    republished = times_seen(real.take(alone), comparison.synthetic, columns).to_numpy() > 0
    share = wilson(float(republished.mean()), len(alone)) if len(alone) else None
    note = "training rows whose combination of values occurs once"
    return [
        *_details(EXACT, excess(exact[0], exact[1]), exact, ""),
        *_details(UNIQUE, excess(unique[0], unique[1]), unique, note),
        Detail(
            scope="table",
            name=REPUBLISHED,
            measure="share of unique people",
            estimate=share,
            rows=len(alone),
            note=note,
        ),
    ]


def _group_details(comparison: Comparison, columns: tuple[Column, ...]) -> list[Detail]:
    """Count exact copies among the synthetic rows of each protected group, beyond the group's holdout rows."""
    details = []
    for group in protected_groups(comparison):
        rows = [comparison.synthetic, comparison.holdout or comparison.real]
        parts = [part.take(np.flatnonzero(group.rows(part))) for part in rows]
        is_judged = min(part.rows for part in parts) >= _LEAST_ROWS
        estimate = _exact(parts[0], parts[1], comparison.real, columns) if is_judged else None
        note = "" if is_judged else f"fewer than {_LEAST_ROWS} synthetic or holdout rows"
        details.append(
            Detail(
                scope="group",
                name=group.name,
                measure=EXCESS,
                estimate=estimate,
                rows=parts[0].rows,
                note=note,
            )
        )
    return details


def _details(name: str, found: Estimate, shares: list[tuple[float, int]], note: str) -> list[Detail]:
    parts = [(EXCESS, found, shares[0][1])]
    parts += [
        (measure, wilson(*share), share[1])
        for measure, share in zip((SYNTHETIC, HOLDOUT), shares, strict=True)
    ]
    return [
        Detail(scope="table", name=name, measure=measure, estimate=estimate, rows=rows, note=note)
        for measure, estimate, rows in parts
    ]


def _is_divisible(holdout: Dataset) -> bool:
    return len(np.unique(holdout.patients)) > 1
