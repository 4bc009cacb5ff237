"""Parquet files."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.core.errors import SourceError
from understudy.sources.columns import frame_of, is_flat, left_out
from understudy.sources.files import FileSource, Reading, require_file, require_rows
from understudy.sources.headers import clean_names
from understudy.sources.limits import GIGABYTE, in_words, refuse_bomb, refuse_too_many_columns
from understudy.sources.sampling import Reservoir

# A column of one repeated value shrinks a millionfold, a table does not.
_MOST_RATIO = 1000
_BATCH_BYTES = 64_000_000
_COPIES = 3


class Parquet(FileSource):
    """Reads a Parquet file; its footer is checked against memory before anything is decoded."""

    def reading(self) -> Reading:
        """Return the raw table with the notes made while reading it.

        Raises:
            SourceError: if the file is missing, truncated, a decompression bomb, or has no readable column.
        """
        size = require_file(self.path)
        try:
            with pq.ParquetFile(self.path, memory_map=True) as file:
                return self._read(file, size)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise SourceError(
                f"{str(self.path)!r} is a damaged or truncated Parquet file ({str(error)[:200]}), expected a "
                "complete one: copy or write it again"
            ) from error

    def _read(self, file: pq.ParquetFile, size: int) -> Reading:
        fields = list(file.schema_arrow)
        refuse_too_many_columns(self.path, len(fields))
        kept = [field for field in fields if is_flat(field.type)]
        require_rows(self.path, file.metadata.num_rows, len(kept))
        names, notes = clean_names(repr(str(self.path)), [field.name for field in kept])
        width = sum(_width(field.type) for field in kept)
        declared = _declared_bytes(file, {field.name for field in kept})
        refuse_bomb(self.path, size, max(file.metadata.num_rows * width, declared), _MOST_RATIO, GIGABYTE)
        self._refuse_large_groups(file)
        reservoir = Reservoir(self.max_rows, self.budget // _COPIES, self.sampling_seed)
        for batch in self._batches(kept, width):
            reservoir.add(pa.Table.from_batches([batch]))
        where = repr(str(self.path))
        frame, cell_notes = frame_of(where, reservoir.result(), names, self.budget // 2)
        notes += [*left_out(fields), *reservoir.note(self.seed), *cell_notes, *_labels(file)]
        return Reading(frame, tuple(notes), reservoir.seen, "parquet")

    def _batches(self, kept: list[pa.Field], width: int) -> Any:
        # Text stays as codes until its true size is known: one long value may be repeated a million times.
        texts = [f.name for f in kept if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        rows = max(min(65_536, _BATCH_BYTES // width), 64)
        with pq.ParquetFile(self.path, memory_map=True, read_dictionary=texts) as file:
            yield from file.iter_batches(rows, columns=[f.name for f in kept], use_threads=False)

    def _refuse_large_groups(self, file: pq.ParquetFile) -> None:
        meta = file.metadata
        largest = max((meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)), default=0)
        if largest > self.budget:
            raise SourceError(
                f"{str(self.path)!r} has a row group of {in_words(largest)}, expected at most "
                f"{in_words(self.budget)} of memory: write it with smaller row groups"
            )


def _width(kind: pa.DataType) -> int:
    """Bytes per value when decoded, at least; 4 for the code of a text."""
    try:
        return max(int(kind.bit_width) // 8, 1)
    except ValueError:
        return 4


def _declared_bytes(file: pq.ParquetFile, names: set[str]) -> int:
    meta = file.metadata
    total = 0
    for group in range(meta.num_row_groups):
        for place in range(meta.num_columns):
            column = meta.row_group(group).column(place)
            if column.path_in_schema in names:
                total += int(column.total_uncompressed_size)
    return total


def _labels(file: pq.ParquetFile) -> list[str]:
    labels = file.metadata.metadata or {}
    if labels.get(b"SYNTHETIC", b"").lower() != b"true":
        return []
    return ["This file says that it holds synthetic data, not real patients."]
