"""The real side of a run: reading, cleaning and splitting, so that the holdout is never seen by a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from understudy.core.dataset import Dataset, Violation, drawn
from understudy.core.errors import PlanError, SchemaError, SourceError
from understudy.core.schema import Column, Role, Schema, Table
from understudy.core.seeds import Seed
from understudy.modalities.tabular import canonical
from understudy.sources.files import Reading
from understudy.sources.reading import read_table
from understudy.workflow.cleaning import clean_apart
from understudy.workflow.plan import Holdout, Plan

Frames = Mapping[str, pl.DataFrame | Reading]

SMALL_ROWS = 1_000
SMALL_SPLITS = 5
_SPLIT_COLUMNS = 400
_FEWEST_SPLIT = 5


@dataclass(frozen=True)
class Inputs:
    """The real rows of a run.

    Attributes:
        train: rows to learn from.
        holdout: rows that fitting never sees, or None; treated as `train` is.
        pool: rows as they were read, that further splits of a small table are made of.
        partial: rows to complete in canonical form, or None.
        found: what the rows to learn from break of their schema, and what was done about it.
        notes: what was noticed while reading.
    """

    train: Dataset
    holdout: Dataset | None
    pool: Dataset
    partial: pl.DataFrame | None
    found: tuple[Violation, ...]
    notes: tuple[str, ...]


def raw_table(
    name: str, frames: Frames, read: Mapping[str, Any] | None = None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return a raw table and the notes of its reading: one of the given frames, or a file read as `read` says."""
    found = frames[name] if name in frames else read_table(name, settings=read)
    return (found.frame, found.notes) if isinstance(found, Reading) else (found, ())


def as_schema_says(frame: pl.DataFrame, schema: Schema, name: str) -> tuple[Dataset, list[Violation]]:
    """Read a raw table into canonical form.

    Raises:
        SchemaError: if a column of the schema is not in the table.
        SourceError: if the table has no row.
    """
    absent = [c for c in schema.table.names if c not in frame.columns]
    if absent:
        raise SchemaError(
            f"table {name!r} lacks {len(absent)} columns of its schema: {', '.join(map(repr, absent[:5]))}. "
            "Remove them from the schema, or name the table that has them."
        )
    if frame.height == 0:
        raise SourceError(f"table {name!r} has a header but no rows; at least 2 rows are needed")
    return canonical(frame, schema)


def read_inputs(plan: Plan, frames: Frames) -> Inputs:
    """Read, clean and split the private table of a plan.

    Raises:
        SourceError: if a table cannot be read or holds too few rows.
        SchemaError: if a table does not fit the schema.
        PlanError: if the plan learns from fewer than 2 rows.
    """
    if plan.train_rows is not None and plan.train_rows < 2:
        raise PlanError(f"train_rows is {plan.train_rows}; at least 2 rows are needed to learn anything")
    frame, notes = raw_table(plan.table, frames, plan.read)
    dataset, unreadable = as_schema_says(frame, plan.schema_, plan.table)
    train, holdout = _split(plan, dataset, frames)
    if plan.train_rows is not None:
        train = _at_most(train, plan.train_rows, Seed(plan.seed).child("train_rows"))
    train, holdout, broken = clean_apart(train, holdout, plan.violations)
    if train.rows < 2:
        raise SourceError(
            f"table {plan.table!r} has {train.rows} usable rows; at least 2 are needed to learn anything"
        )
    found = (*(Violation(v.where, v.message, v.rows, "warning") for v in unreadable), *broken)
    partial = None
    if plan.complete:
        partial, said = partial_rows(plan.complete, train.schema, frames)
        notes = (*notes, *said)
    return Inputs(train, holdout, dataset, partial, found, (*notes, *overlap(train, holdout)))


