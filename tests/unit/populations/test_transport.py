"""SAS transport files are read as others read them, and anything else is refused."""

from __future__ import annotations

import gzip
import io
import struct
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.populations.nhanes_files import RAW, needs_survey
from understudy.core.errors import SourceError
from understudy.populations.transport import read_transport

_MISSING_DOT = b"." + bytes(7)


def ibm(number):
    """Return a double as an IBM hexadecimal float of eight bytes, by definition: fraction times 16 to a power."""
    if number == 0:
        return bytes(8)
    sign, size, power = (0x80 if number < 0 else 0), abs(number), 64
    while size >= 1:
        size, power = size / 16, power + 1
    while size < 1 / 16:
        size, power = size * 16, power - 1
    return bytes([sign | power]) + int(size * 2**56).to_bytes(7, "big")


def record(text):
    return text.encode().ljust(80)


def transport(columns, member="TEST"):
    """Write columns (numbers with None, or texts) as a transport file of one member."""
    count, position, names = len(columns), 0, b""
    for number, (name, cells) in enumerate(columns.items(), start=1):
        is_text = any(isinstance(cell, str) for cell in cells)
        head = struct.pack(">hhhh", 2 if is_text else 1, 0, 8, number)
        names += (head + name.encode().ljust(8) + b" " * 40 + b" " * 28 + struct.pack(">l", position)).ljust(
            140
        )
        position += 8
    names = names.ljust(-(-len(names) // 80) * 80)
    data = b""
    for row in zip(*columns.values(), strict=True):
        for cell in row:
            data += (
                cell.encode().ljust(8)
                if isinstance(cell, str)
                else _MISSING_DOT
                if cell is None
                else ibm(cell)
            )
    line = "HEADER RECORD*******{:8}HEADER RECORD!!!!!!!{}  "
    return b"".join(
        [
            record(line.format("LIBRARY", "0" * 30)),
            record("SAS     SAS     SASLIB  9.4"),
            record("05MAR21:18:07:57"),
            record(line.format("MEMBER ", "0" * 16 + "01600000000140")),
            record(line.format("DSCRPTR", "0" * 30)),
            record(f"SAS     {member:8}SASDATA 9.4"),
            record("05MAR21:18:07:57"),
            record(line.format("NAMESTR", f"000000{count:04d}" + "0" * 20)),
            names,
            record(line.format("OBS    ", "0" * 30)),
            data.ljust(-(-len(data) // 80) * 80),
        ]
    )


def written(folder, content, name="T.XPT"):
    path = folder / name
    path.write_bytes(content)
    return path


@given(st.lists(st.floats(-1e60, 1e60).filter(lambda x: x == 0 or abs(x) > 1e-60), min_size=1, max_size=30))
def test_numbers_come_back_to_the_last_bits(tmp_path_factory, numbers):
    path = written(tmp_path_factory.mktemp("t"), transport({"X": numbers}))
    assert read_transport(path)["X"].to_list() == pytest.approx(numbers, rel=2e-15)


def test_missing_codes_are_null_and_texts_lose_their_padding(tmp_path):
    frame = read_transport(written(tmp_path, transport({"A": [1.0, None, -2.5], "B": ["22:00", "x", "y"]})))
    assert frame.to_dict(as_series=False) == {"A": [1.0, None, -2.5], "B": ["22:00", "x", "y"]}


def test_a_gzipped_file_is_read_as_the_plain_one(tmp_path):
    content = transport({"A": [0.1, 5.4e-79]})
    plain = read_transport(written(tmp_path, content))
    assert read_transport(written(tmp_path, gzip.compress(content), "T.XPT.gz")).equals(plain)
    assert plain["A"].to_list()[1] == 0


def test_pandas_reads_the_same(tmp_path):
    path = written(tmp_path, transport({"A": [1.5, -3.25, 1e10, 0.0], "B": [7.0, 99.0, 0.1, 12345.678]}))
    assert np.allclose(
        read_transport(path).to_numpy(), pd.read_sas(path, format="xport").to_numpy(), rtol=1e-15
    )


@needs_survey
@pytest.mark.parametrize("name", ["P_DEMO", "P_SLQ", "P_CBC"])
def test_survey_files_are_read_bit_by_bit_as_pandas_reads_them(name):
    path = RAW / f"{name}.XPT.gz"
    mine = read_transport(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pd.read_sas(io.BytesIO(gzip.decompress(path.read_bytes())), format="xport")
    assert mine.columns == list(theirs.columns)
    for column in mine.select(pl.selectors.float()).columns:
        expected = theirs[column].to_numpy(np.float64)
        expected = np.where(np.abs(expected) < 1e-70, 0, expected)
        assert np.array_equal(mine[column].to_numpy(), expected, equal_nan=True)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04"])
def test_another_format_is_refused(tmp_path, content):
    with pytest.raises(SourceError, match="no SAS transport file"):
        read_transport(written(tmp_path, content))


def test_several_tables_in_one_file_are_refused(tmp_path):
    with pytest.raises(SourceError, match="exactly one table"):
        read_transport(written(tmp_path, transport({"A": [1.0]}) + transport({"B": [2.0]})[240:]))
