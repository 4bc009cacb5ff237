"""Work in processes of its own, so that times and memory are those of the work alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from understudy.core.errors import UnderstudyError

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "bench"


class MeasurementError(UnderstudyError):
    """A measured process failed."""


def call(command: Sequence[str], timeout_s: float | None = None, fine: Sequence[int] = (0,)) -> str:
    """Run a command with one thread and return what it printed.

    Args:
        command: program and arguments.
        timeout_s: longest time.
        fine: exit codes that are no failure.

    Raises:
        MeasurementError: if it fails or takes longer than `timeout_s`; shows the end of what it said.
    """
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=timeout_s, env=os.environ | threads
        )
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(f"{' '.join(command)} took longer than {timeout_s:g} s") from error
    if done.returncode not in fine:
        said = (done.stderr or done.stdout).strip()[-1_500:]
        raise MeasurementError(f"{' '.join(command)} failed with code {done.returncode}:\n{said}")
    return done.stdout


def call_module(module: str, arguments: Mapping[str, object]) -> dict[str, Any]:
    """Run one of our modules with `--name value` options and return the JSON of its last printed line."""
    options = [text for name, value in arguments.items() for text in (f"--{name}", str(value))]
    return last_json(call([sys.executable, "-m", module, *options]))


def last_json(printed: str) -> dict[str, Any]:
    """Return the JSON object on the last line of what a process printed."""
    lines = [line for line in printed.splitlines() if line.strip()]
    if not lines:
        raise MeasurementError("the process printed nothing; expected a line of JSON")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def seconds_of(command: Sequence[str], repeats: int = 1, fine: Sequence[int] = (0,)) -> float:
    """Return the shortest wall-clock time of a command over some repeats."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call(command, fine=fine)
        times.append(time.perf_counter() - began)
    return min(times)
