"""Simulated patients for the tests of sampling: skewed, missing, spiked, dated, coded."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.sampling.chain import Chain
from understudy.sampling.drawing import Restriction
from understudy.sampling.trees import TreeSettings

COLUMNS = (
    Column(name="age", kind=Kind.NUMBER, decimals=0, low=18, high=95),
    Column(name="sex", kind=Kind.CATEGORY, values=("f", "m")),
    Column(name="bmi", kind=Kind.NUMBER, decimals=1),
    Column(name="insulin", kind=Kind.NUMBER),
    Column(name="glucose", kind=Kind.NUMBER, decimals=0),
    Column(name="crp", kind=Kind.NUMBER),
    Column(name="stage", kind=Kind.CATEGORY, values=("I", "II", "III"), ordered=True),
    Column(name="site", kind=Kind.CATEGORY),
    Column(name="visit", kind=Kind.DATETIME),
    Column(name="dead", kind=Kind.BOOLEAN),
)
START = datetime(2015, 1, 1)  # noqa: DTZ001 - canonical datetimes carry no zone


def number(name="x", **fields):
    """Return a column of numbers."""
    return Column(name=name, kind=Kind.NUMBER, **fields)


def dataset(frame, *columns):
    """Return a dataset of these columns, of which the frame holds raw or canonical values."""
    known = {c.name: c for c in COLUMNS}
    table = Table(columns=columns or tuple(known[name] for name in frame.columns))
    return Dataset.of(Schema(tables=(table,)), frame)


def patients(n=800, seed=0):
    """Return patients: crp depends on age without a line; insulin is often 0; two labs miss together."""
    rng = np.random.default_rng(seed)
    age = np.clip(np.round(rng.normal(60, 14, n)), 18, 95)
    sex = rng.random(n) < 0.4
    bmi = np.round(rng.gamma(20, 1.3, n) + 3 * sex, 1)
    insulin = np.where(rng.random(n) < 0.3, 0.0, np.round(rng.lognormal(4, 0.6, n), 2))
    unmeasured = rng.random(n) < np.where(age > 65, 0.05, 0.35)
    glucose = np.round(80 + 0.8 * bmi + rng.normal(0, 6, n))
    crp = np.exp(0.002 * (age - 60) ** 2 + rng.normal(0, 0.4, n))
    stage = np.digitize(bmi + rng.normal(0, 3, n), [25, 32])
    dead = rng.random(n) < 1 / (1 + np.exp(-(age - 65) / 6))
    visits = [START + timedelta(days=int(d)) for d in rng.integers(0, 2_000, n)]
    return pl.DataFrame(
        {
            "age": age,
            "sex": np.where(sex, "m", "f"),
            "bmi": bmi,
            "insulin": insulin,
            "glucose": pl.Series(np.where(unmeasured, np.nan, glucose)).fill_nan(None),
            "crp": pl.Series(np.where(unmeasured, np.nan, crp)).fill_nan(None),
            "stage": np.array(["I", "II", "III"])[stage],
            "site": rng.choice(["north", "south", "east", "west"], n, p=[0.4, 0.3, 0.2, 0.1]),
            "visit": pl.Series(visits, dtype=pl.Datetime("us")),
            "dead": dead,
        }
    )


def chain_of(real, seed=0, settings=None):
    """Return the chain that the rows of a dataset give."""
    rng = np.random.default_rng(seed)
    return Chain.fit(real, real.columns, settings or TreeSettings(), rng)


def draw(chain, n=1_000, seed=0, where=(), known=None):
    """Return candidates of a chain."""
    return chain.draw(n, np.random.default_rng(seed), Restriction(where, known))


def resampled(candidates, n=4_000, seed=0):
    """Return `n` rows drawn with replacement in proportion to their weights."""
    weight = np.exp(candidates.log_weight)
    rows = np.random.default_rng(seed).choice(len(weight), n, p=weight / weight.sum())
    return candidates.frame[rows]
