"""Measure our synthesizers on public tables with the independent judge: `python -m benchmarks.run`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.judging import judge
from benchmarks.processes import OUT, call_module
from benchmarks.results import PROMISED, Figure, markdown, summarise, write_csv
from benchmarks.tables import BenchTable, named, read, shared_folder, split
from understudy.core.errors import UnderstudyError
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS


def measure(
    table: BenchTable, synthesizer: str, seed: int, shared: Path, *, with_quality: bool
) -> dict[str, Any]:
    """Return all figures of one fit: ours, the judge's, and on the large table the yardstick's."""
    train, test = split(read(table, shared), table.target, seed)
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as name:
        folder = Path(name)
        files = {part: folder / f"{part}.csv" for part in ("train", "test", "syn")}
        train.write_parquet(folder / "train.parquet")
        train.write_csv(files["train"])
        test.write_csv(files["test"])
        asked = {"train": folder / "train.parquet", "target": table.target}
        options = asked | {"synthetic": files["syn"], "synthesizer": synthesizer, "seed": seed}
        row: dict[str, Any] = {"table": table.name, "synthesizer": synthesizer, "seed": seed} | call_module(
            "benchmarks.ours", options
        )
        row |= judge(files, table.target, seed, shared, with_quality=with_quality)
        if table.is_large:
            row |= call_module("benchmarks.forest", asked)
            row["forest_ratio"] = (row["fit_s"] + row["sample_s"]) / row["forest_s"]
    return row


def run(
    tables: Sequence[BenchTable], synthesizers: Sequence[str], seeds: Sequence[int], *, with_quality: bool
) -> str:
    """Measure everything, write `results.csv` and `results.md`, and return the latter.

    Results are written after every measurement, so that an interrupted run leaves what it has.
    """
    shared, text = shared_folder(), ""
    rows: list[dict[str, Any]] = []
    summaries: dict[tuple[str, str], dict[str, Figure]] = {}
    for table in tables:
        for synthesizer in synthesizers:
            mine = []
            for seed in seeds:
                mine.append(measure(table, synthesizer, seed, shared, with_quality=with_quality))
                print(f"{table.name} {synthesizer} seed {seed}: measured", file=sys.stderr, flush=True)
                write_csv([*rows, *mine], OUT / "results.csv")
            rows += mine
            summaries[(table.name, synthesizer)] = summarise(table, synthesizer, mine)
            text = markdown(summaries, len(seeds))
            (OUT / "results.md").write_text(text, encoding="utf-8")
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the options name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--tables", nargs="*", default=[], help="names; all by default")
    parser.add_argument("--synthesizers", nargs="*", default=[PROMISED], help=f"names; {PROMISED} by default")
    parser.add_argument("--all", action="store_true", help="all synthesizers of the catalog")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--no-quality", action="store_true", help="leave SDMetrics' QualityReport out")
    given = parser.parse_args(arguments)
    synthesizers = SYNTHESIZERS.names if given.all else given.synthesizers
    try:
        print(run(named(given.tables), synthesizers, given.seeds, with_quality=not given.no_quality))
    except UnderstudyError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    print(f"written: {OUT / 'results.csv'} and results.md", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
