"""Tools about the data at hand: which tables and releases there are, and what a table holds."""

from __future__ import annotations

from pydantic import Field

from understudy.agent.aliases import described
from understudy.agent.state import Desk, NoArguments, Outcome
from understudy.core.blocks import Block, Callout, Heading, TableBlock, Text
from understudy.core.errors import RequestError
from understudy.core.values import Value
from understudy.populations.catalog import CATALOG as POPULATIONS
from understudy.reports.wording import count


class WhichTable(Value):
    """One of the person's tables."""

    table: int = Field(default=1, ge=1, le=99, description="Number of the table: 1 for table_1.")


def list_data(desk: Desk, arguments: NoArguments) -> Outcome:
    """List the person's tables, the populations and the releases."""
    rows = [
        (f"table {k}", f"{t.known.path}: {count(t.reading.frame.height, 'row')}, private")
        for k, t in enumerate(desk.tables, start=1)
    ]
    rows += [(entry.name, entry.summary) for entry in POPULATIONS.entries]
    rows += [(f"release {k}", folder) for k, folder in enumerate(desk.state.releases, start=1)]
    told = [f"table_{k}: a private table" for k in range(1, len(desk.tables) + 1)]
    told += [f"population {entry.name}: {entry.summary}" for entry in POPULATIONS.entries]
    told += [f"release {k}" for k in range(1, len(desk.state.releases) + 1)]
    return Outcome((TableBlock(columns=("Name", "What it is"), rows=tuple(rows)),), "\n".join(told))


def describe_data(desk: Desk, arguments: WhichTable) -> Outcome:
    """Say what the columns of one of the person's tables seem to mean; never a row, never a value."""
    if arguments.table > len(desk.tables):
        raise RequestError(
            "no table was brought; start with `--data TABLE`, or ask for patients from published knowledge"
        )
    table = desk.tables[arguments.table - 1]
    schema = table.known.schema_.table
    rows = tuple(
        (
            column.name,
            column.kind.value,
            column.unit or "",
            ", ".join(sorted(role.value.replace("_", " ") for role in column.roles)),
        )
        for column in schema.columns
    )
    text = f"{count(table.reading.frame.height, 'row')}, {count(len(rows), 'column')}."
    blocks: list[Block] = [
        Heading(text=table.known.path, level=3),
        Text(text=text),
        TableBlock(columns=("Column", "Kind", "Unit", "Roles"), rows=rows),
    ]
    if table.notes:
        blocks.append(Callout(tone="note", title="What was noticed", points=table.notes[:8]))
    return Outcome(tuple(blocks), described(table, arguments.table))
