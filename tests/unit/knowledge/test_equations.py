"""The equations, against worked examples that others published and against the survey's own columns."""

import gzip
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from understudy.core.errors import SchemaError, UnknownNameError
from understudy.knowledge import equations as eq
from understudy.knowledge.derivations import EQUATIONS, derive, equation
from understudy.knowledge.observations import observations
from understudy.knowledge.prevent import prevent_risk
from understudy.knowledge.ukpds import ukpds_chd_risk

RAW = Path(os.environ.get("UNDERSTUDY_SHARED", Path(__file__).parents[4] / "shared")) / "data/nhanes/raw"
needs_survey = pytest.mark.skipif(not RAW.is_dir(), reason="the public survey files are not at hand")


def survey(*files: str) -> pd.DataFrame:
    tables = [
        pd.read_sas(
            io.BytesIO(gzip.decompress((RAW / f"{file}.XPT.gz").read_bytes())),
            format="xport",
            encoding="latin1",
        ).set_index("SEQN")
        for file in files
    ]
    return pd.concat(tables, axis=1, join="inner").loc[:, lambda t: ~t.columns.duplicated()]


@pytest.mark.parametrize(
    ("name", "inputs", "expected", "digits"),
    [
        (
            "bmi",
            (
                70,
                175,
            ),
            22.9,
            1,
        ),
        (
            "bsa_mosteller",
            (
                70,
                170,
            ),
            1.82,
            2,
        ),
        (
            "bsa_mosteller",
            (
                70,
                175,
            ),
            1.845,
            3,
        ),
        (
            "bsa_dubois",
            (
                70,
                170,
            ),
            1.81,
            2,
        ),
        (
            "mean_arterial_pressure",
            (
                121,
                51,
            ),
            74.3,
            1,
        ),
        (
            "pulse_pressure",
            (
                121,
                51,
            ),
            70,
            0,
        ),
        ("estimated_average_glucose", (7,), 154, 0),
        ("estimated_average_glucose", (6.5,), 139.85, 2),
        ("gmi", (154,), 7.0, 1),
        (
            "homa_ir",
            (
                100,
                10,
            ),
            2.47,
            2,
        ),
        (
            "ldl_friedewald",
            (
                200,
                50,
                150,
            ),
            120,
            6,
        ),
        (
            "non_hdl",
            (
                200,
                50,
            ),
            150,
            6,
        ),
        (
            "total_hdl_ratio",
            (
                200,
                50,
            ),
            4,
            6,
        ),
        (
            "calcium_corrected",
            (
                8.5,
                3.0,
            ),
            9.3,
            6,
        ),
        (
            "calcium_corrected",
            (
                8.0,
                2.0,
            ),
            9.6,
            6,
        ),
        (
            "anion_gap",
            (
                140,
                104,
                24,
            ),
            12,
            6,
        ),
        (
            "fib4",
            (
                50,
                40,
                36,
                200,
            ),
            1.67,
            2,
        ),
        (
            "pack_years",
            (
                15,
                60,
                20,
            ),
            30,
            6,
        ),
        (
            "diabetes_duration",
            (
                60,
                45,
            ),
            15,
            6,
        ),
        (
            "transferrin_saturation",
            (
                90,
                300,
            ),
            30,
            6,
        ),
        (
            "uacr",
            (
                30,
                100,
            ),
            30,
            6,
        ),
    ],
)
def test_published_worked_examples_are_reproduced(name, inputs, expected, digits):
    assert float(getattr(eq, name)(*inputs)) == pytest.approx(expected, abs=0.5 * 10**-digits)


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "written_out"),
    [
        (0.7, 50, "female", 142 * 0.9938**50 * 1.012),
        (0.9, 50, "male", 142 * 0.9938**50),
        (1.4, 60, "female", 142 * 2**-1.2 * 0.9938**60 * 1.012),
        (0.45, 30, "male", 142 * 0.5**-0.302 * 0.9938**30),
    ],
)
def test_the_filtration_rate_follows_the_published_form_on_both_sides_of_its_knot(
    creatinine, age, sex, written_out
):
    assert float(eq.egfr_ckd_epi_2021(creatinine, age, sex)) == pytest.approx(written_out)


def test_the_filtration_rate_is_missing_for_children_and_for_unknown_sex():
    rate = eq.egfr_ckd_epi_2021([1.0, 1.0, 0.0, np.nan], [17, 40, 40, 40], ["male", "other", "male", "male"])
    assert np.isnan(rate).all()


@pytest.mark.parametrize(
    ("rate", "stage"), [(90, "G1"), (89.9, "G2"), (45, "G3a"), (44, "G3b"), (15, "G4"), (3, "G5")]
)
def test_stages_of_kidney_disease_begin_at_their_limits(rate, stage):
    assert eq.ckd_stage([rate]).tolist() == [stage]


