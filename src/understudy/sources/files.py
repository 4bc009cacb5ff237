"""What all files have in common: they must exist, be files, and fit; and the value that reading one gives."""

from __future__ import annotations

import stat
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from pydantic import Field

from understudy.core.contracts import Source
from understudy.core.errors import SourceError
from understudy.core.seeds import Seed
from understudy.sources.limits import memory_budget


@dataclass(frozen=True)
class Reading:
    """A table as it stands in its source, and what a person should know about how it was read.

    Attributes:
        frame: the raw table: numbers, strings, booleans and points in time; missing is null.
        notes: sentences for people: rows sampled, columns left out or renamed, cells read as missing.
        rows_total: rows in the source; more than the frame holds when it is a sample.
        source: catalog name of the recipe that read it, or `memory`.
        details: what was found out about the file, such as `delimiter`, `encoding`, `sheet`.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
    rows_total: int = 0
    source: str = "memory"
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_sample(self) -> bool:
        """Whether the source holds more rows than were read."""
        return self.rows_total > self.frame.height


class FileSource(Source):
    """A table in a file."""

    path: Path = Field(description="The file.")
    max_rows: int | None = Field(
        default=None, ge=1, description="Read at most this many rows, a uniform random sample of all."
    )
    seed: int = Field(default=0, description="Seed of that sample.")
    memory_mb: int | None = Field(
        default=None, ge=1, description="Memory for the table in MB; half of what is free when not stated."
    )

    @abstractmethod
    def reading(self) -> Reading:
        """Return the raw table with the notes made while reading it.

        Raises:
            SourceError: if it cannot be read; says what, where, what was expected and what to do.
        """

    def read(self) -> pl.DataFrame:
        """Return the raw table.

        Raises:
            SourceError: if it cannot be read; says what, where, what was expected and what to do.
        """
        return self.reading().frame

    @property
    def budget(self) -> int:
        """Bytes that the table may take."""
        return memory_budget(self.memory_mb)

    @property
    def sampling_seed(self) -> Seed:
        """The stream from which rows are drawn when not all are read."""
        return Seed(self.seed).child("source").child("rows")


def require_file(path: Path) -> int:
    """Return the size in bytes of a regular, readable, non-empty file.

    Raises:
        SourceError: if it is missing, a folder, a pipe or device, unreadable or empty.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise SourceError(f"no file {str(path)!r}: check the path and the spelling") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot open {str(path)!r}: {error}") from error
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(f"{str(path)!r} is a folder, expected one file: name the table inside it")
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(
            f"{str(path)!r} is a pipe or a device, expected a regular file: write the table to a file first"
        )
    if status.st_size == 0:
        raise SourceError(f"{str(path)!r} is empty (0 bytes), expected a header and rows: export it again")
    try:
        with path.open("rb"):
            return status.st_size
    except OSError as error:
        raise SourceError(f"cannot read {str(path)!r}: {error.strerror}. Check its permissions") from error


def require_rows(path: Path, rows: int, columns: int) -> None:
    """Refuse a table without columns or rows."""
    if columns == 0:
        raise SourceError(f"{str(path)!r} holds no readable column, expected at least one")
    if rows == 0:
        raise SourceError(
            f"{str(path)!r} holds a header of {columns} columns but no row: export it again with its rows"
        )
