"""The yardstick of time: one random forest fitted to an encoded table, in this process."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.ensemble import RandomForestClassifier


def encoded(frame: pl.DataFrame, target: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features as numbers (levels as codes, missing as -1) and the target's codes."""
    columns = [
        series.fill_null(-1).cast(pl.Float64) if series.dtype.is_numeric() else _codes(series)
        for series in frame.drop(target)
    ]
    return np.column_stack([c.to_numpy() for c in columns]), _codes(frame[target]).to_numpy()


def _codes(series: pl.Series) -> pl.Series:
    return series.cast(pl.String).rank("dense").cast(pl.Float64).fill_null(-1)


def main() -> None:
    """Fit once (100 trees, one job) and print the seconds as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="Parquet table")
    parser.add_argument("--target", required=True)
    given = parser.parse_args()
    features, target = encoded(pl.read_parquet(given.train), given.target)
    began = time.perf_counter()
    RandomForestClassifier(n_estimators=100, n_jobs=1, random_state=0).fit(features, target)
    print(json.dumps({"forest_s": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
