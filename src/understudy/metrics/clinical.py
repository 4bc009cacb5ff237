"""Could these patients exist, by what medicine knows of the columns that it recognises?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult
from understudy.knowledge.recognition import recognise
from understudy.knowledge.rules import Applicable, RuleCount, Severity, applicable, broken, check
from understudy.metrics.anchors import Anchored, Measurement, NotApplicable, Question, anchored, ask
from understudy.metrics.intervals import wilson

BROKEN, EXCESS, ASIDE = "rows that break it", "excess over real", "set aside"

QUESTION = Question(
    metric="clinical",
    title="Clinical plausibility",
    text="Could these patients exist, by what medicine knows of the columns that it recognises?",
    axis=Axis.PLAUSIBILITY,
    best=0.0,
    worst=1.0,
    advice="Look at the rules broken most: state them in the schema (`rules`, `low`, `high`) and they hold by "
    "construction. Where a rule is set aside, check the column's unit: the real data break it too.",
)


class Clinical(Metric):
    """Share of synthetic rows that break an applicable plausibility rule, beyond the share of real rows.

    Columns are recognised by name, synonym and unit. The rules run on the real rows first: one that more than
    5 % of them break is not believed (a unit, most likely) and is shown, but not counted.
    """

    is_of_release: ClassVar[bool] = True

    def measure(self, comparison: Comparison) -> MetricResult:
        """Answer the question of this module."""
        return ask(QUESTION, comparison, self._answer)

    def _answer(self, comparison: Comparison) -> MetricResult:
        real_rows = comparison.real
        found = applicable(recognise(real_rows.frame, real_rows.columns).columns)
        if not found:
            raise NotApplicable(
                "no plausibility rule of the knowledge base speaks of columns recognised here"
            )
        counts = check(comparison.real.frame, found)
        believed = [rule for rule, count in zip(found, counts, strict=True) if count.is_enforceable]
        real = _broken(comparison.real, believed)
        measured = anchored(comparison, lambda other: _excess(other.synthetic, believed, real, counts))
        aside = [_aside(count) for count in counts if not count.is_enforceable]
        whole = Detail(
            scope="table",
            name="real rows",
            measure=BROKEN,
            estimate=real,
            rows=comparison.real.rows,
            note=f"{len(believed)} rules checked, {len(aside)} set aside",
        )
        reading = _reading(measured, real, len(believed), aside)
        return QUESTION.answer(measured, reading, (), [whole, *measured.details, *aside])


def _broken(rows: Dataset, believed: Sequence[Applicable]) -> Estimate:
    if not believed:
        return wilson(0, rows.rows)
    marked = broken(rows.frame, believed)
    return wilson(float(marked.select(pl.any_horizontal(pl.all()).sum()).item()), rows.rows)


def _excess(
    rows: Dataset, believed: Sequence[Applicable], real: Estimate, counts: Sequence[RuleCount]
) -> Measurement:
    rates = {count.rule.id: count for count in counts}
    parts = []
    for count in check(rows.frame, believed):
        known = rates[count.rule.id]
        if count.broken or known.broken:
            difference = newcombe(wilson(count.broken, count.checked), wilson(known.broken, known.checked))
            parts.append(
                Detail(
                    scope="rule",
                    name=count.rule.says,
                    measure=EXCESS,
                    estimate=difference,
                    rows=count.broken,
                    note=f"{count.rule.severity.value}; {100 * count.rate:.2f} % of {count.checked} synthetic "
                    f"rows, {100 * known.rate:.2f} % of {known.checked} real rows",
                )
            )
    parts.sort(key=lambda part: -part.estimate.value if part.estimate else 0.0)
    difference = newcombe(_broken(rows, believed), real)
    ends = [max(end, 0.0) for end in (difference.low or 0.0, difference.value, difference.high or 0.0)]
    return Measurement(Estimate(value=ends[1], low=ends[0], high=ends[2]), tuple(parts))


def newcombe(one: Estimate, other: Estimate) -> Estimate:
    """Return the difference of two shares with Wilson intervals.

    Reference:
        Newcombe, Interval estimation for the difference between independent proportions, Statistics in
        Medicine 17 (1998), method 10.
    """
    p, q = one.value, other.value
    p_low, q_low = (e.value if e.low is None else e.low for e in (one, other))
    p_high, q_high = (e.value if e.high is None else e.high for e in (one, other))
    below, above = float(np.hypot(p - p_low, q_high - q)), float(np.hypot(p_high - p, q - q_low))
    return Estimate(value=p - q, low=p - q - below, high=p - q + above)


def _aside(count: RuleCount) -> Detail:
    return Detail(
        scope="rule",
        name=count.rule.says,
        measure=ASIDE,
        estimate=wilson(count.broken, count.checked),
        rows=count.broken,
        note=f"{100 * count.rate:.1f} % of the real rows break it: not believed, so not counted",
    )


def _reading(found: Anchored, real: Estimate, rules: int, aside: Sequence[Detail]) -> str:
    text = (
        f"{100 * found.estimate.value:.2f} % more synthetic rows than real ones break a clinical rule "
        f"({100 * real.value:.2f} % of the real rows do; {rules} rules apply to the columns recognised)."
    )
    worst = next((d for d in found.details if d.estimate and d.estimate.value > 0), None)
    if worst is not None and worst.estimate is not None:
        text += f" Broken most beyond the real data: {worst.name} ({100 * worst.estimate.value:.2f} %)"
        text = text if text.endswith(".") else f"{text}."
    if aside:
        text += f" {len(aside)} rules are set aside since the real data break them too often."
    return text


def keeps_hard_rules(rows: Dataset) -> npt.NDArray[np.bool_]:
    """Return which rows break no hard rule of the knowledge base, shape (rows,)."""
    hard = [entry for entry in applicable(rows.columns) if entry.rule.severity is Severity.HARD]
    if not hard or not rows.rows:
        return np.ones(rows.rows, dtype=bool)
    return ~broken(rows.frame, hard).select(pl.any_horizontal(pl.all()).alias("is")).to_series().to_numpy()


def without_real(rows: Dataset) -> MetricResult:
    """Ask the question of rows that were built from knowledge: there is no real row to allow for.

    The estimate counts rows that break a hard rule; soft rules, which rare patients may break, are parts.
    """
    found = applicable(rows.columns)
    if not found or not rows.rows:
        return QUESTION.not_applicable("no plausibility rule of the knowledge base speaks of these columns")
    hard = [entry for entry in found if entry.rule.severity is Severity.HARD]
    counts = [count for count in check(rows.frame, found) if count.broken]
    parts = [
        Detail(
            scope="rule",
            name=count.rule.says,
            measure=BROKEN,
            estimate=wilson(count.broken, count.checked),
            rows=count.broken,
            note=f"{count.rule.severity.value}: {count.broken} of {count.checked} rows",
        )
        for count in sorted(counts, key=lambda count: -count.rate)
    ]
    share = _broken(rows, hard)
    whole = Detail(
        scope="table", name="rules checked", rows=rows.rows, note=f"{len(hard)} hard, {len(found)} in all"
    )
    reading = (
        f"{round(share.value * rows.rows)} of {rows.rows} rows break one of the {len(hard)} hard rules that apply; "
        f"{sum(count.broken > 0 for count in counts)} of all {len(found)} rules are broken by some row."
    )
    return QUESTION.answer(Anchored(share, None, None, (whole, *parts)), reading)
