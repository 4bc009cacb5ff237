"""Measure how long people wait: start-up, the whole command, a million rows: `python -m benchmarks.speed`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import OUT, call, call_module, seconds_of
from benchmarks.results import Figure, write_csv
from benchmarks.tables import SMALL, BenchTable, named, read, shared_folder
from understudy.core.errors import UnderstudyError

IMPORT_S = 0.3
HELP_S = 0.4
COMMAND_S = 30.0
MILLION_S = 20.0
REPEATS = 5
# Released, and withheld after the whole work.
_JUDGED = (0, 3)

_IMPORT = "import time; began = time.perf_counter(); import understudy; print(time.perf_counter() - began)"


def start_up() -> list[dict[str, Any]]:
    """Return the shortest of several times of the import and of the help."""
    imports = min(float(call([sys.executable, "-c", _IMPORT])) for _ in range(REPEATS))
    asked = seconds_of([_program(), "--help"], REPEATS)
    return [_row("import understudy", imports, IMPORT_S), _row("understudy --help", asked, HELP_S)]


def whole_command(table: BenchTable, shared: Path) -> dict[str, Any]:
    """Return the time of `understudy synthesize` with evaluation and report."""
    with tempfile.TemporaryDirectory(prefix="understudy-speed-") as name:
        folder = Path(name)
        read(table, shared).write_csv(folder / "patients.csv")
        command = [_program(), "synthesize", str(folder / "patients.csv"), "--target", table.target]
        seconds = seconds_of([*command, "--out", str(folder / "release")], fine=_JUDGED)
    return _row(f"understudy synthesize {table.name}", seconds, COMMAND_S)


def million_rows() -> list[dict[str, Any]]:
    """Return time and memory of a million rows sampled from a model of ten columns."""
    found = call_module("benchmarks.big_sample", {})
    what = f"{found['rows']:,} rows of {found['columns']} columns"
    return [
        _row(f"sample {what}", found["sample_s"], MILLION_S),
        {"what": f"sample {what}, peak", "value": found["peak_mb"], "unit": "MB", "floor": None},
    ]


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the measurements as the table that people read."""
    lines = ["| what | measured |", "|---|---|"]
    for row in rows:
        lines.append(f"| {row['what']} | {Figure(row['value'], row['floor'], 2)} {row['unit']} |")
    return "\n".join(lines) + "\n"


def _row(what: str, seconds: float, floor: float) -> dict[str, Any]:
    return {"what": what, "value": seconds, "unit": "s", "floor": floor}


def _program() -> str:
    return str(Path(sys.executable).with_name("understudy"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the options name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument(
        "--tables", nargs="*", default=[t.name for t in SMALL], help="names; small ones by default"
    )
    parser.add_argument("--no-million", action="store_true", help="leave the million rows out")
    given = parser.parse_args(arguments)
    try:
        rows = start_up()
        if not given.no_million:
            rows += million_rows()
        if given.tables:
            shared = shared_folder()
            rows += [whole_command(table, shared) for table in named(given.tables)]
    except UnderstudyError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    write_csv(rows, OUT / "speed.csv")
    text = markdown(rows)
    (OUT / "speed.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
