"""Which observation follows from which others by which equation: the table of all equations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from understudy.core.errors import SchemaError, UnknownNameError
from understudy.knowledge import equations as eq
from understudy.knowledge.prevent import Outcome, prevent_risk
from understudy.knowledge.ukpds import ukpds_chd_risk


@dataclass(frozen=True)
class Equation:
    """One equation.

    Attributes:
        id: name by which observations and rules refer to it.
        name: name for people.
        function: vectorised; takes the inputs in their order, in the observations' own units; sex as
            `female` and `male`, yes-no observations as true and false or 1 and 0.
        inputs: ids of the observations that it reads.
        output: id of the observation that it gives.
        sources: ids of the sources.
        valid: for whom and within which limits it holds; the result is missing elsewhere.
    """

    id: str
    name: str
    function: Callable[..., npt.NDArray[Any]]
    inputs: tuple[str, ...]
    output: str
    sources: tuple[str, ...]
    valid: str = ""


_LIPIDS = ("total_cholesterol", "hdl", "triglycerides")
_PRESSURES = ("systolic_bp", "diastolic_bp")
_PHQ9 = tuple(
    f"phq9_{item}"
    for item in (
        "interest",
        "mood",
        "sleep",
        "fatigue",
        "appetite",
        "self_worth",
        "concentration",
        "movement",
        "self_harm",
    )
)
_PREVENT = (
    "age",
    "sex",
    "total_cholesterol",
    "hdl",
    "systolic_bp",
    "diabetes_diagnosed",
    "smoking_status",
    "egfr",
    "bmi",
    "antihypertensive",
    "statin",
)


def _prevent(outcome: Outcome, years: Literal[10, 30], name: str) -> Equation:
    def risk(*columns: npt.ArrayLike) -> eq.Floats:
        status = np.asarray(columns[6], dtype=np.object_)
        smokes = np.where(status == "current", 1.0, np.where(_is_known_status(status), 0.0, np.nan))
        age, sex, total, hdl, pressure, diabetes = columns[:6]
        return prevent_risk(
            age, sex, total, hdl, pressure, diabetes, smokes, *columns[7:], outcome=outcome, years=years
        )

    ages = "30 to 79" if years == 10 else "30 to 59"
    return Equation(
        id=f"prevent_{outcome}_{years}y",
        name=f"PREVENT {years}-year risk of {name}",
        function=risk,
        inputs=_PREVENT,
        output=f"prevent_{outcome}_{years}y",
        sources=("prevent_2024",),
        valid=f"ages {ages} without known cardiovascular disease; total cholesterol 130 to 320, HDL 20 to 100 "
        "mg/dL, systolic pressure 90 to 180 mm[Hg], eGFR 15 to 140, body mass index 18.5 to 40",
    )


def _is_known_status(status: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    return np.asarray((status == "never") | (status == "former"), dtype=np.bool_)


_ALL = (
    Equation(
        "albuminuria_category",
        "Albuminuria category",
        eq.albuminuria_category,
        ("uacr",),
        "albuminuria_category",
        ("kdigo_2012",),
    ),
    Equation(
        "anion_gap",
        "Anion gap without potassium",
        eq.anion_gap,
        ("sodium", "chloride", "bicarbonate"),
        "anion_gap",
        ("lhncbc_flowsheet",),
    ),
    Equation("bmi", "Body mass index", eq.bmi, ("weight", "height"), "bmi", ("nhanes_2017_2020",)),
    Equation(
        "bsa_dubois",
        "Body surface area, DuBois",
        eq.bsa_dubois,
        ("weight", "height"),
        "bsa",
        ("dubois_1916",),
    ),
    Equation(
        "bsa_mosteller",
        "Body surface area, Mosteller",
        eq.bsa_mosteller,
        ("weight", "height"),
        "bsa",
        ("mosteller_1987",),
    ),
    Equation(
        "bun_creatinine_ratio",
        "Ratio of urea nitrogen to creatinine",
        eq.bun_creatinine_ratio,
        ("bun", "creatinine"),
        "bun_creatinine_ratio",
        ("unit_arithmetic",),
    ),
    Equation(
        "calcium_corrected",
        "Calcium corrected for albumin",
        eq.calcium_corrected,
        ("calcium", "albumin"),
        "calcium_corrected",
        ("gpnotebook_calcium",),
        "not in critical illness",
    ),
    Equation(
        "ckd_stage",
        "GFR category",
        eq.ckd_stage,
        ("egfr",),
        "ckd_stage",
        ("kdigo_2012",),
        "the rate must persist for three months",
    ),
    Equation(
        "diabetes_duration",
        "Years since diagnosis of diabetes",
        eq.diabetes_duration,
        ("age", "age_at_diabetes_diagnosis"),
        "diabetes_duration",
        ("unit_arithmetic",),
    ),
    Equation(
        "egfr_ckd_epi_2021",
        "Filtration rate, CKD-EPI 2021",
        eq.egfr_ckd_epi_2021,
        ("creatinine", "age", "sex"),
        "egfr",
        ("ckd_epi_2021",),
        "adults from 18 years on",
    ),
    Equation(
        "estimated_average_glucose",
        "Estimated average glucose",
        eq.estimated_average_glucose,
        ("hba1c",),
        "estimated_average_glucose",
        ("adag_2008",),
    ),
    Equation(
        "fev1_fvc_ratio",
        "Ratio of FEV1 to FVC",
        eq.fev1_fvc_ratio,
        ("fev1", "fvc"),
        "fev1_fvc_ratio",
        ("unit_arithmetic",),
    ),
    Equation("fib4", "FIB-4 index", eq.fib4, ("age", "ast", "alt", "platelets"), "fib4", ("sterling_2006",)),
    Equation("gmi", "Glucose management indicator", eq.gmi, ("cgm_mean_glucose",), "gmi", ("gmi_2018",)),
    Equation(
        "homa_ir",
        "HOMA insulin resistance",
        eq.homa_ir,
        ("fasting_glucose", "fasting_insulin"),
        "homa_ir",
        ("homa_1985",),
    ),
    Equation(
        "ldl_friedewald",
        "LDL cholesterol, Friedewald",
        eq.ldl_friedewald,
        _LIPIDS,
        "ldl",
        ("friedewald_1972",),
        "triglycerides up to 400 mg/dL",
    ),
    Equation(
        "ldl_nih",
        "LDL cholesterol, NIH equation 2",
        eq.ldl_nih,
        _LIPIDS,
        "ldl",
        ("sampson_2020",),
        "triglycerides up to 800 mg/dL",
    ),
    Equation(
        "mean_arterial_pressure",
        "Mean arterial pressure",
        eq.mean_arterial_pressure,
        _PRESSURES,
        "mean_arterial_pressure",
        ("admiral_map",),
        "cuff measurements",
    ),
    Equation(
        "non_hdl",
        "Non-HDL cholesterol",
        eq.non_hdl,
        ("total_cholesterol", "hdl"),
        "non_hdl",
        ("unit_arithmetic",),
    ),
    Equation(
        "pack_years",
        "Pack-years of a current smoker",
        eq.pack_years,
        ("cigarettes_per_day", "age", "age_started_smoking"),
        "pack_years",
        ("pack_year_wikidoc",),
        "people who still smoke",
    ),
    Equation("phq9_total", "PHQ-9 total score", eq.phq9_total, _PHQ9, "phq9_total", ("kroenke_2001",)),
    _prevent("ascvd", 10, "atherosclerotic disease"),
    _prevent("ascvd", 30, "atherosclerotic disease"),
    _prevent("cvd", 10, "cardiovascular disease"),
    _prevent("cvd", 30, "cardiovascular disease"),
    _prevent("hf", 10, "heart failure"),
    _prevent("hf", 30, "heart failure"),
    Equation(
        "pulse_pressure",
        "Pulse pressure",
        eq.pulse_pressure,
        _PRESSURES,
        "pulse_pressure",
        ("unit_arithmetic",),
    ),
    Equation(
        "total_hdl_ratio",
        "Ratio of total to HDL cholesterol",
        eq.total_hdl_ratio,
        ("total_cholesterol", "hdl"),
        "total_hdl_ratio",
        ("unit_arithmetic",),
    ),
    Equation(
        "transferrin_saturation",
        "Transferrin saturation",
        eq.transferrin_saturation,
        ("iron", "tibc"),
        "transferrin_saturation",
        ("unit_arithmetic",),
    ),
    Equation(
        "uacr",
        "Urine albumin-creatinine ratio",
        eq.uacr,
        ("urine_albumin", "urine_creatinine"),
        "uacr",
        ("nhanes_2017_2020",),
    ),
    Equation(
        "ukpds_chd_10y",
        "UKPDS 10-year risk of coronary heart disease",
        ukpds_chd_risk,
        (
            "age",
            "age_at_diabetes_diagnosis",
            "sex",
            "smoking_status",
            "hba1c",
            "systolic_bp",
            "total_hdl_ratio",
        ),
        "ukpds_chd_10y",
        ("stevens_2001",),
        "type 2 diabetes without known coronary disease; people of Afro-Caribbean descent have less risk",
    ),
    Equation(
        "waist_height_ratio",
        "Waist-height ratio",
        eq.waist_height_ratio,
        ("waist", "height"),
        "waist_height_ratio",
        ("unit_arithmetic",),
    ),
    Equation(
        "waist_hip_ratio",
        "Waist-hip ratio",
        eq.waist_hip_ratio,
        ("waist", "hip"),
        "waist_hip_ratio",
        ("unit_arithmetic",),
    ),
)
EQUATIONS: Mapping[str, Equation] = MappingProxyType({entry.id: entry for entry in _ALL})


def equation(name: str) -> Equation:
    """Return the equation with this id.

    Raises:
        UnknownNameError: if there is none; suggests the nearest.
    """
    if name not in EQUATIONS:
        raise UnknownNameError("equation", name, tuple(EQUATIONS))
    return EQUATIONS[name]


def derive(name: str, columns: Mapping[str, npt.ArrayLike]) -> npt.NDArray[Any]:
    """Compute an equation from columns that are named by observation ids, in the observations' own units.

    Raises:
        UnknownNameError: if there is no such equation.
        SchemaError: if an input is absent; names all that are.
    """
    chosen = equation(name)
    absent = [column for column in chosen.inputs if column not in columns]
    if absent:
        raise SchemaError(
            f"equation {name!r} needs {', '.join(absent)}; provide them under these names or leave it out"
        )
    return chosen.function(*(columns[column] for column in chosen.inputs))
