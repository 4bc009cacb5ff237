"""Realistic gaps: whole examinations and single values missing as often as among the adults of the survey."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.seeds import Seed
from understudy.knowledge.derivations import EQUATIONS
from understudy.knowledge.observations import observations
from understudy.populations.structure import ASKED, LIFE_SHARES, STEPS, published

Mask = npt.NDArray[np.bool_]

AGES = (20, 40, 60)
FEWEST = 11
FILE = "us_adults_gaps.csv"
GAPS_SAY = (
    "values are missing as often as among the examined adults of NHANES 2017-March 2020, whole examinations together; "
    "columns that the patients were chosen by, and what those are computed from, are complete; the targets hold before "
    "values were left out"
)
_BLOOD = ("P_BIOPRO", "P_CBC", "P_COT", "P_GHB", "P_GLU", "P_HDL", "P_HSCRP", "P_INS", "P_TCHOL", "P_TRIGLY")
_FASTING = ("P_GLU", "P_INS", "P_TRIGLY")


@dataclass(frozen=True)
class Gap:
    """How often something is missing.

    Attributes:
        block: file of the survey, whose values are obtained together.
        observation: id of the observation; empty for the whole block.
        age: youngest age in years of the group; 0 for everyone.
        percent: weighted share of people in %; of single values, among those whose block is not missing.
        people: unweighted people that the share rests on.
    """

    block: str
    observation: str
    age: int
    percent: float
    people: int


@cache
def gaps() -> tuple[Gap, ...]:
    """Return the gaps that ship with the package."""
    text = files("understudy.populations").joinpath("data", FILE).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        Gap(r["block"], r["observation"], int(r["age"]), float(r["percent"]), int(r["people"]))
        for r in csv.DictReader(lines)
    )


def measure_gaps(people: pl.DataFrame) -> tuple[Gap, ...]:
    """Measure the gaps of survey people: of whole files by age, and of single values beyond that.

    Shares that fewer than 11 people make up are left out, and so are observations that exist for some people
    only. Fasting tests count among the people who were asked to fast.

    Args:
        people: adults as `nhanes.read_adults` returns them.
    """
    found: list[Gap] = []
    for block, names in _blocks(people.columns).items():
        asked = people
        if block in _FASTING:
            asked = people.filter(pl.col("weight_fasting") > 0)
        weight = "weight_fasting" if block in _FASTING else "weight_examination"
        whole = pl.all_horizontal([pl.col(name).is_null() for name in names])
        for low, high in zip(AGES, (*AGES[1:], 200), strict=True):
            group = asked.filter((pl.col("age") >= low) & (pl.col("age") < high))
            found += _gap(group, whole, weight, block, "", low)
        if len(names) > 1:
            there = asked.filter(~whole)
            for name in names:
                found += _gap(there, pl.col(name).is_null(), weight, block, name, 0)
    return tuple(found)


def write_gaps(found: Iterable[Gap]) -> str:
    """Return gaps as the CSV that ships with the package."""
    stream = io.StringIO()
    stream.write(
        "# Weighted shares of missing values among examined adults, NHANES 2017-March 2020; aggregates only.\n"
        "# A whole file by age group, then single values where the file is there. Source: nhanes_2017_2020.\n"
    )
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(("block", "observation", "age", "percent", "people"))
    rows.writerows((g.block, g.observation, g.age, f"{g.percent:.2f}", g.people) for g in found)
    return stream.getvalue()


def _gap(group: pl.DataFrame, missing: pl.Expr, weight: str, block: str, name: str, age: int) -> list[Gap]:
    count = int(group.select(missing.sum()).item() or 0)
    if not FEWEST <= count <= group.height - FEWEST:
        return []
    share = group.select((missing.cast(pl.Float64) * pl.col(weight)).sum() / pl.col(weight).sum()).item()
    return [Gap(block, name, age, round(100 * float(share), 2), group.height)]


def _blocks(columns: Sequence[str]) -> dict[str, list[str]]:
    blocks: dict[str, list[str]] = {}
    for name in columns:
        file = _file_of(name) if name in _everyones() else None
        if file is not None:
            blocks.setdefault(file, []).append(name)
    return blocks


@cache
def _everyones() -> frozenset[str]:
    """Return the observations of the population that exist for everyone; age is known of all."""
    return frozenset(published()) - {*ASKED, *LIFE_SHARES.values(), "age"}


def _file_of(name: str) -> str | None:
    about = observations().get(name)
    if about is None:
        return None
    if about.nhanes is not None:
        return about.nhanes.file
    if about.derived_by is None or any(step.output == name for step in STEPS):
        return None
    return _file_of(EQUATIONS[about.derived_by].inputs[0])


def with_gaps(rows: Dataset, seed: Seed, complete: Iterable[str] = ()) -> Dataset:
    """Return rows with values missing as often as in the survey; what follows from a missing value is missing.

    Args:
        rows: complete rows with ages.
        seed: source of randomness.
        complete: columns that stay as they are, such as those that people were chosen by; so does what they
            are computed from.
    """
    age = rows.frame["age"].to_numpy() if "age" in rows.table.names else np.full(rows.rows, AGES[1])
    masks: dict[str, Mask] = {}
    for block in dict.fromkeys(gap.block for gap in gaps()):
        own = [gap for gap in gaps() if gap.block == block]
        # One blood draw serves many files: who has missed it has missed them all.
        whole = _whole(own, age, seed.child("blood draw" if block in _BLOOD else block).rng())
        rng = seed.child(f"{block} values").rng()
        for name in _blocks(tuple(observations()))[block]:
            single = next((g.percent for g in own if g.observation == name), 0.0)
            masks[name] = whole | (rng.random(rows.rows) < single / 100)
    for name in _with_inputs(complete):
        masks.pop(name, None)
    columns = []
    for column in rows.columns:
        values = rows.frame[column.name]
        mask = _mask(column.name, masks)
        columns.append(values if mask is None else values.set(pl.Series(mask), None))
    return rows.with_frame(pl.DataFrame(columns))


def _whole(own: Sequence[Gap], age: npt.NDArray[np.float64], rng: np.random.Generator) -> Mask:
    drawn = rng.random(len(age))
    missing = np.zeros(len(age), dtype=bool)
    for gap in own:
        if not gap.observation:
            high = next((a for a in AGES if a > gap.age), 200)
            missing |= (age >= gap.age) & (age < high) & (drawn < gap.percent / 100)
    return missing


def _mask(name: str, masks: dict[str, Mask]) -> Mask | None:
    """Return where a column is missing: it was not obtained itself, or what it is computed from was not."""
    inputs = _inputs(name)
    if not inputs:
        return masks.get(name)
    found = [mask for mask in (_mask(i, masks) for i in inputs) if mask is not None]
    return np.any(found, axis=0) if found else None


def _with_inputs(names: Iterable[str]) -> set[str]:
    """Return columns and all that they are computed from: who has a filtration rate has a creatinine."""
    found, open_ = set[str](), list(names)
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += _inputs(name)
    return found


def _inputs(name: str) -> tuple[str, ...]:
    """Return what a column is computed from by an equation; nothing where it is measured itself."""
    step = next((s for s in reversed(STEPS) if s.output == name and s.equation is not None), None)
    return tuple(i for i in step.inputs if i != name) if step is not None else ()
