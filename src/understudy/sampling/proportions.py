"""Requested proportions as strata with whole numbers of rows that meet every margin exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from understudy.core.conditions import Balanced, OneOf, Proportion, Where
from understudy.core.errors import ConditionError

_ROUNDS = 200
_LEAST = 1e-9


@dataclass(frozen=True)
class Part:
    """One stratum of one column: a level, or all that is not named.

    Attributes:
        where: what its rows satisfy.
        share: its share of all rows.
    """

    where: OneOf
    share: float


@dataclass(frozen=True)
class Stratum:
    """Rows that satisfy some conditions together, and how many of them there shall be."""

    where: tuple[Where, ...]
    rows: int

    def says(self) -> str:
        """Return the stratum in words."""
        return "; ".join(w.says() for w in self.where)


def parts_of(
    shares: Sequence[Proportion], levels: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[Part, ...]]:
    """Return the strata of each column that the proportions speak of.

    Args:
        shares: resolved proportions.
        levels: by column, the levels that can be drawn.

    Raises:
        ConditionError: if a column is both balanced and given shares, or has no level to balance.
    """
    found: dict[str, tuple[Part, ...]] = {}
    for column in dict.fromkeys(s.column for s in shares):
        mine = [s for s in shares if s.column == column]
        if any(isinstance(s, Balanced) for s in mine):
            if len({s.want for s in mine}) > 1:
                raise ConditionError(f"{column!r} is to be balanced and to have shares; ask for one of them")
            known = levels.get(column, ())
            if not known:
                raise ConditionError(f"{column!r} has no level that can be drawn, so it cannot be balanced")
            found[column] = tuple(Part(OneOf(column=column, values=(v,)), 1 / len(known)) for v in known)
            continue
        named: dict[str, float] = {}
        for share in mine:
            if not isinstance(share, Balanced):
                named[share.value] = named.get(share.value, 0.0) + share.proportion
        parts = [Part(OneOf(column=column, values=(v,)), p) for v, p in named.items()]
        rest = 1 - sum(named.values())
        if rest > _LEAST:
            parts.append(Part(OneOf(column=column, values=tuple(named), exclude=True), rest))
        found[column] = tuple(parts)
    return found


def whole(shares: Sequence[float], n: int) -> np.ndarray:
    """Return whole numbers that add up to `n` and lie within one of `n * shares` (largest remainder)."""
    exact = np.asarray(shares, dtype=np.float64) * n / sum(shares)
    rows = np.floor(exact + _LEAST).astype(np.int64)
    order = np.argsort(-(exact - rows), kind="stable")
    rows[order[: n - rows.sum()]] += 1
    return rows


def strata_of(
    parts: Mapping[str, tuple[Part, ...]],
    n: int,
    joint: Callable[[Sequence[tuple[Where, ...]]], np.ndarray],
) -> list[Stratum]:
    """Return the strata of `n` rows; each column's proportions are exact to one row.

    Several columns are joined so that, within the proportions, they depend on each other as they do without
    them (iterative proportional fitting), then rounded to whole rows without touching a margin.

    Args:
        parts: the strata of each column.
        n: number of rows.
        joint: returns the model's probability of each stratum, shape (strata,).

    Raises:
        ConditionError: if no joint distribution has these proportions.

    Reference:
        Deming and Stephan, Annals of Mathematical Statistics 11 (1940); Bacharach, Int. Econ. Review 6 (1965).
    """
    margins = [whole([p.share for p in column], n) for column in parts.values()]
    cells = [tuple(p.where for p in combination) for combination in product(*parts.values())]
    if len(parts) == 1:
        rows = margins[0]
    else:
        shape = tuple(len(m) for m in margins)
        chances = joint(cells).reshape(shape)
        _refuse_empty(parts, margins, chances)
        rows = _rounded(_fitted(chances, margins), margins).ravel()
    return [Stratum(where, int(k)) for where, k in zip(cells, rows, strict=True) if k]


def _refuse_empty(
    parts: Mapping[str, tuple[Part, ...]], margins: Sequence[np.ndarray], joint: np.ndarray
) -> None:
    for axis, (column, wanted) in enumerate(zip(parts.values(), margins, strict=True)):
        chance = joint.sum(axis=tuple(a for a in range(joint.ndim) if a != axis))
        for part, rows, share in zip(column, wanted, chance, strict=True):
            if rows and share <= 0:
                possible = "; ".join(p.where.says() for p, c in zip(column, chance, strict=True) if c > 0)
                raise ConditionError(
                    f"the proportions ask for {rows} rows with {part.where.says()!r}, but no patient under the "
                    f"other conditions is like this. Nearest feasible: shares of {possible or 'nothing'}"
                )


def _fitted(joint: np.ndarray, margins: Sequence[np.ndarray]) -> np.ndarray:
    """Return the table with these margins that is nearest to `joint` in the Kullback-Leibler sense."""
    table = joint / max(joint.sum(), 1e-300)
    for _ in range(_ROUNDS):
        for axis, wanted in enumerate(margins):
            others = tuple(a for a in range(table.ndim) if a != axis)
            now = table.sum(axis=others, keepdims=True)
            shape = [-1 if a == axis else 1 for a in range(table.ndim)]
            table = table * np.where(now > 0, wanted.reshape(shape) / np.where(now > 0, now, 1), 0)
    return np.asarray(table)


def _rounded(table: np.ndarray, margins: Sequence[np.ndarray]) -> np.ndarray:
    """Return whole numbers near the table with exactly these margins; cells of probability 0 stay empty."""
    size, index = table.size, np.indices(table.shape).reshape(table.ndim, -1)
    rows = [
        csr_array((np.ones(size), (part, np.arange(size))), shape=(len(m), size))
        for part, m in zip(index, margins, strict=True)
    ]
    is_possible = table.ravel() > _LEAST
    floor = np.where(is_possible, np.floor(table.ravel() + _LEAST), 0)
    for above in (np.ones(size), np.full(size, np.inf)):
        # x = floor + extra: the larger the fraction that is cut off, the cheaper its extra row.
        cost = 1 - (table.ravel() - floor)
        limits = [
            LinearConstraint(matrix, wanted - matrix @ floor, wanted - matrix @ floor)
            for matrix, wanted in zip(rows, margins, strict=True)
        ]
        least = np.zeros(size) if above[0] == 1 else -floor
        found = milp(
            cost,
            integrality=np.ones(size, dtype=np.int64),
            bounds=Bounds(least, np.where(is_possible, above, 0)),
            constraints=limits,
        )
        if found.x is not None:
            return np.asarray((floor + np.round(found.x)).astype(np.int64).reshape(table.shape))
    raise ConditionError(
        "the requested proportions cannot hold together: combinations that they need do not occur. "
        "Ask for fewer of them, or for less extreme ones."
    )
