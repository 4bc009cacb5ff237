"""Delimited text: CSV and its relatives."""

from __future__ import annotations

import re
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pyarrow.csv as pcsv
from pydantic import Field

from understudy.core.errors import SourceError
from understudy.sources.cells import MISSING, typed
from understudy.sources.dialect import Layout, layout_of
from understudy.sources.encodings import guess_encoding, guess_legacy, require_encoding
from understudy.sources.files import FileSource, Reading, require_file, require_rows
from understudy.sources.headers import clean_names
from understudy.sources.limits import in_words, refuse_too_many_columns
from understudy.sources.sampling import Reservoir
from understudy.sources.signatures import refuse_old_excel, refuse_other_content
from understudy.sources.streams import Loan, Utf8, unpacked

_HEAD = 4_000_000
# A row must fit into one block: small ones save memory, the large one is for cells of megabytes.
_BLOCKS = (2_000_000, 32_000_000)
# Text, typed numbers and one copy in passing are in memory together.
_COPIES = 3
_LONGEST_WAIT_S = 10.0
_RAGGED = re.compile(r"Row #(\d+): Expected \d+ columns, got (\d+)")
_NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}


class Csv(FileSource):
    """Reads delimited text as it stands: numbers where every cell of a column is one, text elsewhere."""

    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        pattern=r"^[\x01-\x09\x0b\x0c\x0e-\x7f]$",
        description="One character between cells; found out when not stated.",
    )
    encoding: str | None = Field(
        default=None, description="Encoding of the text, such as utf-8 or cp1252; found out when not stated."
    )
    quote: Literal['"', "'"] = Field(default='"', description="What encloses cells with delimiters inside.")
    missing: tuple[str, ...] = Field(default=MISSING, description="Spellings that mean a missing value.")

    def reading(self) -> Reading:
        """Return the raw table with the notes made while reading it.

        Raises:
            SourceError: if the file is missing, damaged, no text table, has rows of different lengths,
                duplicate names or an encoding that does not fit.
        """
        require_file(self.path)
        refuse_old_excel(self.path)
        with unpacked(self.path) as source:
            head = source.read(_HEAD)
        refuse_other_content(self.path, head[:4096])
        if not head:
            raise SourceError(f"{str(self.path)!r} is empty inside, expected a header and rows")
        encoding = require_encoding(self.encoding) if self.encoding else guess_encoding(head)
        attempt = _Attempt(self, encoding, head)
        try:
            return attempt.run()
        except UnicodeDecodeError as error:
            if self.encoding or encoding != "utf-8":
                raise self._wrong_encoding(encoding, error) from error
            second = guess_legacy(bytes(error.object))
        try:
            return _Attempt(self, second, head).run()
        except UnicodeDecodeError as error:
            raise self._wrong_encoding(second, error) from error

    def _wrong_encoding(self, encoding: str, error: UnicodeDecodeError) -> SourceError:
        return SourceError(
            f"{str(self.path)!r} is not in the encoding {encoding!r}: byte 0x{error.object[error.start]:02x} "
            f"({error.reason}). State another one, such as encoding=utf-8 or encoding=cp1252 (--read encoding=cp1252)"
        )


