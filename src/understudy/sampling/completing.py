"""Completing partial rows: given cells are kept as they are, open cells are drawn to go with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from understudy.core.conditions import OneOf, Where
from understudy.core.dataset import CANONICAL
from understudy.core.errors import ConditionError
from understudy.core.schema import Column, Kind, Schema
from understudy.core.seeds import Seed
from understudy.modalities.wishes import holds
from understudy.sampling.drawing import Restriction, RowModel
from understudy.sampling.rules import RowRules

CHUNK = 50_000
CANDIDATES = 32
_ROUNDS = 12
_SHOWN = 5


def partial_cells(partial: pl.DataFrame, where: Sequence[Where], schema: Schema, n: int) -> pl.DataFrame:
    """Return the given cells for `n` rows: the partial rows in order, each equally often.

    Raises:
        ConditionError: if a column is unknown, made anew or not canonical, if a given cell breaks its column's
            bounds or a condition, or if `n` is no multiple of the number of partial rows.
    """
    if not partial.height or n % partial.height:
        raise ConditionError(
            f"{n} rows cannot be made of {partial.height} partial rows; ask for {partial.height} "
            "rows, or a multiple for several completions of each"
        )
    for name in partial.columns:
        column = schema.table.column(name)
        cells = partial[name]
        if cells.null_count() == len(cells):
            continue
        if not column.is_learned:
            raise ConditionError(
                f"column {name!r} is an identifier that is made anew; leave it out of partial rows"
            )
        if cells.dtype != CANONICAL[column.kind]:
            raise ConditionError(
                f"partial rows hold {name!r} as {cells.dtype}, expected {CANONICAL[column.kind]} for kind "
                f"{column.kind.value!r}; bring them into canonical form first"
            )
        if wrong := _outside(cells, column):
            raise ConditionError(
                f"{wrong} given cells of {name!r} are outside its bounds or levels; correct them"
            )
    used = [name for name in partial.columns if partial[name].null_count() < partial.height]
    for wish in where:
        if wish.column in used:
            kept = partial.filter(pl.col(wish.column).is_not_null())
            wrong = kept.height - kept.filter(holds(wish, schema)).height
            if wrong:
                raise ConditionError(
                    f"{wrong} partial rows give a {wish.column!r} that is not {wish.says()!r}"
                )
    return partial.select(used)[np.arange(n) % partial.height]


def complete_rows(
    model: RowModel, rules: RowRules, cells: pl.DataFrame, where: Sequence[Where], seed: Seed
) -> pl.DataFrame:
    """Return one completed row for each row of cells: of several candidates one, by importance resampling.

    A column that some rows give and others leave open is filled in all of them, also where real rows miss it.

    Args:
        model: draws candidates around known cells.
        rules: hold in every completed row.
        cells: given cells, null where open, shape (rows, some columns).
        where: resolved conditions on every row.
        seed: source of randomness.

    Raises:
        ConditionError: if some rows cannot be completed; says which.

    Reference:
        Rubin, Using the SIR algorithm to simulate posterior distributions, Bayesian Statistics 3 (1988).
    """
    filled = (OneOf(column=c, values=(None,), exclude=True) for c in cells.columns if cells[c].null_count())
    where = (*where, *filled)
    rng = seed.rng()
    waiting, frames, places = np.arange(cells.height), [], []
    for _ in range(_ROUNDS):
        left = []
        for start in range(0, len(waiting), CHUNK // CANDIDATES):
            rows = waiting[start : start + CHUNK // CANDIDATES]
            frame, found = _round(model, rules, cells[rows], where, rng)
            frames.append(frame)
            places.append(rows[found])
            left.append(rows[~found])
        waiting = np.concatenate(left)
        if not len(waiting):
            return pl.concat(frames)[np.argsort(np.concatenate(places), kind="stable")]
    shown = ", ".join(str(i + 1) for i in waiting[:_SHOWN])
    obeyed = "; ".join(part for part in (rules.says(), *(w.says() for w in where)) if part)
    raise ConditionError(
        f"{len(waiting)} partial rows cannot be completed, such as row {shown}: no draw of "
        f"{_ROUNDS * CANDIDATES} agrees with their cells and obeys: {obeyed}. Correct or open more of their cells."
    )


def _round(
    model: RowModel, rules: RowRules, cells: pl.DataFrame, where: Sequence[Where], rng: np.random.Generator
) -> tuple[pl.DataFrame, np.ndarray]:
    """Return one candidate for each row that has a valid one, and which rows these are."""
    known = cells[np.repeat(np.arange(cells.height), CANDIDATES)]
    restriction = Restriction(tuple(where), known.drop([c for c in rules.derived if c in known.columns]))
    drawn = model.draw(known.height, rng, restriction)
    log_weight = np.array(drawn.log_weight, dtype=np.float64)
    frame = _keeping(drawn.frame, known)
    given = [rule for rule in rules.computed if rule.column in known.columns]
    frame = rules.complete(
        frame.drop([rule.column for rule in rules.computed if rule.column in frame.columns])
    )
    for rule in given:
        far = (frame[rule.column] - known[rule.column]).abs() > rule.tolerance + 1e-9
        log_weight[far.fill_null(value=False).to_numpy()] = -np.inf
    frame = _keeping(frame, known)
    log_weight[~rules.valid(frame)] = -np.inf
    if where:
        kept = frame.select(pl.all_horizontal([holds(w, model.schema) for w in where])).to_series()
        log_weight[~kept.to_numpy()] = -np.inf
    keys = (log_weight + rng.gumbel(size=len(log_weight))).reshape(-1, CANDIDATES)
    best = keys.argmax(axis=1)
    found = keys[np.arange(len(keys)), best] > -np.inf
    return frame[(np.arange(len(keys)) * CANDIDATES + best)[found]], found


def _keeping(frame: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the known cells in their places."""
    return frame.with_columns(
        pl.when(known[name].is_not_null()).then(known[name]).otherwise(frame[name]).alias(name)
        for name in known.columns
        if name in frame.columns
    )


def _outside(cells: pl.Series, column: Column) -> int:
    """Count the given cells that the schema does not allow."""
    if column.kind is Kind.NUMBER:
        low = -np.inf if column.low is None else column.low
        high = np.inf if column.high is None else column.high
        return int((~cells.drop_nulls().is_between(low, high)).sum())
    if column.values is not None and cells.dtype == pl.String:
        return int((~cells.drop_nulls().is_in(list(column.values))).sum())
    return 0
