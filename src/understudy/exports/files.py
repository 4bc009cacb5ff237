"""Writing files so that nothing half-written is ever seen under its final name."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.errors import OutputError
from understudy.core.schema import Schema, Table
from understudy.modalities.tabular import present

ROWS_AT_ONCE = 100_000
"""Rows that are held as they are written: a large table may lie in files."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|.][^\x00-\x1f\x7f/\\:*?\"<>|]{0,199}")


def presented(rows: pl.DataFrame, table: Table) -> Iterator[pl.DataFrame]:
    """Yield the cells of a table as they would have been written, some rows at a time; an empty table once."""
    schema = Schema(tables=(table,))
    for start in range(0, max(rows.height, 1), ROWS_AT_ONCE):
        yield present(Dataset.of(schema, rows[start : start + ROWS_AT_ONCE]))


def file_in(folder: Path, table: str, suffix: str) -> Path:
    """Return the file of a table.

    Raises:
        OutputError: if the table's name cannot be a file's name, or leads out of the folder.
    """
    if not _NAME.fullmatch(table):
        raise OutputError(
            f"table name {table!r} cannot name a file, expected letters, digits, '_' and '-': rename the table"
        )
    return folder / f"{table}{suffix}"


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a neighbour of `path` for writing that takes its place only when all went well.

    Raises:
        OutputError: if the folder cannot be written or the disk is full; nothing stays behind.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(path)
    except OSError as error:
        raise _explained(path, error) from error
    finally:
        # Gone already where all went well.
        with suppress(OSError):
            partial.unlink()


def _explained(path: Path, error: OSError) -> OutputError:
    if error.errno in _FULL:
        return OutputError(
            f"cannot write {str(path)!r}: the disk is full, or a quota is reached. Free some space or choose "
            "another folder; nothing half-written was left"
        )
    if path.is_dir():
        return OutputError(f"cannot write {str(path)!r}: a folder of this name is in the way. Remove it")
    return OutputError(
        f"cannot write {str(path)!r} ({error.strerror or error}): choose a folder that can be written"
    )
