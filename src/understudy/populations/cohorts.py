"""Cohorts: patients of a population who meet conditions that a generator honours, and others checked on drawn rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import polars as pl

from understudy.core.conditions import Conditions, Feasibility, OneOf, Proportion, Where
from understudy.core.contracts import Generator
from understudy.core.dataset import Dataset
from understudy.core.errors import ConditionError
from understudy.core.rules import sql
from understudy.core.seeds import Seed
from understudy.modalities.wishes import holds, resolve
from understudy.populations.logic import Joined, as_where, conjuncts, parse
from understudy.populations.structure import ASKED
from understudy.sampling.proportions import parts_of, strata_of

PILOT = 2_000
_LARGE_PILOT = 4_000
_SMALL_PILOT = 500
_EASY = 0.05
_MOST_DRAWN = 2_000_000
_MOST_CHUNK = 100_000
_MOST_BRANCHES = 16
_LEAST = 1e-9
_TURNS = 20


@dataclass(frozen=True)
class Wish:
    """What every patient of a cohort satisfies.

    Attributes:
        where: conditions that the generator honours as it draws.
        rest: SQL conditions that are checked on drawn rows.
        shares: exact proportions over the cohort.
        names: what a person calls each of `rest`, for messages.
    """

    where: tuple[Where, ...] = ()
    rest: tuple[str, ...] = ()
    shares: tuple[Proportion, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are spoken of."""
        read = [*(w.column for w in self.where), *(s.column for s in self.shares)]
        read += [name for text in self.rest for name in sql(text).meta.root_names()]
        return tuple(dict.fromkeys(read))

    def mask(self) -> pl.Expr:
        """Return the expression that is true for rows that satisfy `rest`."""
        if not self.rest:
            return pl.lit(value=True)
        return pl.all_horizontal([sql(text).fill_null(value=False) for text in self.rest])


@dataclass(frozen=True)
class Found:
    """Drawn patients, and how common they are among those who meet what the generator honours.

    Attributes:
        rows: the patients.
        share: share of the people under `where` who satisfy `rest`, estimated as they were drawn.
    """

    rows: Dataset
    share: float


@runtime_checkable
class Narrowable(Protocol):
    """A generator that can be asked for fewer columns, which is faster."""

    def only(self, names: Sequence[str]) -> Generator:
        """Return the generator of these columns."""


def narrowed(generator: Generator, names: Iterable[str]) -> Generator:
    """Return a generator of the named columns where it can be narrowed, else the generator as it is."""
    if not isinstance(generator, Narrowable):
        return generator
    # Who was asked what decides which values exist, so the columns that decide it stay.
    wanted = {*names, *(w.column for asked in ASKED.values() for w in asked.where)}
    return generator.only([name for name in generator.schema.table.names if name in wanted])


def feasibility(generator: Generator, wish: Wish, share: float, rows: int, seed: Seed) -> Feasibility:
    """Say which share of the population satisfies a wish.

    Args:
        generator: the population.
        wish: what is asked.
        share: share of the people under its plain conditions who satisfy the others.
        rows: how many were drawn for it.
        seed: source of randomness of the estimate.
    """
    if not wish.where and not wish.shares:
        return Feasibility(support=share, acceptance=share, effective_rows=rows)
    narrow = narrowed(generator, [*(w.column for w in wish.where), *(s.column for s in wish.shares)])
    given = resolve(Conditions(where=wish.where, shares=wish.shares), narrow.schema)
    known = narrow.feasibility(given, seed)
    return known.model_copy(update={"support": known.support * share, "acceptance": known.acceptance * share})


def draw(generator: Generator, n: int, wish: Wish, seed: Seed) -> Found:
    """Draw exactly `n` patients who satisfy a wish; its shares are exact to one patient.

    Raises:
        ConditionError: if nobody satisfies it; says which condition is the bottleneck and what comes nearest.
    """
    return draw_strata(generator, strata_for(generator, n, wish, seed.child("strata")), seed)


def strata_for(generator: Generator, n: int, wish: Wish, seed: Seed) -> list[tuple[Wish, int]]:
    """Return what is asked of `n` patients as wishes without shares, and how many are to satisfy each.

    Raises:
        ConditionError: if the wish contradicts itself, or its shares cannot hold together.
    """
    if n < 1:
        raise ConditionError(f"cannot draw {n} patients; ask for at least 1")
    given = resolve(Conditions(where=wish.where, shares=wish.shares), generator.schema)
    bare = Wish(given.where, wish.rest, names=wish.names)
    if not wish.shares:
        return [(bare, n)]
    narrow = narrowed(generator, bare.columns + tuple(s.column for s in wish.shares))
    parts = parts_of(given.shares, _levels(generator))

    def joint(cells: Sequence[tuple[Where, ...]]) -> np.ndarray:
        pilot = _pilot(narrow, bare, seed.child("joint")).rows
        return _joint(narrow, pilot, bare.where, cells, seed.child("rare"))

    return [
        (Wish((*given.where, *stratum.where), wish.rest, names=wish.names), stratum.rows)
        for stratum in strata_of(parts, n, joint)
    ]


