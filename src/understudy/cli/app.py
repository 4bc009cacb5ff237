"""`understudy`: the table of contents of the command line; verbs load what they need when used."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from understudy import __version__
from understudy.cli import (
    advising,
    asking,
    auditing,
    cohorts,
    comparing,
    evaluating,
    knowing,
    listing,
    planning,
    profiling,
    reporting,
    sampling,
    synthesizing,
    tracing,
    verifying,
)

if TYPE_CHECKING:
    from understudy.core.errors import UnderstudyError

INTERRUPTED = 130
EXIT_CODES = """Exit codes: 0 done (released) · 1 a fault of understudy · 2 the request, its data or folder are at
fault · 3 done, but the release policy withholds the data · 4 a check found something: verify a change, audit a row
that breaks a hard rule · 130 interrupted: the same command goes on where it stopped."""

app = typer.Typer(
    name="understudy",
    help="Synthetic patients that stand in for real ones: hand in a table, get a synthetic one, a report that "
    "says how faithful, useful, fair and safe it is, and a release folder that anyone can verify.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("ask", cls=asking.Spoken)(asking.ask)
for name, verb in (
    ("chat", asking.chat),
    ("mcp", asking.mcp),
    ("synthesize", synthesizing.synthesize),
    ("profile", profiling.profile),
    ("plan", planning.plan),
    ("run", planning.run),
    ("sample", sampling.sample),
    ("evaluate", evaluating.evaluate),
    ("compare", comparing.compare),
    ("report", reporting.report),
    ("advise", advising.advise),
    ("list", listing.list_catalog),
    ("verify", verifying.verify),
    ("audit", auditing.audit),
    ("cohort", cohorts.cohort),
    ("sources", tracing.sources),
):
    app.command(name)(verb)
app.add_typer(knowing.app, name="knowledge")
app.add_typer(cohorts.app, name="populations")


def _version(value: bool) -> None:
    if value:
        print(f"understudy {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Say the version."
    ),
) -> None:
    """Parse the options that stand before the verb."""


def main() -> None:
    """Run the command line; turn our errors into one clear line and an exit code."""
    # Several OpenMP threads on busy cores slow small fits a hundredfold; must be said before numpy loads.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from understudy.core.errors import UnderstudyError

    try:
        app()
    except UnderstudyError as error:
        _complain(error)
        sys.exit(error.exit_code)
    except SystemExit as ended:  # typer makes one of an interrupt, and says nothing
        if ended.code == INTERRUPTED:
            print("\nInterrupted. The same command goes on where it stopped.", file=sys.stderr)
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _complain(error: UnderstudyError) -> None:
    print(f"error: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
