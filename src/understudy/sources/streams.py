"""The bytes of a text file as UTF-8: unpacked within limits, decoded, checked, without a byte-order mark."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import IO

from understudy.core.errors import SourceError
from understudy.sources.limits import refuse_bomb
from understudy.sources.signatures import compression_of

# Real tables shrink 3 to 60 times; DEFLATE reaches 1,032.
MOST_RATIO = 250
RATIO_COUNTS_FROM = 64_000_000
_LEAVING_S = 0.01
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError)


class Unpacked:
    """The bytes of a file, unpacked while reading; refuses damaged files and decompression bombs."""

    def __init__(self, path: Path, raw: IO[bytes], compression: str | None) -> None:
        self.path = path
        self._raw = raw
        self._compression = compression
        self._inner = _inflating(raw, compression)
        self._count = 0

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end.

        Raises:
            SourceError: if the file is damaged or swells like a bomb.
        """
        try:
            data = self._inner.read(size)
        except _DAMAGED as error:
            raise SourceError(
                f"{str(self.path)!r} is damaged after {self._count:,} bytes of text ({error}), expected a "
                f"complete {self._compression or 'text'} file: copy or download it again"
            ) from error
        self._count += len(data)
        if self._compression:
            refuse_bomb(self.path, self._raw.tell(), self._count, MOST_RATIO, RATIO_COUNTS_FROM)
        return data


def _inflating(raw: IO[bytes], compression: str | None) -> IO[bytes] | gzip.GzipFile:
    if compression == "gz":
        return gzip.open(raw)
    if compression == "bz2":
        return bz2.open(raw)
    return lzma.open(raw) if compression == "xz" else raw


@contextmanager
def unpacked(path: Path) -> Iterator[Unpacked]:
    """Open a file that may be compressed (gz, bz2, xz)."""
    with path.open("rb") as raw:
        compression = compression_of(raw.read(16))
        raw.seek(0)
        yield Unpacked(path, raw, compression)


class Utf8(io.RawIOBase):
    """Text in any encoding as a stream of UTF-8 bytes.

    Attributes:
        quotes: number of quotation marks so far.
        tail: the last bytes so far.
        failed: the bytes around the place that the encoding cannot explain, once it failed.
    """

    def __init__(self, source: Unpacked, encoding: str, quote: str, skip: int = 0) -> None:
        super().__init__()
        self.quotes = 0
        self.tail = b""
        self.failed = b""
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._quote = quote.encode()
        self._skip = skip
        self._offset = 0
        self._ready = bytearray()
        self._is_over = False
        self._has_ended = True

    def readable(self) -> bool:
        """Say yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes of UTF-8, fewer only at the end.

        Raises:
            SourceError: if the text holds NUL characters.
            UnicodeDecodeError: if the bytes are not in the stated encoding.
        """
        while not self._is_over and (size < 0 or len(self._ready) < size):
            self._ready += self._next(max(size - len(self._ready), 65_536))
        end = len(self._ready) if size < 0 else size
        data = bytes(self._ready[:end])
        del self._ready[:end]
        self.quotes += data.count(self._quote)
        self.tail = (self.tail + data[-8:])[-8:]
        return data

    def _next(self, size: int) -> bytes:
        raw = self._source.read(size)
        self._is_over = len(raw) == 0
        try:
            text = self._decoder.decode(raw, self._is_over)
        except UnicodeDecodeError as error:
            self.failed = error.object[max(error.start - 2000, 0) : error.start + 2000]
            raise UnicodeDecodeError(
                error.encoding, self.failed, min(error.start, 2000), min(error.end, 2001), error.reason
            ) from error
        data = self._checked(text.encode("utf-8", "surrogatepass"))
        # Without an end, a last line that begins a block is not seen as a row.
        return b"\n" if self._is_over and not self._has_ended else data

    def _checked(self, data: bytes) -> bytes:
        if self._offset == 0 and data.startswith(codecs.BOM_UTF8):
            data = data[3:]
        place = data.find(b"\0")
        if place >= 0:
            raise SourceError(
                f"{str(self._source.path)!r} holds a NUL character after {self._offset + place:,} bytes of "
                "text, expected a text table: it is binary or damaged. Export it again, or remove the NULs"
            )
        self._offset += len(data)
        self._has_ended = data.endswith((b"\n", b"\r")) if data else self._has_ended
        if self._skip and data:
            data, self._skip = data[self._skip :], max(self._skip - len(data), 0)
        return data


class Loan:
    """What becomes of a stream that is lent to a reader with threads of its own.

    A thread that still holds the stream when the interpreter ends aborts the process, as it cannot give it back
    then; and an error that is raised in such a thread holds the stream as well.
    """

    def __init__(self) -> None:
        self._is_over = Event()
        self._error: SourceError | UnicodeDecodeError | None = None

    def settle(self, seconds: float) -> None:
        """Wait until no thread holds the stream, then raise what went wrong while reading it."""
        self._is_over.wait(seconds)
        # The thread says so while it still runs: let it leave the interpreter.
        time.sleep(_LEAVING_S)
        if self._error is not None:
            raise self._error

    def lend(self, stream: Utf8) -> io.RawIOBase:
        """Return the stream to lend; it ends where it fails. Keep no reference to it."""
        return _Lent(stream, self)

    def fail(self, error: SourceError | UnicodeDecodeError) -> None:
        """Note why the stream ended early."""
        self._error = error.with_traceback(None)

    def end(self) -> None:
        """Note that nobody holds the stream any more."""
        self._is_over.set()


class _Lent(io.RawIOBase):
    def __init__(self, stream: Utf8, loan: Loan) -> None:
        super().__init__()
        self._stream = stream
        self._loan = loan

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except (SourceError, UnicodeDecodeError) as error:
            self._loan.fail(error)
            return b""

    def __del__(self) -> None:
        self._loan.end()
