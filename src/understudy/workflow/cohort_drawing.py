"""Drawing the patients of a cohort in blocks of bounded size, in this process or in several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from understudy.core.conditions import Feasibility, Share
from understudy.core.contracts import Generator
from understudy.core.dataset import Dataset
from understudy.core.schema import Column
from understudy.core.seeds import Seed
from understudy.metrics.clinical import keeps_hard_rules
from understudy.modalities.wishes import holds, resolve
from understudy.populations.calibration import Calibrated, Strata, calibrate, pooled
from understudy.populations.cohorts import (
    Found,
    Wish,
    draw_strata,
    feasibility,
    narrowed,
    replaced,
    strata_for,
)
from understudy.populations.definitions import Definition, define
from understudy.populations.gaps import with_gaps
from understudy.populations.presentation import Measure, measures, present_as, resolve_observation
from understudy.populations.requests import given_own, target_own
from understudy.populations.targets import Target, columns_of
from understudy.store.artifacts import unwritable
from understudy.workflow.cohort_request import DEFAULT_ROWS, population_of
from understudy.workflow.plan import Plan

BLOCK = 50_000
"""About the most patients that are held in memory at a time; the same whatever the number of processes."""

_POOL = (8, 5_000, 200_000)


@dataclass(frozen=True)
class Tally:
    """What was counted of drawn patients.

    Attributes:
        rows: patients.
        broken: those that break a condition.
        shares: of each proportion asked for, how many patients have its level.
    """

    rows: int = 0
    broken: int = 0
    shares: Mapping[tuple[str, str], int] | None = None

    def plus(self, other: Tally) -> Tally:
        """Return the sum of both."""
        mine, theirs = self.shares or {}, other.shares or {}
        both = {key: mine.get(key, 0) + theirs.get(key, 0) for key in dict.fromkeys([*mine, *theirs])}
        return Tally(self.rows + other.rows, self.broken + other.broken, both)


@dataclass(frozen=True)
class Drawn:
    """The patients of a cohort, or of one block of it, and how they came about.

    Attributes:
        shown: the columns of the release in its units; of a large cohort they lie in files, mapped into memory.
        tally: what was counted of them.
        share: share of the people under the plain conditions who meet the others.
        calibrated: what calibration reached, None without targets.
    """

    shown: Dataset
    tally: Tally
    share: float
    calibrated: Calibrated | None


@dataclass(frozen=True)
class Drawing:
    """All that decides the patients of a cohort.

    Attributes:
        plan: the plan.
        generator: the population.
        defined: the definitions of its conditions.
        written: how quantities are written.
        wish: what every patient satisfies.
        targets: what they have on average, in the observations' own units.
    """

    plan: Plan
    generator: Generator
    defined: tuple[Definition, ...]
    written: Mapping[str, Measure]
    wish: Wish
    targets: tuple[Target, ...]

    @classmethod
    def of(cls, plan: Plan, generator: Generator) -> Drawing:
        """Make a plan's names, units and definitions plain.

        Raises:
            RequestError: if the population cannot represent what is asked.
        """
        held = {c.name: c for c in generator.schema.table.columns}
        defined = _definitions(plan, held)
        written = _written(plan, held)
        given = resolve(given_own(plan.given, written), generator.schema)
        wish = Wish(
            where=tuple(dict.fromkeys([*given.where, *(w for d in defined for w in d.where)])),
            rest=tuple(dict.fromkeys(text for d in defined for text in d.rest)),
            shares=given.shares,
            names={text: d.says() for d in defined for text in d.rest},
        )
        targets = tuple(target_own(t, written) for t in plan.cohort.targets)
        return cls(plan, generator, defined, written, wish, targets)

    @property
    def rows(self) -> int:
        """How many patients are asked for."""
        return self.plan.rows or DEFAULT_ROWS

    @property
    def blocks(self) -> int:
        """In how many blocks they are drawn."""
        return -(-self.rows // BLOCK)

    @property
    def seed(self) -> Seed:
        """The source of all randomness of the rows."""
        return Seed(self.plan.seed).child("cohort").child("sample")

    @cached_property
    def narrow(self) -> Generator:
        """The population with the columns that are spoken of."""
        names = ["age", *self.plan.schema_.table.names, *self.wish.columns, *columns_of(self.targets)]
        return narrowed(self.generator, names)

    @cached_property
    def strata(self) -> list[tuple[Wish, int]]:
        """What is asked of the patients, and of how many of them."""
        return strata_for(self.narrow, self.rows, self.wish, self.seed.child("strata"))

    def block(self, number: int) -> Drawn:
        """Draw one block; it depends on the plan and its number alone.

        Raises:
            ConditionError: if nobody satisfies what is asked, or a target cannot be met.
        """
        seed = self.seed if self.blocks == 1 else self.seed.child(f"block-{number}")
        parts = [(wish, _portion(rows, number, self.blocks)) for wish, rows in self.strata]
        parts = [(wish, rows) for wish, rows in parts if rows]
        calibrated = None
        if self.targets:
            found, calibrated = self._calibrated(parts, seed)
            own = calibrated.dataset
        else:
            found = draw_strata(self.narrow, parts, seed.child("rows"))
            own = replaced(self.narrow, found.rows, self.wish, self._is_sound, seed.child("replaced"))
        tally = _tally(own, self.wish)
        if self.plan.cohort.missing == "realistic":
            own = with_gaps(own, seed.child("gaps"), complete=self.wish.columns)
        return Drawn(self._shown(own), tally, found.share, calibrated)

    def hardness(self, share: float) -> Feasibility:
        """Say how common such patients are."""
        return feasibility(self.generator, self.wish, share, self.rows, self.seed.child("feasibility"))

    def _shown(self, own: Dataset) -> Dataset:
        table = self.plan.schema_.table
        return present_as(own, table.names, self.written, table.name)

    def _is_sound(self, own: Dataset) -> npt.NDArray[np.bool_]:
        return keeps_hard_rules(self._shown(own))

    def _calibrated(self, parts: Sequence[tuple[Wish, int]], seed: Seed) -> tuple[Found, Calibrated]:
        factor, least, most = _POOL
        rows = sum(count for _, count in parts)
        size = max(min(max(factor * rows, least), most), 2 * rows)
        pools = [(wish, max(round(size * count / rows), 2 * count)) for wish, count in parts]
        found = draw_strata(self.narrow, pools, seed.child("pool"), is_mixed=False)
        stratum = np.repeat(np.arange(len(pools)), [count for _, count in pools])
        sound = self._is_sound(found.rows)
        pool = found.rows.with_frame(found.rows.frame.filter(pl.Series(sound)))
        strata = Strata(stratum[sound], np.array([count for _, count in parts]))
        return found, calibrate(pool, self.targets, rows, seed.child("calibrate"), strata)


def draw_cohort(drawing: Drawing, folder: Path, processes: int = 1) -> Drawn:
    """Draw all patients of a cohort, block by block; blocks of a large one are kept in `folder`.

    Args:
        drawing: what decides the patients.
        folder: for files of several blocks; they may be removed when the result is no longer used.
        processes: how many processes draw at a time; more than one only for a population of the catalog.

    Raises:
        ConditionError: if nobody satisfies what is asked, or a target cannot be met.
    """
    if drawing.blocks == 1:
        return drawing.block(0)
    found = list(_spilled_blocks(drawing, folder, processes))
    frames = [_mapped(_file(folder, number)) for number in range(len(found))]
    tally = Tally()
    for block in found:
        tally = tally.plus(block.tally)
    calibrated = [block.calibrated for block in found if block.calibrated is not None]
    return Drawn(
        Dataset.of(found[0].shown.schema, pl.concat(frames, rechunk=False)),
        tally,
        float(np.average([block.share for block in found], weights=[block.tally.rows for block in found])),
        pooled(calibrated, [block.tally.rows for block in found]) if calibrated else None,
    )


def _spilled_blocks(drawing: Drawing, folder: Path, processes: int) -> Iterator[Drawn]:
    if processes <= 1:
        for number in range(drawing.blocks):
            yield _spilled(drawing, number, folder)
        return
    text, spawn = drawing.plan.to_yaml(), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, drawing.blocks), mp_context=spawn) as pool:
        jobs = [pool.submit(_spilled_elsewhere, text, number, folder) for number in range(drawing.blocks)]
        for job in jobs:
            yield job.result()


def _spilled_elsewhere(text: str, number: int, folder: Path) -> Drawn:
    return _spilled(_prepared(text), number, folder)


@lru_cache(maxsize=1)
def _prepared(text: str) -> Drawing:
    plan = Plan.from_yaml(text)
    assert plan.population is not None
    return Drawing.of(plan, population_of(plan.population))


def _spilled(drawing: Drawing, number: int, folder: Path) -> Drawn:
    """Draw a block, keep its rows in a file and return the rest."""
    block = drawing.block(number)
    block.shown.frame.write_ipc(_file(folder, number))
    calibrated = block.calibrated
    if calibrated is not None:
        calibrated = replace(calibrated, dataset=_emptied(calibrated.dataset))
    return replace(block, shown=_emptied(block.shown), calibrated=calibrated)


def _emptied(rows: Dataset) -> Dataset:
    return rows.with_frame(rows.frame.clear())


@contextmanager
def room_for(drawing: Drawing, out: Path) -> Iterator[Path]:
    """Give a folder beside the release for the blocks of a large cohort, where there is room for it.

    Raises:
        OutputError: if it cannot be made.
    """
    if drawing.blocks == 1:
        yield out.parent
        return
    try:
        folder = TemporaryDirectory(prefix=f".{out.name}.rows-", dir=out.parent, ignore_cleanup_errors=True)
    except OSError as error:
        raise unwritable(out, error) from error
    with folder as path:
        yield Path(path)


def _mapped(path: Path) -> pl.DataFrame:
    """Return the rows of a file, read only where and when they are looked at."""
    rows = pl.from_arrow(pa.ipc.open_file(pa.memory_map(str(path))).read_all(), rechunk=False)
    assert isinstance(rows, pl.DataFrame)
    return rows


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.arrow"


def _portion(rows: int, number: int, blocks: int) -> int:
    """Return how many of some rows lie in one block: whole numbers that add up."""
    return rows * (number + 1) // blocks - rows * number // blocks


def _tally(own: Dataset, wish: Wish) -> Tally:
    kept = pl.all_horizontal([*(holds(w, own.schema) for w in wish.where), wish.mask()])
    broken = 0
    if own.rows and (wish.where or wish.rest):
        broken = own.rows - int(own.frame.select(kept.cast(pl.Int64).sum()).item())
    shares = {
        (s.column, s.value): int((own.frame[s.column].cast(pl.String) == s.value).sum())
        for s in wish.shares
        if isinstance(s, Share)
    }
    return Tally(own.rows, broken, shares)


def _definitions(plan: Plan, held: Mapping[str, Column]) -> tuple[Definition, ...]:
    name = plan.population.name if plan.population else ""
    return (
        *(define(c, held, name) for c in plan.cohort.conditions),
        *(define(c, held, name, exclude=True) for c in plan.cohort.exclude),
    )


def _written(plan: Plan, held: Mapping[str, Column]) -> dict[str, Measure]:
    shown = {c.name: c for c in plan.schema_.table.columns}
    for name in shown:
        resolve_observation(name, held, plan.population.name if plan.population else "")
    units = {n: c.unit for n, c in shown.items() if c.unit is not None and c.unit != held[n].unit}
    decimals = {n: c.decimals for n, c in shown.items() if c.decimals is not None}
    return measures(tuple(shown), held, units=units, decimals=decimals)