class _Attempt:
    """One pass over the file under one encoding."""

    def __init__(self, source: Csv, encoding: str, head: bytes) -> None:
        self.source = source
        self.encoding = encoding
        self.path = source.path
        self.layout = self._layout(head)
        self.is_header_only = len(head) < _HEAD and len(_decoded(head, encoding).strip().splitlines()) <= 1

    def run(self) -> Reading:
        refuse_too_many_columns(self.path, len(self.layout.names))
        names, notes = clean_names(repr(str(self.path)), self.layout.names)
        if self.is_header_only:
            require_rows(self.path, 0, len(names))
        reservoir = self._read_rows()
        require_rows(self.path, reservoir.seen, len(names))
        frame, cell_notes = _typed_frame(reservoir.result(), names, self.source.missing)
        notes += [*reservoir.note(self.source.seed), *_at_most(cell_notes, 8), *self._looks_headless()]
        if self.encoding not in ("utf-8", "utf-16", "utf-32") and not self.source.encoding:
            notes.append(
                f"The text is read as {self.encoding}, a guess: state it (--read encoding=...) if letters look odd."
            )
        details = {"delimiter": self.layout.delimiter, "encoding": self.encoding}
        return Reading(frame, tuple(notes), reservoir.seen, "csv", details)

    def _layout(self, head: bytes) -> Layout:
        text = _decoded(head, self.encoding).removeprefix("\ufeff")
        return layout_of(self.path, text, len(head) < _HEAD, self.source.delimiter, self.source.quote)

    def _read_rows(self) -> Reservoir:
        for block in _BLOCKS:
            reservoir = Reservoir(
                self.source.max_rows, self.source.budget // _COPIES, self.source.sampling_seed
            )
            if self._read_into(reservoir, block):
                return reservoir
        raise SourceError(
            f"{str(self.path)!r} has a row longer than {in_words(_BLOCKS[-1])}, expected shorter ones: check "
            "that every quotation mark is closed"
        )

    def _read_into(self, reservoir: Reservoir, block: int) -> bool:
        """Read all rows; False where one does not fit into a block."""
        with unpacked(self.path) as source:
            stream = Utf8(source, self.encoding, self.source.quote, self.layout.skip)
            loan = Loan()
            try:
                last = self._fill(reservoir, stream, loan, block)
            except pa.ArrowInvalid as error:
                if str(error).startswith("straddling"):
                    return False
                raise self._unreadable(str(error)) from error
            finally:
                loan.settle(_LONGEST_WAIT_S)
            self._refuse_open_quote(last, stream)
            return True

    def _fill(self, reservoir: Reservoir, stream: Utf8, loan: Loan, block: int) -> str | None:
        """Read all rows into the reservoir; returns the last cell of the last row."""
        last = None
        reader = self._open(stream, loan, block)
        try:
            with reader:
                for batch in reader:
                    if batch.num_rows:
                        reservoir.add(pa.Table.from_batches([batch]))
                        last = batch.column(batch.num_columns - 1)[batch.num_rows - 1].as_py()
        finally:
            # An error keeps this frame, and with it the reader and what it was lent.
            del reader
        return last

    def _open(self, stream: Utf8, loan: Loan, block: int) -> Any:
        # Names stand for places here: the true ones may be empty, and Arrow would make its own.
        places = [str(i) for i in range(len(self.layout.names))]
        return pcsv.open_csv(
            pa.PythonFile(loan.lend(stream), mode="r"),
            read_options=pcsv.ReadOptions(
                use_threads=False, block_size=block, column_names=places, skip_rows_after_names=1
            ),
            parse_options=pcsv.ParseOptions(
                delimiter=self.layout.delimiter,
                quote_char=self.source.quote,
                newlines_in_values=True,
                ignore_empty_lines=len(places) > 1,
            ),
            convert_options=pcsv.ConvertOptions(
                column_types={place: pa.string() for place in places}, strings_can_be_null=False
            ),
        )

    def _unreadable(self, why: str) -> SourceError:
        # A handler of such rows would be told more, but the thread of the reader holds on to it.
        ragged = _RAGGED.search(why)
        if ragged is None:
            return SourceError(f"{str(self.path)!r} cannot be read as delimited text: {why[:200]}")
        number, found = map(int, ragged.groups())
        expected = len(self.layout.names)
        hint = (
            "check delimiters and quotation marks there, or state delimiter and quote (--read delimiter=';')"
        )
        if found == expected + 1:
            hint += "; if each row has one cell more, the first column lacks a name"
        return SourceError(
            f"{str(self.path)!r}: row {number} (the header is row 1) has {found} cells, expected {expected} "
            f"as in the header (delimiter {self._delimiter_name}): {hint}"
        )

    def _refuse_open_quote(self, last: str | None, stream: Utf8) -> None:
        if last is None or not ("\n" in last or "\r" in last):
            return
        is_closed = stream.tail.rstrip(b"\r\n").endswith(self.source.quote.encode())
        if not is_closed or stream.quotes % 2:
            start = last.splitlines()[0][:40] if last.splitlines() else ""
            raise SourceError(
                f"{str(self.path)!r}: a quotation mark that opens a cell ({start!r}...) is never closed, so "
                "the rest of the file would be one cell: close it, or double marks inside cells"
            )

    def _looks_headless(self) -> list[str]:
        names = pl.Series("names", list(self.layout.names))
        values, _ = typed(names)
        if len(names) < 2 or not values.dtype.is_numeric() or values.null_count():
            return []
        return ["All column names are numbers: if the first row holds data, add a row of names."]

    @property
    def _delimiter_name(self) -> str:
        return _NAMES.get(self.layout.delimiter, repr(self.layout.delimiter))


def _decoded(head: bytes, encoding: str) -> str:
    # Wrong bytes are found, and reported with their place, while reading.
    return head.decode(encoding, "replace")


def _typed_frame(
    table: pa.Table, names: list[str], missing: tuple[str, ...]
) -> tuple[pl.DataFrame, list[str]]:
    columns, notes = [], []
    for place, name in enumerate(names):
        raw = pl.Series(name, pl.from_arrow(table.column(place)), dtype=pl.String)
        values, said = typed(raw, missing)
        columns.append(values.alias(name))
        notes += said
    return pl.DataFrame(columns), notes


def _at_most(notes: list[str], most: int) -> list[str]:
    more = len(notes) - most
    return notes[:most] + ([f"{more} more columns have notes like these."] if more > 0 else [])
