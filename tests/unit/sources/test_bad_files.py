"""Files that are not what they seem: each is refused by name, quickly and in little memory."""

import gzip
import io
import os
import sqlite3
import subprocess
import sys
import time
import zipfile

import numpy as np
import polars as pl
import psutil
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from understudy.core.errors import SourceError
from understudy.sources.reading import choose, read_table


def refusal(path, **settings):
    with pytest.raises(SourceError) as caught:
        read_table(path, settings=settings)
    return str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    assert "no file" in refusal(tmp_path / "nothing.csv")


def test_a_folder_is_refused(tmp_path):
    assert "is a folder" in refusal(tmp_path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    assert "pipe or a device" in refusal(tmp_path / "pipe.csv")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n \n", "only blank lines"),
        (gzip.compress(b"", mtime=0), "is empty inside"),
        (b"age,sex\n", "a header of 2 columns but no row"),
        (b"age,sex", "a header of 2 columns but no row"),
        (b"age\n", "a header of 1 columns but no row"),
        (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}q\x00.", "a Python pickle"),
        (b"%PDF-1.7\n%...", "a PDF document"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "an HTML or XML page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "an HTML or XML page"),
        (b'[{"age": 61}]', "JSON"),
        (b'{"age": 61}', "JSON"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an old Excel file"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "Zstandard"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\0" * 128 + b"DICM" + b"\0" * 10, "a DICOM file"),
        (gzip.compress(b"RDX3\nX\n\0\0", mtime=0), "an R workspace"),
        (gzip.compress(b"a,b\n1,2\n" * 9999, mtime=0)[:-20], "is damaged after"),
        (bytes(range(1, 32)) * 40, "is a binary file"),
        (b"PAR1\x15\x04", "damaged or truncated Parquet"),
        (b"ARROW1\x00\x00\x01\x02", "damaged or truncated Arrow"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path, content, reason):
    (tmp_path / "table.csv").write_bytes(content)
    assert reason in refusal(tmp_path / "table.csv")


def test_a_database_is_refused_by_name(tmp_path):
    with sqlite3.connect(tmp_path / "t.csv") as database:
        database.execute("create table t (a)")
    database.close()
    assert "SQLite" in refusal(tmp_path / "t.csv")


def test_a_zip_renamed_csv_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.csv", "w") as archive:
        archive.writestr("inside.csv", "a,b\n1,2\n")
    assert "is a ZIP archive" in refusal(tmp_path / "t.csv")


@pytest.mark.parametrize("header", ["PK,name", "ORCID,name", "BZh,name", "PAR1,name", "RDA,name"])
def test_names_that_look_like_signatures_are_names(tmp_path, header):
    (tmp_path / "t.csv").write_text(f"{header}\n1,x\n")
    assert read_table(tmp_path / "t.csv").frame.columns == header.split(",")


def test_a_table_is_read_by_its_content_where_its_name_lies(tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "t.csv")
    assert choose(tmp_path / "t.csv").name == "parquet"
    assert read_table(tmp_path / "t.csv").frame["a"].to_list() == [1]


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("age,sex,age", r"several columns are called 'age', expected different"),
        ("age, age ", "several columns are called 'age'"),
        ("caf\u00e9,cafe\u0301", "several columns are called"),
        ("age,\u202eegap", "invisible character U+202E"),
        ("age,\x07bell", "invisible character U+0007"),
        ("age," + "x" * 501, "501 characters, expected at most 500"),
    ],
)
def test_names_that_mislead_are_refused(tmp_path, header, reason):
    (tmp_path / "t.csv").write_text(header + "\n" + ",".join("1" for _ in header.split(",")) + "\n")
    assert reason in refusal(tmp_path / "t.csv")


def test_duplicate_names_of_a_parquet_file_are_refused(tmp_path):
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "t.parquet")
    assert "several columns are called 'a'" in refusal(tmp_path / "t.parquet")


def test_names_are_cleaned_and_made_up_with_notes(tmp_path):
    text = '\ufeff age ,cafe\u0301,,"systolic\nmmHg",column_3\n1,2,3,4,5\n'
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    reading = read_table(tmp_path / "t.csv")
    assert reading.frame.columns == ["age", "caf\u00e9", "column_3_2", "systolic mmHg", "column_3"]
    assert any("1 columns without a name are called 'column_3_2'" in note for note in reading.notes)
    assert any("line break" in note for note in reading.notes)


# --- bombs ---------------------------------------------------------------------------------------


@pytest.fixture
def bounded():
    """Bad files are refused in little time and memory."""
    process = psutil.Process()
    before, started = process.memory_info().rss, time.monotonic()
    yield
    assert time.monotonic() - started < 10
    assert process.memory_info().rss - before < 500_000_000


@pytest.mark.usefixtures("bounded")
def test_a_gzip_bomb_is_refused(tmp_path):
    with gzip.open(tmp_path / "t.csv.gz", "wb", compresslevel=6) as handle:
        handle.write(b"a,b\n")
        for _ in range(80):
            handle.write(b"0,0\n" * 250_000)
    assert "decompression bomb" in refusal(tmp_path / "t.csv.gz")


