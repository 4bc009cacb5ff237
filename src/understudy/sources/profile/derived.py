"""Columns computed from others: published formulas, dates, and sums, differences, products and ratios of two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import polars as pl

from understudy.core.errors import RuleError
from understudy.core.rules import Derived
from understudy.core.schema import Column, Kind
from understudy.sources.profile.formulas import FORMULAS, Formula
from understudy.sources.profile.quantities import is_age_name
from understudy.sources.profile.sql import quoted, sex_is
from understudy.sources.profile.words import says

HOLDS = 0.995
FEWEST_ROWS = 30
_MOST_SEARCHED = 60
_LOOK = 160
_COMPUTED = (
    "total", "sum", "diff\\w*", "delta", "change", "ratio", "mean", "avg", "index", "duration", "length",
    "los", "non\\w*", "pulse_?pressure", "map", "net", "overall", "combined", "gap", "product", "area",
    "per", "pct", "percent", "years?",
)  # fmt: skip


@dataclass(frozen=True)
class Fit:
    """A formula that agrees with a column in a sample.

    Attributes:
        rule: the proposal.
        share: share of complete sampled rows that agree.
    """

    rule: Derived
    share: float


def find_derived(frame: pl.DataFrame, columns: Sequence[Column]) -> list[Derived]:
    """Find columns that are computed from others.

    Args:
        frame: sampled rows in canonical form.
        columns: their meaning.

    Returns:
        Rules, each column computed at most once and never in a circle.
    """
    learned = [c for c in columns if c.is_learned]
    found = [*_published(frame, learned), *_from_dates(frame, learned), *_scaled(frame, learned)]
    taken = {rule.column for rule in found}
    found += [rule for rule in _arithmetic(frame, learned) if rule.column not in taken]
    return _without_circles(found)


def tolerances(column: Column, values: np.ndarray) -> tuple[float, ...]:
    """Return the differences that rounding explains, smallest first; none where they would explain everything.

    Args:
        column: the computed column.
        values: its sampled values, NaN where missing, shape (rows,).
    """
    present = values[np.isfinite(values)]
    spread = float(present.std()) if len(present) else 0.0
    if spread == 0:
        return ()
    if column.decimals is None or column.decimals > 6:
        return (1e-6 * max(spread, float(np.abs(present).max())),)
    step = 10.0**-column.decimals
    # Inputs that were rounded as well can move the last digit by one.
    return tuple(t for t in (0.501 * step, 1.001 * step) if t <= 0.1 * spread)


def agreement(frame: pl.DataFrame, rule: Derived) -> tuple[int, int]:
    """Return (complete rows, rows that agree) of a rule in canonical rows."""
    try:
        table = frame.select(
            pl.col(rule.column).cast(pl.Float64).alias("a"),
            rule.value().cast(pl.Float64, strict=False).alias("b"),
        )
    except (pl.exceptions.PolarsError, RuleError):
        return 0, 0
    both = table.filter(pl.col("a").is_finite() & pl.col("b").is_finite())
    return both.height, int(((both["a"] - both["b"]).abs() <= rule.tolerance + 1e-9).sum())


def _tested(
    frame: pl.DataFrame, column: Column, formula: str, source: str, magnified: float = 0.0
) -> Fit | None:
    """Return the rule if it holds; `magnified` is the difference that rounding of the inputs explains."""
    values = frame[column.name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    usual = tolerances(column, values)
    more = magnified if usual and usual[-1] < magnified <= 0.1 * float(np.nanstd(values)) else None
    for tolerance in (*usual, *(() if more is None else (more,))):
        rule = Derived(
            name=source.split(":")[0], source=source, column=column.name, formula=formula, tolerance=tolerance
        )
        complete, agreeing = agreement(frame, rule)
        if complete >= FEWEST_ROWS and agreeing >= HOLDS * complete:
            return Fit(rule, agreeing / complete)
    return None


def _published(frame: pl.DataFrame, columns: Sequence[Column]) -> list[Derived]:
    numbers = [c for c in columns if c.kind is Kind.NUMBER]
    female = sex_is(columns, female=True)
    found = []
    for formula in FORMULAS:
        for column in numbers:
            if says(column.name, *formula.result):
                fits = [
                    f for text in _spelled(formula, column, numbers, female)
                    if (f := _tested(frame, column, text, f"{formula.name}: {formula.source}"))
                ]  # fmt: skip
                if fits:
                    found.append(max(fits, key=lambda f: f.share).rule)
    return found


def _spelled(
    formula: Formula, result: Column, numbers: Sequence[Column], female: str | None
) -> Iterator[str]:
    choices = []
    for phrases in formula.inputs.values():
        named = [
            c.name for c in numbers
            if c.name != result.name and says(c.name, *phrases) and not says(c.name, *formula.result, "non_?hdl\\w*")
        ]  # fmt: skip
        choices.append(named[:4])
    for names in product(*choices):
        spelled = dict(zip(formula.inputs, map(quoted, names), strict=True))
        for variant in formula.variants:
            if "{female}" not in variant:
                yield variant.format(**spelled)
            elif female is not None:
                yield variant.format(female=female, **spelled)


def _from_dates(frame: pl.DataFrame, columns: Sequence[Column]) -> list[Derived]:
    """Find ages in full years between two dates, and durations in days."""
    dates = [c.name for c in columns if c.kind is Kind.DATETIME][:6]
    numbers = [c for c in columns if c.kind is Kind.NUMBER]
    found = []
    for column in numbers:
        is_age = is_age_name(column.name)
        if not is_age and not says(
            column.name, "los", "length\\w*", "duration", "days?", "stay", "time\\w*", "years?"
        ):
            continue
        for start, end in product(dates, dates):
            if start == end:
                continue
            formula, source = (
                (_full_years(start, end), "age in full years")
                if is_age
                else (_days(start, end), "days between")
            )
            if fit := _tested(frame, column, formula, source):
                found.append(fit.rule)
                break
    return found


def _full_years(start: str, end: str) -> str:
    a, b = quoted(start), quoted(end)
    day_a, day_b = (
        f"(cast(extract(month from {n}) as int) * 100 + cast(extract(day from {n}) as int))" for n in (a, b)
    )
    return f"extract(year from {b}) - extract(year from {a}) - case when {day_b} < {day_a} then 1 else 0 end"


def _days(start: str, end: str) -> str:
    return f"(cast({quoted(end)} as bigint) - cast({quoted(start)} as bigint)) / cast(86400000000 as double)"


def _scaled(frame: pl.DataFrame, columns: Sequence[Column]) -> list[Derived]:
    """Find columns that repeat another in other units: y = k x + c."""
    numbers = [c for c in columns if c.kind is Kind.NUMBER]
    matrix, kept = _matrix(frame, numbers)
    found: list[Derived] = []
    done: set[str] = set()
    for i, j in combinations(range(len(kept)), 2):
        x, y = matrix[:, i], matrix[:, j]
        both = np.isfinite(x) & np.isfinite(y)
        if kept[j].name in done or both.sum() < FEWEST_ROWS or len(np.unique(x[both])) < 5:
            continue
        slope, shift = _line(x[both], y[both])
        if slope is None:
            continue
        formula = f"{quoted(kept[i].name)}" + (f" * {slope:.6g}" if slope != 1 else "")
        formula += f" {'+' if shift > 0 else '-'} {abs(shift):.6g}" if shift else ""
        source = (
            "the same quantity in another unit"
            if slope != 1 or shift
            else "the same numbers, where both are there"
        )
        steps = [0.0 if c.decimals is None else 10.0**-c.decimals for c in (kept[i], kept[j])]
        if fit := _tested(frame, kept[j], formula, source, 0.51 * (abs(slope) * steps[0] + steps[1])):
            found.append(fit.rule)
            done.add(kept[j].name)
    return found


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float | None, float]:
    centred = x - x.mean()
    variance = float(centred @ centred)
    if variance == 0 or y.std() == 0:
        return None, 0.0
    slope = float(centred @ y) / variance
    residual = y - y.mean() - slope * centred
    if float(residual.std()) > 0.01 * float(y.std()):
        return None, 0.0
    shift = float(y.mean() - slope * x.mean())
    if abs(shift) < 0.02 * float(y.std()):
        return float(f"{float((x @ y) / (x @ x)):.6g}"), 0.0
    return float(f"{slope:.6g}"), float(f"{shift:.6g}")


def _matrix(frame: pl.DataFrame, columns: Sequence[Column]) -> tuple[np.ndarray, list[Column]]:
    ranked = sorted(columns, key=lambda c: not says(c.name, *_COMPUTED))[:_MOST_SEARCHED]
    kept = [c for c in columns if c in ranked]
    if not kept:
        return np.empty((frame.height, 0)), []
    return frame.select(
        pl.col([c.name for c in kept]).cast(pl.Float64).fill_null(float("nan"))
    ).to_numpy(), kept


_OPERATIONS = (
    ("+", "{a} + {b}"),
    ("-", "{a} - {b}"),
    ("r", "{b} - {a}"),
    ("*", "{a} * {b}"),
    ("/", "{a} / {b}"),
    ("d", "{b} / {a}"),
)


def _apply(sign: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        results = {"+": a + b, "-": a - b, "r": b - a, "*": a * b}
        if sign in results:
            return np.asarray(results[sign])
        quotient = a / b if sign == "/" else b / a
        return np.where(np.isfinite(quotient), quotient, np.nan)


def _arithmetic(frame: pl.DataFrame, columns: Sequence[Column]) -> list[Derived]:
    """Try a o b = t for all pairs and targets at once on a few rows, and keep what holds on all sampled rows."""
    numbers = [c for c in columns if c.kind is Kind.NUMBER and frame[c.name].n_unique() >= 8]
    matrix, kept = _matrix(frame, numbers)
    if len(kept) < 3:
        return []
    # Rows with the most cells filled make the first look sharp.
    look = matrix[np.argsort(np.isnan(matrix).sum(axis=1), kind="stable")[:_LOOK]]
    slack = np.array([max(tolerances(c, matrix[:, i]), default=-1.0) for i, c in enumerate(kept)]) + 1e-9
    hits: dict[frozenset[str], list[tuple[Column, str]]] = {}
    for i, j in combinations(range(len(kept)), 2):
        for sign, template in _OPERATIONS:
            for t in _agreeing(_apply(sign, look[:, i], look[:, j]), look, slack, (i, j)):
                names = frozenset((kept[i].name, kept[j].name, kept[t].name))
                text = template.format(a=quoted(kept[i].name), b=quoted(kept[j].name))
                hits.setdefault(names, []).append((kept[t], text))
    place = {c.name: p for p, c in enumerate(kept)}
    rules = []
    for options in hits.values():
        ranked = sorted(options, key=lambda o: (not says(o[0].name, *_COMPUTED), -place[o[0].name]))
        fits = (_tested(frame, column, text, "arithmetic of two columns") for column, text in ranked)
        if (fit := next((f for f in fits if f), None)) is not None:
            rules.append(fit.rule)
    return rules


def _agreeing(values: np.ndarray, look: np.ndarray, slack: np.ndarray, used: tuple[int, int]) -> list[int]:
    near = np.abs(look - values[:, None]) <= slack
    complete = np.isfinite(look) & np.isfinite(values)[:, None]
    counts = complete.sum(axis=0)
    good = (counts >= FEWEST_ROWS) & (near.sum(axis=0) >= 0.97 * counts)
    good[list(used)] = False
    found = []
    for t in np.flatnonzero(good):
        rows = complete[:, t]
        inputs = look[rows][:, list(used)]
        # Adding a column that is nearly always zero only copies the other.
        copied = (np.abs(inputs - look[rows, t][:, None]) <= slack[t]).mean(axis=0).max()
        if copied < 0.8 and len(np.unique(look[rows, t])) >= 8:
            found.append(int(t))
    return found


def _without_circles(rules: Sequence[Derived]) -> list[Derived]:
    inputs: dict[str, set[str]] = {}
    kept = []
    for rule in rules:
        if rule.column in inputs or rule.column in _reachable(set(rule.inputs), inputs):
            continue
        inputs[rule.column] = set(rule.inputs)
        kept.append(rule)
    return kept


def _reachable(names: set[str], inputs: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            queue.extend(inputs.get(name, ()))
    return seen
