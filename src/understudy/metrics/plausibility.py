"""Could these patients exist, as far as the schema's bounds, closed sets and rules can say?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

import numpy as np
import polars as pl

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.core.rules import FixedCombinations, Rule
from understudy.core.schema import Column, Kind
from understudy.metrics.anchors import Anchored, Measurement, NotApplicable, Question, anchored, ask
from understudy.metrics.groups import Group, protected_groups
from understudy.metrics.intervals import wilson

BROKEN, EXCESS = "rows that break it", "excess over real"

QUESTION = Question(
    metric="plausibility",
    title="Bounds and rules",
    text="Could these patients exist, as far as the schema's bounds, closed sets and rules can say?",
    axis=Axis.PLAUSIBILITY,
    best=0.0,
    worst=1.0,
    advice="Where a rule is broken more often than in the real data, let it hold by construction (`drop` or "
    "`repair` in the schema); where the real data break it as often, the rule or a unit may be wrong.",
)


class Plausibility(Metric):
    """Share of synthetic rows that break any bound, closed set or rule of the schema that the real rows keep.

    A rule that real rows break at a rate that is kept does not count; it stands among the parts. Each part stands
    beside the same share among the real rows learned from, and the excess over it. A rule of known combinations
    that lists none is judged by the combinations that the real rows show.
    """

    is_of_release: ClassVar[bool] = True

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        checks = _checks(comparison.real)
        if not checks:
            raise NotApplicable("the schema states no bound, closed set or rule")
        groups = protected_groups(comparison)
        lenient = {_named(rule) for rule in comparison.real.schema.rules if rule.is_lenient}
        found = anchored(comparison, lambda other: _measure(other.synthetic, checks, lenient, groups))
        real = _measure(comparison.real, checks, lenient, groups)
        details = []
        for part, same in zip(found.details, real.parts, strict=True):
            details.append(part)
            details.append(
                part.model_copy(
                    update={
                        "measure": EXCESS,
                        "estimate": _excess(part, same),
                        "ceiling": None,
                        "floor": None,
                        "note": f"{100 * _value(same):.2f} % of the real rows break it",
                    }
                )
            )
        whole = Detail(
            scope="table", name="real rows", measure=BROKEN, estimate=real.estimate, rows=comparison.real.rows
        )
        return QUESTION.answer(found, _reading(found, real), (), [whole, *details])


def _checks(real: Dataset) -> dict[str, pl.Expr]:
    """Return what is checked, by its statement: expressions that are true for rows that break it."""
    found: dict[str, pl.Expr] = {}
    for column in real.columns:
        found |= _bounds(column)
    for rule in real.schema.rules:
        if isinstance(rule, FixedCombinations) and rule.allowed is None:
            seen = real.frame.select(pl.col(name).cast(pl.String) for name in rule.of).unique()
            rule = rule.model_copy(update={"allowed": tuple(seen.rows())})
        found[_named(rule)] = rule.broken()
    return found


def _named(rule: Rule) -> str:
    return rule.name or rule.says()


def _bounds(column: Column) -> dict[str, pl.Expr]:
    values, unit = pl.col(column.name), f" {column.unit}" if column.unit else ""
    found = {}
    if column.kind is Kind.NUMBER:
        if column.low is not None:
            found[f"{column.name} >= {column.low:g}{unit}"] = values < column.low
        if column.high is not None:
            found[f"{column.name} <= {column.high:g}{unit}"] = values > column.high
    elif column.values is not None and column.kind in (Kind.CATEGORY, Kind.CODE):
        found[f"{column.name} in its closed set"] = ~values.is_in(list(column.values))
    return found


def _measure(
    rows: Dataset, checks: dict[str, pl.Expr], lenient: Collection[str], groups: Sequence[Group]
) -> Measurement:
    broken = rows.frame.select(
        expression.fill_null(value=False).alias(str(k)) for k, expression in enumerate(checks.values())
    ).to_numpy()
    parts = tuple(
        Detail(
            scope="rule",
            name=name,
            measure=BROKEN,
            estimate=wilson(float(broken[:, k].sum()), rows.rows),
            rows=int(broken[:, k].sum()),
        )
        for k, name in enumerate(checks)
    )
    counts = [k for k, name in enumerate(checks) if name not in lenient]
    is_broken = np.asarray(broken[:, counts].any(axis=1))
    by_group = tuple(
        Detail(
            scope="group",
            name=group.name,
            measure=BROKEN,
            estimate=wilson(float(is_broken[own].sum()), float(own.sum())),
            rows=int(own.sum()),
        )
        for group, own in ((group, group.rows(rows)) for group in groups)
    )
    return Measurement(wilson(float(is_broken.sum()), rows.rows), (*parts, *by_group))


def _value(part: Detail) -> float:
    return part.estimate.value if part.estimate else 0.0


def _excess(part: Detail, real: Detail) -> Estimate:
    """Return the difference of two shares.

    Reference:
        Newcombe, Interval estimation for the difference between independent proportions, Statistics in
        Medicine 17 (1998), method 10.
    """
    a, b = part.estimate, real.estimate
    if a is None or b is None:
        return Estimate(value=0.0)
    sides = [
        (e.value, e.value if e.low is None else e.low, e.value if e.high is None else e.high) for e in (a, b)
    ]
    (p, p_low, p_high), (q, q_low, q_high) = sides
    return Estimate(
        value=p - q,
        low=p - q - float(np.hypot(p - p_low, q_high - q)),
        high=p - q + float(np.hypot(p_high - p, q - q_low)),
    )


def _reading(found: Anchored, real: Measurement) -> str:
    rules = [d for d in found.details if d.scope == "rule"]
    broken = [d for d in rules if _value(d) > 0]
    text = (
        f"{100 * found.estimate.value:.2f} % of the synthetic rows break a bound or rule, against "
        f"{100 * real.estimate.value:.2f} % of the real rows learned from ({len(rules)} checked)."
    )
    if broken:
        worst = max(broken, key=_value)
        text += f" The one broken most is {worst.name} ({100 * _value(worst):.2f} %)."
    return text
