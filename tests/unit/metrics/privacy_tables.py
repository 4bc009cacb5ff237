"""Simulated patients from a known population, and releases of known leakage."""

import numpy as np
import polars as pl

from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.seeds import Seed

SCHEMA = Schema(
    tables=(
        Table(
            columns=(
                Column(name="mrn", kind=Kind.KEY, roles=(Role.KEY,)),
                Column(name="site", kind=Kind.CATEGORY),
                Column(name="age", kind=Kind.NUMBER, decimals=0),
                Column(name="bmi", kind=Kind.NUMBER, decimals=1),
                Column(name="glucose", kind=Kind.NUMBER, decimals=0),
                Column(name="pressure", kind=Kind.NUMBER, decimals=0),
                Column(name="insulin", kind=Kind.NUMBER, decimals=0),
                Column(name="sex", kind=Kind.CATEGORY, roles=(Role.PROTECTED,)),
                Column(name="race", kind=Kind.CATEGORY),
                Column(name="disease", kind=Kind.BOOLEAN, roles=(Role.TARGET,)),
            )
        ),
    )
)


def patients(rows: int, seed: int) -> Dataset:
    """Draw patients from the population; `site` is constant, insulin is missing for some."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((rows, 3))
    insulin = rng.lognormal(4, 0.5, rows).round()
    frame = pl.DataFrame(
        {
            "mrn": [f"{seed}-{i}" for i in range(rows)],
            "site": ["A"] * rows,
            "age": (55 + 15 * z[:, 0]).round(),
            "bmi": (27 + 4 * (0.5 * z[:, 0] + 0.8 * z[:, 1])).round(1),
            "glucose": np.exp(4.6 + 0.2 * z[:, 1]).round(),
            "pressure": (130 + 15 * (0.6 * z[:, 0] + 0.8 * z[:, 2])).round(),
            "insulin": np.where(rng.random(rows) < 0.15, np.nan, insulin),
            "sex": np.where(rng.random(rows) < 0.5, "female", "male"),
            "race": rng.choice(["white", "black", "asian", "other"], rows, p=[0.6, 0.2, 0.15, 0.05]),
            "disease": z.sum(axis=1) + rng.standard_normal(rows) > 1.5,
        }
    ).with_columns(pl.col("insulin").fill_nan(None))
    return Dataset.of(SCHEMA, frame)


def planted(fresh: Dataset, train: Dataset, share: float) -> Dataset:
    """Replace a share of fresh rows by training rows under new keys."""
    count = round(share * fresh.rows)
    copied = train.frame.head(count).with_columns(
        mrn=pl.Series([f"new-{i}" for i in range(count)], dtype=pl.String)
    )
    return fresh.with_frame(pl.concat([copied, fresh.frame.tail(fresh.rows - count)]))


def jittered(train: Dataset, noise: float, seed: int = 5) -> Dataset:
    """Add normal noise of `noise` standard deviations to every number, finer than the decimals of the schema."""
    rng = np.random.default_rng(seed)
    names = train.table.of_kind(Kind.NUMBER)
    moved = [
        pl.col(name)
        + pl.lit(pl.Series(rng.normal(0, noise, train.rows) * np.nanstd(train.frame[name].to_numpy())))
        for name in names
    ]
    return train.with_frame(train.frame.with_columns(moved))


def numbers(dataset: Dataset) -> Dataset:
    """Keep the columns that hold quantities."""
    return dataset.select(dataset.table.of_kind(Kind.NUMBER))


def comparison(train: int, holdout: int, seed: int = 0) -> Comparison:
    """Compare fresh patients with training rows, holdout and synthetic all of one population."""
    return Comparison(
        patients(train, 3 * seed + 1),
        patients(train, 3 * seed + 3_000_001),
        patients(holdout, 3 * seed + 6_000_002),
        Seed(seed),
    )


def release(of: Comparison, synthetic: Dataset) -> Comparison:
    """Put other rows in the place of the synthetic ones."""
    return Comparison(of.real, synthetic, of.holdout, of.seed)
