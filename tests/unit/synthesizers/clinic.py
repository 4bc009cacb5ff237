"""A simulated table with everything that a real one has: keys, identifiers, dates, rules, gaps, rare levels."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.rules import Derived, Implies, Ordered
from understudy.core.schema import Column, Kind, Role, Schema, Storage, Table

COLUMNS = (
    Column(name="patient", kind=Kind.KEY, roles=(Role.KEY, Role.PATIENT), storage=Storage.INTEGER),
    Column(name="name", kind=Kind.TEXT, roles=(Role.IDENTIFIER,), identifier="name"),
    Column(name="age", kind=Kind.NUMBER, decimals=0, low=18, high=95),
    Column(name="sex", kind=Kind.CATEGORY, values=("female", "male"), roles=(Role.PROTECTED,)),
    Column(name="pregnant", kind=Kind.BOOLEAN),
    Column(name="weight", kind=Kind.NUMBER, decimals=1, low=30, high=250),
    Column(name="height", kind=Kind.NUMBER, decimals=2, low=1.2, high=2.2),
    Column(name="bmi", kind=Kind.NUMBER, decimals=1, low=8, high=120),
    Column(name="dbp", kind=Kind.NUMBER, decimals=0, low=30, high=160),
    Column(name="sbp", kind=Kind.NUMBER, decimals=0, low=50, high=260),
    Column(name="grade", kind=Kind.CATEGORY, values=("I", "II", "III", "IV"), ordered=True),
    Column(name="icd", kind=Kind.CODE, vocabulary="ICD-10"),
    Column(name="visit", kind=Kind.DATETIME, storage=Storage.DATE),
    Column(name="note", kind=Kind.TEXT),
    Column(name="always", kind=Kind.CATEGORY),
    Column(name="never", kind=Kind.NUMBER),
    Column(name="died", kind=Kind.BOOLEAN, roles=(Role.TARGET,)),
)
RULES = (
    Derived(column="bmi", formula="weight / power(height, 2)", tolerance=0.05),
    Ordered(lower="dbp", upper="sbp", strict=True),
    Implies(when="pregnant = true", then="sex = 'female'"),
)
SCHEMA = Schema(tables=(Table(columns=COLUMNS),), rules=RULES)


def clinic(rows: int = 600, seed: int = 0) -> Dataset:
    """Return `rows` simulated patients; age drives pressure, grade and death."""
    rng = np.random.default_rng(seed)
    age = np.clip(np.round(rng.normal(60, 14, rows)), 18, 95)
    female = rng.random(rows) < 0.55
    height = np.round(rng.normal(1.75, 0.07, rows) - 0.12 * female, 2)
    weight = np.clip(np.round(rng.normal(25, 4, rows) * height**2, 1), 35, 200)
    dbp = np.clip(np.round(rng.normal(78, 9, rows)), 40, 120)
    sbp = dbp + np.clip(np.round(rng.normal(30 + age / 3, 8, rows)), 5, 120)
    grade = np.clip(np.round((age - 40) / 20 + rng.normal(0, 0.6, rows)), 0, 3).astype(int)
    died = rng.random(rows) < 1 / (1 + np.exp(5 - age / 15))
    tests_missing = rng.random(rows) < np.where(age > 65, 0.35, 0.05)
    icd = rng.choice([f"I{k}" for k in range(12)], rows, p=np.arange(12, 0, -1) / 78)
    icd = np.where(rng.random(rows) < 0.01, [f"Z{k}" for k in range(rows)], icd)
    frame = pl.DataFrame(
        {
            "patient": [str(k) for k in rng.choice(900_000, rows, replace=False) + 100_000],
            "name": [f"Jane Doe{k}" for k in range(rows)],
            "age": age,
            "sex": np.where(female, "female", "male"),
            "pregnant": female & (age < 45) & (rng.random(rows) < 0.3),
            "weight": pl.Series(weight),
            "height": pl.Series(height),
            "dbp": pl.Series(dbp),
            "sbp": pl.Series(sbp.astype(float)),
            "grade": np.array(["I", "II", "III", "IV"])[grade],
            "icd": icd,
            "visit": [datetime(2019, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 1500, rows)],  # noqa: DTZ001
            "note": [f"seen by Dr {k}, feels tired" for k in range(rows)],
            "always": ["yes"] * rows,
            "never": pl.Series([None] * rows, dtype=pl.Float64),
            "died": died,
        }
    )
    gone = pl.Series(tests_missing)
    frame = frame.with_columns(
        pl.when(~gone).then(pl.col("dbp")).alias("dbp"),
        pl.when(~gone).then(pl.col("sbp")).alias("sbp"),
        bmi=(pl.col("weight") / pl.col("height") ** 2).round(1),
        visit=pl.col("visit").cast(pl.Datetime("us")),
    )
    return Dataset.of(SCHEMA, frame.select([c.name for c in COLUMNS]))
