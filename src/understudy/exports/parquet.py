"""Parquet: exact, typed, and labelled as synthetic."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from understudy.core.contracts import Export
from understudy.core.dataset import Dataset
from understudy.exports.files import file_in, presented, written_whole

_ROWS_IN_GROUP = 250_000


class Parquet(Export):
    """Writes one Parquet file for each table; its key-value metadata say SYNTHETIC and by which version."""

    def write(self, dataset: Dataset, folder: Path) -> list[Path]:
        """Write `<table>.parquet` for each table, whole or not at all, and return the files.

        Raises:
            OutputError: if the folder cannot be written, the disk is full, or a table's name cannot name a file.
        """
        files = []
        for meaning, (name, frame) in zip(dataset.schema.tables, presented(dataset), strict=True):
            path = file_in(folder, name, ".parquet")
            table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
            synthetic = "partly" if meaning.completed else "true"
            table = table.replace_schema_metadata(
                {"SYNTHETIC": synthetic, "understudy.version": _version(), "understudy.table": name}
            )
            with written_whole(path) as handle:
                pq.write_table(
                    table, pa.PythonFile(handle, mode="w"), compression="zstd", row_group_size=_ROWS_IN_GROUP
                )
            files.append(path)
        return files


def _version() -> str:
    try:
        return version("understudy")
    except PackageNotFoundError:
        return "0+uninstalled"
