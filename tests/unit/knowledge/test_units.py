"""Units: known values, round trips, and refusals where a factor would be a guess."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import UnknownNameError
from understudy.core.schema import Kind
from understudy.knowledge.observations import observations
from understudy.knowledge.units import UnitError, convert, unit, units

WAYS = [(entry.id, entry.unit, way.unit) for entry in observations().values() for way in entry.conversions]


@pytest.mark.parametrize(
    ("value", "start", "end", "of", "expected"),
    [
        (126, "mg/dL", "mmol/L", "fasting_glucose", 7.0),
        (7.0, "%", "mmol/mol", "hba1c", 53),
        (48, "mmol/mol", "%", "hba1c", 6.542),
        (1.0, "mg/dL", "umol/L", "creatinine", 88.4),
        (200, "mg/dL", "mmol/L", "total_cholesterol", 5.17),
        (150, "mg/dL", "mmol/L", "triglycerides", 1.694),
        (3, "mg/mmol", "mg/g", "uacr", 26.5),
        (100, "[degF]", "Cel", None, 37.78),
        (14, "g/dL", "g/L", None, 140),
        (250, "10*3/uL", "10*9/L", None, 250),
        (70, "[in_i]", "cm", None, 177.8),
        (150, "[lb_av]", "kg", None, 68.04),
        (140, "mmol/L", "meq/L", "sodium", 140),
    ],
)
def test_known_values_convert(value, start, end, of, expected):
    assert float(convert(value, start, end, of)) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("of", "published"),
    [("fasting_glucose", 18.016), ("total_cholesterol", 38.67), ("triglycerides", 88.57)],
)
def test_factors_agree_with_the_divisors_in_common_use(of, published):
    assert float(convert(published, "mg/dL", "mmol/L", of)) == pytest.approx(1, rel=5e-4)


@given(st.sampled_from(WAYS), st.floats(min_value=0.01, max_value=1e4))
def test_there_and_back_is_the_same_value(way, value):
    of, start, end = way
    assert float(convert(convert(value, start, end, of), end, start, of)) == pytest.approx(value, rel=1e-9)


def test_every_unit_of_every_observation_is_registered():
    for entry in observations().values():
        for code in ([entry.unit] if entry.unit else []) + [way.unit for way in entry.conversions]:
            assert unit(code).code == code, entry.id
        assert (entry.unit is not None) == (entry.kind is Kind.NUMBER), entry.id


def test_codes_of_units_are_not_given_twice():
    codes = [entry.code for entry in units().values()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("mmHg", "mm[Hg]"),
        ("K/uL", "10*3/uL"),
        ("µmol/L", "umol/L"),
        ("MG/DL", "mg/dL"),
        ("10^3/µL", "10*3/uL"),
    ],
)
def test_common_spellings_are_understood(spelling, code):
    assert unit(spelling).code == code


def test_arrays_keep_their_shape_and_missing_values_stay_missing():
    values = convert([[90.0, np.nan], [180.0, 126.0]], "mg/dL", "mmol/L", "random_glucose")
    assert values.shape == (2, 2)
    assert np.isnan(values[0, 1])
    assert not np.isnan(values[1]).any()


def test_mass_to_amount_without_the_substance_is_refused():
    with pytest.raises(UnitError, match="name the observation"):
        convert(1, "mg/dL", "mmol/L")


def test_a_conversion_that_makes_no_sense_is_refused():
    with pytest.raises(UnitError, match=r"kg is not a unit that becomes mmHg; 'weight' can be in kg, lb"):
        convert(80, "kg", "mmHg", "weight")


def test_milliequivalents_of_calcium_are_not_taken_for_millimoles():
    with pytest.raises(UnitError):
        convert(5, "meq/L", "mmol/L", "calcium")


def test_an_unknown_unit_is_named():
    with pytest.raises(UnknownNameError, match="'stones'"):
        unit("stones")
