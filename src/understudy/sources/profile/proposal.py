"""The proposal of a schema for a raw table, from content and names, each guess with its confidence and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from understudy.core.errors import SchemaError
from understudy.core.rules import Rule
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.seeds import Seed
from understudy.modalities.tabular import canonical
from understudy.sources.profile.cells import Cells
from understudy.sources.profile.copies import Copies, find_copies
from understudy.sources.profile.keys import (
    constant_within,
    may_link,
    patient_column,
    records_per_patient,
)
from understudy.sources.profile.kinds import guess_column
from understudy.sources.profile.levels import FEWEST, MOST_LISTED, listed
from understudy.sources.profile.roles import (
    likely_target,
    marks_parts,
    times_to,
    visit_time,
    with_attributes,
)
from understudy.sources.profile.rules import propose_rules

SAMPLE_ROWS = 4000
_UNSURE_TARGET = 0.7


@dataclass(frozen=True)
class Proposal:
    """A schema as the profile proposes it, and what a person should confirm.

    Attributes:
        schema: the proposal; its table carries the notes as well.
        notes: what was noticed: missing values in disguise, identifiers, copies, rules that rows break. They
            state counts and share no observed extreme or rare value.
    """

    schema: Schema
    notes: tuple[str, ...] = ()


# A default Seed is immutable: sharing one is safe.
def propose(
    frame: pl.DataFrame,
    name: str = "patients",
    seed: Seed = Seed(),  # noqa: B008
    patient: Column | None = None,
    target: str | None = None,
) -> Proposal:
    """Propose a schema for a raw table.

    Kinds, keys and copies are judged on all rows; rules are searched in a sample and counted on all rows.

    Args:
        frame: cells as they were read, of any type; at least the header.
        name: the table's name.
        seed: draws the sample of rows.
        patient: the column that tells patients apart, where it is known (see `linking_column`).
        target: the column that is predicted, where it is known.

    Raises:
        SchemaError: if a column holds Python objects or nested values, which are no cells.
    """
    odd = [c for c in frame.columns if frame[c].dtype == pl.Object or frame[c].dtype.is_nested()]
    if odd:
        raise SchemaError(
            f"table {name!r}: column {odd[0]!r} holds {frame[odd[0]].dtype} values; "
            "a cell must be one text, number, date or truth value: convert or drop the column"
        )
    cells = [Cells.of(frame[column]) for column in frame.columns]
    guesses = [guess_column(cell) for cell in cells]
    columns = [guess.column for guess in guesses]
    notes = [note for guess in guesses for note in guess.notes]
    if patient is not None:
        columns = [patient if column.name == patient.name else column for column in columns]
    linking = patient_column(cells, columns) if patient is None else patient.name
    columns, found = _with_patient(frame, cells, columns, linking)
    notes += found
    distinct = {cell.name: cell.distinct for cell in cells}
    columns = [with_attributes(column, distinct[column.name]) for column in columns]
    columns, found = _with_listed(cells, columns, frame[linking] if linking else None)
    notes += found

    rows = _sampled(frame, seed)
    everything = Schema(tables=(Table(columns=tuple(columns)),))
    sample = canonical(frame[rows], everything)[0].frame if columns else pl.DataFrame()
    copies = find_copies(_comparable(cells, columns), columns, rows)
    columns = _with_time(columns, visit_time(_visits(frame, columns, linking), columns, linking))
    columns, found = _with_target(columns, distinct, copies, target)
    notes += [*found, *_about(cells, columns, copies)]
    settled = propose_rules(frame, sample, columns, copies)
    notes += [*settled.notes, *_parallel(copies, settled.rules)]
    table = Table(name=name, columns=tuple(columns), notes=tuple(notes))
    return Proposal(Schema(tables=(table,), rules=settled.rules), tuple(notes))


def linking_column(frame: pl.DataFrame) -> Column | None:
    """Return the column that tells which rows belong to one patient, or None if each row is a patient.

    Only columns that are named like one are looked at, and only to see whether their values repeat.
    """
    cells = [Cells.of(frame[name]) for name in frame.columns if may_link(name)]
    columns = [guess_column(cell).column for cell in cells]
    name = patient_column(cells, columns)
    return next((column for column in columns if column.name == name), None)


def _sampled(frame: pl.DataFrame, seed: Seed) -> np.ndarray:
    if frame.height <= SAMPLE_ROWS:
        return np.arange(frame.height)
    return np.sort(seed.child("profile").rng().choice(frame.height, SAMPLE_ROWS, replace=False))


def _comparable(cells: Sequence[Cells], columns: Sequence[Column]) -> pl.DataFrame:
    tidy = [c.without(k.sentinels).raw for c, k in zip(cells, columns, strict=True) if k.is_learned]
    return pl.DataFrame(tidy)


def _with_patient(
    frame: pl.DataFrame, cells: Sequence[Cells], columns: Sequence[Column], patient: str | None
) -> tuple[list[Column], list[str]]:
    if patient is None:
        return list(columns), []
    found = []
    for cell, column in zip(cells, columns, strict=True):
        if column.name == patient:
            repeated = records_per_patient(cell)
            roles = tuple(dict.fromkeys((*column.roles, Role.PATIENT, Role.KEY)))
            column = column.model_copy(update={"roles": roles, "reason": f"{column.reason}; {repeated}"})
            note = f"rows are linked by {patient!r}: {repeated}; splits keep patients together"
        found.append(column)
    plain = [c.name for c, k in zip(cells, columns, strict=True) if k.kind is not Kind.TEXT]
    fixed = constant_within(frame.select(plain), patient)
    same = f"the same in all rows of a patient: {_named(fixed, 12)}"
    return found, [note, *([same] if fixed else [])]


def _visits(frame: pl.DataFrame, columns: Sequence[Column], patient: str | None) -> pl.DataFrame:
    if patient is None:
        return pl.DataFrame()
    kept = tuple(c for c in columns if c.name == patient or c.kind is Kind.NUMBER)
    # The first rows, not sampled ones: the rows of a patient follow each other.
    return canonical(frame.head(SAMPLE_ROWS), Schema(tables=(Table(columns=kept),)))[0].frame


def _with_listed(
    cells: Sequence[Cells], columns: Sequence[Column], people: pl.Series | None
) -> tuple[list[Column], list[str]]:
    """List the levels of categories, apart from those that may point at a person."""
    found, rarely = [], []
    for cell, column in zip(cells, columns, strict=True):
        tidy = cell.without(column.sentinels)
        wanted = column.kind is Kind.CATEGORY and column.values is not None
        if wanted or (column.kind is Kind.CODE and tidy.distinct <= MOST_LISTED):
            kept, rare = listed(tidy, people)
            order = column.values or kept
            values = tuple(v for v in order if v in kept) or None
            column = column.model_copy(
                update={"values": values, "ordered": column.ordered and values is not None}
            )
            if rare:
                rarely.append(f"{column.name!r} ({rare})")
        found.append(column)
    note = f"levels of fewer than {FEWEST} patients may point at one, and are not listed: {', '.join(rarely)}"
    return found, [note] if rarely else []


def _with_time(columns: Sequence[Column], time: str | None) -> list[Column]:
    return [
        c.model_copy(update={"roles": tuple(dict.fromkeys((*c.roles, Role.TIME)))}) if c.name == time else c
        for c in columns
    ]


def _with_target(
    columns: Sequence[Column], distinct: dict[str, int], copies: Copies, asked: str | None
) -> tuple[list[Column], list[str]]:
    """Mark the target that was asked for, or else the likely one, and tell what gives it away."""
    best = likely_target(columns, distinct, copies.same) if asked is None else (asked, 1.0)
    if best is None:
        return list(columns), []
    name, score = best
    found, notes = [], []
    for column in columns:
        if column.name == name:
            update: dict[str, object] = {"roles": (*column.roles, Role.TARGET)}
            if asked is None:
                update["reason"] = f"{column.reason}; likely the target (confidence {score:.2g})"
            column = column.model_copy(update=update)
        found.append(column)
    if asked is None:
        doubt = "; confirm it" if score < _UNSURE_TARGET else ""
        notes.append(f"column {name!r} is taken for the target (confidence {score:.2g}){doubt}")
    return found, [*notes, *_leaks(name, columns, copies)]


def _leaks(target: str, columns: Sequence[Column], copies: Copies) -> list[str]:
    """Name the columns that give the target away."""
    pairs = [*copies.same.items(), *copies.follows, *((a, b) for a, b, _ in copies.near)]
    others = [b if a == target else a for a, b in pairs if target in (a, b)]
    notes = []
    if others:
        named = _named(tuple(dict.fromkeys(others)), 5)
        notes.append(f"the target {target!r} is given away by {named}: leave out of predictions")
    if times := times_to(target, columns):
        notes.append(
            f"{_named(times, 5)} may be the time until {target!r}: it gives the target away in a prediction, and "
            "belongs to it in an analysis of survival"
        )
    return notes


def _parallel(copies: Copies, rules: Sequence[Rule]) -> list[str]:
    """Name numbers that say nearly the same, those left out that a rule ties together."""
    tied = [set(rule.columns) for rule in rules]
    return [
        f"column {new!r} nearly repeats {old!r} (correlation {correlation:.5g}): one of them may do"
        for new, old, correlation in copies.parallel
        if not any({new, old} <= names for names in tied)
    ]


def _about(cells: Sequence[Cells], columns: Sequence[Column], copies: Copies) -> list[str]:
    notes = []
    direct = [f"{c.name!r} ({c.identifier})" for c in columns if c.has(Role.IDENTIFIER)]
    if direct:
        notes.append(f"direct identifiers, never learned and made anew: {', '.join(direct)}")
    constant = [c.name for c in cells if c.filled > 1 and c.distinct == 1]
    if constant:
        notes.append(f"always the same value: {_named(constant, 12)}")
    for new, old in copies.same.items():
        how = "equals" if new in copies.equal else "holds the same levels under other names as"
        notes.append(f"column {new!r} {how} {old!r}")
    for new, old, share in copies.near:
        notes.append(f"column {new!r} agrees with {old!r} in {100 * share:.4g} % of the sampled rows")
    parts = [c.name for c in columns if marks_parts(c)]
    if parts:
        notes.append(
            f"says which rows a study learned from and tested on, no trait of patients: {_named(parts, 5)}"
        )
    prose = [c.name for c in columns if c.kind is Kind.TEXT and not c.has(Role.IDENTIFIER)]
    if prose:
        notes.append(f"free text, not learned as levels: {_named(prose, 12)}")
    return notes


def _named(names: Sequence[str], most: int) -> str:
    shown = ", ".join(repr(n) for n in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
