"""What the real data break of their own schema, and what is done about it before anything is learned."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from understudy.core.dataset import Dataset, Violation
from understudy.core.errors import RuleError, UnknownNameError
from understudy.core.rules import Handling, Rule
from understudy.core.schema import Column, Kind
from understudy.sampling.margins import FEWEST


@dataclass(frozen=True)
class Cleaned:
    """Real rows that obey their schema, and what was found and done on the way.

    Attributes:
        dataset: the rows, under a schema whose every statement they obey.
        found: one violation per broken statement, with its count and what was done.
    """

    dataset: Dataset
    found: tuple[Violation, ...]


def clean(dataset: Dataset, handling: Handling | None = None) -> Cleaned:
    """Treat the rows that break bounds, closed sets or rules, as the schema or the person says.

    `drop` leaves the rows out, `repair` makes the offending cells missing, `keep_rate` learns the rows as they
    are: synthetic rows break the rule as often, and a bound is withdrawn. Each rule says its own handling. Cells
    outside bounds or closed sets are learned as they are unless the person chooses otherwise; but those of fewer
    than 5 patients, which no synthesizer may show, leave the statement in force.

    Args:
        dataset: the real rows.
        handling: what the person chose for every statement, or None.

    Raises:
        RuleError: if a rule names a column that is not there, or cannot be computed.
    """
    found: list[Violation] = []
    for column in dataset.columns:
        dataset = _clean_column(dataset, column, handling, found)
    kept = []
    for rule in dataset.schema.rules:
        broken = _breaking(dataset, rule)
        rows = int(broken.sum() or 0)
        chosen = handling or rule.on_violation
        if rows:
            done = _done(rows, chosen)
            where = f"rule {rule.name or rule.says()!r}"
            breaking = f"{rows} of {dataset.rows} rows to learn from {'breaks' if rows == 1 else 'break'}"
            said = f"{breaking} {rule.says()}; {done}"
            found.append(Violation(where, said, rows, "warning"))
            dataset = _treat(dataset, broken, rule.columns, chosen)
        if chosen == "keep_rate":
            share = rows / max(dataset.rows, 1)
            rule = rule.model_copy(update={"on_violation": chosen, "rate": share})
        kept.append(rule)
    return Cleaned(
        dataset.with_schema(dataset.schema.model_copy(update={"rules": tuple(kept)})), tuple(found)
    )


def clean_apart(
    train: Dataset, holdout: Dataset | None, handling: Handling | None = None
) -> tuple[Dataset, Dataset | None, tuple[Violation, ...]]:
    """Treat the rows to learn from, then the holdout alike, under the schema that the former left.

    What is withdrawn or kept is decided by the rows to learn from alone: the holdout decides nothing.

    Returns:
        Both parts under one schema, and what was found in the rows to learn from.
    """
    cleaned = clean(train, handling)
    schema = cleaned.dataset.schema
    if holdout is not None:
        holdout = clean(holdout.with_schema(schema), handling).dataset.with_schema(schema)
    return cleaned.dataset, holdout, cleaned.found


def _breaking(dataset: Dataset, rule: Rule) -> pl.Series:
    """Return which rows break a rule, one boolean per row."""
    names = dataset.table.names
    for name in rule.columns:
        if name not in names:
            raise RuleError(f"rule {rule.says()!r}: {UnknownNameError('column', name, names)}")
    try:
        return dataset.frame.select(rule.broken().alias("broken"))["broken"]
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise RuleError(
            f"rule {rule.says()!r} cannot be computed: {reason}. Compare columns of one kind, and put text in "
            "single quotes."
        ) from error


def _clean_column(
    dataset: Dataset, column: Column, handling: Handling | None, found: list[Violation]
) -> Dataset:
    broken = _out_of_domain(dataset.frame[column.name], column)
    rows = int(broken.sum() or 0)
    if not rows:
        return dataset
    limits = "its closed set" if column.values is not None else f"its bounds {_limits(column)}"
    where = f"column {column.name!r}"
    counted = f"{_counted(rows, 'value', 'values')} of {dataset.rows} to learn from"
    lying = f"{counted} {'lies' if rows == 1 else 'lie'} outside {limits}"
    if handling in (None, "keep_rate") and _are_protected(dataset.frame[column.name].filter(broken)):
        said = f"{lying}, held by too few patients to be shown; none comes back."
        found.append(Violation(where, said, rows, "warning"))
        return dataset
    if handling is None and rows < FEWEST:
        said = f"{lying}, held by too few patients to be shown; learned as missing."
        found.append(Violation(where, said, rows, "warning"))
        return _treat(dataset, broken, (column.name,), "repair")
    handling = handling or "keep_rate"
    found.append(Violation(where, f"{lying}; {_done(rows, handling)}", rows, "warning"))
    if handling != "keep_rate":
        return _treat(dataset, broken, (column.name,), handling)
    open_column = column.model_copy(update={"low": None, "high": None, "values": None})
    return dataset.with_schema(dataset.schema.with_table(dataset.table.replacing([open_column])))


def _out_of_domain(values: pl.Series, column: Column) -> pl.Series:
    if column.kind is Kind.NUMBER:
        low = float("-inf") if column.low is None else column.low
        high = float("inf") if column.high is None else column.high
        return ((values < low) | (values > high)).fill_null(value=False)
    if column.values is not None and values.dtype == pl.String:
        return (~values.is_in(list(column.values))).fill_null(value=False)
    return pl.Series([False] * len(values), dtype=pl.Boolean)


def _are_protected(values: pl.Series) -> bool:
    """Say whether every offending level is so rare that no synthesizer may draw it."""
    return values.dtype == pl.String and int(values.value_counts()["count"].max() or 0) < FEWEST  # type: ignore[arg-type]


def _treat(dataset: Dataset, broken: pl.Series, columns: tuple[str, ...], handling: Handling) -> Dataset:
    if handling == "drop":
        return dataset.with_frame(dataset.frame.filter(~broken))
    if handling == "repair":
        emptied = [pl.when(~broken).then(pl.col(name)).alias(name) for name in columns]
        return dataset.with_frame(dataset.frame.with_columns(emptied))
    return dataset


def _done(rows: int, handling: Handling) -> str:
    return {
        "drop": f"{_counted(rows, 'row is', 'rows are')} left out of learning.",
        "repair": "the cells concerned became missing.",
        "keep_rate": "learned as they are, and synthetic rows break it about as often. "
        "Choose `drop` or `repair` to change that.",
    }[handling]


def _limits(column: Column) -> str:
    low = "-∞" if column.low is None else f"{column.low:g}"
    high = "∞" if column.high is None else f"{column.high:g}"
    return f"{low} to {high}{f' {column.unit}' if column.unit else ''}"


def _counted(rows: int, one: str, many: str) -> str:
    return f"{rows} {one if rows == 1 else many}"
