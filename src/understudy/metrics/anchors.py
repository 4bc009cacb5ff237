"""Every answer between its anchors: real rows that nobody learned from above, shuffled columns below.

A metric writes down its `Question` once and asks through `ask`, which puts the rows into an order that does
not depend on how they came, takes the time, and turns "does not apply" and failures into results.
`anchored` repeats one measurement for the synthetic rows, the ceiling and the floor.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from time import perf_counter
from typing import Literal, TypeVar, cast

import numpy as np
import polars as pl

from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.errors import UnderstudyError
from understudy.core.results import Axis, Detail, Estimate, Figure, MetricResult, Outcome
from understudy.core.schema import Column, Kind, Role
from understudy.core.seeds import Seed

JUDGED_KINDS = frozenset({Kind.NUMBER, Kind.CATEGORY, Kind.BOOLEAN, Kind.DATETIME, Kind.CODE})
EQUAL_ROWS = "as many rows as the holdout"
T = TypeVar("T")


class NotApplicable(Exception):  # noqa: N818 - an outcome, not an error
    """Raised inside a metric to end it with the outcome `not_applicable` and this reason."""


@dataclass(frozen=True)
class Measurement:
    """What one measurement shows: the value, and its parts (matched by scope, name and measure)."""

    estimate: Estimate
    parts: tuple[Detail, ...] = ()


@dataclass(frozen=True)
class Anchored:
    """A measurement between its anchors.

    Attributes:
        estimate: for the synthetic rows.
        ceiling: for real rows in their place; None without a holdout.
        floor: for independently shuffled columns in their place.
        details: the parts of the estimate, each with its own anchors.
    """

    estimate: Estimate
    ceiling: Estimate | None
    floor: Estimate | None
    details: tuple[Detail, ...]


@dataclass(frozen=True)
class Question:
    """What a metric asks, and the scale of its answers: all of a result that does not depend on the data."""

    metric: str
    title: str
    text: str
    axis: Axis
    best: float
    worst: float
    advice: str

    def answer(
        self,
        found: Anchored,
        reading: str,
        figures: Sequence[Figure] = (),
        details: Sequence[Detail] | None = None,
        outcome: Outcome = Outcome.MEASURED,
        reason: str = "",
    ) -> MetricResult:
        """Return the result; `details` replaces those of `found` where given."""
        return self._result(outcome, reason).model_copy(
            update={
                "estimate": found.estimate,
                "ceiling": found.ceiling,
                "floor": found.floor,
                "details": tuple(found.details if details is None else details),
                "figures": tuple(figures),
                "reading": reading,
            }
        )

    def not_applicable(self, reason: str) -> MetricResult:
        """Return the result that says why the question does not arise."""
        return self._result(Outcome.NOT_APPLICABLE, reason)

    def inconclusive(self, reason: str) -> MetricResult:
        """Return the result that says why the data are not enough for an answer."""
        return self._result(Outcome.INCONCLUSIVE, reason)

    def failed(self, reason: str) -> MetricResult:
        """Return the result that says what went wrong."""
        return self._result(Outcome.FAILED, reason)

    def _result(self, outcome: Outcome, reason: str) -> MetricResult:
        return MetricResult(
            metric=self.metric,
            title=self.title,
            question=self.text,
            axis=self.axis,
            best=self.best,
            worst=self.worst,
            outcome=outcome,
            reason=reason,
            advice=self.advice,
        )


def ask(
    question: Question, comparison: Comparison, answer: Callable[[Comparison], MetricResult]
) -> MetricResult:
    """Answer a question; an empty table, `NotApplicable` and failures become results with a reason.

    The reason of a failure names the error and its place in the code: a message could quote a cell.
    """
    started = perf_counter()
    try:
        if not comparison.real.rows or not comparison.synthetic.rows:
            raise NotApplicable("the real or the synthetic table has no rows")
        result = answer(settled(comparison))
    except NotApplicable as reason:
        result = question.not_applicable(str(reason))
    except UnderstudyError as error:
        result = question.failed(str(error))
    except (ArithmeticError, LookupError, MemoryError, ValueError, pl.exceptions.PolarsError) as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        result = question.failed(f"{type(error).__name__} in {place.name}, line {place.lineno}")
    return result.model_copy(update={"seconds": perf_counter() - started})


def kept(make: Callable[[Comparison], T]) -> Callable[[Comparison], T]:
    """Remember what `make` returns for a comparison as long as that comparison lives.

    Metrics that are given the same comparison object so share costly work, such as fitted models.
    """

    @wraps(make)
    def look(comparison: Comparison) -> T:
        # As functools.cached_property does: a frozen value may remember what follows from it.
        memory = vars(comparison).setdefault("_kept", {})
        if make not in memory:
            memory[make] = make(comparison)
        return cast(T, memory[make])

    return look


@kept
def settled(comparison: Comparison) -> Comparison:
    """Return the comparison with rows sorted by their content, so that their order cannot matter."""
    done = Comparison(
        _sorted(comparison.real),
        _sorted(comparison.synthetic.with_schema(comparison.real.schema)),
        _sorted(comparison.holdout.with_schema(comparison.real.schema)) if comparison.holdout else None,
        comparison.seed,
    )
    vars(done)["_kept"] = {settled: done}
    return done


def _sorted(dataset: Dataset) -> Dataset:
    if not dataset.columns:
        return dataset
    return dataset.take(dataset.frame.hash_rows(seed=11).arg_sort().to_numpy())


def judged(dataset: Dataset) -> tuple[Column, ...]:
    """Return the columns that metrics look at: quantities and levels; no keys, identifiers or free text.

    Raises:
        NotApplicable: if there is none.
    """
    hidden = {Role.KEY, Role.PATIENT, Role.IDENTIFIER}
    columns = tuple(
        c for c in dataset.columns if c.kind in JUDGED_KINDS and c.is_learned and not hidden & set(c.roles)
    )
    if not columns:
        raise NotApplicable("the table has no column to judge: only keys, identifiers or free text")
    return columns


def anchored(
    comparison: Comparison,
    measure: Callable[[Comparison], Measurement],
    reference: Literal["train", "holdout"] = "train",
    is_larger_better: bool = False,
) -> Anchored:
    """Measure the synthetic rows, the ceiling and the floor with the same random streams.

    Args:
        comparison: what is compared.
        measure: the measurement; it reads `synthetic` as the rows that are judged.
        reference: the real rows against which `measure` judges. With `train`, the holdout takes the place of
            the synthetic rows for the ceiling; with `holdout`, the training rows do.
        is_larger_better: whether `measure` flatters tables of more rows; then a detail `EQUAL_ROWS` repeats
            the estimate with as many synthetic rows as the ceiling has, which is the fair comparison.
    """
    found = measure(comparison)
    top = None
    if comparison.holdout is not None and comparison.holdout.rows:
        real = comparison.holdout if reference == "train" else comparison.real
        top = measure(replace(comparison, synthetic=real))
    bottom = measure(replace(comparison, synthetic=comparison.independent))
    above, below = _by_part(top), _by_part(bottom)
    details = tuple(
        part.model_copy(update={"ceiling": above.get(_key(part)), "floor": below.get(_key(part))})
        for part in found.parts
    )
    if (
        is_larger_better
        and top
        and comparison.holdout
        and comparison.holdout.rows < comparison.synthetic.rows
    ):
        details = (*details, _with_equal_rows(comparison, measure, comparison.holdout.rows, top))
    return Anchored(found.estimate, top.estimate if top else None, bottom.estimate, details)


def _with_equal_rows(
    comparison: Comparison, measure: Callable[[Comparison], Measurement], rows: int, top: Measurement
) -> Detail:
    fewer = at_most(comparison.synthetic, rows, comparison.seed.child("equal rows"))
    found = measure(replace(comparison, synthetic=fewer))
    return Detail(scope="table", name=EQUAL_ROWS, estimate=found.estimate, ceiling=top.estimate, rows=rows)


def _key(part: Detail) -> tuple[str, str, str]:
    return (part.scope, part.name, part.measure)


def _by_part(measurement: Measurement | None) -> dict[tuple[str, str, str], Estimate | None]:
    return {_key(part): part.estimate for part in measurement.parts} if measurement else {}


def at_most(dataset: Dataset, rows: int, seed: Seed) -> Dataset:
    """Return the dataset, or a random choice of `rows` of its rows if it has more."""
    if dataset.rows <= rows:
        return dataset
    return dataset.take(np.sort(seed.rng().permutation(dataset.rows)[:rows]))


def capped(rows: int, cap: int) -> str:
    """Say that at most `cap` rows were looked at, if there are more; else nothing."""
    return f" Judged on a random {cap:,} of {rows:,} rows." if rows > cap else ""


def between(found: Anchored, digits: int = 3) -> str:
    """Return the anchors in words: `(real patients 0.99, shuffled columns 0.71)`."""
    parts = [f"real patients {found.ceiling.value:.{digits}f}"] if found.ceiling else []
    if found.floor:
        parts.append(f"shuffled columns {found.floor.value:.{digits}f}")
    return f"({', '.join(parts)})" if parts else ""
