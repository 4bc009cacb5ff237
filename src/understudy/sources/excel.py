"""Excel files (.xlsx), one sheet at a time."""

from __future__ import annotations

import logging
import re
import zipfile
import zlib
from pathlib import Path

import fastexcel
import polars as pl
from pydantic import Field

from understudy.core.errors import SourceError, UnknownNameError
from understudy.sources.cells import LARGEST_EXACT, MISSING, typed
from understudy.sources.columns import plain
from understudy.sources.files import FileSource, Reading, require_file, require_rows
from understudy.sources.headers import clean_names
from understudy.sources.limits import in_words, refuse_bomb, refuse_too_many_columns
from understudy.sources.signatures import format_of

# Worksheets shrink 5 to 60 times.
_MOST_RATIO = 200
_RATIO_COUNTS_FROM = 100_000_000
# Bytes in memory per byte of worksheet, measured at 2 to 4.
_MEMORY_PER_BYTE = 4
_CHUNK = 1_000_000
_SHARED = "xl/sharedStrings.xml"
_TEXT = re.compile(rb"<si>.*?</si>", re.DOTALL)
_CELL = re.compile(rb'<c [^>]*t="s"')

# Without a handler, Python writes the library's remarks on columns of unclear type to the terminal.
logging.getLogger("fastexcel").addHandler(logging.NullHandler())


class Excel(FileSource):
    """Reads one sheet of an .xlsx file; files with macros, old and binary kinds are refused."""

    sheet: str | None = Field(
        default=None, description="Name of the sheet; the first that is not empty when not stated."
    )
    missing: tuple[str, ...] = Field(default=MISSING, description="Spellings that mean a missing value.")

    def reading(self) -> Reading:
        """Return the raw table with the notes made while reading it.

        Raises:
            SourceError: if the file is missing, damaged, of another kind, a decompression bomb or empty.
            UnknownNameError: if there is no sheet of the stated name.
        """
        require_file(self.path)
        if format_of(self.path) != "excel":
            raise SourceError(f"{str(self.path)!r} is not an Excel file, expected .xlsx")
        _refuse_swelling(self.path, self.budget)
        try:
            book = fastexcel.read_excel(self.path)
            sheet, notes = self._choose(book)
            header = _rows(book, sheet, n_rows=1)
            body = _rows(book, sheet, skip_rows=1)
        except fastexcel.FastExcelError as error:
            raise SourceError(
                f"{str(self.path)!r} is a damaged Excel file ({str(error).splitlines()[0][:200]}): save it again"
            ) from error
        return self._as_reading(sheet, header, body, notes)

    def _as_reading(self, sheet: str, header: pl.DataFrame, body: pl.DataFrame, notes: list[str]) -> Reading:
        refuse_too_many_columns(self.path, header.width)
        where = f"{str(self.path)!r}, sheet {sheet!r}"
        names, said = clean_names(where, ["" if v is None else str(v) for v in header.row(0)])
        notes += said
        body = body.rename(dict(zip(body.columns, names, strict=True)))
        total = body.height
        body = body.filter(~pl.all_horizontal(pl.all().is_null()))
        if body.height < total:
            notes.append(f"{total - body.height} empty rows are left out.")
        require_rows(self.path, body.height, body.width)
        total = body.height
        frame, said = plain(self._sampled(body, notes))
        columns = []
        for values in frame.get_columns():
            new, remarks = _tidy(values, self.missing)
            columns.append(new)
            said += remarks
        details = {"sheet": sheet}
        return Reading(pl.DataFrame(columns), tuple(notes + said), total, "excel", details)

    def _sampled(self, body: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
        if self.max_rows is None or body.height <= self.max_rows:
            return body
        rows = self.sampling_seed.rng().choice(body.height, self.max_rows, replace=False)
        rows.sort()
        notes.append(
            f"Read {self.max_rows:,} of {body.height:,} rows, a uniform random sample (seed {self.seed}), "
            f"because at most {self.max_rows:,} were asked for."
        )
        return body[rows]

    def _choose(self, book: fastexcel.ExcelReader) -> tuple[str, list[str]]:
        names = book.sheet_names
        if self.sheet is not None:
            if self.sheet not in names:
                raise UnknownNameError(f"sheet of {str(self.path)!r}", self.sheet, names)
            if _rows(book, self.sheet, n_rows=1).width == 0:
                raise SourceError(
                    f"{str(self.path)!r}: sheet {self.sheet!r} is empty, expected a header and rows"
                )
            return self.sheet, []
        filled = [name for name in names if _rows(book, name, n_rows=1).width]
        if not filled:
            raise SourceError(f"{str(self.path)!r} has only empty sheets, expected a header and rows")
        others = ", ".join(repr(name) for name in filled[1:6])
        notes = [f"Read sheet {filled[0]!r}; there are also {others}: name one of them with --read sheet=..."]
        return filled[0], notes if others else []


def _rows(
    book: fastexcel.ExcelReader, sheet: str, n_rows: int | None = None, skip_rows: int | None = None
) -> pl.DataFrame:
    loaded = book.load_sheet(
        sheet,
        header_row=None,
        n_rows=n_rows,
        skip_rows=skip_rows,
        schema_sample_rows=None,
        dtypes="string" if n_rows == 1 else None,
        skip_whitespace_tail_rows=n_rows is None,
    )
    return loaded.to_polars()


def _tidy(values: pl.Series, missing: tuple[str, ...]) -> tuple[pl.Series, list[str]]:
    """Numbers written as text become numbers; whole numbers, which Excel holds as decimals, integers."""
    if values.dtype == pl.String:
        new, notes = typed(values, missing)
        return new.alias(values.name), notes
    if values.dtype != pl.Float64 or values.null_count() == len(values):
        return values, []
    is_whole = bool((values == values.round()).all()) and bool((values.abs() <= LARGEST_EXACT).all())
    return values.cast(pl.Int64) if is_whole else values, []


def _refuse_swelling(path: Path, budget: int) -> None:
    """Unpack all parts of the file once, counting: what a ZIP declares can be forged, what it gives cannot."""
    packed, unpacked, longest, cells = path.stat().st_size, 0, 0, 0
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                with archive.open(part) as handle:
                    while chunk := handle.read(_CHUNK):
                        unpacked += len(chunk)
                        refuse_bomb(path, packed, unpacked, _MOST_RATIO, _RATIO_COUNTS_FROM)
                        _refuse_size(path, unpacked * _MEMORY_PER_BYTE, budget)
                        if part.filename == _SHARED:
                            longest = max([longest, *map(len, _TEXT.findall(chunk))])
                        elif part.filename.startswith("xl/worksheets/"):
                            cells += len(_CELL.findall(chunk))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise SourceError(f"{str(path)!r} is a damaged Excel file ({error}): save it again") from error
    # Each cell may point to the same long text, which is written out for each.
    if longest > 1000:
        _refuse_size(path, longest * cells, budget)


def _refuse_size(path: Path, size: int, budget: int) -> None:
    if size > budget:
        raise SourceError(
            f"{str(path)!r} would take up to {in_words(size)} of memory, expected at most {in_words(budget)}: "
            "save the sheet as CSV and read that"
        )
