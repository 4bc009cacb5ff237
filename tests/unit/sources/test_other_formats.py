"""Parquet, Arrow and Excel files, and tables in memory."""

# ruff: noqa: DTZ001 (cells of tables have no zone)

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import xlsxwriter  # type: ignore[import-untyped]

from understudy.core.errors import SourceError, UnknownNameError
from understudy.sources.frame import like, read_frame
from understudy.sources.reading import choose, read_choice, read_table

SHARED = Path(os.environ.get("UNDERSTUDY_SHARED", Path(__file__).parents[4] / "shared")) / "data"

TYPED = pl.DataFrame(
    {
        "small": pl.Series([1, None, 3], dtype=pl.Int8),
        "single": pl.Series([0.1, None, float("inf")], dtype=pl.Float32),
        "level": pl.Series(["a", "b", None], dtype=pl.Categorical),
        "day": [dt.date(2020, 1, 31), None, dt.date(1899, 12, 31)],
        "moment": [dt.datetime(2020, 1, 31, 12, 30, 1, 5), None, dt.datetime(1900, 1, 1)],
        "is_ill": [True, None, False],
        "large": [2**60, None, 1],
        "price": pl.Series(["1.25", None, "2"]).cast(pl.Decimal(10, 2)),
        "wait": [dt.timedelta(seconds=1.5), None, dt.timedelta(0)],
        "labs": [[1, 2], None, [3]],
        "nothing": pl.Series([None, None, None]),
    }
)
EXPECTED = {
    "small": [1, None, 3],
    "single": [0.1, None, None],
    "level": ["a", "b", None],
    "day": TYPED["day"].to_list(),
    "moment": TYPED["moment"].to_list(),
    "is_ill": [True, None, False],
    "large": [str(2**60), None, "1"],
    "price": [1.25, None, 2.0],
    "wait": [1.5, None, 0.0],
    "nothing": [None, None, None],
}


def write_arrow_stream(path):
    TYPED.write_ipc_stream(path, compression="lz4")