def draw_strata(
    generator: Generator, parts: Sequence[tuple[Wish, int]], seed: Seed, *, is_mixed: bool = True
) -> Found:
    """Draw as many patients as are asked for of each stratum; unless told otherwise in random order.

    Raises:
        ConditionError: if nobody satisfies one; says which condition is the bottleneck and what comes nearest.
    """
    found = [
        _checked(generator, rows, wish, seed.child(f"stratum-{number}") if len(parts) > 1 else seed)
        for number, (wish, rows) in enumerate(parts)
    ]
    rows = pl.concat([part.rows.frame for part in found])
    if is_mixed and len(found) > 1:
        rows = rows[seed.child("order").rng().permutation(rows.height)]
    share = np.average([part.share for part in found], weights=[count for _, count in parts])
    return Found(Dataset.of(generator.schema, rows), float(share))


def replaced(
    generator: Generator,
    rows: Dataset,
    wish: Wish,
    is_sound: Callable[[Dataset], npt.NDArray[np.bool_]],
    seed: Seed,
) -> Dataset:
    """Return as many rows, all of them sound: the others are drawn anew, in the same proportions.

    What makes a row unsound comes about after drawing: a value that is rounded in another unit may cross a
    limit that it kept before. The proportions of the wish stay exact.

    Args:
        generator: draws the columns of `rows`.
        rows: rows that satisfy the wish.
        wish: what is asked.
        is_sound: says of each row whether it may stay, shape (rows,).
        seed: source of randomness.

    Raises:
        ConditionError: if hardly any row is sound.
    """
    strata = list(dict.fromkeys(share.column for share in wish.shares))
    for turn in range(_TURNS):
        sound = is_sound(rows)
        if sound.all():
            return rows
        odd = rows.frame.filter(~pl.Series(sound))
        counts = odd.group_by(strata, maintain_order=True).len() if strata else odd.select(pl.len())
        frames = [rows.frame.filter(pl.Series(sound))]
        for place, (*values, count) in enumerate(counts.iter_rows()):
            own = [_exactly(name, value) for name, value in zip(strata, values, strict=True)]
            part = Wish((*wish.where, *own), wish.rest, names=wish.names)
            frames.append(draw(generator, int(count), part, seed.child(f"{turn}-{place}")).rows.frame)
        rows = rows.with_frame(pl.concat(frames))
    raise ConditionError(
        "the wished patients keep breaking a plausibility rule once their values are written in the chosen units; "
        "ask for more decimals, or for other units"
    )


def _exactly(name: str, value: object) -> OneOf:
    if isinstance(value, bool):
        return OneOf(column=name, values=("true" if value else "false",))
    return OneOf(column=name, values=(None if value is None else str(value),))


def _levels(generator: Generator) -> dict[str, tuple[str, ...]]:
    found = {c.name: c.values for c in generator.schema.table.columns if c.values is not None}
    booleans = {
        c.name: ("false", "true") for c in generator.schema.table.columns if c.kind.value == "boolean"
    }
    return {**booleans, **found}


def _joint(
    generator: Generator,
    pilot: Dataset,
    where: Sequence[Where],
    cells: Sequence[tuple[Where, ...]],
    seed: Seed,
) -> np.ndarray:
    shares = []
    for number, cell in enumerate(cells):
        mask = pl.all_horizontal([holds(w, pilot.schema) for w in cell])
        met = float(pilot.frame.select(mask.sum()).item())
        # Half a row: a combination that a pilot has not met may still occur, unless it is impossible.
        if not met and not _support(generator, (*where, *cell), seed.child(str(number))):
            shares.append(0.0)
            continue
        shares.append((met + 0.5) / (pilot.rows + 1))
    return np.array(shares)


