"""Does a population built from knowledge agree with the published figures of the people it stands for?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter

import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Detail, Estimate, MetricResult, Outcome
from understudy.core.rules import sql
from understudy.core.schema import Kind
from understudy.knowledge.conditions import Figure, conditions, survey_prevalence
from understudy.knowledge.observations import observations
from understudy.knowledge.statistics import Statistic, statistics
from understudy.knowledge.units import written
from understudy.metrics.intervals import Z95, around, wilson

MEAN_SHARE, SD_SHARE, POINTS = 0.03, 0.10, 1.0
_FEWEST = 100

QUESTION = MetricResult(
    metric="reference",
    title="Published figures",
    question="Does a population built from knowledge agree with the published figures of the people it stands for?",
    axis=Axis.FIDELITY,
    best=1.0,
    worst=0.0,
    advice="Look at the figures that are furthest off: a cohort that rests on these columns inherits the gap. "
    "Targets (--target) move a cohort to figures that you trust more.",
)


@dataclass(frozen=True)
class _Compared:
    """One published figure beside the same figure of the drawn people; `gap` of 1 is the limit."""

    name: str
    here: Estimate
    published: Estimate
    gap: float
    unit: str
    period: str

    def detail(self) -> Detail:
        note = f"{_spelled(self.here)}{self.unit} here, {_spelled(self.published)}{self.unit} published, {self.period}"
        return Detail(
            scope="table",
            name=self.name,
            measure="gap (1 = the limit)",
            estimate=Estimate(value=self.gap),
            note=note,
        )


def against_published(people: Dataset, definitions: Mapping[str, str] | None = None) -> MetricResult:
    """Compare people drawn from a population, without conditions, with the figures of the knowledge base.

    A mean agrees within 3 % of the published one, a standard deviation within 10 %, a prevalence within one
    percentage point, or where the published 95 % interval, widened by the noise of the draw, holds it.

    Args:
        people: rows in the observations' own units and under their ids, drawn without conditions.
        definitions: conditions whose prevalence is compared, as SQL over observation ids.
    """
    began = perf_counter()
    found = [*_statistics(people), *_prevalences(people, definitions or {})]
    if not found:
        reason = "no published figure of the knowledge base speaks of these columns"
        return QUESTION.model_copy(update={"outcome": Outcome.NOT_APPLICABLE, "reason": reason})
    found.sort(key=lambda c: -c.gap)
    agreeing = sum(c.gap <= 1 for c in found)
    return QUESTION.model_copy(
        update={
            "estimate": wilson(agreeing, len(found)),
            "details": tuple(c.detail() for c in found),
            "reading": _reading(found, agreeing, people.rows),
            "seconds": perf_counter() - began,
        }
    )


def read_by_reference(definitions: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns that `against_published` reads, for drawing no others."""
    names = ["age", "sex", "race_ethnicity"]
    for figure in statistics().values():
        entry = conditions().get(figure.about)
        told = entry.nhanes_definition if entry is not None else None
        names += [figure.about] if figure.about in observations() else list(told.names) if told else []
    names += [name for when in definitions.values() for name in sql(when).meta.root_names()]
    return tuple(dict.fromkeys(names))


def _reading(found: list[_Compared], agreeing: int, rows: int) -> str:
    text = (
        f"{agreeing} of {len(found)} published figures agree with {rows} people drawn from the whole population "
        "(means within 3 %, standard deviations within 10 %, prevalences within one percentage point, or inside "
        "the published 95 % interval)."
    )
    worst = found[0]
    return text if worst.gap <= 1 else f"{text} Furthest off: {worst.name} ({worst.detail().note})."


def _statistics(people: Dataset) -> Iterator[_Compared]:
    names = set(people.table.names)
    for figure in statistics().values():
        if figure.is_age_adjusted or figure.group or "sex" not in names or "age" not in names:
            continue
        rows = people.frame.filter(_who(figure.sex, figure.age_low, figure.age_high))
        values = _values(figure, rows, people)
        if values is None or values.len() - values.null_count() < _FEWEST:
            continue
        yield from _moments(figure, values.drop_nulls())


