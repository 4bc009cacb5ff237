"""Simulated patients for the tests of metrics: mixed kinds, gaps, a target, protected groups, rules."""

from __future__ import annotations

import numpy as np
import polars as pl

from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.rules import Implies, Ordered
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.seeds import Seed

SCHEMA = Schema(
    tables=(
        Table(
            columns=(
                Column(name="mrn", kind=Kind.KEY, roles=(Role.KEY,)),
                Column(name="age", kind=Kind.NUMBER, roles=(Role.PROTECTED,), unit="a", low=18, decimals=0),
                Column(name="sex", kind=Kind.CATEGORY, roles=(Role.PROTECTED,), values=("female", "male")),
                Column(name="diastolic", kind=Kind.NUMBER, unit="mm[Hg]", high=200),
                Column(name="systolic", kind=Kind.NUMBER, unit="mm[Hg]", high=300),
                Column(name="lactate", kind=Kind.NUMBER, unit="mmol/L", low=0),
                Column(name="ward", kind=Kind.CATEGORY),
                Column(name="pregnant", kind=Kind.BOOLEAN),
                Column(name="admitted", kind=Kind.DATETIME),
                Column(name="died", kind=Kind.BOOLEAN, roles=(Role.TARGET,)),
            )
        ),
    ),
    rules=(
        Ordered(lower="diastolic", upper="systolic"),
        Implies(when="pregnant", then="sex = 'female'"),
    ),
)


def simulate(rows: int, seed: int = 0) -> Dataset:
    """Draw patients: the older and the sicker die, lactate is ordered for the sick, rules hold."""
    rng = np.random.default_rng(seed)
    age = np.clip(rng.normal(58, 16, rows), 18, 100).round()
    sex = np.where(rng.random(rows) < 0.55, "female", "male")
    sick = rng.normal(0, 1, rows) + (age - 58) / 20
    diastolic = np.clip(rng.normal(80, 9, rows) - 2 * sick, 40, 130)
    systolic = np.minimum(diastolic + 15 + rng.gamma(4, 8, rows) + 0.3 * (age - 58), 290)
    systolic = np.maximum(systolic, diastolic + 5)
    lactate = np.exp(0.3 + 0.4 * sick + rng.normal(0, 0.3, rows))
    measured = rng.random(rows) < 1 / (1 + np.exp(-0.8 - 1.2 * sick))
    ward = np.array(["medicine", "surgery", "intensive care"])[
        np.clip((sick + rng.normal(0, 0.7, rows) + 1.2).astype(int), 0, 2)
    ]
    pregnant = (sex == "female") & (age < 45) & (rng.random(rows) < 0.3)
    died = rng.random(rows) < 1 / (1 + np.exp(1.0 - 1.4 * sick - 0.5 * (sex == "male")))
    start = np.datetime64("2020-01-01", "us")
    frame = pl.DataFrame(
        {
            "mrn": [f"{seed}-{k}" for k in range(rows)],
            "age": age,
            "sex": sex,
            "diastolic": diastolic.round(1),
            "systolic": systolic.round(1),
            "lactate": pl.Series([v if m else None for v, m in zip(lactate.round(2), measured, strict=True)],
                                 dtype=pl.Float64),
            "ward": ward,
            "pregnant": pregnant,
            "admitted": start + rng.integers(0, 700, rows).astype("timedelta64[D]"),
            "died": died,
        }
    )  # fmt: skip
    return Dataset.of(SCHEMA, frame.with_columns(pl.col("admitted").cast(pl.Datetime("us"))))


def corrupt(clean: Dataset, share: float, seed: int = 7) -> Dataset:
    """Replace a share of the cells by noise: any number of twice the range, any level, a gap now and then."""
    rng = np.random.default_rng(seed)
    columns = []
    for column in clean.columns:
        values = clean.frame[column.name]
        if column.kind is Kind.KEY:
            columns.append(values)
            continue
        if column.kind in (Kind.NUMBER, Kind.DATETIME):
            plain = values.to_physical().cast(pl.Float64)
            low, high = float(plain.min() or 0), float(plain.max() or 0)  # type: ignore[arg-type]
            noise = pl.Series(rng.uniform(low - (high - low) / 2, high + (high - low) / 2, clean.rows))
        else:
            levels = values.drop_nulls().unique().sort()
            noise = levels[rng.integers(0, len(levels), clean.rows)]
        noise = noise.cast(values.to_physical().dtype).cast(values.dtype).alias(column.name)
        noise = noise.scatter(np.flatnonzero(rng.random(clean.rows) < 0.3), None)
        # The same draw decides for every share, so that a larger share corrupts a superset.
        columns.append(values.zip_with(pl.Series(rng.random(clean.rows) >= share), noise))
    return clean.with_frame(pl.DataFrame(columns))


def comparison(rows: int = 320, synthetic: Dataset | None = None, seed: int = 0) -> Comparison:
    """Compare `rows` real patients with another draw of patients, with half as many held out."""
    made = simulate(rows, 300 + seed) if synthetic is None else synthetic
    return Comparison(simulate(rows, 100 + seed), made, simulate(rows // 2, 200 + seed), Seed(seed))
