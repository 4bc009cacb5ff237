"""Arrow IPC files and streams, which Feather (version 2) files are too."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
import pyarrow.ipc as ipc

from understudy.core.errors import SourceError
from understudy.sources.columns import frame_of, is_flat, left_out, without_views
from understudy.sources.files import FileSource, Reading, require_file, require_rows
from understudy.sources.headers import clean_names
from understudy.sources.limits import GIGABYTE, in_words, refuse_bomb, refuse_too_many_columns
from understudy.sources.sampling import Reservoir

_MAGIC = b"ARROW1\x00\x00"
_MOST_RATIO = 1000
_COPIES = 3
_DICTIONARY, _RECORDS = 2, 3


class Arrow(FileSource):
    """Reads an Arrow IPC file or stream; sizes that compressed buffers declare are checked before decoding."""

    def reading(self) -> Reading:
        """Return the raw table with the notes made while reading it.

        Raises:
            SourceError: if the file is missing, damaged, a decompression bomb, or has no readable column.
        """
        size = require_file(self.path)
        with self.path.open("rb") as handle:
            is_file = handle.read(8) == _MAGIC
        try:
            self._refuse_swelling(size, is_file)
            return self._read(is_file)
        except (pa.ArrowException, OSError, EOFError, IndexError, struct.error, UnicodeDecodeError) as error:
            raise SourceError(
                f"{str(self.path)!r} is a damaged or truncated Arrow file ({str(error)[:200]}), expected a "
                "complete one: copy or write it again"
            ) from error

    def _read(self, is_file: bool) -> Reading:
        with ExitStack() as stack:
            memory = stack.enter_context(pa.memory_map(str(self.path)))
            reader = stack.enter_context(ipc.open_file(memory) if is_file else ipc.open_stream(memory))
            fields = list(reader.schema)
            refuse_too_many_columns(self.path, len(fields))
            kept = [place for place, field in enumerate(fields) if is_flat(field.type)]
            names, notes = clean_names(repr(str(self.path)), [fields[place].name for place in kept])
            reservoir = Reservoir(self.max_rows, self.budget // _COPIES, self.sampling_seed)
            batches = (reader.get_batch(i) for i in range(reader.num_record_batches)) if is_file else reader
            for batch in batches:
                # Offsets in an untrusted file may point anywhere.
                batch.validate(full=True)
                reservoir.add(without_views(repr(str(self.path)), batch.select(kept), self.budget // 2))
            require_rows(self.path, reservoir.seen, len(kept))
            frame, said = frame_of(repr(str(self.path)), reservoir.result(), names, self.budget // 2)
        notes += [*left_out(fields), *reservoir.note(self.seed), *said]
        return Reading(frame, tuple(notes), reservoir.seen, "arrow")

    def _refuse_swelling(self, size: int, is_file: bool) -> None:
        total = 0
        for message in _messages(str(self.path), size, is_file):
            declared = sum(_buffer_sizes(memoryview(message.metadata), memoryview(message.body or b"")))
            total += declared
            refuse_bomb(self.path, size, total, _MOST_RATIO, GIGABYTE)
            if declared > self.budget:
                raise SourceError(
                    f"{str(self.path)!r} has a batch of {in_words(declared)}, expected at most "
                    f"{in_words(self.budget)} of memory: write it in smaller batches"
                )


def _messages(path: str, size: int, is_file: bool) -> Iterator[Any]:
    """Yield the messages of a stream in their order, those of a file as its footer lists them."""
    with pa.memory_map(path) as memory:
        if is_file:
            for offset in _block_offsets(memory, size):
                memory.seek(offset)
                yield ipc.read_message(memory)
            return
        while True:
            try:
                message = ipc.read_message(memory)
            except EOFError:
                return
            yield message


def _block_offsets(memory: pa.MemoryMappedFile, size: int) -> list[int]:
    """Return where the footer says that dictionaries and batches of records lie.

    Reference:
        Apache Arrow columnar format, File.fbs: Footer(2 dictionaries, 3 recordBatches), Block of 24 bytes.
    """
    tail = memory.read_at(10, size - 10)
    length = struct.unpack("<i", tail[:4])[0]
    if tail[4:] != _MAGIC[:6] or not 0 < length < size - 18:
        raise pa.ArrowInvalid("no footer at its end")
    footer = memoryview(memory.read_at(length, size - 10 - length))
    root = struct.unpack_from("<I", footer, 0)[0]
    offsets = []
    for number in (2, 3):
        vector = _follow(footer, _field(footer, root, number))
        count = struct.unpack_from("<I", footer, vector)[0] if vector else 0
        offsets += [struct.unpack_from("<q", footer, vector + 4 + 24 * i)[0] for i in range(count)]
    return offsets


def _buffer_sizes(meta: memoryview, body: memoryview) -> Iterator[int]:
    """Walk the flatbuffer of one message to its buffers; each compressed one begins with its true size.

    Reference:
        Apache Arrow columnar format, Message.fbs: Message(1 header_type, 2 header), DictionaryBatch(1 data),
        RecordBatch(2 buffers, 3 compression), Buffer(int64 offset, int64 length).
    """
    root = struct.unpack_from("<I", meta, 0)[0]
    kind_at, header = _field(meta, root, 1), _follow(meta, _field(meta, root, 2))
    kind = meta[kind_at] if kind_at else 0
    if kind == _DICTIONARY and header:
        header = _follow(meta, _field(meta, header, 1))
    if kind not in (_DICTIONARY, _RECORDS) or not header:
        return
    is_compressed = bool(_field(meta, header, 3))
    vector = _follow(meta, _field(meta, header, 2))
    count = struct.unpack_from("<I", meta, vector)[0] if vector else 0
    for item in range(count):
        offset, length = struct.unpack_from("<qq", meta, vector + 4 + 16 * item)
        declared = struct.unpack_from("<q", body, offset)[0] if is_compressed and length >= 8 else length
        yield length if declared < 0 else declared


def _field(meta: memoryview, table: int, number: int) -> int:
    """Return where field `number` of a flatbuffer table lies, 0 where it is absent."""
    layout = table - struct.unpack_from("<i", meta, table)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", meta, layout)[0]:
        return 0
    offset = struct.unpack_from("<H", meta, layout + 4 + 2 * number)[0]
    return table + offset if offset else 0


def _follow(meta: memoryview, place: int) -> int:
    return place + struct.unpack_from("<I", meta, place)[0] if place else 0
