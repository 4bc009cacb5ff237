"""`understudy sources`: where the numbers of a release come from, column by column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy.cli import options


def sources(
    release: Annotated[Path, typer.Argument(help="A release folder, or an evaluation.json.")],
    column: Annotated[str | None, typer.Option("--column", help="Only this column.")] = None,
    json_: options.Json = False,
) -> None:
    """Say for every column of RELEASE how it was made, and which publications or data stand behind it.

    Example: understudy sources release --column egfr
    """
    from understudy.core.errors import UnknownNameError
    from understudy.reports.sources import column_origins
    from understudy.workflow.release import read_evidence

    evidence = read_evidence(release)
    columns = column_origins(evidence)
    if column is not None:
        if column not in columns:
            raise UnknownNameError("column of the release", column, tuple(columns))
        columns = {column: columns[column]}
    cited = {name for entry in columns.values() for name in entry.get("sources", ())}
    known: dict[str, Any] = dict(evidence.provenance.get("citations", {}))
    references = {name: entry for name, entry in known.items() if name in cited or column is None}
    document = {
        "release": str(release),
        "columns": columns,
        "definitions": list(evidence.provenance.get("definitions", ())),
        "references": references,
    }
    if json_:
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        _print_for_people(document, shows_definitions=column is None)


def _print_for_people(document: dict[str, Any], *, shows_definitions: bool) -> None:
    from rich.console import Console
    from rich.markup import escape

    from understudy.knowledge.units import written

    console = Console()
    for name, entry in document["columns"].items():
        unit = f" [dim]{escape(written(entry.get('unit')))}[/]"
        console.print(f"[bold]{escape(name)}[/]{unit}  {escape(str(entry['method']))}", soft_wrap=True)
        if entry.get("sources"):
            console.print(f"    [dim]{escape(', '.join(entry['sources']))}[/]", soft_wrap=True)
    if shows_definitions and document["definitions"]:
        console.print("\n[bold]Conditions[/]")
        for entry in document["definitions"]:
            without = "without " if entry["is_excluded"] else ""
            said = f"{without}{entry['condition']}: {entry['when']} ({entry['basis']})"
            console.print(
                f"  {escape(said)}\n    [dim]{escape(', '.join(entry['sources']))}[/]", soft_wrap=True
            )
    if document["references"]:
        console.print("\n[bold]Sources[/]")
        for name, entry in document["references"].items():
            console.print(f"  [bold]{escape(name)}[/]  {escape(entry['reference'])}", soft_wrap=True)
            console.print(f"    [dim]read: {escape(entry['what_was_read'])}[/]", soft_wrap=True)
