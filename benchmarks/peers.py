"""Time SDV's CTGAN beside ours in one run, and judge both: `python -m benchmarks.peers`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.judging import judge
from benchmarks.processes import OUT, ROOT, call, call_module, last_json
from benchmarks.results import PROMISED, Figure, write_csv
from benchmarks.tables import SMALL, BenchTable, named, read, shared_folder, split
from understudy.core.errors import RequestError, UnderstudyError

PEERS_PYTHON = ROOT / "build" / "peers-env" / "bin" / "python"
RATIO = 1 / 20
EPOCHS = 300


def measure(table: BenchTable, seed: int, shared: Path, epochs: int = EPOCHS) -> list[dict[str, Any]]:
    """Return the figures of CTGAN and of ours on one split, one after the other.

    Args:
        table: the table.
        seed: of the split, and of ours.
        shared: folder of the shared tables and the judge.
        epochs: CTGAN's own default is 300.
    """
    train, test = split(read(table, shared), table.target, seed)
    rows = []
    with tempfile.TemporaryDirectory(prefix="understudy-peers-") as name:
        folder = Path(name)
        files = {part: folder / f"{part}.csv" for part in ("train", "test", "syn")}
        train.write_parquet(folder / "train.parquet")
        train.write_csv(files["train"])
        test.write_csv(files["test"])
        for tool in ("SDV CTGAN", PROMISED):
            took = _ctgan(files, epochs) if tool != PROMISED else _ours(folder, files, table, seed)
            judged = judge(files, table.target, seed, shared, with_quality=False)
            rows.append({"table": table.name, "tool": tool, "seed": seed} | took | judged)
    for row in rows:
        row["ratio"] = ratio(rows[1], rows[0]) if row["tool"] == PROMISED else None
    return rows


def ratio(ours: dict[str, Any], peer: dict[str, Any]) -> float:
    """Return the time of fit and sample of ours as a share of the peer's."""
    return float((ours["fit_s"] + ours["sample_s"]) / (peer["fit_s"] + peer["sample_s"]))


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the measurements as the table that people read."""
    headings = ["table", "tool", "fit s", "sample s", "time ratio", "dAssoc", "C2ST test", "TSTR loss", "MIA"]
    lines = [f"| {' | '.join(headings)} |", "|---" * len(headings) + "|"]
    for row in rows:
        share = "" if row["ratio"] is None else str(Figure(row["ratio"], RATIO))
        times = [f"{row['fit_s']:.2f}", f"{row['sample_s']:.2f}", share]
        judged = [str(Figure(row[name])) for name in ("association", "detection", "utility", "membership")]
        lines.append(f"| {' | '.join([row['table'], row['tool'], *times, *judged])} |")
    return "\n".join(lines) + "\n"


def _ctgan(files: dict[str, Path], epochs: int) -> dict[str, Any]:
    script = str(ROOT / "benchmarks" / "sdv_ctgan.py")
    options = ["--train", str(files["train"]), "--synthetic", str(files["syn"]), "--epochs", str(epochs)]
    return last_json(call([str(PEERS_PYTHON), "-P", script, *options]))


def _ours(folder: Path, files: dict[str, Path], table: BenchTable, seed: int) -> dict[str, Any]:
    options = {"train": folder / "train.parquet", "target": table.target, "synthetic": files["syn"]}
    return call_module("benchmarks.ours", options | {"synthesizer": PROMISED, "seed": seed})


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the options name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument(
        "--tables", nargs="*", default=[t.name for t in SMALL], help="names; small ones by default"
    )
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of CTGAN; 300 is its default")
    given = parser.parse_args(arguments)
    try:
        if not PEERS_PYTHON.is_file():
            raise RequestError(
                f"the peers' environment is not in {str(PEERS_PYTHON)!r}; run `make bench-peers`"
            )
        shared, rows = shared_folder(), []
        for table in named(given.tables):
            for seed in given.seeds:
                rows += measure(table, seed, shared, given.epochs)
                write_csv(rows, OUT / "peers.csv")
    except UnderstudyError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    text = markdown(rows)
    (OUT / "peers.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