def partial_rows(name: str, schema: Schema, frames: Frames) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the rows that a table gives to be completed, in canonical form, and what was noticed.

    Args:
        name: path of the table, or the name of one of `frames`; it may leave out columns.
        schema: the schema of whole rows.
        frames: tables in memory.

    Raises:
        SourceError: if the table cannot be read.
        SchemaError: if it has a column that whole rows lack, none that is learned, or a cell that cannot be read:
            a cell that was given shall not be filled with another.
    """
    frame, _ = raw_table(name, frames)
    for column in frame.columns:
        schema.table.column(column)
    kept = tuple(c for c in schema.table.columns if c.is_learned and c.name in frame.columns)
    if not kept:
        raise SchemaError(f"table {name!r} gives no column that is learned; there is nothing to complete")
    rows, unreadable = canonical(frame, Schema(tables=(schema.table.model_copy(update={"columns": kept}),)))
    if unreadable:
        raise SchemaError(
            f"rows to complete, {unreadable[0].where}: {unreadable[0].rows} given cells cannot be read, such as "
            f"{', '.join(map(repr, unreadable[0].shown))}. Correct them, or leave them empty."
        )
    left = [column for column in frame.columns if column not in rows.table.names]
    note = f"rows to complete: {', '.join(map(repr, left))} is made anew, not kept; the order of rows is"
    return rows.frame, (note,) if left else ()


def learnable(frame: pl.DataFrame, patient: Column | None, holdout: Holdout, seed: int) -> pl.DataFrame:
    """Return the raw rows that a run learns from, so that what is proposed for it owes nothing to the holdout.

    Args:
        frame: the raw table.
        patient: the column that tells patients apart, or None if each row is a patient.
        holdout: what is kept from learning.
        seed: the seed of the plan.
    """
    groups = np.arange(frame.height)
    if patient is not None:
        table = Table(columns=(patient.model_copy(update={"roles": (Role.PATIENT,)}),))
        groups = canonical(frame, Schema(tables=(table,)))[0].patients
    held = _held(groups, holdout, seed)
    return frame if held is None else frame.filter(~held)


def _held(groups: np.ndarray, holdout: Holdout, seed: int) -> np.ndarray | None:
    """Return which rows are held out, bool of shape (rows,); None if none are."""
    if holdout.fraction is None or len(groups) < _FEWEST_SPLIT:
        return None
    return drawn(groups, holdout.fraction, Seed(seed).child("split"))


def _split(plan: Plan, real: Dataset, frames: Frames) -> tuple[Dataset, Dataset | None]:
    if plan.holdout.table is not None:
        frame, _ = raw_table(plan.holdout.table, frames)
        return real, as_schema_says(frame, plan.schema_, plan.holdout.table)[0]
    held = _held(real.patients, plan.holdout, plan.seed)
    if held is None:
        return real, None
    return real.take(np.flatnonzero(~held)), real.take(np.flatnonzero(held))


def _at_most(rows: Dataset, most: int, seed: Seed) -> Dataset:
    return rows if most >= rows.rows else rows.split(most / rows.rows, seed)[1]


def split_count(plan: Plan, rows: int, columns: int) -> int:
    """Return how many splits the evaluation of a table is pooled over.

    A small table is split five times, unless the plan says otherwise; a wide one fewer times, as time grows
    with its columns and the many columns steady the figures of one split. A holdout table of its own stays the
    only judge.

    Args:
        plan: the plan.
        rows: real rows.
        columns: columns that are learned.
    """
    if plan.holdout.fraction is None:
        return 1
    if plan.splits is not None:
        return plan.splits
    return min(SMALL_SPLITS, max(_SPLIT_COLUMNS // max(columns, 1), 1)) if rows < SMALL_ROWS else 1


def further_splits(plan: Plan, inputs: Inputs) -> list[tuple[Dataset, Dataset]]:
    """Return the further (train, holdout) splits over which the evaluation of a small table is pooled."""
    learned = sum(c.is_learned for c in inputs.pool.columns)
    wanted = split_count(plan, inputs.pool.rows, learned)
    fraction, seed = plan.holdout.fraction, Seed(plan.seed)
    if inputs.holdout is None or fraction is None or inputs.pool.rows < 10:
        return []
    splits = []
    for number in range(1, wanted):
        train, held = inputs.pool.split(fraction, seed.child(f"split-{number}"))
        if plan.train_rows is not None:
            train = _at_most(train, plan.train_rows, seed.child("rows"))
        train, treated, _ = clean_apart(train, held, plan.violations)
        assert treated is not None
        splits.append((train, treated))
    return splits


def overlap(train: Dataset, holdout: Dataset | None) -> tuple[str, ...]:
    """Say how many holdout rows equal a row to learn from, where these are more than chance lets expect.

    Raises:
        SourceError: if they are so many that the holdout is none.
    """
    if holdout is None:
        return ()
    names = [c.name for c in train.columns if c.is_learned]
    if len(names) < 3:
        return ()
    known = train.frame.select(names).unique()
    shared = holdout.frame.select(names).join(known, on=names, how="semi", nulls_equal=True).height
    if shared <= max(2, holdout.rows * 0.05):
        return ()
    if shared > holdout.rows / 2 and known.height > 0.9 * train.rows:
        raise SourceError(
            f"{shared} of {holdout.rows} holdout rows equal a row that is learned from: it is no holdout, and nothing "
            "could be judged with it. Name a table of other patients."
        )
    return (
        f"{shared} of {holdout.rows} holdout rows equal a row that was learned from: utility and privacy figures "
        "are too kind if they are the same patients.",
    )
