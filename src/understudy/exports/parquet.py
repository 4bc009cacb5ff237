"""Parquet: exact, typed, and labelled as synthetic."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from understudy.core.contracts import Export
from understudy.core.dataset import Dataset
from understudy.core.schema import Table
from understudy.exports.files import file_in, presented, written_whole


class Parquet(Export):
    """Writes one Parquet file for each table; its key-value metadata say SYNTHETIC and by which version."""

    def write(self, dataset: Dataset, folder: Path) -> list[Path]:
        """Write `<table>.parquet` for each table, whole or not at all, and return the files.

        Raises:
            OutputError: if the folder cannot be written, the disk is full, or a table's name cannot name a file.
        """
        files = []
        for table in dataset.schema.tables:
            path = file_in(folder, table.name, ".parquet")
            said = {
                "SYNTHETIC": "partly" if table.completed else "true",
                "understudy.version": _version(),
                "understudy.table": table.name,
            }
            with written_whole(path) as handle:
                _write(dataset.tables[table.name], table, said, handle)
            files.append(path)
        return files


def _write(rows: pl.DataFrame, table: Table, said: dict[str, str], handle: IO[bytes]) -> None:
    writer = None
    for frame in presented(rows, table):
        part = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).replace_schema_metadata(said)
        if writer is None:
            writer = pq.ParquetWriter(pa.PythonFile(handle, mode="w"), part.schema, compression="zstd")
        writer.write_table(part.cast(writer.schema))
    if writer is not None:
        writer.close()


def _version() -> str:
    try:
        return version("understudy")
    except PackageNotFoundError:
        return "0+uninstalled"