def _pilot(generator: Generator, wish: Wish, seed: Seed) -> Found:
    """Draw a few hundred or thousand rows that satisfy a wish, for looking at."""
    rows = _sampled(generator, PILOT, wish.where, seed)
    kept = rows.with_frame(rows.frame.filter(wish.mask()))
    if kept.rows >= PILOT // 20:
        return Found(kept, kept.rows / PILOT)
    return _checked(generator, PILOT // 4, wish, seed.child("more"))


def _sampled(generator: Generator, n: int, where: Sequence[Where], seed: Seed) -> Dataset:
    given = Conditions(where=tuple(where)) if where else None
    return generator.sample(n, seed, given)


def _checked(generator: Generator, n: int, wish: Wish, seed: Seed) -> Found:
    """Draw rows under `where` in rounds until `n` of them satisfy `rest`."""
    if not wish.rest:
        return Found(_sampled(generator, n, wish.where, seed), 1.0)
    rows = max(_SMALL_PILOT, min(int(1.3 * n), _MOST_CHUNK))
    first = _sampled(generator, rows, wish.where, seed.child("round-0"))
    kept, drawn, turn = first.frame.filter(wish.mask()), rows, 0
    if kept.height < _EASY * rows:
        branches = _branches(generator, wish, seed.child("branches"))
        if sum(mass for _, mass in branches) > 0:
            return _from_branches(generator, n, branches, seed)
        if not kept.height:
            again = _sampled(generator, _LARGE_PILOT, wish.where, seed.child("again"))
            kept, drawn = again.frame.filter(wish.mask()), rows + _LARGE_PILOT
            if not kept.height:
                raise _impossible(generator, wish, again)
    while kept.height < n:
        turn += 1
        if drawn > max(_MOST_DRAWN, 200 * n):
            raise ConditionError(
                f"only {kept.height} of {drawn} people who meet the other conditions meet {_said(wish)}; "
                f"drawing {n} would take too long. Ask for at most {max(kept.height, 1)} rows, or relax it."
            )
        share = max(kept.height / drawn, 1 / drawn)
        size = int(np.clip(1.1 * (n - kept.height) / share + 50, 200, _MOST_CHUNK))
        more = _sampled(generator, size, wish.where, seed.child(f"round-{turn}"))
        kept, drawn = pl.concat([kept, more.frame.filter(wish.mask())]), drawn + size
    return Found(Dataset.of(generator.schema, kept.head(n)), kept.height / drawn)


def _branches(generator: Generator, wish: Wish, seed: Seed) -> list[tuple[Wish, float]]:
    """Take the first OR of `rest` apart into branches that exclude each other, each with its share.

    The generator honours a branch as it draws, so that a rare alternative is found without long search.
    """
    columns = {c.name: c for c in generator.schema.table.columns}
    parsed = [parse(text) for text in wish.rest]
    place = next((i for i, node in enumerate(parsed) if isinstance(node, Joined) and node.word == "OR"), None)
    if place is None:
        return []
    chosen = parsed[place]
    assert isinstance(chosen, Joined)
    others = (*wish.rest[:place], *wish.rest[place + 1 :])
    found = []
    narrow = narrowed(generator, wish.columns)
    base = _support(narrow, wish.where, seed.child("base"))
    for number, part in enumerate(chosen.parts[:_MOST_BRANCHES]):
        where: list[Where] = []
        rest = [f"NOT COALESCE({before.sql()}, FALSE)" for before in chosen.parts[:number]]
        for piece in conjuncts(part):
            plain = as_where(piece, columns)
            where += [plain] if plain is not None else []
            rest += [piece.sql()] if plain is None else []
        branch = Wish((*wish.where, *where), (*others, *rest), names=wish.names)
        try:
            support = _support(narrow, branch.where, seed.child(f"support-{number}"))
            drawn = _sampled(narrow, _SMALL_PILOT, branch.where, seed.child(f"branch-{number}"))
        except ConditionError:
            continue
        share = float(drawn.frame.select(branch.mask().mean()).item() or 0.0)
        found.append((branch, support / max(base, _LEAST) * share))
    return found


def _support(generator: Generator, where: Sequence[Where], seed: Seed) -> float:
    if not where:
        return 1.0
    return generator.feasibility(resolve(Conditions(where=tuple(where)), generator.schema), seed).support


def _from_branches(generator: Generator, n: int, branches: Sequence[tuple[Wish, float]], seed: Seed) -> Found:
    mass = np.array([share for _, share in branches])
    rows = seed.child("shares").rng().multinomial(n, mass / mass.sum())
    frames = [
        _checked(generator, int(k), branch, seed.child(f"branch-{i}")).rows.frame
        for i, ((branch, _), k) in enumerate(zip(branches, rows, strict=True))
        if k
    ]
    order = seed.child("order").rng().permutation(n)
    return Found(Dataset.of(generator.schema, pl.concat(frames)[order]), float(min(mass.sum(), 1.0)))


def _impossible(generator: Generator, wish: Wish, drawn: Dataset) -> ConditionError:
    """Return the error that names the bottleneck: what cannot be met beside the other conditions."""
    alone = {
        text: int(drawn.frame.select(sql(text).fill_null(value=False).sum()).item()) for text in wish.rest
    }
    worst = min(alone, key=lambda text: alone[text])
    others = "; ".join(
        [*(w.says() for w in wish.where), *(wish.names.get(t, t) for t in wish.rest if t != worst)]
    )
    population = generator.schema.table.name
    with_others = f" together with {others}" if others else ""
    said = wish.names.get(worst, worst)
    return ConditionError(
        f"nobody among {drawn.rows} people of {population!r} satisfies {said!r}{with_others}. Nearest feasible: leave "
        f"out {said.partition(':')[0]!r}{', or one of the others' if others else ''}."
    )


def _said(wish: Wish) -> str:
    return "; ".join(dict.fromkeys(wish.names.get(text, text) for text in wish.rest))
