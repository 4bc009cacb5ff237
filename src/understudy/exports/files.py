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
from understudy.core.schema import Schema
from understudy.modalities.tabular import present

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|.][^\x00-\x1f\x7f/\\:*?\"<>|]{0,199}")


def presented(dataset: Dataset) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each table's name and its cells as they would have been written."""
    for table in dataset.schema.tables:
        alone = Dataset.of(Schema(tables=(table,)), dataset.tables[table.name])
        yield table.name, present(alone)


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
