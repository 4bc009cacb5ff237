"""What people wait for: a whole command, on the clock, of the processors and in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import MeasurementError


@dataclass(frozen=True)
class Waited:
    """What one command took: seconds on the clock, of all processors, and MiB of its largest process."""

    wall: float
    processors: float
    peak_mb: float

    def says(self) -> str:
        """Return the figures in words."""
        cores = os.cpu_count() or 1
        return (
            f"{self.wall:.1f} s, {self.processors:.1f} s of processors ({self.processors / cores:.1f} s each of "
            f"{cores}), largest process {self.peak_mb:,.0f} MB"
        )


def commanded(*options: str) -> Waited:
    """Run `understudy cohort us_adults` with some options into a folder that is then removed."""
    before = os.times()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "understudy.cli.app", "cohort", "us_adults", *options]
        command += ["--out", str(Path(folder) / "out"), "--json"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as begun:
            _, status, usage = os.wait4(begun.pid, 0)
            begun.returncode = os.waitstatus_to_exitcode(status)
    if begun.returncode:
        raise MeasurementError(f"the command failed: {' '.join(command)}")
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Waited(after.elapsed - before.elapsed, used, usage.ru_maxrss / 2**10)
