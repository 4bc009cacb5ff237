"""Which observations a cohort shows, and in which units."""

from __future__ import annotations

import pytest

from tests.unit.populations.people import SCHEMA, People
from understudy.core.conditions import Between, Conditions, OneOf
from understudy.core.errors import ConditionError, RequestError, SettingsError, UnknownNameError
from understudy.core.seeds import Seed
from understudy.knowledge.conditions import condition
from understudy.knowledge.units import UnitError, convert
from understudy.modalities.tabular import present
from understudy.modalities.wishes import matching, resolve
from understudy.populations.presentation import choose, measures, present_as, read_as, resolve_observation
from understudy.populations.requests import (
    given_own,
    in_unit,
    named_target,
    read_shares,
    read_where,
    split_unit,
    target_in_unit,
)
from understudy.populations.targets import parse_target

HELD = {c.name: c for c in SCHEMA.table.columns}
ROWS = People().sample(300, Seed(4))


def test_the_observations_are_the_highest_ranked_ones_that_are_held() -> None:
    found = choose(["type_2_diabetes"], 5, HELD)
    ranked = [r.id for r in condition("type_2_diabetes").observations if r.id in HELD]
    others = [name for name in found.names if name not in ("age", "sex", "race_ethnicity")]
    assert others == [name for name in ranked if name not in ("age", "sex", "race_ethnicity")][:5]
    assert {"age", "sex", "race_ethnicity"} <= set(found.names)


def test_ranked_observations_that_are_not_held_are_named() -> None:
    assert "history_chd" in choose(["type_2_diabetes"], 19, HELD).lacking
    assert choose(["heart_failure"], 30, HELD).notes


def test_two_conditions_take_turns() -> None:
    found = choose(["type_2_diabetes", "ckd"], 6, HELD).names
    assert "hba1c" in found
    assert "uacr" in found


def test_observations_can_be_added_and_dropped() -> None:
    found = choose(["type_2_diabetes"], 5, HELD, add=["heart_rate"], drop=["bmi"])
    assert "heart_rate" in found.names
    assert "bmi" not in found.names


def test_dropping_everything_is_refused() -> None:
    with pytest.raises(RequestError, match="no observation is left"):
        choose([], None, {"bmi": HELD["bmi"]}, drop=["bmi"])


@pytest.mark.parametrize(
    ("word", "name"), [("A1c", "hba1c"), ("SBP", "systolic_bp"), ("kidney function", "egfr")]
)
def test_an_observation_is_found_by_what_people_call_it(word: str, name: str) -> None:
    assert resolve_observation(word, HELD, "people") == name


def test_an_unknown_observation_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="creatinine"):
        resolve_observation("creatinin", HELD, "people")


def test_an_observation_that_is_not_held_is_refused_with_its_kin() -> None:
    with pytest.raises(RequestError, match=r"does not hold 'gmi'.*hba1c"):
        resolve_observation("gmi", HELD, "people")


def test_si_units_convert_values_limits_and_decimals() -> None:
    names = ("hba1c", "ldl", "creatinine", "bmi", "systolic_bp")
    written = measures(names, HELD, "si")
    shown = present_as(ROWS, names, written)
    assert [shown.table.column(n).unit for n in names] == ["mmol/mol", "mmol/L", "umol/L", "kg/m2", "mm[Hg]"]
    expected = convert(ROWS.frame["hba1c"].to_numpy(), "%", "mmol/mol", of="hba1c").round()
    assert (shown.frame["hba1c"].to_numpy() == expected).all()
    assert not shown.check()
    assert present(shown)["hba1c"].dtype.is_integer()


def test_one_observation_can_have_a_unit_and_decimals_of_its_own() -> None:
    written = measures(("weight", "bmi"), HELD, units={"weight": "lb"}, decimals={"weight": 3, "bmi": 0})
    shown = present_as(ROWS, ("weight", "bmi"), written)
    assert shown.table.column("weight").unit == "[lb_av]"
    assert shown.frame["weight"][0] == pytest.approx(ROWS.frame["weight"][0] / 0.45359237, abs=0.00051)
    assert shown.frame["bmi"][0] == round(ROWS.frame["bmi"][0])
    assert shown.table.column("bmi").decimals == 0


def test_digits_that_nobody_measured_are_refused() -> None:
    with pytest.raises(SettingsError, match="'bmi': 2; in kg/m2 it is known to 1"):
        measures(("bmi",), HELD, decimals={"bmi": 2})


@pytest.mark.parametrize(
    ("units", "error"),
    [({"hba1c": "kg"}, UnitError), ({"hba1c": "furlong"}, UnknownNameError), ({"sex": "kg"}, SettingsError)],
)
def test_a_wrong_unit_is_refused(units: dict[str, str], error: type[RequestError]) -> None:
    with pytest.raises(error):
        measures(("hba1c", "sex"), HELD, units=units)


