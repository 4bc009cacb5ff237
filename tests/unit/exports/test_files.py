"""What is written can be read again, runs nothing, and is whole or not there."""

# ruff: noqa: DTZ001 (cells of tables have no zone)

import datetime as dt
import re
import resource
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from understudy.core.catalog import Choice
from understudy.core.dataset import Dataset
from understudy.core.errors import OutputError, SettingsError
from understudy.core.schema import Column, Kind, Schema, Storage, Table
from understudy.exports.catalog import CATALOG
from understudy.exports.delimited import Csv
from understudy.exports.parquet import Parquet
from understudy.modalities.tabular import canonical, present
from understudy.sources.delimited import Csv as CsvSource
from understudy.sources.reading import read_table

SCHEMA = Schema(
    tables=(
        Table(
            columns=(
                Column(name="age", kind=Kind.NUMBER, decimals=0, storage=Storage.INTEGER),
                Column(name="hba1c", kind=Kind.NUMBER, storage=Storage.FLOAT),
                Column(name="note, free", kind=Kind.TEXT),
                Column(name="is_ill", kind=Kind.BOOLEAN, spelling=("no", "yes")),
                Column(name="seen", kind=Kind.DATETIME, storage=Storage.DATE, format="%Y-%m-%d"),
                Column(
                    name="at", kind=Kind.DATETIME, storage=Storage.DATETIME, format="%Y-%m-%d %H:%M:%S%.f"
                ),
                Column(name="key", kind=Kind.KEY),
            )
        ),
    )
)


def dataset_of(rows):
    columns = list(zip(*rows, strict=True))
    kinds: list[pl.DataType | type[pl.DataType]] = [
        pl.Float64,
        pl.Float64,
        pl.String,
        pl.Boolean,
        pl.Datetime("us"),
        pl.Datetime("us"),
        pl.String,
    ]
    series = [
        pl.Series(c.name, values, dtype=kind)
        for c, values, kind in zip(SCHEMA.table.columns, columns, kinds, strict=True)
    ]
    return Dataset.of(SCHEMA, pl.DataFrame(series))


# Canonical text has no outer blanks, is never empty; letters of any script, quotes, newlines, delimiters.
WORDS = (
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
    .map(lambda text: f"x{text}x")
    .filter(lambda text: text == text.strip())
)
DAYS = st.dates(dt.date(1600, 1, 1), dt.date(2200, 1, 1)).map(lambda d: dt.datetime(d.year, d.month, d.day))
MOMENTS = st.datetimes(dt.datetime(1600, 1, 1), dt.datetime(2200, 1, 1))
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**53) + 1, 2**53 - 1).map(float),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | WORDS,
        st.none() | st.booleans(),
        st.none() | DAYS,
        st.none() | MOMENTS,
        st.integers(1, 99999).map(lambda number: f"{number:06d}"),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("name", CATALOG.names)
@given(rows=ROWS)
@example(rows=[(None, None, None, None, None, None, "000001")])
@example(rows=[(1.0, 0.1 + 0.2, 'a "quoted", line\r\nbreak; \ttab', True, None, None, "000002")])
def test_what_is_exported_comes_back_exactly(name, rows):
    dataset = dataset_of(rows)
    with tempfile.TemporaryDirectory() as folder:
        (path,) = CATALOG.create(name).write(dataset, Path(folder))
        frame = read_table(path).frame
    again, problems = canonical(frame, SCHEMA)
    assert problems == []
    assert again.frame.equals(dataset.frame)
    assert again.digest() == dataset.digest()


@given(rows=ROWS)
def test_parquet_keeps_every_type(rows):
    dataset = dataset_of(rows)
    with tempfile.TemporaryDirectory() as folder:
        (path,) = Parquet().write(dataset, Path(folder))
        frame = pl.read_parquet(path)
    assert frame.equals(present(dataset))
    assert frame.schema == present(dataset).schema


def test_numbers_and_booleans_keep_their_type_in_csv(tmp_path):
    rows = [(61.0, 6.5, "x", True, None, None, "000001"), (None, None, "y", None, None, None, "000002")]
    (path,) = Csv().write(dataset_of(rows), tmp_path)
    text = path.read_text("utf-8").splitlines()
    assert text == [
        'age,hba1c,"note, free",is_ill,seen,at,key',
        "61,6.5,x,yes,,,000001",
        ",,y,,,,000002",
    ]


def test_parquet_says_that_it_is_synthetic_and_the_source_notices(tmp_path):
    rows = [(61.0, 6.5, "x", True, None, None, "000001")]
    (path,) = Parquet().write(dataset_of(rows), tmp_path)
    labels = pq.read_metadata(path).metadata
    assert labels[b"SYNTHETIC"] == b"true"
    assert re.fullmatch(rb"\d+[.+].+", labels[b"understudy.version"])
    assert "synthetic data, not real patients" in read_table(path).notes[-1]


