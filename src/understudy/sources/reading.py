"""The front door: any table in a file, by its content and name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from understudy.core.catalog import Choice
from understudy.sources.catalog import CATALOG
from understudy.sources.files import FileSource, Reading, require_file
from understudy.sources.signatures import format_of


def choose(path: Path | str, settings: Mapping[str, Any] | None = None) -> Choice:
    """Return the choice of the source that reads this file, found by its first bytes.

    Args:
        path: the file.
        settings: further settings of the source, such as `sheet`, `delimiter`, `encoding`, `max_rows`.

    Raises:
        SourceError: if the file is missing or no table; says what it is.
    """
    place = Path(path).expanduser()
    require_file(place)
    name = format_of(place)
    return Choice(
        name=name,
        settings={**(settings or {}), "path": str(place)},
        reason=f"the content of {place.name!r} is of the format {name!r}",
    )


def read_table(
    path: Path | str,
    *,
    max_rows: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> Reading:
    """Read a table from a file; a file larger than memory gives a uniform random sample, and a note saying so.

    Args:
        path: CSV (any delimiter and encoding; gz, bz2, xz), Parquet, Arrow/Feather or Excel (.xlsx).
        max_rows: read at most this many rows, a uniform random sample of all.
        seed: seed of that sample.
        settings: further settings of the source, such as `sheet`, `delimiter`, `encoding`, `memory_mb`.

    Raises:
        SourceError: if it cannot be read; says what, where, what was expected and what to do.
        SettingsError: if a setting is unknown or does not fit the file's format.
    """
    chosen = {"max_rows": max_rows, "seed": seed, **(settings or {})}
    return read_choice(choose(path, chosen))


def read_choice(choice: Choice) -> Reading:
    """Read the table that a choice of a source names.

    Raises:
        SourceError: if it cannot be read.
        SettingsError: if a setting is unknown or out of bounds.
    """
    source = CATALOG.create(choice)
    if isinstance(source, FileSource):
        return source.reading()
    frame = source.read()
    return Reading(frame, (), frame.height, choice.name)