def test_a_wrong_system_of_units_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="conventional"):
        measures(("hba1c",), HELD, "convential")


def test_the_schema_says_what_each_column_means() -> None:
    shown = present_as(ROWS, ("hba1c", "sex"), measures(("hba1c",), HELD))
    assert "4548-4" in shown.table.column("hba1c").reason
    assert "protected" in [role.value for role in shown.table.column("sex").roles]


@pytest.mark.parametrize(
    ("text", "head", "unit"),
    [
        ("hba1c>=53 mmol/mol", "hba1c>=53", "mmol/mol"),
        ("eGFR 30-60 mL/min/1.73m2", "eGFR 30-60", "mL/min/{1.73_m2}"),
        ("hba1c>=7%", "hba1c>=7", "%"),
        ("age 65-80", "age 65-80", None),
        ("sex=female", "sex=female", None),
    ],
)
def test_a_unit_after_the_number_is_read(text: str, head: str, unit: str | None) -> None:
    found, stated = split_unit(text)
    assert (found.strip(), stated) == (head, unit)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("race=Black", ("Non-Hispanic Black",)),
        ("race=latino", ("Mexican American", "Other Hispanic")),
        ("sex=women", ("female",)),
        ("sex=female", ("female",)),
    ],
)
def test_levels_are_found_by_what_people_are_called(text: str, levels: tuple[str, ...]) -> None:
    where, _ = read_where(text, HELD, "people")
    assert isinstance(where, OneOf)
    assert where.values == levels


def test_a_share_of_a_word_for_several_levels_is_refused_with_them() -> None:
    assert (
        read_shares(["race=Black:0.7"], HELD, "people")[0].says()
        == "70 % race_ethnicity = Non-Hispanic Black"
    )
    with pytest.raises(ConditionError, match="Mexican American, Other Hispanic"):
        read_shares(["race=Hispanic:0.7"], HELD, "people")


def test_a_limit_in_another_unit_is_converted() -> None:
    where, stated = read_where("A1c >= 53 mmol/mol", HELD, "people")
    found = in_unit(where, stated, measures(("hba1c",), HELD)["hba1c"])
    assert isinstance(found, Between)
    assert found.low == pytest.approx(7.0, abs=0.005)


def test_a_limit_in_the_wrong_unit_is_refused_with_the_unit_that_fits() -> None:
    where, stated = read_where("A1c >= 53", HELD, "people")
    with pytest.raises(ConditionError, match="53 mmol/mol"):
        in_unit(where, stated, measures(("hba1c",), HELD)["hba1c"])


def test_one_value_in_another_unit_stands_for_all_that_are_rounded_to_it() -> None:
    written = measures(("hba1c",), HELD, "si")
    where, stated = read_where("A1c = 53", HELD, "people")
    given = Conditions(where=(in_unit(where, stated, written["hba1c"]),))
    kept = matching(ROWS, resolve(given_own(given, written), SCHEMA))
    assert kept.rows > 0
    assert set(present_as(kept, ("hba1c",), written).frame["hba1c"]) == {53}


def test_a_target_in_another_unit_is_converted_and_a_spread_without_its_offset() -> None:
    written = measures(("hba1c",), HELD, "si")
    mean = target_in_unit(named_target(parse_target("A1c:mean=7 %"), HELD, "people"), written)
    spread = target_in_unit(named_target(parse_target("A1c:sd=1 %"), HELD, "people"), written)
    assert mean.value == pytest.approx(53.0, abs=0.1)
    assert spread.value == pytest.approx(10.93, abs=0.02)


@pytest.mark.parametrize(
    "text", ["sex:mean=1", "bmi=obese:0.4", "sex=femal:0.5", "bmi~bmi:corr=0.4", "bmi~sex:corr=0.4"]
)
def test_a_target_that_does_not_suit_its_observation_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        named_target(parse_target(text), HELD, "people")


@pytest.mark.parametrize(
    ("word", "level"), [("F", "female"), ("m", "male"), ("women", "female"), ("Men", "male")]
)
def test_sexes_are_understood_as_people_write_them(word: str, level: str) -> None:
    where, _ = read_where(f"sex={word}", HELD, "people")
    assert where == OneOf(column="sex", values=(level,))


def test_an_initial_of_two_levels_means_none_of_them() -> None:
    where, _ = read_where("race_ethnicity=N", HELD, "people")
    assert where == OneOf(column="race_ethnicity", values=("N",))


def test_a_name_that_two_observations_share_is_said_to_be_read_as_one() -> None:
    said = read_as("cholesterol", HELD, "people")
    assert said.startswith("'cholesterol' was read as total_cholesterol")
    assert "ldl" in said
    assert read_as("total_cholesterol", HELD, "people") == ""
    assert read_as("BMI", HELD, "people") == ""
