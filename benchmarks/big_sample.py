"""A million rows from a model of ten columns, in this process: seconds and memory."""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import polars as pl

from benchmarks.memory import peak_mb
from understudy.core.contracts import Fitting
from understudy.core.seeds import Seed
from understudy.modalities.tabular import canonical
from understudy.sources.profile import propose
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS


def simulated(rows: int, seed: int = 0) -> pl.DataFrame:
    """Return ten columns of simulated patients: numbers, levels, a boolean, a date, missing labs."""
    rng = np.random.default_rng(seed)
    age = np.clip(rng.normal(60, 14, rows).round(), 18, 95)
    bmi = rng.gamma(20, 1.35, rows).round(1)
    pressure = (95 + 0.6 * age + rng.normal(0, 12, rows)).round()
    glucose = np.where(rng.random(rows) < 0.15, np.nan, (70 + bmi + rng.normal(0, 12, rows)).round())
    days = rng.integers(0, 3_000, rows)
    return pl.DataFrame(
        {
            "age": age.astype(np.int64),
            "sex": rng.choice(["female", "male"], rows),
            "bmi": bmi,
            "systolic": pressure.astype(np.int64),
            "glucose": pl.Series(glucose).fill_nan(None),
            "creatinine": rng.lognormal(0, 0.3, rows).round(2),
            "site": rng.choice(["north", "south", "east", "west"], rows),
            "smoker": rng.random(rows) < 0.2,
            "admitted": pl.Series(days).cast(pl.Date),
            "died": (rng.random(rows) < 1 / (1 + np.exp(-(age - 75) / 6))).astype(np.int64),
        }
    )


def main() -> None:
    """Measure once and print the figures as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--synthesizer", default="sequential_trees")
    given = parser.parse_args()
    raw = simulated(5_000)
    train, _ = canonical(raw, propose(raw).schema)
    generator = SYNTHESIZERS.create(given.synthesizer).fit(train, Fitting(seed=Seed(0)))
    before = peak_mb()
    began = time.perf_counter()
    drawn = generator.sample(given.rows, Seed(1))
    seconds = time.perf_counter() - began
    found = {"rows": drawn.rows, "columns": len(drawn.columns), "sample_s": seconds}
    print(json.dumps(found | {"fitted_mb": before, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
