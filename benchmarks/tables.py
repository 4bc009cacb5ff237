"""The public tables that figures are promised on: where they lie, how they are split, what is promised."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.model_selection import train_test_split

from understudy.core.errors import RequestError

VARIABLE = "UNDERSTUDY_SHARED"
TRAIN_SHARE = 0.7


@dataclass(frozen=True)
class Floors:
    """What `sequential_trees` promises on a table: the median over the seeds is no larger.

    Attributes:
        association: mean absolute difference of the association matrices of train and synthetic rows.
        detection: AUC of a boosted classifier that tells real test rows from synthetic ones.
        utility: AUROC on real test rows that training on synthetic rows loses, the better of two models.
        membership: AUC of the judge's distance attack.
    """

    association: float
    detection: float
    utility: float
    membership: float


@dataclass(frozen=True)
class BenchTable:
    """One table of the benchmark.

    Attributes:
        name: file name without its ending.
        target: the column that is predicted.
        floors: what is promised.
        dropped: columns that are taken out before anything is learned.
        is_large: whether it is left out where only tables up to 5,110 rows are measured.
    """

    name: str
    target: str
    floors: Floors
    dropped: tuple[str, ...] = ()
    is_large: bool = False


TABLES = (
    BenchTable("heart_failure299", "DEATH_EVENT", Floors(0.055, 0.60, 0.04, 0.54)),
    BenchTable("pima", "Outcome", Floors(0.045, 0.62, 0.03, 0.54)),
    BenchTable("wdbc", "target", Floors(0.060, 0.63, 0.02, 0.54)),
    BenchTable("stroke5110", "stroke", Floors(0.016, 0.56, 0.02, 0.525), dropped=("id",)),
    BenchTable("heart_disease_uci4", "disease", Floors(0.050, 0.60, 0.03, 0.54), dropped=("num",)),
    BenchTable("diabetes130", "readmitted", Floors(0.015, 0.65, 0.02, 0.52), is_large=True),
)
SMALL = tuple(table for table in TABLES if not table.is_large)


def named(names: Sequence[str]) -> tuple[BenchTable, ...]:
    """Return the tables of these names; all where none is named.

    Raises:
        RequestError: if a name is none of the benchmark's.
    """
    known = {table.name: table for table in TABLES}
    odd = [name for name in names if name not in known]
    if odd:
        raise RequestError(f"no table of the benchmark is called {odd[0]!r}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) or TABLES


def shared_folder() -> Path:
    """Return the folder of shared tables and the judge.

    Raises:
        RequestError: if it is not there; says where it was looked for.
    """
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get(VARIABLE) or beside)
    if not (folder / "data" / "tabular").is_dir() or not (folder / "judge" / "score.py").is_file():
        raise RequestError(
            f"the shared tables are not in {str(folder)!r}: expected data/tabular/*.parquet and judge/score.py "
            f"there. Set {VARIABLE} to the folder that holds them; without it there is nothing to measure on."
        )
    return folder


def read(table: BenchTable, folder: Path) -> pl.DataFrame:
    """Return the rows of a table without the columns that are dropped.

    Raises:
        RequestError: if the file is not in the folder of shared tables.
    """
    path = folder / "data" / "tabular" / f"{table.name}.parquet"
    if not path.is_file():
        raise RequestError(f"table {table.name!r} is not in {str(path.parent)!r}")
    return pl.read_parquet(path).drop(table.dropped)


def split(frame: pl.DataFrame, target: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return 70 % of the rows to learn from and the others to test on, at random within each level of the target.

    These are the splits behind the judge's figures of other tools: real rows, trained and tested on them, reach
    the same AUROC as its tables say.
    """
    train, test = train_test_split(
        np.arange(frame.height), train_size=TRAIN_SHARE, random_state=seed, stratify=frame[target].to_numpy()
    )
    return frame[train], frame[test]
