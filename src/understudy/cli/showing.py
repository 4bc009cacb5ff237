"""Blocks on the terminal: what a conversation says, as text, tables and boxes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from understudy.core.blocks import Block, Callout, Numbers, TableBlock
    from understudy.core.events import Event

_TONES = {"good": "green", "note": "cyan", "warning": "yellow", "bad": "red"}
_MARKS = {"good": "✓", "note": "·", "warning": "!", "bad": "✕"}


class Voice:
    """Listens to a conversation: shows what it says, and draws progress while a run works.

    Attributes:
        blocks: everything that was said, in order.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        from rich.console import Console

        self.blocks: list[Block] = []
        self._console = Console(stderr=is_quiet)
        self._progress: Callable[[Event], None] | None = None

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if event.event == "said":
            self.blocks += event.blocks
            for block in event.blocks:
                show(self._console, block)
        elif self._progress is not None and event.event != "asked":
            self._progress(event)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Draw the progress of the run that happens inside."""
        from understudy.cli.progress import shown

        with shown() as progress:
            self._progress = progress
            try:
                yield
            finally:
                self._progress = None


def show(console: Console, block: Block) -> None:
    """Write one block."""
    match block.block:
        case "heading":
            console.print(f"\n[bold]{_marked(block.text)}[/]")
        case "text":
            console.print(_marked(block.text))
        case "numbers":
            _show_numbers(console, block)
        case "table":
            _show_table(console, block)
        case "callout":
            _show_callout(console, block)
        case _:
            console.print(f"[dim]figure: {_marked(block.alt)}[/]")


def _marked(text: str) -> str:
    """Return text in the console's markup: `**bold**` and code in backticks are all that is known."""
    from rich.markup import escape

    text = re.sub(r"\*\*(.+?)\*\*", r"[bold]\1[/bold]", escape(text))
    return re.sub(r"`([^`]+)`", r"[cyan]\1[/cyan]", text)


def _show_numbers(console: Console, block: Numbers) -> None:
    for number in block.numbers:
        between = f" [dim]({number.low} to {number.high})[/]" if number.low is not None else ""
        note = f"  [dim]{_marked(number.note)}[/]" if number.note else ""
        console.print(f"  {_marked(number.label)}: [bold]{_marked(number.value)}[/]{between}{note}")


def _show_table(console: Console, block: TableBlock) -> None:
    from rich.table import Table

    is_card = not any(block.columns)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=not is_card, header_style="dim")
    justify: dict[str, Any] = {"l": "left", "r": "right", "c": "center"}
    for number, title in enumerate(block.columns):
        side = justify[(block.align + "l" * len(block.columns))[number]]
        is_label = is_card and number == 0
        table.add_column(
            _marked(title), justify=side, style="dim" if is_label else None, no_wrap=is_label, overflow="fold"
        )
    for row in block.rows:
        table.add_row(*(_marked(cell) for cell in row))
    if block.caption:
        console.print(f"[dim]{_marked(block.caption)}[/]")
    console.print(table)
    if block.note:
        console.print(f"[dim]{_marked(block.note)}[/]")


def _show_callout(console: Console, block: Callout) -> None:
    from rich.padding import Padding

    tone, mark = _TONES[block.tone], _MARKS[block.tone]
    console.print(f"[{tone}]{mark} {_marked(block.title)}[/]")
    lines = [_marked(text) for text in ([block.text] if block.text else []) + list(block.points)]
    for line in lines:
        console.print(Padding(line, (0, 0, 0, 2)))
