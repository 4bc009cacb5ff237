"""Cohorts of a population: definitions, exact proportions, rare alternatives, refusals."""

from __future__ import annotations

import polars as pl
import pytest

from tests.unit.populations.people import SCHEMA, People
from understudy.core.conditions import Between, OneOf, Share
from understudy.core.dataset import Dataset
from understudy.core.errors import ConditionError, UnknownNameError
from understudy.core.rules import sql
from understudy.core.seeds import Seed
from understudy.populations.cohorts import Wish, feasibility, replaced
from understudy.populations.cohorts import draw as draw_found
from understudy.populations.definitions import define, in_words, resolve_condition

COLUMNS = {c.name: c for c in SCHEMA.table.columns}
SEED = Seed(5)


def draw(people: People, rows: int, asked: Wish, seed: Seed) -> Dataset:
    return draw_found(people, rows, asked, seed).rows


def wish(*words: str, exclude: tuple[str, ...] = ()) -> Wish:
    found = [define(word, COLUMNS, "people") for word in words]
    found += [define(word, COLUMNS, "people", exclude=True) for word in exclude]
    return Wish(
        tuple(w for d in found for w in d.where),
        tuple(text for d in found for text in d.rest),
        names={text: d.says() for d in found for text in d.rest},
    )


@pytest.mark.parametrize(
    "word", ["T2DM", "type 2 diabetes", "adult onset diabetes", "Type II diabetes", "NIDDM"]
)
def test_a_condition_is_found_by_what_people_call_it(word: str) -> None:
    assert resolve_condition(word)[0] == "type_2_diabetes"


def test_everyone_in_a_cohort_meets_the_definitions_of_all_its_conditions() -> None:
    rows = draw(People(), 300, wish("type 2 diabetes", "ckd"), SEED)
    assert rows.rows == 300
    assert rows.frame["diabetes_diagnosed"].all()
    assert rows.frame.select(sql("egfr < 60 OR uacr >= 30").all()).item()


def test_excluded_people_are_not_drawn() -> None:
    rows = draw(People(), 400, wish("hypertension", exclude=("diabetes", "heart failure")), SEED)
    assert not rows.frame.select(
        sql("diabetes_diagnosed OR hba1c >= 6.5 OR fasting_glucose >= 126").any()
    ).item()
    assert not rows.frame["history_heart_failure"].any()


def test_a_stage_narrows_a_condition() -> None:
    rows = draw(People(), 200, wish("ckd:G3a"), SEED)
    assert rows.frame["egfr"].is_between(45, 60, closed="left").all()


def test_proportions_hold_to_one_patient_under_a_definition_with_alternatives() -> None:
    asked = wish("ckd")
    shares = (Share(column="sex", value="female", proportion=0.6),)
    rows = draw(People(), 251, Wish(asked.where, asked.rest, shares), SEED)
    assert abs(rows.frame.filter(pl.col("sex") == "female").height - 0.6 * 251) < 1


def test_rare_alternatives_are_drawn_in_the_proportion_in_which_they_occur() -> None:
    rows = draw(People(), 400, wish("kidney failure"), SEED)
    assert rows.frame.select(sql("egfr < 15 OR dialysis").all()).item()
    everyone = People().sample(200_000, Seed(9)).frame.filter(sql("egfr < 15 OR dialysis"))
    share = float(everyone["dialysis"].mean() or 0)  # type: ignore[arg-type]
    assert float(rows.frame["dialysis"].mean() or 0) == pytest.approx(share, abs=0.05)  # type: ignore[arg-type]


def test_the_support_is_the_share_of_the_population() -> None:
    everyone = People().sample(100_000, Seed(2)).frame
    expected = everyone.select(sql("egfr < 60 OR uacr >= 30").mean()).item()
    asked = wish("ckd")
    found = draw_found(People(), 500, asked, SEED)
    assert feasibility(People(), asked, found.share, 500, SEED).support == pytest.approx(expected, rel=0.15)