WRITERS: dict[str, Callable[[str], object]] = {
    "t.parquet": lambda path: TYPED.write_parquet(path),
    "t.arrow": lambda path: TYPED.write_ipc(path, compression="zstd"),
    "t.arrows": write_arrow_stream,
    "t.feather": lambda path: feather.write_feather(
        TYPED.to_arrow(compat_level=pl.CompatLevel.oldest()), path
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_typed_files_keep_their_cells_in_few_types(tmp_path, name):
    WRITERS[name](str(tmp_path / name))
    reading = read_table(tmp_path / name)
    assert reading.frame.to_dict(as_series=False) == EXPECTED
    assert set(map(str, reading.frame.dtypes)) <= {
        "Int64", "Float64", "String", "Date", "Boolean", "Datetime(time_unit='us', time_zone=None)",
    }  # fmt: skip
    for word in ("'labs': left out", "'large': read as text", "'single': 1 infinite", "'wait': a duration"):
        assert any(word in note for note in reading.notes)


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
def test_samples_of_typed_files_are_uniform_and_noted(tmp_path, name):
    frame = pl.DataFrame({"id": range(200_000), "s": [f"w{i % 9}" for i in range(200_000)]})
    frame.write_parquet(tmp_path / name) if name == "t.parquet" else frame.write_ipc(tmp_path / name)
    reading = read_table(tmp_path / name, max_rows=5000, seed=1)
    assert reading.frame["id"].is_sorted()
    assert reading.frame.height == reading.frame["id"].n_unique() == 5000
    assert abs(reading.frame["id"].to_numpy().mean() - 99_999.5) < 5 * 57_735 / 5000**0.5
    assert "Read 5,000 of 200,000 rows" in reading.notes[0]
    tight = read_table(tmp_path / name, settings={"memory_mb": 4})
    assert 1000 < tight.frame.height < 200_000 == tight.rows_total
    assert "set aside for rows" in tight.notes[0]


def test_the_choice_of_a_file_can_be_stored_and_read_again(tmp_path):
    TYPED.write_parquet(tmp_path / "t.parquet")
    choice = choose(tmp_path / "t.parquet", {"max_rows": 2})
    assert choice.settings["path"] == str(tmp_path / "t.parquet")
    again = type(choice).model_validate_json(choice.model_dump_json())
    assert read_choice(again).frame.height == 2


def test_a_parquet_file_with_nothing_but_lists_is_refused(tmp_path):
    pl.DataFrame({"a": [[1]]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(SourceError, match="no readable column"):
        read_table(tmp_path / "t.parquet")


def test_a_parquet_file_without_rows_is_refused(tmp_path):
    pl.DataFrame({"a": [1]}).clear().write_parquet(tmp_path / "t.parquet")
    with pytest.raises(SourceError, match="a header of 1 columns but no row"):
        read_table(tmp_path / "t.parquet")


# --- Excel ---------------------------------------------------------------------------------------


@pytest.fixture
def workbook(tmp_path):
    path = tmp_path / "t.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("Cover")
    sheet = book.add_worksheet("Visits")
    day, moment = (book.add_format({"num_format": f}) for f in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
    sheet.write_row(0, 0, ["id", "hba1c", "zip", "seen", "at", "is_ill", "mixed", "word", "as_text", "ratio"])
    for row in range(1, 4):
        sheet.write_row(row, 0, [row, 5.5 + row])
        sheet.write_string(row, 2, f"0012{row}")
        sheet.write_datetime(row, 3, dt.datetime(2020, 1, row), day)
        sheet.write_datetime(row, 4, dt.datetime(2020, 1, row, 8, 30), moment)
        sheet.write_boolean(row, 5, row == 1)
        sheet.write(row, 6, ["x", 1, 2.5][row - 1])
        sheet.write(row, 7, ["a", "NA", "a\nb"][row - 1])
        sheet.write_string(row, 8, str(row * 10))
        sheet.write_formula(row, 9, "=1/0", None, "#DIV/0!" if row == 2 else row)
    sheet.write(6, 0, " ")
    book.add_worksheet("Drugs").write_column(0, 0, ["drug", "aspirin"])
    book.close()
    return path


def test_the_first_sheet_with_cells_is_read_with_its_types(workbook):
    reading = read_table(workbook)
    frame = reading.frame
    assert frame["id"].to_list() == [1, 2, 3]
    assert frame["id"].dtype == pl.Int64
    assert frame["hba1c"].to_list() == [6.5, 7.5, 8.5]
    assert frame["zip"].to_list() == ["00121", "00122", "00123"]
    assert frame["seen"].cast(pl.Date).to_list()[0] == dt.date(2020, 1, 1)
    assert frame["at"].to_list()[2] == dt.datetime(2020, 1, 3, 8, 30)
    assert frame["is_ill"].to_list() == [True, False, False]
    assert frame["mixed"].to_list() == ["x", "1", "2.5"]
    assert frame["word"].to_list() == ["a", None, "a\nb"]
    assert frame["as_text"].to_list() == [10, 20, 30]
    assert frame["ratio"].to_list() == [1, None, 3]
    assert reading.details == {"sheet": "Visits"}
    assert "there are also 'Drugs'" in reading.notes[0]


def test_a_sheet_can_be_named_and_a_wrong_name_suggests_the_nearest(workbook):
    reading = read_table(workbook, settings={"sheet": "Drugs"})
    assert reading.frame.to_dict(as_series=False) == {"drug": ["aspirin"]}
    with pytest.raises(UnknownNameError, match="Did you mean 'Drugs'"):
        read_table(workbook, settings={"sheet": "drugs"})
    with pytest.raises(SourceError, match="sheet 'Cover' is empty"):
        read_table(workbook, settings={"sheet": "Cover"})


def test_doubled_names_of_a_sheet_are_refused(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "a"])
        sheet.write_row(1, 0, [1, 2])
    with pytest.raises(SourceError, match="sheet 'Sheet1': several columns are called 'a'"):
        read_table(tmp_path / "t.xlsx")


def test_a_workbook_without_cells_or_rows_is_refused(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as book:
        book.add_worksheet()
    with pytest.raises(SourceError, match="only empty sheets"):
        read_table(tmp_path / "t.xlsx")
    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as book:
        book.add_worksheet().write_row(0, 0, ["a", "b"])
    with pytest.raises(SourceError, match="no row"):
        read_table(tmp_path / "t.xlsx")


@pytest.mark.parametrize("suffix", [".xls", ".xlsm", ".xlsb"])
def test_old_and_macro_kinds_of_excel_are_refused(workbook, suffix):
    renamed = workbook.rename(workbook.with_suffix(suffix))
    with pytest.raises(SourceError, match=r"Save it as \.xlsx or CSV"):
        read_table(renamed)


def test_macros_under_another_name_are_refused(tmp_path):
    (tmp_path / "vbaProject.bin").write_bytes(b"x")
    with xlsxwriter.Workbook(tmp_path / "t.xlsm") as book:
        book.add_worksheet().write_column(0, 0, ["a", 1])
        book.add_vba_project(str(tmp_path / "vbaProject.bin"))
    renamed = (tmp_path / "t.xlsm").rename(tmp_path / "t.xlsx")
    with pytest.raises(SourceError, match="with macros"):
        read_table(renamed)


# --- tables in memory ----------------------------------------------------------------------------

PANDAS = pd.DataFrame(
    {
        "i": [1, 2, 3],
        "nullable": pd.array([1, None, 3], dtype="Int64"),
        "f": np.array([0.1, np.nan, 2.5], dtype="float32"),
        "s": ["a", None, "b"],
        "level": pd.Categorical(["x", "y", "x"]),
        "is_ill": pd.array([True, None, False], dtype="boolean"),
        "seen": pd.to_datetime(["2020-01-01 00:00", "NaT", "2021-05-05 12:30"]),
    }
)
LIBRARIES = {
    "pandas": PANDAS,
    "polars": pl.from_pandas(PANDAS),
    "polars lazy": pl.from_pandas(PANDAS).lazy(),
    "pyarrow": pa.Table.from_pandas(PANDAS, preserve_index=False),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_in_memory_become_polars_and_return_as_they_came(library):
    table = LIBRARIES[library]
    reading = read_frame(table)
    frame = reading.frame
    assert frame["nullable"].to_list() == [1, None, 3]
    assert frame["f"].to_list() == [0.1, None, 2.5]
    assert frame["level"].to_list() == ["x", "y", "x"]
    assert frame["seen"].to_list()[1:] == [None, dt.datetime(2021, 5, 5, 12, 30)]
    back = like(table, frame)
    assert type(back) is type(table)
    if isinstance(back, pd.DataFrame):
        pd.testing.assert_frame_equal(back, table)
    elif isinstance(back, pa.Table):
        assert back.schema.types == table.schema.types
        assert back.to_pylist() == table.to_pylist()
    elif isinstance(back, pl.LazyFrame):
        assert back.collect().equals(table.collect())
    else:
        assert back.equals(table)
        assert back.schema == table.schema


def test_synthetic_values_that_do_not_fit_the_old_types_keep_their_own():
    made = pl.DataFrame({"i": [1, None], "level": ["x", "z"]})
    back = like(PANDAS[["i", "level"]], made)
    assert back["i"].isna().tolist() == [False, True]
    assert back["level"].astype(str).tolist() == ["x", "z"]
    arrow = like(pa.table({"i": pa.array([1], pa.int8())}), pl.DataFrame({"i": [1000]}))
    assert arrow["i"].to_pylist() == [1000]


def test_a_pandas_table_is_left_unchanged_and_its_oddities_are_noted():
    table = pd.DataFrame(
        {0: [1, 2], "mixed": ["a", 1], "x": [np.inf, 1.5]}, index=pd.Index([7, 8], name="mrn")
    )
    before = table.copy(deep=True)
    reading = read_frame(table)
    pd.testing.assert_frame_equal(table, before)
    assert reading.frame.to_dict(as_series=False) == {"0": [1, 2], "mixed": ["a", "1"], "x": [None, 1.5]}
    for word in ("index 'mrn' is left out", "'mixed': holds values of several types", "1 infinite"):
        assert any(word in note for note in reading.notes)
    assert list(like(table, reading.frame).columns) == [0, "mixed", "x"]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"a": [1]}, "expected a pandas, polars or pyarrow table"),
        (np.eye(2), "expected a pandas, polars or pyarrow table"),
        (pl.Series([1]), "expected a pandas, polars or pyarrow table"),
        (pl.DataFrame(), "0 rows and 0 columns"),
        (pl.DataFrame({"a": []}), "0 rows and 1 columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "unique column names"),
        (pl.DataFrame({"a": [[1]]}), "no column of single values"),
        (pl.DataFrame({"a": [1], " a": [2]}), "several columns are called 'a'"),
    ],
)
def test_what_is_no_table_is_refused(table, reason):
    with pytest.raises(SourceError, match=reason):
        read_frame(table)


# --- real tables ---------------------------------------------------------------------------------


@pytest.mark.skipif(not (SHARED / "tabular_csv").is_dir(), reason="the shared data are not here")
@pytest.mark.parametrize("name", ["hcv_uci", "heart_failure299", "pbc2_long", "pima", "support2"])
def test_the_same_rows_as_csv_and_parquet_read_alike(name):
    text = read_table(SHARED / "tabular_csv" / f"{name}.csv.gz").frame
    typed = read_table(SHARED / "tabular" / f"{name}.parquet").frame
    assert text.columns == typed.columns
    for column in typed.columns:
        if typed[column].dtype.is_numeric():
            assert text[column].cast(pl.Float64).equals(typed[column].cast(pl.Float64))
    assert pq.read_metadata(SHARED / "tabular" / f"{name}.parquet").num_rows == text.height