def test_categories_are_missing_where_the_measurement_is():
    assert eq.ckd_stage([np.nan, 100]).tolist() == [None, "G1"]
    assert eq.albuminuria_category([29, 30, 300, 301, np.nan]).tolist() == ["A1", "A2", "A2", "A3", None]


def test_ldl_is_missing_beyond_the_limits_of_the_equations():
    assert np.isnan(eq.ldl_friedewald(250, 40, 401))
    assert not np.isnan(eq.ldl_nih(250, 40, 401))
    assert np.isnan(eq.ldl_nih(250, 40, 801))


def test_phq9_needs_all_nine_items():
    assert float(eq.phq9_total(*[3] * 9)) == 27
    assert np.isnan(eq.phq9_total(*[1] * 8, np.nan))
    with pytest.raises(ValueError, match="nine items, 8 were given"):
        eq.phq9_total(*[1] * 8)


# Woman or man of 50, cholesterol 200 and HDL 45 mg/dL, pressure 160 treated, diabetes, eGFR 90, BMI 35:
# the results that the R package preventr states for its variants (CVD, ASCVD, HF, CHD, stroke).
PREVENT = {
    ("female", 10, "base"): (0.147, 0.092, 0.081, 0.044, 0.054),
    ("female", 30, "base"): (0.53, 0.354, 0.39, 0.198, 0.221),
    ("female", 10, "hba1c"): (0.165, 0.103, 0.107, 0.055, 0.053),
    ("female", 30, "hba1c"): (0.541, 0.356, 0.449, 0.219, 0.2),
    ("female", 10, "uacr"): (0.181, 0.111, 0.105, 0.055, 0.065),
    ("female", 30, "uacr"): (0.565, 0.381, 0.437, 0.22, 0.241),
    ("female", 10, "sdi"): (0.127, 0.08, 0.07, 0.038, 0.047),
    ("female", 30, "sdi"): (0.485, 0.322, 0.358, 0.179, 0.202),
    ("female", 10, "full"): (0.174, 0.105, 0.114, 0.056, 0.056),
    ("female", 30, "full"): (0.534, 0.348, 0.443, 0.213, 0.204),
    ("male", 10, "base"): (0.163, 0.102, 0.106, 0.056, 0.052),
    ("male", 30, "base"): (0.514, 0.349, 0.424, 0.216, 0.197),
    ("male", 10, "hba1c"): (0.187, 0.112, 0.13, 0.063, 0.056),
    ("male", 30, "hba1c"): (0.524, 0.34, 0.457, 0.211, 0.188),
    ("male", 10, "uacr"): (0.195, 0.123, 0.13, 0.066, 0.063),
    ("male", 30, "uacr"): (0.535, 0.368, 0.448, 0.227, 0.213),
    ("male", 10, "sdi"): (0.143, 0.088, 0.089, 0.049, 0.043),
    ("male", 30, "sdi"): (0.48, 0.317, 0.384, 0.199, 0.171),
    ("male", 10, "full"): (0.191, 0.112, 0.131, 0.068, 0.052),
    ("male", 30, "full"): (0.513, 0.326, 0.438, 0.216, 0.167),
}
# The example's postcode lies in the least deprived third; the package states the postcode, not the decile.
OPTIONAL: dict[str, dict[str, Any]] = {
    "base": {},
    "hba1c": {"hba1c": 9.2},
    "uacr": {"uacr": 92},
    "sdi": {"deprivation_decile": 1},
    "full": {"hba1c": 9.2, "uacr": 92, "deprivation_decile": 1},
}


@pytest.mark.parametrize(("sex", "years", "variant"), list(PREVENT))
def test_prevent_gives_the_published_risks(sex, years, variant):
    risks = [
        prevent_risk(
            50, sex, 200, 45, 160, True, False, 90, 35, True, False,
            outcome=outcome, years=years, **OPTIONAL[variant],
        )
        for outcome in ("cvd", "ascvd", "hf", "chd", "stroke")
    ]  # fmt: skip
    assert [round(float(risk) / 100, 3) for risk in risks] == list(PREVENT[sex, years, variant])


def test_prevent_from_columns_agrees_and_is_vectorised():
    columns: dict[str, list] = {
        "age": [50, 50, 29, 50],
        "sex": ["female", "male", "female", "female"],
        "total_cholesterol": [200] * 4,
        "hdl": [45] * 4,
        "systolic_bp": [160] * 4,
        "diabetes_diagnosed": [True] * 4,
        "smoking_status": ["never", "former", "never", None],
        "egfr": [90] * 4,
        "bmi": [35] * 4,
        "antihypertensive": [1, 1, 1, 1],
        "statin": [0, 0, 0, 0],
    }
    risk = derive("prevent_cvd_10y", columns)
    assert risk[:2].round(1).tolist() == [14.7, 16.3]
    assert np.isnan(risk[2:]).all()