def test_the_same_seed_draws_the_same_cohort_and_another_seed_another() -> None:
    one, same, other = (draw(People(), 50, wish("ckd"), Seed(s)).frame for s in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_conditions_that_exclude_each_other_are_explained() -> None:
    with pytest.raises(ConditionError, match=r"Type 2 diabetes.*Nearest feasible"):
        draw(People(), 10, wish("type 1 diabetes", "type 2 diabetes"), SEED)


def test_limits_that_exclude_each_other_are_refused() -> None:
    asked = Wish((Between(column="age", low=70), Between(column="age", high=60)))
    with pytest.raises(ConditionError, match="exclude each other"):
        draw(People(), 10, asked, SEED)


@pytest.mark.parametrize(
    ("word", "nearest"), [("lupus", "knowledge list conditions"), ("diabetis", "diabetes")]
)
def test_a_condition_outside_the_knowledge_is_refused_by_name(word: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"{word}.*{nearest}"):
        define(word, COLUMNS, "people")


@pytest.mark.parametrize("word", ["cystic fibrosis", "CKD stage 9"])
def test_no_other_disease_is_suggested_that_merely_shares_letters(word: str) -> None:
    with pytest.raises(
        UnknownNameError, match="none is invented; `understudy knowledge list conditions`"
    ) as refused:
        define(word, COLUMNS, "people")
    assert "Did you mean" not in str(refused.value)
    assert str(refused.value).partition("Known: ")[2].count(",") <= 4


def test_a_condition_within_an_unknown_name_is_known_nearby() -> None:
    with pytest.raises(UnknownNameError, match=r"Known: hypertension\.$"):
        define("portal hypertension", COLUMNS, "people")


@pytest.mark.parametrize(
    "word", ["CKD stage 3", "stage 3 CKD", "chronic kidney disease 3", "ckd:3", "ckd:g3a+g3b"]
)
def test_a_stage_is_understood_beside_the_name_and_whole_where_it_is_divided(word: str) -> None:
    found = define(word, COLUMNS, "people")
    assert (found.condition, found.stage) == ("ckd", "g3a+g3b")
    rows = draw(People(), 60, Wish(found.where, found.rest), SEED).frame
    assert rows["egfr"].is_between(30, 60, closed="left").all()
    assert in_words(word) == "Chronic kidney disease, Stage G3a or Stage G3b"


@pytest.mark.parametrize(
    ("word", "lacking"),
    [
        ("copd", "history_copd"),
        ("sepsis", "sofa_score"),
        ("hypothyroidism", "tsh"),
        ("gout", "no definition"),
    ],
)
def test_a_condition_that_the_population_cannot_represent_is_refused_with_the_reason(
    word: str, lacking: str
) -> None:
    with pytest.raises(ConditionError, match=lacking):
        define(word, COLUMNS, "people")


def test_a_definition_names_its_sources_and_what_it_leaves_out() -> None:
    found = define("type 2 diabetes", COLUMNS, "people")
    assert "nhanes_2017_2020" in found.sources
    assert OneOf(column="diabetes_diagnosed", values=("true",)) in found.where
    few = {name: COLUMNS[name] for name in ("hba1c", "fasting_glucose")}
    assert "without diabetes_diagnosed" in define("diabetes", few, "people").basis


def test_asking_for_no_patient_is_refused() -> None:
    with pytest.raises(ConditionError, match="at least 1"):
        draw(People(), 0, Wish(), SEED)


def test_without_a_wish_everyone_is_drawn() -> None:
    rows = draw(People(), 2000, Wish(), SEED)
    assert rows.frame.select(pl.col("sex").n_unique()).item() == 2


def test_rows_that_become_unsound_are_drawn_anew_in_the_same_proportions() -> None:
    shares = (Share(column="sex", value="female", proportion=0.6),)
    asked = Wish(wish("ckd").where, wish("ckd").rest, shares)
    rows = draw(People(), 200, asked, SEED)
    done = replaced(People(), rows, asked, lambda d: (d.frame["hdl"] >= 40).to_numpy(), SEED)
    assert done.rows == 200
    assert (done.frame["hdl"] >= 40).all()
    assert done.frame.filter(pl.col("sex") == "female").height == 120
    assert done.frame.select(sql("egfr < 60 OR uacr >= 30").all()).item()


def test_rows_that_can_never_be_sound_are_refused() -> None:
    rows = draw(People(), 20, Wish(), SEED)
    with pytest.raises(ConditionError, match="plausibility rule"):
        replaced(People(), rows, Wish(), lambda d: (d.frame["age"] < 0).to_numpy(), SEED)
