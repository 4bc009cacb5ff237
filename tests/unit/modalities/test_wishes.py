"""Wishes about rows are understood in the words of the schema, and filter the rows they mean."""

from __future__ import annotations

import polars as pl
import pytest

from understudy.core.conditions import conditions
from understudy.core.dataset import Dataset
from understudy.core.errors import ConditionError, UnknownNameError
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.modalities.wishes import matching, resolve

COLUMNS = (
    Column(name="Age", kind=Kind.NUMBER, low=0, high=120),
    Column(name="sex", kind=Kind.CATEGORY, values=("female", "male")),
    Column(name="smoker", kind=Kind.BOOLEAN, spelling=("No", "Yes")),
    Column(name="seen", kind=Kind.DATETIME),
)
DATA = Dataset.of(
    Schema(tables=(Table(columns=COLUMNS),)),
    pl.DataFrame(
        {
            "Age": [20.0, 65.0, 80.0, None],
            "sex": ["female", "male", "female", None],
            "smoker": [True, False, None, True],
            "seen": ["2019-05-01", "2020-01-01", "2021-06-01", None],
        },
    ).with_columns(pl.col("seen").str.to_datetime(time_unit="us")),
)


def rows_with(*where: str) -> list[int]:
    """Return the positions of the rows that satisfy the conditions."""
    numbered = pl.int_range(4, eager=True)
    kept = matching(DATA, resolve(conditions(where), DATA.schema)).frame
    return [
        int(k)
        for k in numbered
        if kept.join(
            DATA.frame[int(k) : int(k) + 1], on=DATA.table.names, how="semi", nulls_equal=True
        ).height
    ]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (("age>=65",), [1, 2]),
        (("AGE > 65",), [2]),
        (("age 20-65",), [0, 1]),
        (("age=65",), [1]),
        (("sex=FEMALE",), [0, 2]),
        (("sex!=female",), [1, 3]),
        (("sex in (male)",), [1]),
        (("smoker=yes",), [0, 3]),
        (("smoker=1", "sex=female"), [0]),
        (("smoker=false",), [1]),
        (("sex is missing",), [3]),
        (("age is not missing",), [0, 1, 2]),
        (("seen>=2020",), [1, 2]),
        (("seen=2020-01-01",), [1]),
    ],
)
def test_conditions_mean_the_rows_that_people_mean(where: tuple[str, ...], expected: list[int]) -> None:
    assert rows_with(*where) == expected


@pytest.mark.parametrize(
    ("where", "error", "said"),
    [
        ("agee>3", UnknownNameError, "Did you mean 'Age'"),
        ("sex=femal", UnknownNameError, "Did you mean 'female'"),
        ("smoker=maybe", UnknownNameError, "maybe"),
        ("sex>3", ConditionError, "is a range"),
        ("age=old", ConditionError, "holds numbers"),
        ("seen=spring", ConditionError, "YYYY-MM-DD"),
        ("age>130", ConditionError, "nearest feasible: Age <= 120"),
        ("age<-5", ConditionError, "nearest feasible: Age >= 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(where: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        resolve(conditions([where]), DATA.schema)


@pytest.mark.parametrize("where", [("age>=80", "age<=30"), ("sex=female", "sex=male")])
def test_contradictions_are_refused(where: tuple[str, ...]) -> None:
    with pytest.raises(ConditionError):
        resolve(conditions(where), DATA.schema)
