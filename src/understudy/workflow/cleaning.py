"""What the real data break of their own schema, and what is done about it before anything is learned."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from understudy.core.dataset import Dataset, Violation
from understudy.core.rules import Handling
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

    `drop` leaves the rows out, `repair` makes the offending cells missing, `keep_rate` learns the rows as
    they are and withdraws the statement, so that synthetic rows break it about as often. Each rule says its
    own handling; bounds and closed sets are kept unless the person chooses otherwise.

    Args:
        dataset: the real rows.
        handling: what the person chose for every statement, or None.
    """
    found: list[Violation] = []
    for column in dataset.columns:
        dataset = _clean_column(dataset, column, handling or "keep_rate", found)
    kept = []
    for rule in dataset.schema.rules:
        broken = dataset.frame.select(rule.broken().alias("broken"))["broken"]
        rows = int(broken.sum() or 0)
        chosen = handling or rule.on_violation
        if rows:
            done = _done(rows, chosen)
            where = f"rule {rule.name or rule.says()!r}"
            found.append(Violation(where, f"{rows} real rows break {rule.says()}; {done}", rows, "warning"))
            dataset = _treat(dataset, broken, rule.columns, chosen)
        if not rows or chosen != "keep_rate":
            kept.append(rule)
    return Cleaned(
        dataset.with_schema(dataset.schema.model_copy(update={"rules": tuple(kept)})), tuple(found)
    )


def _clean_column(dataset: Dataset, column: Column, handling: Handling, found: list[Violation]) -> Dataset:
    broken = _out_of_domain(dataset.frame[column.name], column)
    rows = int(broken.sum() or 0)
    if not rows:
        return dataset
    limits = "its closed set" if column.values is not None else f"its bounds {_limits(column)}"
    where = f"column {column.name!r}"
    if handling == "keep_rate" and _are_protected(dataset.frame[column.name].filter(broken)):
        said = f"{rows} real values outside its closed set are held by too few patients to be shown; none comes back."
        found.append(Violation(where, said, rows, "warning"))
        return dataset
    found.append(
        Violation(where, f"{rows} real values lie outside {limits}; {_done(rows, handling)}", rows, "warning")
    )
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
    word = "row" if rows == 1 else "rows"
    return {
        "drop": f"the {word} left out of learning.",
        "repair": "the cells concerned became missing.",
        "keep_rate": f"the {word} learned as they are, so synthetic rows break it about as often. "
        "Choose `drop` or `repair` to change that.",
    }[handling]


def _limits(column: Column) -> str:
    low = "-∞" if column.low is None else f"{column.low:g}"
    high = "∞" if column.high is None else f"{column.high:g}"
    return f"{low} to {high}{f' {column.unit}' if column.unit else ''}"
