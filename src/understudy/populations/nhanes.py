"""The National Health and Nutrition Examination Survey 2017-March 2020, as observations of its adults."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import polars as pl

from understudy.core.errors import SourceError
from understudy.core.schema import Kind
from understudy.knowledge.observations import Observation, observations
from understudy.populations.structure import YOUNGEST
from understudy.populations.transport import read_transport

KEY = "SEQN"
EXAMINATION, FASTING = "weight_examination", "weight_fasting"
DESIGN = (EXAMINATION, FASTING, "stratum", "psu")
PHQ9_ITEMS = tuple(f"DPQ0{item}0" for item in range(1, 10))

# Codes that are no quantities, by variable: refused, unknown, and others that mean a number or nothing.
_CODES: dict[str, dict[float, float | None]] = {
    "DID040": {666: 0, 777: None, 999: None},
    "BPD035": {777: None, 999: None},
    "MCD180E": {77777: None, 99999: None},
    "MCD180F": {77777: None, 99999: None},
    "SMD030": {0: None, 777: None, 999: None},
    "SMD650": {777: None, 999: None},
}
_FASTING_FILES = ("P_GLU", "P_INS", "P_TRIGLY")
_MEANS = ("BPXOSY", "BPXODI", "BPXOPLS")
# Questions that were put to some people only: the others' answer is no.
_NOT_ASKED = ("antihypertensive", "cholesterol_medicine", "dialysis", "insulin", "oral_glucose_lowering")


def read_adults(folder: Path) -> pl.DataFrame:
    """Read the examined adults: a column for each observation that the files hold, and the design.

    Answers such as refused or unknown are null. Ages from 80 on are 80, income ratios from 5 on are 5, as
    published. `weight_fasting` is null for people outside the fasting subsample.

    Args:
        folder: holds the public-use files `P_*.XPT` or `P_*.XPT.gz`; `P_MCQ` may be a CSV (of an export that
            writes 0 for missing).

    Raises:
        SourceError: if a file is missing; names all that are.
    """
    wanted = [o for o in observations().values() if o.nhanes is not None]
    found = _files(folder)
    tables = _tables(found, wanted)
    frame = reduce(lambda left, right: left.join(right, on=KEY, how="left", validate="1:1"), tables)
    frame = frame.filter((pl.col("RIDAGEYR") >= YOUNGEST) & (pl.col("WTMECPRP") > 0))
    held = [o for o in wanted if o.nhanes is not None and o.nhanes.variable in frame.columns]
    columns = [_read(entry).alias(entry.id) for entry in held]
    return frame.select(
        *columns,
        pl.sum_horizontal([_item(name) for name in PHQ9_ITEMS], ignore_nulls=False).alias("phq9_total"),
        pl.col("WTMECPRP").alias(EXAMINATION),
        pl.when(pl.col("WTSAFPRP") > 0).then("WTSAFPRP").alias(FASTING),
        pl.col("SDMVSTRA").cast(pl.Int64).alias("stratum"),
        pl.col("SDMVPSU").cast(pl.Int64).alias("psu"),
    ).with_columns(pl.col(name).fill_null(value=False) for name in _NOT_ASKED)


def _files(folder: Path) -> dict[str, Path]:
    found = {path.name.split(".")[0].upper(): path for path in sorted(folder.iterdir()) if path.is_file()}
    needed = {o.nhanes.file for o in observations().values() if o.nhanes is not None} - {"P_PAQ"}
    absent = sorted(needed - found.keys())
    if absent:
        raise SourceError(
            f"the folder {folder.name!r} lacks {', '.join(absent)}: take these public-use files of NHANES "
            "2017-March 2020 from the CDC, as .XPT or .XPT.gz"
        )
    return found


def _tables(found: dict[str, Path], wanted: Sequence[Observation]) -> list[pl.DataFrame]:
    """Return the tables with the variables in use, demographics first."""
    names = sorted({o.nhanes.file for o in wanted if o.nhanes is not None and o.nhanes.file in found})
    names.sort(key=lambda name: name != "P_DEMO")
    seen = {KEY}
    tables = []
    for name in names:
        table = _read_file(found[name])
        # The fasting files repeat their weight.
        tables.append(table.select(KEY, *(column for column in table.columns if column not in seen)))
        seen.update(table.columns)
    return tables


def _read_file(path: Path) -> pl.DataFrame:
    if ".csv" not in path.name.lower():
        return read_transport(path)
    table = pl.read_csv(path, infer_schema_length=None)
    return table.with_columns(pl.all().exclude(KEY).replace(0, None)).cast(pl.Float64)


def _read(entry: Observation) -> pl.Expr:
    assert entry.nhanes is not None
    name = entry.nhanes.variable
    if entry.id == "smoking_status":
        return pl.when(pl.col("SMQ020") == 2).then(pl.lit("never")).otherwise(_level(name, entry))
    if name[:-1] in _MEANS:
        return pl.mean_horizontal(f"{name[:-1]}{reading}" for reading in (1, 2, 3))
    if entry.kind is Kind.NUMBER:
        return _item(name) if name.startswith("DPQ") else _number(name)
    level = _level(name, entry)
    return level == "yes" if entry.kind is Kind.BOOLEAN else level


def _number(name: str) -> pl.Expr:
    codes = _CODES.get(name)
    return pl.col(name) if codes is None else pl.col(name).replace(codes)


def _level(name: str, entry: Observation) -> pl.Expr:
    assert entry.nhanes is not None
    codes = {float(code): level for code, level in entry.nhanes.codes.items()}
    return pl.col(name).replace_strict(codes, default=None, return_dtype=pl.String)


def _item(name: str) -> pl.Expr:
    """Return an item of the depression questionnaire: 7 and 9 are refused and unknown."""
    return pl.when(pl.col(name) <= 3).then(pl.col(name))


def is_fasting(entry: Observation) -> bool:
    """Say whether an observation was made in the fasting subsample, whose weights then apply."""
    return entry.nhanes is not None and entry.nhanes.file in _FASTING_FILES
