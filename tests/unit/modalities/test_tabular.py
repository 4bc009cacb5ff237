"""Cells as they were written become canonical values, and are written again as they were."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from understudy.core.schema import Column, Kind, Schema, Storage, Table
from understudy.modalities.tabular import DECIMAL_COMMA, canonical, present, preview, spelled


def schema(**about: object) -> Schema:
    return Schema(tables=(Table(columns=(Column(name="x", **about),)),))  # type: ignore[arg-type]


def read(cells: list, **about: object) -> list:
    dataset, _ = canonical(pl.DataFrame({"x": cells}), schema(**about))
    return dataset.frame["x"].to_list()


@given(st.lists(st.one_of(st.none(), st.integers(-(10**6), 10**6)), min_size=1))
def test_whole_numbers_return_as_they_were(cells: list[int | None]) -> None:
    frame = pl.DataFrame({"x": cells}, schema={"x": pl.Int64})
    dataset, problems = canonical(frame, schema(kind=Kind.NUMBER, storage=Storage.INTEGER, decimals=0))
    assert not problems
    assert_frame_equal(present(dataset), frame)


@given(
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1),
    st.sampled_from([("N", "Y"), ("0", "1"), ("no", "yes")]),
)
def test_booleans_return_in_their_spelling(cells: list[bool | None], spelling: tuple[str, str]) -> None:
    frame = pl.DataFrame({"x": [None if c is None else spelling[c] for c in cells]}, schema={"x": pl.String})
    dataset, problems = canonical(frame, schema(kind=Kind.BOOLEAN, spelling=spelling))
    assert not problems
    assert dataset.frame["x"].to_list() == cells
    assert_frame_equal(present(dataset), frame)


@given(
    st.lists(st.dates(date(1900, 1, 1), date(2100, 1, 1)), min_size=1),
    st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%Y%m%d"]),
)
def test_dates_return_in_their_format(days: list[date], form: str) -> None:
    frame = pl.DataFrame({"x": [day.strftime(form) for day in days]})
    dataset, problems = canonical(frame, schema(kind=Kind.DATETIME, format=form))
    assert not problems
    assert [value.date() for value in dataset.frame["x"]] == days
    assert_frame_equal(present(dataset), frame)


@pytest.mark.parametrize(
    ("cells", "about", "expected"),
    [
        (["1,5", "2,25", "1.234,5"], {"format": DECIMAL_COMMA}, [1.5, 2.25, 1234.5]),
        (["1,234", "<0.5", "12 mg/dL"], {}, [1234.0, 0.5, 12.0]),
        (["-9", "7", "999"], {"sentinels": ("-9", "999")}, [None, 7.0, None]),
        ([float("nan"), float("inf"), 1.0], {}, [None, None, 1.0]),
        ([" 7 ", "", "8"], {}, [7.0, None, 8.0]),
    ],
)
def test_numbers_are_read_as_people_write_them(cells: list, about: dict, expected: list) -> None:
    assert read(cells, kind=Kind.NUMBER, **about) == expected


def test_points_in_time_lose_their_zone_but_not_their_moment() -> None:
    there = pl.Series("x", ["2024-05-01 12:00"]).str.to_datetime().dt.replace_time_zone("Asia/Tokyo")
    dataset, _ = canonical(pl.DataFrame({"x": there}), schema(kind=Kind.DATETIME, storage=Storage.DATETIME))
    assert dataset.frame["x"].to_list() == pl.Series(["2024-05-01 03:00"]).str.to_datetime().to_list()


def test_cells_that_cannot_be_read_are_counted_and_stay_out_of_the_words() -> None:
    frame = pl.DataFrame({"x": ["1", "see Mr Smith", "3"]})
    dataset, (problem,) = canonical(frame, schema(kind=Kind.NUMBER))
    assert dataset.frame["x"].to_list() == [1.0, None, 3.0]
    assert problem.rows == 1
    assert problem.severity == "warning"
    assert "Smith" not in str(problem)
    assert problem.shown == ("see Mr Smith",)


def test_levels_are_named_as_they_are_written() -> None:
    assert spelled(pl.Series([1.0, 2.5, None])).to_list() == ["1", "2.5", None]
    assert spelled(pl.Series([True, False])).to_list() == ["true", "false"]
    assert spelled(pl.Series(["a"], dtype=pl.Categorical)).to_list() == ["a"]


def test_a_preview_shows_the_first_rows() -> None:
    dataset, _ = canonical(pl.DataFrame({"x": list(range(20))}), schema(kind=Kind.NUMBER, decimals=0))
    block = preview(dataset, rows=3)
    assert block.block == "table"
    assert block.rows == (("0",), ("1",), ("2",))