def _values(figure: Statistic, rows: pl.DataFrame, people: Dataset) -> pl.Series | None:
    if figure.about in rows.columns:
        column = people.table.column(figure.about)
        fits = column.kind is (Kind.NUMBER if figure.kind == "mean" else Kind.BOOLEAN)
        return rows[figure.about].cast(pl.Float64) if fits else None
    entry = conditions().get(figure.about)
    if entry is None or entry.nhanes_definition is None or figure.what:
        return None
    needed = set(entry.nhanes_definition.names)
    if entry.nhanes_definition.over != "observations" or not needed <= set(rows.columns):
        return None
    return rows.select(sql(entry.nhanes_definition.when).cast(pl.Float64).alias("is")).to_series()


def _moments(figure: Statistic, values: pl.Series) -> Iterator[_Compared]:
    who = f", {figure.sex}" if figure.sex else ""
    published = Estimate(value=figure.value, low=figure.low, high=figure.high)
    if figure.kind == "prevalence":
        here = _percent(values)
        yield _Compared(
            f"{_title(figure.about)}{who}: prevalence", here, published, _gap(here, published, POINTS), " %",
            figure.period,
        )  # fmt: skip
        return
    mean, spread = _float(values.mean()), _float(values.std())
    here = around(mean, spread / math.sqrt(len(values)))
    about = observations().get(figure.about)
    unit = f" {written(about.unit)}".rstrip() if about else ""
    limit = MEAN_SHARE * abs(figure.value)
    name = f"{_title(figure.about)}{who}"
    yield _Compared(f"{name}: mean", here, published, _gap(here, published, limit), unit, figure.period)
    if figure.sd:
        noise = spread / math.sqrt(2 * len(values))
        same = around(spread, noise)
        stated = Estimate(value=figure.sd)
        gap = max(abs(spread - figure.sd) - Z95 * noise, 0.0) / (SD_SHARE * figure.sd)
        yield _Compared(f"{name}: standard deviation", same, stated, gap, unit, figure.period)


def _prevalences(people: Dataset, definitions: Mapping[str, str]) -> Iterator[_Compared]:
    for name, when in definitions.items():
        published = survey_prevalence().get(name)
        if published is None:
            continue
        youngest = conditions()[name].nhanes_definition
        for figure in published.figures:
            low = figure.age_low if figure.age_low is not None else (youngest.age_low if youngest else 20)
            rows = people.frame.filter(_who(figure.sex, low, figure.age_high, figure.race))
            has = rows.select(sql(when).cast(pl.Float64).alias("is")).to_series().drop_nulls()
            if len(has) < _FEWEST:
                continue
            here = _percent(has)
            stated = Estimate(value=figure.percent, low=figure.low, high=figure.high)
            yield _Compared(
                f"{conditions()[name].name}{_group(figure)}: prevalence", here, stated,
                _gap(here, stated, POINTS), " %", published.period,
            )  # fmt: skip


def _who(sex: str | None, low: float, high: float | None, race: str | None = None) -> pl.Expr:
    chosen = pl.col("age") >= low
    if high is not None:
        chosen = chosen & (pl.col("age") < high + 1)
    if sex is not None:
        chosen = chosen & (pl.col("sex") == sex)
    return chosen & (pl.col("race_ethnicity") == race) if race is not None else chosen


def _group(figure: Figure) -> str:
    ages = "" if figure.age_low is None else f"{figure.age_low:g} and over"
    if figure.age_low is not None and figure.age_high is not None:
        ages = f"{figure.age_low:g} to {figure.age_high:g}"
    parts = [part for part in (figure.sex, figure.race, f"aged {ages}" if ages else None) if part]
    return f", {', '.join(parts)}" if parts else ""


def _gap(here: Estimate, published: Estimate, limit: float) -> float:
    """Return the distance as a multiple of the limit; 0 where the two intervals meet."""
    ends = [e.value if end is None else end for e in (here, published) for end in (e.low, e.high)]
    if published.low is not None and ends[0] <= ends[3] and ends[2] <= ends[1]:
        return 0.0
    noise = (ends[1] - ends[0]) / 2
    return max(abs(here.value - published.value) - noise, 0.0) / max(limit, 1e-12)


def _percent(values: pl.Series) -> Estimate:
    share = wilson(_float(values.sum()), len(values))
    return Estimate(value=100 * share.value, low=100 * (share.low or 0.0), high=100 * (share.high or 0.0))


def _title(name: str) -> str:
    if name in observations():
        return observations()[name].name
    return conditions()[name].name if name in conditions() else name


def _spelled(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.4g}"
    return f"{estimate.value:.4g} ({estimate.low:.4g} to {estimate.high:.4g})"


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
