"""The observations: enough of them, complete, with units, codes and limits that hold together."""

import gzip
import io
import os
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from understudy.core.errors import UnknownNameError
from understudy.core.schema import Kind
from understudy.knowledge.derivations import EQUATIONS
from understudy.knowledge.observations import Group, Observation, observation, observations

SHARED = Path(os.environ.get("UNDERSTUDY_SHARED", Path(__file__).parents[4] / "shared"))
RAW = SHARED / "data" / "nhanes" / "raw"
needs_survey = pytest.mark.skipif(not RAW.is_dir(), reason="the public survey files are not at hand")


def check_digit(code: str) -> int:
    """Compute the check digit of a LOINC code (mod 10, every second digit from the right doubled)."""
    digits = code.split("-")[0][::-1]
    total = 0
    for place, digit in enumerate(digits):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return (10 - total % 10) % 10


def test_there_are_at_least_150_observations_in_every_promised_chapter():
    found = observations()
    assert len(found) >= 150
    assert {entry.group for entry in found.values()} == set(Group)


def test_ids_names_and_synonyms_are_not_shared_within_a_kind_of_meaning():
    names = [entry.name.casefold() for entry in observations().values()]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_every_loinc_code_has_its_check_digit_and_belongs_to_one_observation():
    codes = {entry.id: entry.loinc for entry in observations().values() if entry.loinc}
    assert len(codes) > 90
    assert [name for name, code in codes.items() if check_digit(code) != int(code[-1])] == []
    assert len(set(codes.values())) == len(codes)


def test_every_loinc_code_says_where_it_was_seen_and_the_notice_of_loinc_travels_along():
    entry = observation("hba1c")
    assert (entry.loinc, entry.loinc_sources) == ("4548-4", ("mimic_loinc_map",))
    with pytest.raises(ValueError, match="loinc_sources"):
        Observation.model_validate(entry.model_dump() | {"loinc_sources": ()})
    root = Path(__file__).parents[3]
    files = tomllib.loads((root / "pyproject.toml").read_text())["project"]["license-files"]
    assert "NOTICE" in files
    assert "This material contains content from LOINC" in (root / "NOTICE").read_text()


def test_a_wrong_check_digit_is_noticed():
    assert check_digit("4548-4") == 4
    assert check_digit("4584-4") != 4


def test_a_derived_observation_names_an_equation_that_gives_it():
    for entry in observations().values():
        if entry.derived_by:
            assert EQUATIONS[entry.derived_by].output == entry.id


def test_reference_ranges_lie_inside_the_plausible_range():
    for entry in observations().values():
        for usual in entry.reference:
            if entry.plausible:
                assert usual.low is None or usual.low >= entry.plausible.low, entry.id
                assert usual.high is None or usual.high <= entry.plausible.high, entry.id


def test_the_reference_range_of_haemoglobin_depends_on_sex():
    hemoglobin = observation("hemoglobin")
    limits = {usual.sex: usual.low for usual in hemoglobin.reference}
    assert limits == {"female": 12, "male": 13}
    assert hemoglobin.reference_for("male", 40) in hemoglobin.reference
    assert hemoglobin.reference_for(None, 40) is None
    assert hemoglobin.reference_for("male", 3) is None


def test_an_unknown_observation_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'creatinine'"):
        observation("creatinin")


def test_meanings_are_one_line_and_codes_of_the_survey_are_levels():
    for entry in observations().values():
        assert "\n" not in entry.meaning
        if entry.nhanes and entry.kind is Kind.CATEGORY:
            assert set(entry.nhanes.codes.values()) <= set(entry.values or ()), entry.id
        if entry.nhanes and entry.kind is Kind.BOOLEAN:
            assert set(entry.nhanes.codes.values()) == {"yes", "no"}, entry.id


def read_survey(file: str) -> pd.DataFrame:
    if (RAW / f"{file}.csv.gz").exists():
        return pd.read_csv(RAW / f"{file}.csv.gz")
    packed = (RAW / f"{file}.XPT.gz").read_bytes()
    return pd.read_sas(io.BytesIO(gzip.decompress(packed)), format="xport", encoding="latin1")


@pytest.fixture(scope="module")
def survey():
    names = {entry.nhanes.file for entry in observations().values() if entry.nhanes} - {"P_PAQ"}
    return {name: read_survey(name) for name in sorted(names)}


@needs_survey
def test_every_variable_of_the_survey_exists_in_its_file(survey):
    for entry in observations().values():
        if entry.nhanes and entry.nhanes.file in survey:
            assert entry.nhanes.variable in survey[entry.nhanes.file].columns, entry.id


@needs_survey
def test_no_measurement_of_the_survey_is_called_implausible(survey):
    questions = ("P_DPQ", "P_SMQ", "P_DIQ", "P_BPQ", "P_MCQ", "P_PAQ")
    for entry in observations().values():
        if entry.plausible and entry.nhanes and entry.nhanes.file not in questions:
            values = survey[entry.nhanes.file][entry.nhanes.variable].dropna()
            assert values.between(entry.plausible.low, entry.plausible.high).all(), entry.id


@needs_survey
@pytest.mark.parametrize(
    ("name", "file", "conventional", "si"),
    [
        ("creatinine", "P_BIOPRO", "LBXSCR", "LBDSCRSI"),
        ("random_glucose", "P_BIOPRO", "LBXSGL", "LBDSGLSI"),
        ("uric_acid", "P_BIOPRO", "LBXSUA", "LBDSUASI"),
        ("bun", "P_BIOPRO", "LBXSBU", "LBDSBUSI"),
        ("triglycerides", "P_TRIGLY", "LBXTR", "LBDTRSI"),
        ("total_cholesterol", "P_TCHOL", "LBXTC", "LBDTCSI"),
        ("fasting_insulin", "P_INS", "LBXIN", "LBDINSI"),
    ],
)
def test_si_conversions_reproduce_the_columns_of_the_survey(survey, name, file, conventional, si):
    table = (survey[file] if file in survey else read_survey(file))[[conventional, si]].dropna()
    way = observation(name).conversions[0]
    worst = np.abs(table[conventional] * way.factor + way.offset - table[si]) / table[si]
    assert worst.quantile(0.99) < 0.02
    assert abs(np.median(table[conventional] * way.factor / table[si]) - 1) < 0.002
