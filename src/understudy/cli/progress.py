"""Events as a progress display on the terminal's error stream: what is done, and how long it takes still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.core.events import Event, Notify

WORDS = {
    "read": "Reading and checking",
    "choose": "Choosing a synthesizer",
    "fit": "Learning",
    "build": "Building the population",
    "sample": "Sampling",
    "evaluate": "Judging",
    "compare": "Comparing",
    "release": "Writing the release",
}


@contextmanager
def shown(*, is_quiet: bool = False) -> Iterator[Notify]:
    """Give a listener that draws one bar per step; silent when asked to be."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from understudy.core.events import silent

    if is_quiet:
        yield silent
        return
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[detail]}[/]", markup=True),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        tasks: dict[str, int] = {}

        def listen(event: Event) -> None:
            if event.event == "started" and event.step not in tasks:
                label = WORDS.get(event.step, event.step)
                tasks[event.step] = int(progress.add_task(label, total=1.0, detail=_plain(event.detail)))
            elif event.event == "progressed" and event.step in tasks:
                progress.update(tasks[event.step], completed=event.fraction, detail=_plain(event.detail))  # type: ignore[arg-type]
            elif event.event == "finished" and event.step in tasks:
                detail = "taken from the earlier run" if event.reused else _plain(event.detail)
                progress.update(tasks[event.step], completed=1.0, detail=detail)  # type: ignore[arg-type]
            elif event.event == "failed" and event.step in tasks:
                progress.update(tasks[event.step], detail="[red]stopped[/]")  # type: ignore[arg-type]

        yield listen


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text[:60])
