"""Calibration: targets are reached, no row is used twice, and what cannot be is refused with its range."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.populations.people import People
from understudy.core.errors import ConditionError
from understudy.core.seeds import Seed
from understudy.populations.calibration import calibrate
from understudy.populations.targets import Target, parse_target, read_targets, says

POOL = People().sample(8_000, Seed(1))
SEED = Seed(2)


def targets(*texts: str) -> list[Target]:
    return [parse_target(text) for text in texts]


@pytest.mark.parametrize(
    ("texts", "tolerance"),
    [
        (("bmi:mean=31",), 1e-3),
        (("bmi:mean=30", "bmi:sd=5"), 1e-3),
        (("systolic_bp:median=130",), 0.01),
        (("hba1c:p90=7.5",), 0.02),
        (("sex=female:0.6",), 1e-3),
        (("insulin:proportion=0.1",), 1e-3),
        (("bmi~systolic_bp:corr=0.5",), 0.002),
        (("age_at_diabetes_diagnosis:mean=50",), 2e-3),
        (("bmi:mean=31", "age:mean=60", "sex=female:0.4", "hba1c:sd=1", "bmi~age:corr=-0.2"), 0.004),
    ],
)
def test_targets_are_reached(texts: tuple[str, ...], tolerance: float) -> None:
    found = calibrate(POOL, targets(*texts), 1000, SEED)
    assert found.dataset.rows == 1000
    for reached in found.reached:
        assert reached.reached == pytest.approx(reached.target.value, rel=tolerance, abs=tolerance)


def test_no_row_is_used_twice_even_where_targets_are_extreme() -> None:
    numbered = POOL.with_frame(POOL.frame.with_columns(heart_rate=pl.int_range(pl.len()).cast(pl.Float64)))
    found = calibrate(numbered, targets("bmi:mean=40"), 1000, SEED)
    assert found.dataset.frame["heart_rate"].n_unique() == 1000


def test_without_a_change_the_whole_pool_counts() -> None:
    mean = float(np.mean(POOL.frame["bmi"].to_numpy()))
    found = calibrate(POOL, [Target(column="bmi", statistic="mean", value=mean)], 1000, SEED)
    assert found.effective_rows == pytest.approx(POOL.rows, rel=0.01)
    assert not found.notes


def test_the_farther_the_target_the_fewer_patients_the_weights_are_worth() -> None:
    effective = [calibrate(POOL, targets(f"bmi:mean={m}"), 500, SEED).effective_rows for m in (30, 34, 38)]
    assert effective == sorted(effective, reverse=True)


def test_what_moved_besides_is_reported_in_standard_deviations() -> None:
    found = calibrate(POOL, targets("bmi:mean=36"), 1000, SEED)
    shift = next(s for s in found.shifts if s.column == "waist")
    before, after = POOL.frame["waist"], found.dataset.frame["waist"]
    expected = (after.mean() - before.mean()) / before.std()  # type: ignore[operator]
    assert shift.shift_sd == pytest.approx(expected, abs=0.05)
    assert shift.shift_sd > 0.5
    assert any("waist" in note for note in found.notes)


def test_tilting_follows_the_weights_rather_than_cutting_a_range_out() -> None:
    found = calibrate(POOL, targets("bmi:mean=32"), 1000, SEED)
    assert found.dataset.frame["bmi"].min() < 22  # type: ignore[operator]


def test_a_target_out_of_reach_is_refused_with_what_can_be_reached() -> None:
    with pytest.raises(
        ConditionError, match=r"bmi:mean=60.*can be reached.*Nearest feasible: bmi:mean="
    ) as refused:
        calibrate(POOL, targets("bmi:mean=60"), 1000, SEED)
    nearest = float(str(refused.value).partition("Nearest feasible: bmi:mean=")[2].split(". ")[0])
    assert calibrate(POOL, targets(f"bmi:mean={0.999 * nearest}"), 1000, SEED).dataset.rows == 1000


def test_targets_that_contradict_each_other_are_refused_by_name() -> None:
    with pytest.raises(ConditionError, match=r"bmi:median=40.*beside bmi:mean=25"):
        calibrate(POOL, targets("bmi:mean=25", "bmi:median=40"), 1000, SEED)


@settings(max_examples=20)
@given(
    st.sampled_from(["bmi", "systolic_bp", "hba1c"]),
    st.sampled_from(["mean", "sd", "median", "p25"]),
    st.floats(1, 300).map(lambda v: round(v, 2)),
)
def test_a_target_is_read_as_it_is_written(column: str, statistic: str, value: float) -> None:
    target = parse_target(f"{column}:{statistic}={value:g}")
    assert parse_target(says(target)).model_dump() == target.at(float(f"{value:.4g}")).model_dump()


@pytest.mark.parametrize(
    "text",
    [
        "bmi",
        "bmi=31",
        "bmi:mode=31",
        "sex=female:1.6",
        "bmi~age:corr=1.2",
        "bmi:sd=-1",
        "bmi:p0=3",
        "bmi:mean=heavy",
    ],
)
def test_a_target_that_cannot_be_read_or_be_is_refused(text: str) -> None:
    with pytest.raises(ConditionError, match=text.split(":")[0]):
        parse_target(text)


def test_a_table_one_is_read_in_both_forms() -> None:
    long = "observation,statistic,value,level,unit\nbmi,mean,31,,\nsex,proportion,0.6,female,\n"
    long += "hba1c,median,53,,mmol/mol\n"
    found = read_targets(long, "table.csv")
    assert [says(t) for t in found] == ["bmi:mean=31", "sex=female:0.6", "hba1c:median=53 mmol/mol"]
    wide = "Variable,Mean,SD\nbmi,31,6\nage,60,\n"
    assert [says(t) for t in read_targets(wide, "table.csv")] == ["bmi:mean=31", "bmi:sd=6", "age:mean=60"]


def test_a_table_of_another_form_is_refused_with_the_line() -> None:
    with pytest.raises(ConditionError, match="observation, statistic and value"):
        read_targets("a,b\n1,2\n", "table.csv")
    with pytest.raises(ConditionError, match="line 2"):
        read_targets("observation,statistic,value\nbmi,mean,heavy\n", "table.csv")
