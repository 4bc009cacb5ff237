"""CSV that other programs read as it is meant, and that spreadsheets do not execute."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from understudy.core.contracts import Export
from understudy.core.dataset import Dataset
from understudy.core.schema import Table
from understudy.exports.files import file_in, presented, written_whole

# OWASP: = + - @ TAB CR; ASVS 1.2.10: NUL; also the full-width forms, and any of them behind blanks.
_TRIGGER = r"^\s*[=+\-@\t\r\x00\uff1d\uff0b\uff0d\uff20]|^[\t\r]"
_PLAIN_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
# Read with another delimiter, a part of a cell could begin a cell: quote all text then.
_INNER_TRIGGER = r"[,;|\t\r\n]\s*[\"']?\s*[=+\-@\uff1d\uff0b\uff0d\uff20]"


class Csv(Export):
    """Writes one UTF-8 CSV file with a header for each table; missing values are empty cells."""

    neutralise_formulas: bool = Field(
        default=True,
        description="Put a single quote before text that a spreadsheet would execute (= + - @ TAB CR NUL at its "
        "beginning), in cells and names; numbers stay numbers.",
    )
    delimiter: Literal[",", ";", "\t", "|"] = Field(default=",", description="One character between cells.")

    def write(self, dataset: Dataset, folder: Path) -> list[Path]:
        """Write `<table>.csv` for each table, whole or not at all, and return the files.

        Raises:
            OutputError: if the folder cannot be written, the disk is full, or a table's name cannot name a file.
        """
        files = []
        for table in dataset.schema.tables:
            path = file_in(folder, table.name, ".csv")
            self._write_table(dataset.tables[table.name], table, path)
            files.append(path)
        return files

    def _write_table(self, rows: pl.DataFrame, table: Table, path: Path) -> None:
        is_quoted, forms = self._style(rows, table)
        style: Literal["non_numeric", "necessary"] = "non_numeric" if is_quoted else "necessary"
        with written_whole(path) as handle:
            for number, frame in enumerate(presented(rows, table)):
                cells = neutralised(frame) if self.neutralise_formulas else frame
                # Names may be neutralised, places stay.
                shown = [
                    values if form is None else values.dt.strftime(form)
                    for values, form in zip(cells.get_columns(), forms, strict=True)
                ]
                text = pl.DataFrame(shown).write_csv(
                    separator=self.delimiter, include_header=number == 0, quote_style=style
                )
                handle.write(text.encode())

    def _style(self, rows: pl.DataFrame, table: Table) -> tuple[bool, list[str | None]]:
        """Return whether all text is quoted, and how points in time are spelled: the same for all rows."""
        is_quoted = False
        spelled: list[str | None] = [None] * len(table.columns)
        for frame in presented(rows, table):
            is_quoted = is_quoted or self._must_quote(frame)
            now = [_point_in_time(frame[name]) for name in frame.columns]
            spelled = [max(pair, key=lambda form: len(form or "")) for pair in zip(spelled, now, strict=True)]
        return is_quoted, spelled

    def _must_quote(self, frame: pl.DataFrame) -> bool:
        texts = [v for v in frame.get_columns() if v.dtype == pl.String]
        return self.neutralise_formulas and any(v.str.contains(_INNER_TRIGGER).any() for v in texts)


def neutralised(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with a single quote before each text, also in names, that could be taken for a formula.

    Plain numbers, such as the level `-1`, stay as they are.

    Reference:
        OWASP, CSV Injection; OWASP ASVS 5.0, requirement 1.2.10.
    """
    columns = []
    for values in frame.get_columns():
        if values.dtype == pl.String:
            risky = values.str.contains(_TRIGGER) & ~values.str.contains(_PLAIN_NUMBER)
            values = pl.select(
                pl.when(risky).then(pl.lit("'") + values).otherwise(values).alias(values.name)
            ).to_series()
        columns.append(values)
    names = pl.Series("names", frame.columns, dtype=pl.String)
    risky_names = (names.str.contains(_TRIGGER) & ~names.str.contains(_PLAIN_NUMBER)).to_list()
    new = [f"'{name}" if is_risky else name for name, is_risky in zip(names, risky_names, strict=True)]
    return pl.DataFrame([values.alias(name) for values, name in zip(columns, new, strict=True)])


def _point_in_time(values: pl.Series) -> str | None:
    """The shortest common spelling that keeps each point in time exact; None for other columns."""
    if not isinstance(values.dtype, pl.Datetime):
        return None
    is_whole = bool((values.dt.microsecond() == 0).all())
    return "%Y-%m-%d %H:%M:%S" if is_whole else "%Y-%m-%d %H:%M:%S%.6f"
