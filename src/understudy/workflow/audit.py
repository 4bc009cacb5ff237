"""The audit of any table: which plausibility rules apply to it, and which rows break them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.schema import Schema
from understudy.knowledge.columns import Reading, read_columns
from understudy.knowledge.recognition import recognise
from understudy.knowledge.rules import Applicable, PlausibilityRule, Severity, applicable, broken, check
from understudy.sources.profile import propose
from understudy.sources.reading import read_table
from understudy.workflow.inputs import as_schema_says

SHOWN_ROWS = 5
FEW = 5
"""So few broken rows are no sign of a wrong unit, however small the table."""


@dataclass(frozen=True)
class Checked:
    """One rule on one table.

    Attributes:
        rule: the rule.
        columns: the table's columns that it reads.
        checked: rows in which it could be decided.
        broken: rows that break it.
        shown: numbers of the first rows that break it, counted from 1 below the header; no cell is shown.
        is_believed: false where so many rows break it that a unit or a code is the likelier fault.
    """

    rule: PlausibilityRule
    columns: tuple[str, ...]
    checked: int
    broken: int
    shown: tuple[int, ...]
    is_believed: bool


@dataclass(frozen=True)
class Audit:
    """What the rules say of a table.

    Attributes:
        rows: rows of the table.
        readings: how each recognised column is read, by observation or fact.
        unknown: columns that no observation or fact fits.
        checked: every applicable rule, hard ones first, then the most broken.
        notes: what was noticed while reading.
    """

    rows: int
    readings: tuple[Reading, ...]
    unknown: tuple[str, ...]
    checked: tuple[Checked, ...]
    notes: tuple[str, ...]

    @property
    def violations(self) -> tuple[Checked, ...]:
        """The rules that some row breaks."""
        return tuple(entry for entry in self.checked if entry.broken)

    @property
    def is_clean(self) -> bool:
        """Whether no row breaks a hard rule."""
        return not any(entry.rule.severity is Severity.HARD for entry in self.violations)


def audit(frame: pl.DataFrame, schema: Schema | None = None, notes: tuple[str, ...] = ()) -> Audit:
    """Run the applicable plausibility rules of the knowledge base on a raw table.

    Args:
        frame: the raw table.
        schema: what it means; proposed from content and names if left out.
        notes: what was noticed while reading it.

    Raises:
        SchemaError: if the table does not fit the schema.
        SourceError: if it has no row.
    """
    proposal = None if schema is not None else propose(frame)
    chosen = schema if proposal is None else proposal.schema
    assert chosen is not None
    dataset, unread = as_schema_says(frame, chosen, "the table")
    hints = proposal.notes if proposal else ()
    return audited(dataset, (*notes, *(str(v) for v in unread)), hints)


def audit_file(path: str, schema: Schema | None = None) -> Audit:
    """Run the rules on a table in a file; see `audit`.

    Raises:
        SourceError: if the file cannot be read.
    """
    reading = read_table(path)
    return audit(reading.frame, schema, reading.notes)


def audited(dataset: Dataset, notes: tuple[str, ...] = (), hints: tuple[str, ...] = ()) -> Audit:
    """Run the rules on a dataset in canonical form.

    Args:
        dataset: the rows.
        notes: what was noticed while reading them.
        hints: notes of a proposed schema; those of columns that no rule reads are left out.
    """
    known = recognise(dataset.frame, dataset.columns)
    readings = read_columns(known.columns)
    places = {column.name: place for place, column in enumerate(dataset.columns)}
    used = {reading.column for reading in readings.values()}
    return Audit(
        rows=dataset.rows,
        readings=tuple(sorted(readings.values(), key=lambda r: places[r.column])),
        unknown=tuple(column.name for column in known.columns if column.name not in used),
        checked=_checked(dataset, applicable(known.columns)),
        notes=(*notes, *(hint for hint in hints if _is_about(hint, used)), *known.notes),
    )


def _is_about(hint: str, columns: Collection[str]) -> bool:
    return "taken for the target" not in hint and any(hint.startswith(f"column {c!r}") for c in columns)


def _checked(dataset: Dataset, found: tuple[Applicable, ...]) -> tuple[Checked, ...]:
    if not found:
        return ()
    marked = broken(dataset.frame, found)
    entries = []
    for entry, count in zip(found, check(dataset.frame, found), strict=True):
        first = marked[entry.rule.id].arg_true().head(SHOWN_ROWS) if count.broken else pl.Series([])
        shown = tuple(int(row) + 1 for row in first)
        believed = count.is_enforceable or count.broken < FEW
        entries.append(Checked(entry.rule, entry.columns, count.checked, count.broken, shown, believed))
    return tuple(sorted(entries, key=lambda e: (e.rule.severity is Severity.SOFT, -e.broken, e.rule.id)))