def test_prevent_outside_its_range_is_missing_or_clipped_as_asked():
    person = (50, "female", 200, 45, 200, True, False, 90, 35, True, False)
    at_limit = (50, "female", 200, 45, 180, True, False, 90, 35, True, False)
    assert np.isnan(prevent_risk(*person))
    assert float(prevent_risk(*person, outside="clip")) == float(prevent_risk(*at_limit))


def test_a_missing_optional_predictor_does_not_lose_the_patient():
    person = (50, "female", 200, 45, 160, True, False, 90, 35, True, False)
    both = prevent_risk(*person, hba1c=[9.2, np.nan])
    assert float(both[0]) == float(prevent_risk(*person, hba1c=9.2))
    assert 0 < both[1] < 100


def test_every_equation_reads_and_gives_observations():
    known = observations()
    for entry in EQUATIONS.values():
        assert entry.output in known, entry.id
        assert [name for name in entry.inputs if name not in known] == [], entry.id


def test_every_equation_takes_columns_and_returns_one_value_a_row():
    texts = {"sex": ["female", "male"], "smoking_status": ["current", "never"]}
    for entry in EQUATIONS.values():
        columns = {name: texts.get(name, [60.0, 61.0]) for name in entry.inputs}
        assert derive(entry.id, columns).shape == (2,), entry.id


def test_a_missing_input_is_named():
    with pytest.raises(SchemaError, match="'bmi' needs height"):
        derive("bmi", {"weight": [70]})


def test_an_unknown_equation_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'egfr_ckd_epi_2021'"):
        equation("egfr_ckd_epi")


@needs_survey
def test_derived_columns_of_the_survey_are_reproduced_within_rounding():
    lipids = survey("P_TRIGLY", "P_TCHOL", "P_HDL")
    inputs = (lipids["LBXTC"], lipids["LBDHDD"], lipids["LBXTR"])
    assert np.nanmax(np.abs(eq.ldl_nih(*inputs) - lipids["LBDLDLN"])) <= 0.5
    assert np.nanmax(np.abs(eq.ldl_friedewald(*inputs) - lipids["LBDLDL"])) <= 0.5
    body = survey("P_BMX")
    assert np.nanmax(np.abs(eq.bmi(body["BMXWT"], body["BMXHT"]) - body["BMXBMI"])) <= 0.051
    urine = survey("P_ALB_CR")
    ratio = eq.uacr(urine["URXUMS"], urine["URXUCR"])
    assert np.nanmax(np.abs(ratio / urine["URDACT"] - 1)) < 0.02


@pytest.mark.parametrize(
    ("onset", "sex", "smoking", "hba1c", "pressure", "ratio", "years", "expected", "within"),
    [
        (45, "male", "never", 7.5, 160, 4.9, 20, 33, 0.5),
        (55, "female", "never", 6, 140, 4.0, 10, 5.7, 0.15),
        (55, "female", "former", 8, 140, 4.0, 10, 7.9, 0.15),
        (55, "female", "never", 10, 140, 4.0, 10, 10.9, 0.15),
        (55, "female", "current", 10, 140, 4.0, 10, 14.4, 0.15),
        (55, "female", "current", 10, 140, 8.0, 10, 32.6, 0.15),
        (55, "male", "current", 10, 140, 8.0, 10, 52.9, 0.15),
        (55, "male", "never", 8, 160, 8.0, 10, 37.6, 0.15),
    ],
)
def test_ukpds_gives_the_published_values_of_people_newly_diagnosed(
    onset, sex, smoking, hba1c, pressure, ratio, years, expected, within
):
    risk = ukpds_chd_risk([onset], [onset], [sex], [smoking], [hba1c], [pressure], [ratio], years)
    assert risk[0] == pytest.approx(expected, abs=within)


def test_ukpds_follows_the_coefficients_as_published_on_the_log_scale():
    """BMC Endocrine Disorders 12:12, table 1, with eleven years of known diabetes."""
    log_q = -4.4918 + 0.0573 * (51 - 55) + 0.1681 * (8.3 - 6.72) + 0.0843 * (145 - 135.7) / 10
    log_q += 1.3468 * (np.log(5.8 / 1.1) - 1.59)
    expected = 100 * (1 - np.exp(-np.exp(log_q) * 1.078**11 * (1 - 1.078**10) / (1 - 1.078)))
    columns: dict[str, Any] = {
        "age": [62],
        "age_at_diabetes_diagnosis": [51],
        "sex": ["male"],
        "smoking_status": ["never"],
        "hba1c": [8.3],
        "systolic_bp": [145],
        "total_hdl_ratio": [5.8 / 1.1],
    }
    assert derive("ukpds_chd_10y", columns)[0] == pytest.approx(expected, abs=0.05)


def test_ukpds_knows_no_risk_of_a_diagnosis_to_come():
    assert np.isnan(ukpds_chd_risk([50], [51], ["male"], ["never"], [7], [130], [4])[0])
