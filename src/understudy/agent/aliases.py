"""What a language model may read of a private table: columns by number, kinds, and counts of at least 11 people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from understudy.agent.state import Table
from understudy.core.schema import Schema

FEWEST_PEOPLE = 11


def aliases(schema: Schema) -> dict[str, str]:
    """Return a number for each column name, such as `col_07`."""
    return {name: f"col_{k:02d}" for k, name in enumerate(schema.table.names, start=1)}


def hidden(text: str, tables: Sequence[Table]) -> str:
    """Return words with the column names and paths of private tables replaced by their numbers."""
    for number, table in enumerate(tables, start=1):
        known = table.known
        names = {known.path: f"table_{number}", **aliases(known.schema_)}
        for name in sorted(names, key=len, reverse=True):
            spelled = re.escape(name).replace("_", "[ _]")
            text = re.sub(rf"(?<!\w){spelled}(?!\w)", names[name], text, flags=re.IGNORECASE)
    return text


def revealed(text: str, table: Table | None) -> str:
    """Return words with the numbers of columns replaced by their names."""
    if table is None:
        return text
    names = {alias: name for name, alias in aliases(table.known.schema_).items()}
    return re.sub(r"\bcol_\d{2,}\b", lambda found: names.get(found[0], found[0]), text)


def described(table: Table, number: int) -> str:
    """Return the columns of a table by number, with kind, roles and how complete they are."""
    schema, rows = table.known.schema_, table.reading.frame.height
    lines = [f"table_{number}: {_at_least(rows)} rows, {len(schema.table.columns)} columns"]
    named: Mapping[str, str] = aliases(schema)
    for column in schema.table.columns:
        roles = ", ".join(sorted(role.value for role in column.roles))
        missing = int(table.reading.frame[column.name].null_count())
        gaps = f", missing in {_at_least(missing)}" if missing else ""
        lines.append(f"{named[column.name]}: {column.kind.value}{f' ({roles})' if roles else ''}{gaps}")
    return "\n".join(lines)


def _at_least(people: int) -> str:
    return f"{people}" if people >= FEWEST_PEOPLE else f"fewer than {FEWEST_PEOPLE}"
