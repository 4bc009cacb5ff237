"""`understudy audit`: the plausibility rules of the knowledge base, run on any table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli import options

if TYPE_CHECKING:
    from understudy.workflow.audit import Audit, Checked

BROKEN = 4


def audit(
    table: options.Table,
    schema: options.SchemaFile = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Show every rule that was checked, not only the broken ones.")
    ] = False,
    json_: options.Json = False,
) -> None:
    """Say which rows of TABLE no patient could have: limits, units, order, sex and age, diagnoses.

    Columns are recognised by name, synonym and unit. Exit code 4 if a row breaks a hard rule.

    Example: understudy audit patients.csv
    """
    from understudy.workflow.audit import audit_file

    found = audit_file(table, options.schema_of(schema))
    if json_:
        print(json.dumps(_document(table, found), indent=1))
    else:
        _print_for_people(found, shows_all=all_)
    raise typer.Exit(0 if found.is_clean else BROKEN)


def _document(table: str, found: Audit) -> dict[str, Any]:
    return {
        "table": table,
        "rows": found.rows,
        "is_clean": found.is_clean,
        "columns": [
            {"column": r.column, "read_as": r.name, "unit": r.unit, "unit_is_assumed": r.is_assumed}
            for r in found.readings
        ],
        "not_recognised": list(found.unknown),
        "rules": [_entry(checked) for checked in found.checked],
        "notes": list(found.notes),
    }


def _entry(checked: Checked) -> dict[str, Any]:
    return {
        "rule": checked.rule.id,
        "says": checked.rule.says,
        "severity": checked.rule.severity.value,
        "columns": list(checked.columns),
        "checked": checked.checked,
        "broken": checked.broken,
        "is_believed": checked.is_believed,
        "first_rows": list(checked.shown),
        "sources": list(checked.rule.sources),
    }


def _print_for_people(found: Audit, *, shows_all: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    console.print(f"[bold]{found.rows}[/] rows, {len(found.checked)} rules apply")
    for reading in found.readings:
        unit = f" in {reading.unit}{' (assumed)' if reading.is_assumed else ''}" if reading.unit else ""
        console.print(f"  {escape(reading.column)} [dim]read as[/] {reading.name}{escape(unit)}")
    if found.unknown:
        console.print(f"  [dim]not recognised:[/] {escape(', '.join(found.unknown))}")
    shown = found.checked if shows_all else found.violations
    if not shown:
        said = (
            "No row breaks a rule." if found.checked else "No rule applies: no column needed was recognised."
        )
        console.print(f"\n[green]{said}[/]")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("rows", "of", "", "rule", "first rows"):
        table.add_column(title, justify="right" if title in ("rows", "of") else "left")
    for entry in shown:
        doubt = "" if entry.is_believed else " [yellow](so many: a unit or a code is the likelier fault)[/]"
        colour = "red" if entry.broken and entry.rule.severity.value == "hard" else "yellow"
        word = f"[{colour}]{entry.rule.severity.value}[/]" if entry.broken else entry.rule.severity.value
        rows = ", ".join(map(str, entry.shown))
        table.add_row(str(entry.broken), str(entry.checked), word, escape(entry.rule.says) + doubt, rows)
    console.print()
    console.print(table)
