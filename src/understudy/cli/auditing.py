"""`understudy audit`: the plausibility rules of the knowledge base, run on any table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

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

    console = Console()
    _print_columns(console, found)
    shown = found.checked if shows_all else found.violations
    if shown:
        _print_rules(console, shown)
    console.print(f"\n{_summary(found)}")


def _print_columns(console: Console, found: Audit) -> None:
    from rich.markup import escape
    from rich.table import Table

    from understudy.knowledge.units import written

    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("column", "read as", "in"):
        table.add_column(title)
    for reading in found.readings:
        assumed = " [yellow]assumed[/]" if reading.is_assumed and written(reading.unit) else ""
        table.add_row(escape(reading.column), _name(reading.name), escape(written(reading.unit)) + assumed)
    if found.readings:
        console.print(table)
    if found.unknown:
        console.print(f"[dim]not recognised:[/] {escape(', '.join(found.unknown))}")
    for note in found.notes:
        console.print(f"[yellow]note[/] {escape(note)}")


def _print_rules(console: Console, shown: Sequence[Checked]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from understudy.knowledge.rules import Severity

    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("rows", "of", "", "rule", "in the rows"):
        table.add_column(title, justify="right" if title in ("rows", "of") else "left", overflow="fold")
    for entry in shown:
        is_hard = entry.rule.severity is Severity.HARD
        colour = "dim" if not entry.broken else "red" if is_hard else "yellow"
        doubt = "" if entry.is_believed else "\n[yellow]So many: a unit or a code is the likelier fault.[/]"
        names = escape(", ".join(dict.fromkeys(entry.columns)))
        rows = ", ".join(map(str, entry.shown))
        more = " ..." if entry.broken > len(entry.shown) else ""
        table.add_row(
            f"{entry.broken:,}",
            f"{entry.checked:,}",
            f"[{colour}]{'error' if is_hard else 'unusual'}[/]",
            f"{escape(entry.rule.says)}{doubt}\n[dim]{names}[/]",
            rows + more,
        )
    console.print()
    console.print(table)


def _summary(found: Audit) -> str:
    from understudy.knowledge.rules import Severity

    if not found.checked:
        return "No rule applies: no column that a rule needs was recognised."
    hard = sum(entry.rule.severity is Severity.HARD for entry in found.violations)
    text = f"[bold]{found.rows:,}[/] rows, rules that apply: {len(found.checked)}."
    if not found.violations:
        return f"{text} [green]No row breaks a rule.[/]"
    return f"{text} Rules that find errors: [red]{hard}[/], that find the unusual: {len(found.violations) - hard}."


def _name(name: str) -> str:
    from understudy.knowledge.facts import facts
    from understudy.knowledge.observations import observations

    about = observations().get(name) or facts().get(name)
    return about.name if about else name
