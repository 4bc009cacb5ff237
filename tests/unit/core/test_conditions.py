"""Conditions as a person spells them."""

from __future__ import annotations

import pytest

from understudy.core.conditions import Balanced, Between, OneOf, Share, conditions, parse_share, parse_where
from understudy.core.errors import ConditionError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("age>=65", Between(column="age", low=65)),
        ("age 65-80", Between(column="age", low=65, high=80)),
        ("age between 65 and 80", Between(column="age", low=65, high=80)),
        ("hba1c > 9", Between(column="hba1c", low=9, low_open=True)),
        ("bmi<18.5", Between(column="bmi", high=18.5, high_open=True)),
        ("temperature -5 to 10", Between(column="temperature", low=-5, high=10)),
        ("sex=female", OneOf(column="sex", values=("female",))),
        ("sex == 'female'", OneOf(column="sex", values=("female",))),
        ("sex!=female", OneOf(column="sex", values=("female",), exclude=True)),
        ("site in (A, 'B c')", OneOf(column="site", values=("A", "B c"))),
        ("site not in [A]", OneOf(column="site", values=("A",), exclude=True)),
        ("bmi is missing", OneOf(column="bmi", values=(None,))),
        ("bmi is not missing", OneOf(column="bmi", values=(None,), exclude=True)),
    ],
)
def test_a_condition_is_read_as_it_is_meant(text: str, meant: object) -> None:
    assert parse_where(text) == meant


@pytest.mark.parametrize("text", ["", "age", "age 80-65", "age>old", "age>", "sex in ()"])
def test_an_unreadable_condition_says_how_to_write_it(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_where(text)


def test_shares_are_proportions_percentages_or_balance() -> None:
    assert parse_share("sex=female:0.6") == (Share(column="sex", value="female", proportion=0.6),)
    assert parse_share("sex=female:60%") == (Share(column="sex", value="female", proportion=0.6),)
    assert parse_share("outcome:balanced") == (Balanced(column="outcome"),)


@pytest.mark.parametrize("text", ["sex=female", "sex=female:1.5", "0.6", "sex=female:-0.1"])
def test_an_impossible_share_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_share(text)


def test_shares_above_one_are_refused_together() -> None:
    with pytest.raises(ConditionError, match="more than 100 %"):
        conditions(shares=["sex=f:0.7", "sex=m:0.4"])
