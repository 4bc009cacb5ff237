"""The package and its command line start at once: nothing heavy loads before it is needed."""

import os
import subprocess
import sys

import pytest

IMPORT_LIMIT_S = 0.3
HELP_LIMIT_S = 0.4
HEAVY = {"numpy", "pandas", "polars", "pyarrow", "scipy", "sklearn", "torch", "vl_convert"}
HELP = "import sys; sys.argv = ['understudy', '--help']; from understudy.cli.app import main; main()"


def best_start_s(code: str, runs: int = 5) -> float:
    """Shortest processor time in seconds of a fresh Python that runs the code.

    Processor time, not the clock's: other work on the machine then changes little.
    """
    times = []
    for _ in range(runs):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        times.append(usage.ru_utime + usage.ru_stime)
    return min(times)


def heavy_modules_after(code: str) -> set[str]:
    ending = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ending}"], capture_output=True, text=True, check=True
    )
    return HEAVY & set(done.stdout.split())


def test_the_package_is_imported_quickly() -> None:
    assert best_start_s("import understudy") <= IMPORT_LIMIT_S


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not heavy_modules_after("import understudy")


def test_the_command_line_shows_its_help_quickly() -> None:
    assert best_start_s(HELP) <= HELP_LIMIT_S


def test_the_command_line_loads_nothing_heavy() -> None:
    assert not heavy_modules_after("import understudy.cli.app")


def test_a_conversation_loads_nothing_that_learns() -> None:
    assert not {"pandas", "sklearn", "torch"} & heavy_modules_after("import understudy.agent.conversation")


@pytest.mark.parametrize("module", ["numpy", "polars"])
def test_a_heavy_import_is_found(module: str) -> None:
    assert module in heavy_modules_after(f"import {module}")


def test_a_slow_start_is_found() -> None:
    work = "import time\nwhile time.process_time() < 0.5: pass"
    assert best_start_s(work, runs=1) > HELP_LIMIT_S
