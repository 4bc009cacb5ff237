"""The real rows that rows under conditions are compared with: what was asked for is no infidelity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from understudy.core.conditions import Conditions, Where
from understudy.core.dataset import Dataset
from understudy.core.errors import ConditionError
from understudy.core.seeds import Seed
from understudy.modalities.wishes import holds, matching, resolve
from understudy.sampling.margins import FEWEST
from understudy.sampling.proportions import Part, parts_of, strata_of

FEWEST_COMPARED = 50
_FINE = 1_000_000


@dataclass(frozen=True)
class Asked:
    """Real rows as the conditions ask for them.

    Attributes:
        train: of the rows that were learned from.
        holdout: of the holdout, or None.
        note: what was done, in words; empty where there was nothing to do.
    """

    train: Dataset
    holdout: Dataset | None
    note: str = ""


def as_asked(train: Dataset, holdout: Dataset | None, given: Conditions, seed: Seed) -> Asked:
    """Choose the real rows that satisfy the conditions, thinned at random to the proportions asked for.

    No row is repeated, so that what is measured on them stays as independent as real rows are. Where too few
    rows remain on a side, all are compared, and the note says so.

    Args:
        train: rows that were learned from.
        holdout: rows that were not, or None.
        given: the conditions.
        seed: decides which rows are left out.
    """
    if not given.where and not given.shares:
        return Asked(train, holdout)
    resolved = resolve(given, train.schema)
    levels = {name: _levels(train, name) for name in {share.column for share in resolved.shares}}
    try:
        parts = parts_of(resolved.shares, levels)
        chosen = _chosen(train, resolved, parts, seed.child("train"))
        held = None if holdout is None else _chosen(holdout, resolved, parts, seed.child("holdout"))
    except ConditionError:
        return Asked(
            train, holdout, f"No real rows are as asked ({given.says()}): compared with all of them."
        )
    if min(part.rows for part in (chosen, held) if part is not None) < FEWEST_COMPARED:
        said = f"Fewer than {FEWEST_COMPARED} real rows are as asked ({given.says()})"
        return Asked(
            train, holdout, f"{said}: compared with all real rows, so what was asked for counts as unlike."
        )
    beside = "" if held is None else f" and {held.rows} of {holdout.rows if holdout else 0} held out"
    return Asked(
        chosen,
        held,
        f"Compared with real rows as asked ({given.says()}): {chosen.rows} of {train.rows} learned from{beside}; "
        "privacy with all of them.",
    )


def _levels(rows: Dataset, name: str) -> tuple[str, ...]:
    """Return the levels of a column that can be drawn: those that enough people have."""
    counts = rows.frame[name].drop_nulls().cast(pl.String).rename("level").value_counts(name="rows")
    return tuple(counts.filter(pl.col("rows") >= FEWEST)["level"].sort())


def _chosen(rows: Dataset, given: Conditions, parts: Mapping[str, tuple[Part, ...]], seed: Seed) -> Dataset:
    """Return as many of the matching rows as have the proportions together."""
    rows = matching(rows, given)
    if not parts or not rows.rows:
        return rows

    def satisfying(where: Sequence[Where]) -> np.ndarray:
        return (
            rows.frame.select(pl.all_horizontal(holds(w, rows.schema) for w in where)).to_series().to_numpy()
        )

    strata = strata_of(parts, _FINE, lambda cells: np.array([satisfying(where).mean() for where in cells]))
    members = [np.flatnonzero(satisfying(stratum.where)) for stratum in strata]
    total = min(len(found) * _FINE / stratum.rows for found, stratum in zip(members, strata, strict=True))
    rng = seed.rng()
    kept = [
        rng.permutation(found)[: round(total * stratum.rows / _FINE)]
        for found, stratum in zip(members, strata, strict=True)
    ]
    return rows.take(np.sort(np.concatenate(kept)))
