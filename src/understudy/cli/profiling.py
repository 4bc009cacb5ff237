"""`understudy profile`: what a table seems to mean, as a schema to edit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli import options


def profile(
    table: options.Table,
    read: options.Read = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; default: standard output.")
    ] = None,
    json_: options.Json = False,
) -> None:
    """Propose what TABLE means: kinds, roles, units, bounds, rules, identifiers, each guess with its reason.

    Write it down, edit it, hand it back: understudy profile t.csv > schema.yaml;
    understudy synthesize t.csv --schema schema.yaml --out release
    """
    from understudy.sources.profile import propose
    from understudy.sources.reading import read_table

    reading = read_table(table, settings=options.reading_of(read))
    proposal = propose(reading.frame)
    text = proposal.schema.model_dump_json(indent=1) if json_ else proposal.schema.to_yaml()
    for note in (*reading.notes, *proposal.notes):
        print(f"# {note}", file=sys.stderr)
    options.show(text, out)