@pytest.mark.usefixtures("bounded")
def test_a_parquet_bomb_of_a_thousand_million_rows_is_refused_from_its_footer(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"age": np.full(10**7, 61.5)}), path)
    content = path.read_bytes()
    # The footer names the same row group many times over: a file of some kilobytes declares 10^9 rows.
    footer, once = pq.read_metadata(path), pq.read_metadata(path)
    for _ in range(99):
        footer.append_row_groups(once)
    footer.write_metadata_file(tmp_path / "footer")
    footer_size = int.from_bytes(content[-8:-4], "little") + 8
    path.write_bytes(content[:-footer_size] + (tmp_path / "footer").read_bytes()[4:])
    assert pq.ParquetFile(path).metadata.num_rows == 10**9
    assert path.stat().st_size < 200_000
    started = time.monotonic()
    assert "decompression bomb" in refusal(tmp_path / "t.parquet")
    assert time.monotonic() - started < 1


@pytest.mark.usefixtures("bounded")
def test_a_parquet_file_that_repeats_one_long_text_is_refused(tmp_path):
    long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, "i4")), pa.array(["x" * 100_000]))
    pq.write_table(pa.table({"note": long}), tmp_path / "t.parquet", store_schema=False)
    assert "repeats long texts that would take 10.0 GB" in refusal(tmp_path / "t.parquet", memory_mb=1000)


@pytest.mark.usefixtures("bounded")
def test_an_arrow_bomb_is_refused_before_it_is_unpacked(tmp_path):
    zeros = pa.record_batch({"x": np.zeros(15_000_000)})
    options = ipc.IpcWriteOptions(compression="zstd")
    for name, new in (("t.arrow", ipc.new_file), ("t.arrows", ipc.new_stream)):
        with new(str(tmp_path / name), zeros.schema, options=options) as writer:
            for _ in range(10):
                writer.write_batch(zeros)
        assert (tmp_path / name).stat().st_size < 1_000_000
        assert "decompression bomb" in refusal(tmp_path / name)
        assert "has a batch of 120 MB" in refusal(tmp_path / name, memory_mb=100)


def _xlsx_with(sheet: bytes, path, repeat=1):
    """The least that an .xlsx file needs, around one worksheet that repeats a piece."""
    head = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as handle:
            handle.write(head)
            for _ in range(repeat):
                handle.write(sheet)


@pytest.mark.usefixtures("bounded")
def test_an_excel_bomb_is_refused(tmp_path):
    _xlsx_with(b"<row></row>" * 100_000, tmp_path / "t.xlsx", repeat=130)
    assert "decompression bomb" in refusal(tmp_path / "t.xlsx")


@pytest.mark.usefixtures("bounded")
def test_an_excel_file_that_forges_its_declared_size_is_refused(tmp_path):
    _xlsx_with(b"<row></row>" * 1000, tmp_path / "t.xlsx", repeat=10)
    content = (tmp_path / "t.xlsx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        true = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    forged = content.replace(true.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert forged != content
    (tmp_path / "t.xlsx").write_bytes(forged)
    assert "damaged Excel file" in refusal(tmp_path / "t.xlsx")


def test_a_truncated_parquet_file_is_refused(tmp_path):
    pl.DataFrame({"a": list(range(10_000))}).write_parquet(tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    for size in (9, len(content) // 2, len(content) - 1):
        (tmp_path / "t.parquet").write_bytes(content[:size])
        assert "damaged or truncated Parquet file" in refusal(tmp_path / "t.parquet")


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "xlsx", "csv.gz"])
def test_flipped_bits_are_refused_or_read_but_never_break_out(tmp_path, suffix):
    frame = pl.DataFrame({"a": list(range(500)), "b": [f"w{i % 7}" for i in range(500)]})
    path = tmp_path / f"t.{suffix}"
    writers = {
        "parquet": lambda: frame.write_parquet(path),
        "arrow": lambda: frame.write_ipc(path, compression="zstd"),
        "xlsx": lambda: frame.write_excel(path),
        "csv.gz": lambda: path.write_bytes(gzip.compress(frame.write_csv().encode())),
    }
    writers[suffix]()
    content, rng, refused = path.read_bytes(), np.random.default_rng(3), 0
    for _ in range(60):
        broken = bytearray(content)
        for place in rng.integers(0, len(broken), 3):
            broken[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(broken)
        try:
            read_table(path, settings={"memory_mb": 500})
        except SourceError:
            refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda text: text[:900_000] + b"\0" + text[900_000:], "NUL"),
        (lambda text: text[:900_000] + b"\n1,2,3\n" + text[900_000:], "cells, expected 2"),
        (lambda text: gzip.compress(text)[:-300], "damaged"),
    ],
)
def test_a_refused_text_file_never_aborts_the_process_that_read_it(tmp_path, spoil, reason):
    # A reader's thread that outlives the interpreter aborted it, most times but not always.
    path = tmp_path / "table.csv"
    path.write_bytes(spoil(b"a,b\n" + b"".join(b"%d,%d\n" % (k, k) for k in range(150_000))))
    code = f"from understudy.sources.reading import read_table\nread_table({str(path)!r})"
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr[-300:]
        assert reason in done.stderr.splitlines()[-1]


def test_a_refused_text_file_is_refused_at_once(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 400_000 + b"\0")
    start = time.monotonic()
    assert "NUL" in refusal(path)
    assert time.monotonic() - start < 8
