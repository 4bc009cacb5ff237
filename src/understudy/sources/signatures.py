"""What a file is, from its first bytes; its name only decides where the bytes allow several answers."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from understudy.core.errors import SourceError

TABLES = "CSV (also .gz, .bz2, .xz), Parquet, Arrow/Feather or Excel (.xlsx)"

_REFUSED = {
    b"\x80\x02": "a Python pickle, which can run code",
    b"\x80\x03": "a Python pickle, which can run code",
    b"\x80\x04": "a Python pickle, which can run code",
    b"\x80\x05": "a Python pickle, which can run code",
    b"SQLite format 3\x00": "an SQLite database",
    b"Rar!\x1a": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\x28\xb5\x2f\xfd": "Zstandard-compressed",
    b"%PDF-": "a PDF document",
    b"{\\rtf": "an RTF document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel file (.xls) or one with a password",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF87a": "a GIF picture",
    b"GIF89a": "a GIF picture",
    b"\x7fELF": "a program",
    b"Obj\x01": "an Avro file",
    b"FEA1": "a Feather file of the old version 1",
    b"$FL2@": "an SPSS file",
    b"$FL3@": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"HEADER RECORD*******LIB": "a SAS transport file",
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc2\xea\x81\x60": "a SAS data set",
    b"RDX2\n": "an R workspace",
    b"RDX3\n": "an R workspace",
    b"RDA2\n": "an R workspace",
    b"RDA3\n": "an R workspace",
    b"X\n\x00\x00\x00": "an R object",
}
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|table|\?xml|!--|div)", re.IGNORECASE)
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*\"|\[\s*[\[{])")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLD_EXCEL = (".xls", ".xlsm", ".xlsb", ".xltm", ".xlam")


def format_of(path: Path) -> str:
    """Return the catalog name of the recipe that reads this file: arrow, csv, excel or parquet.

    Raises:
        SourceError: if it is something else; says what it is.
    """
    refuse_old_excel(path)
    with path.open("rb") as handle:
        head = handle.read(4096)
    if head[:4] in _ZIP:
        _refuse_other_archives(path)
        return "excel"
    if _is_parquet(head):
        return "parquet"
    if head[:8] == b"ARROW1\x00\x00" or _is_arrow_stream(head):
        return "arrow"
    refuse_other_content(path, head)
    return "csv"


def compression_of(head: bytes) -> str | None:
    """Return gz, bz2 or xz where these first bytes say so."""
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bz2"
    return "xz" if head.startswith(b"\xfd7zXZ\x00") else None


def refuse_old_excel(path: Path) -> None:
    """Refuse Excel files that may hold macros or need an old reader, by name."""
    if path.suffix.lower() in _OLD_EXCEL:
        raise SourceError(
            f"{str(path)!r} is an Excel file of kind {path.suffix}, expected .xlsx: it may hold macros or an "
            "old binary format. Save it as .xlsx or CSV"
        )


def refuse_other_content(path: Path, head: bytes) -> None:
    """Refuse what these first bytes show to be no text table.

    Raises:
        SourceError: naming what it is.
    """
    found = next((words for magic, words in _REFUSED.items() if head.startswith(magic)), None)
    if head[128:132] == b"DICM":
        found = "a DICOM file"
    elif head[:3] == b"ORC" and head[3:4] < b" ":
        found = "an ORC file"
    elif head[257:262] == b"ustar":
        found = "a TAR archive"
    elif head[:4] in _ZIP:
        found = "a ZIP archive"
    elif _is_parquet(head):
        found = "a Parquet file"
    elif _MARKUP.match(head):
        found = "an HTML or XML page (a download that asked for a login often gives one)"
    elif _JSON.match(head):
        found = "JSON"
    if found:
        raise SourceError(f"{str(path)!r} is {found}, expected {TABLES}: convert it first")


def _is_parquet(head: bytes) -> bool:
    # A text table may have a column called PAR1; in a Parquet file a binary page header follows.
    return head[:4] == b"PAR1" and not (head[4:5].isalnum() or head[4:5] in b',;|\t\r\n "_')


def _is_arrow_stream(head: bytes) -> bool:
    # A continuation marker, the length of the metadata, and a flatbuffer that begins with its root offset.
    return head[:4] == b"\xff\xff\xff\xff" and len(head) > 16 and int.from_bytes(head[4:8], "little") > 0


def _refuse_other_archives(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            kinds = b""
            if "[Content_Types].xml" in names:
                with archive.open("[Content_Types].xml") as handle:
                    kinds = handle.read(1_000_000)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise SourceError(
            f"{str(path)!r} is a damaged Excel file or ZIP archive ({error}): save or download it again"
        ) from error
    if b"macroEnabled" in kinds or "xl/vbaProject.bin" in names:
        raise SourceError(f"{str(path)!r} is an Excel file with macros, expected .xlsx: save it without them")
    if "xl/workbook.bin" in names:
        raise SourceError(f"{str(path)!r} is a binary Excel file (.xlsb), expected .xlsx: save it as .xlsx")
    if "xl/workbook.xml" not in names:
        what = "an OpenDocument file" if "mimetype" in names else "a ZIP archive"
        raise SourceError(
            f"{str(path)!r} is {what}, expected {TABLES}: unpack or convert it and name the table inside"
        )
