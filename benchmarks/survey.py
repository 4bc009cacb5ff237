"""The adults of the survey with its weights: what populations are measured against."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from understudy.knowledge.derivations import derive
from understudy.knowledge.observations import observations
from understudy.populations.nhanes import EXAMINATION, FASTING, is_fasting, read_adults
from understudy.populations.structure import ASKED

SHARED = Path(os.environ.get("UNDERSTUDY_SHARED", Path(__file__).parents[2] / "shared"))
RAW = SHARED / "data" / "nhanes" / "raw"
FEWEST, FEWEST_CASES = 100, 11
"""Fewest people behind a mean or prevalence that is compared, and fewest of them with and without a yes."""


@dataclass(frozen=True)
class Bar:
    """One line of the result."""

    what: str
    asked: str
    measured: str
    is_met: bool


def survey() -> pl.DataFrame:
    """Return the survey's adults with the filtration rate."""
    people = read_adults(RAW)
    inputs = {n: people[n].to_numpy() for n in ("creatinine", "age")}
    rate = derive("egfr_ckd_epi_2021", {**inputs, "sex": people["sex"].to_numpy().astype(object)})
    people = people.with_columns(pl.Series("egfr", np.round(rate), nan_to_null=True))
    # Medicine follows the diagnosis in the population; the survey asks people with prediabetes for it, too.
    people = people.with_columns(
        pl.col("oral_glucose_lowering") & pl.col("diabetes_diagnosed").fill_null(value=False)
    )
    no = [n for n, asked in ASKED.items() if asked.otherwise is False and n in people.columns]
    return people.with_columns(pl.col(n).fill_null(value=False) for n in no)


def weight_of(name: str) -> str:
    """Return the survey weight of an observation."""
    fasted = name in observations() and (is_fasting(observations()[name]) or name in ("ldl", "homa_ir"))
    return FASTING if fasted else EXAMINATION


def estimate(people: pl.DataFrame, name: str, inside: pl.Expr) -> tuple[float, float, float, int, int] | None:
    """Return weighted mean, its standard error (Taylor), SD, people and cases of a cell; None if too small."""
    rows = people.select(
        y=pl.col(name).cast(pl.Float64),
        w=pl.col(weight_of(name)).fill_null(0.0),
        inside=inside,
        s="stratum",
        u="psu",
    )
    rows = rows.with_columns(w=pl.when(pl.col("inside") & pl.col("y").is_not_null()).then("w").otherwise(0.0))
    used = rows.filter(pl.col("w") > 0)
    cases = int((used["y"] != 0).sum())
    if (
        used.height < FEWEST
        or used["y"].n_unique() < 2
        or (people[name].dtype == pl.Boolean and cases < FEWEST_CASES)
    ):
        return None
    y, w = used["y"].to_numpy(), used["w"].to_numpy()
    mean = float(np.average(y, weights=w))
    deviation = float(np.sqrt(np.average((y - mean) ** 2, weights=w)))
    units = (
        rows.with_columns(z=pl.col("w") * (pl.col("y").fill_null(mean) - mean) / w.sum())
        .group_by("s", "u").agg(pl.col("z").sum())
        .group_by("s").agg(n=pl.len(), v=pl.col("z").var())
    )  # fmt: skip
    error = float(np.sqrt(float((units["n"] * units["v"].fill_null(0.0)).sum())))
    return mean, error, deviation, used.height, cases


def deviation_error(people: pl.DataFrame, name: str, inside: pl.Expr, mean: float, deviation: float) -> float:
    """Return the standard error of a SD, by linearisation of the mean squared deviation."""
    squared = people.with_columns(pl.col(name).cast(pl.Float64).sub(mean).pow(2))
    found = estimate(squared, name, inside)
    return 0.0 if found is None else found[1] / (2 * deviation)