@pytest.mark.parametrize("name", CATALOG.names)
def test_each_table_becomes_one_file(name, tmp_path):
    tables = tuple(
        Table(name=n, columns=(Column(name="a", kind=Kind.CATEGORY),)) for n in ("patients", "visits")
    )
    frames = {"patients": pl.DataFrame({"a": ["x"]}), "visits": pl.DataFrame({"a": ["y", None]})}
    files = CATALOG.create(name).write(Dataset(Schema(tables=tables), frames), tmp_path / "new" / "data")
    assert [file.name for file in files] == [f"patients.{name}", f"visits.{name}"]
    assert sorted((tmp_path / "new" / "data").iterdir()) == files
    assert [read_table(file).frame.height for file in files] == [1, 2]


# --- formulas ------------------------------------------------------------------------------------


def text_dataset(values, column="note"):
    table = Table(columns=(Column(name=column, kind=Kind.TEXT),))
    return Dataset.of(Schema(tables=(table,)), pl.DataFrame({column: pl.Series(values, dtype=pl.String)}))


def random_formulas(count):
    rng = np.random.default_rng(11)
    starts = [
        "=",
        "+",
        "-",
        "@",
        "\t",
        "\r",
        "\0",
        "=",
        " =",
        "\t=",
        "\uff1d",
        "\uff0b",
        "\uff0d",
        "\uff20",
        "\n=",
    ]
    bodies = [
        "cmd|'/C calc'!A0",
        "SUM(1+1)*cmd",
        'HYPERLINK("x";"y")',
        "1+1",
        "-1-1",
        "A1",
        ";=1+1",
        ",@x",
        "é",
    ]
    tails = ["", '"', "\n", "\r\n=2", "'", "\t=1", " ", ";+1+cmd"]
    parts = [rng.integers(len(choices), size=count) for choices in (starts, bodies, tails)]
    return [f"{starts[a]}{bodies[b]}{i}{tails[c]}" for i, (a, b, c) in enumerate(zip(*parts, strict=True))]


TRIGGERS = tuple("=+-@\t\r\0\uff1d\uff0b\uff0d\uff20")


def test_ten_thousand_formulas_start_nothing(tmp_path):
    formulas = random_formulas(10_000)
    (path,) = Csv().write(text_dataset(formulas), tmp_path)
    # An independent reader, with NUL as text.
    text = path.read_bytes().decode()
    cells = re.findall(r'"((?:[^"]|"")*)"\n', text.removeprefix('"note"\n'))
    assert len(cells) == 10_000
    assert not [cell for cell in cells if cell.startswith(TRIGGERS) or cell.lstrip().startswith(TRIGGERS)]
    assert [cell.replace('""', '"').removeprefix("'") for cell in cells] == formulas


def test_without_the_setting_cells_stay_as_they_are(tmp_path):
    formulas = [f for f in random_formulas(500) if "\0" not in f]
    (path,) = Csv(neutralise_formulas=False).write(text_dataset(formulas), tmp_path)
    assert CsvSource(path=path).read()["note"].to_list() == formulas


def test_names_are_neutralised_too(tmp_path):
    (path,) = Csv().write(text_dataset(["a"], column="=1+1"), tmp_path)
    assert path.read_text() == "'=1+1\na\n"


@pytest.mark.parametrize("cell", ["-1", "+2.5", "-1e5", "a=b", "x", "'=1"])
def test_numbers_and_harmless_text_stay_as_they_are(cell, tmp_path):
    (path,) = Csv().write(text_dataset([cell]), tmp_path)
    assert path.read_text() == f"note\n{cell}\n"


def test_a_cell_that_hides_a_formula_behind_another_delimiter_is_quoted(tmp_path):
    (path,) = Csv().write(text_dataset(["fine;=1+1"]), tmp_path)
    assert path.read_text() == '"note"\n"fine;=1+1"\n'


# --- bad output ----------------------------------------------------------------------------------

BIG = text_dataset([f"word {i}" for i in range(30_000)])


@pytest.mark.parametrize("name", CATALOG.names)
def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(name, tmp_path):
    export = CATALOG.create(name)
    (path,) = export.write(text_dataset(["old"]), tmp_path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OutputError, match="the disk is full"):
            export.write(BIG, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", CATALOG.names)
def test_a_folder_that_cannot_be_made_is_refused(name, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose a folder that can be written"):
        CATALOG.create(name).write(BIG, tmp_path / "file" / "data")


@pytest.mark.parametrize("name", CATALOG.names)
def test_a_folder_in_the_place_of_the_file_is_named(name, tmp_path):
    (tmp_path / f"patients.{name}").mkdir()
    with pytest.raises(OutputError, match="a folder of this name is in the way"):
        CATALOG.create(name).write(BIG, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"patients.{name}"]


@pytest.mark.parametrize("table", ["../out", "a/b", ".hidden", "", "a\0b", "x" * 300])
def test_a_table_name_cannot_lead_out_of_the_folder(table, tmp_path):
    schema = Schema(tables=(Table(name=table, columns=(Column(name="a", kind=Kind.TEXT),)),))
    dataset = Dataset.of(schema, pl.DataFrame({"a": ["x"]}))
    for name in CATALOG.names:
        with pytest.raises(OutputError, match="cannot name a file"):
            CATALOG.create(name).write(dataset, tmp_path)


def test_unknown_settings_are_refused():
    with pytest.raises(SettingsError, match="neutralise_formulas"):
        CATALOG.create(Choice(name="csv", settings={"neutralize_formulas": False}))
