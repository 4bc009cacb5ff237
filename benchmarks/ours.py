"""One fit and sample of ours in this process: `python -m benchmarks.ours --train CSV --synthetic CSV ...`."""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path

import polars as pl
import psutil

from benchmarks.memory import peak_mb
from understudy.core.catalog import Choice
from understudy.core.contracts import Fitting
from understudy.core.seeds import Seed
from understudy.modalities.tabular import present
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.advise import Wishes, draft
from understudy.workflow.inputs import read_inputs
from understudy.workflow.plan import Holdout


def measure(
    train: pl.DataFrame, target: str, synthesizer: str, seed: int
) -> tuple[pl.DataFrame, dict[str, float]]:
    """Learn from raw rows as `understudy synthesize` does, and draw as many.

    Args:
        train: raw rows; the schema is proposed from them alone.
        target: the column that is predicted.
        synthesizer: its name in the catalog, at its defaults.
        seed: of fit and sample.

    Returns:
        The synthetic rows as they would be written, and seconds of profile, fit and sample; `peak_mb` is the
        largest memory of this process, `start_mb` what it held before.
    """
    start_mb = psutil.Process().memory_info().rss / 2**20
    clock = [time.perf_counter()]
    wishes = Wishes(target=target, synthesizer=synthesizer, holdout=Holdout(), seed=seed)
    plan = draft("<train>", wishes, {"<train>": train}).plan
    learned = read_inputs(plan, {"<train>": train}).train
    profile_s = time.perf_counter() - clock.pop()
    recipe = SYNTHESIZERS.create(
        Choice(name=synthesizer)
    )  # imports libraries, as the peers' imports do not count
    clock.append(time.perf_counter())
    fitted = recipe.fit(learned, Fitting(seed=Seed(seed).child("fit")))
    clock.append(time.perf_counter())
    drawn = fitted.sample(train.height, Seed(seed).child("sample"))
    clock.append(time.perf_counter())
    steps = [after - before for before, after in pairwise(clock)]
    figures = {"profile_s": profile_s} | dict(zip(("fit_s", "sample_s"), steps, strict=True))
    return present(drawn), figures | {"start_mb": start_mb, "peak_mb": peak_mb()}


def main() -> None:
    """Measure once and print the figures as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="Parquet table to learn from")
    parser.add_argument("--synthetic", type=Path, required=True, help="CSV to write")
    parser.add_argument("--target", required=True)
    parser.add_argument("--synthesizer", required=True)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    synthetic, figures = measure(pl.read_parquet(given.train), given.target, given.synthesizer, given.seed)
    synthetic.write_csv(given.synthetic)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
