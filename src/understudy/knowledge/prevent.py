"""The PREVENT equations of the American Heart Association: 10- and 30-year risks of cardiovascular disease."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from understudy.knowledge.equations import Floats, female
from understudy.knowledge.loading import read_table

Outcome = Literal["cvd", "ascvd", "hf", "chd", "stroke"]
Variant = Literal["base", "hba1c", "acr", "sdi", "full"]
Outside = Literal["missing", "clip"]

# Ranges that the published calculator accepts (README of preventr, AHA calculator).
LIMITS: Mapping[str, tuple[float, float]] = {
    "total_cholesterol": (130, 320),
    "hdl": (20, 100),
    "systolic_bp": (90, 180),
    "egfr": (15, 140),
    "bmi": (18.5, 40),
}
AGES: Mapping[int, tuple[float, float]] = {10: (30, 79), 30: (30, 59)}
# The paper's conversion of cholesterol; two further digits than usual would change the third decimal of a risk.
_MMOL = 0.02586


def prevent_risk(
    age: npt.ArrayLike,
    sex: npt.ArrayLike,
    total_cholesterol: npt.ArrayLike,
    hdl: npt.ArrayLike,
    systolic_bp: npt.ArrayLike,
    diabetes: npt.ArrayLike,
    current_smoker: npt.ArrayLike,
    egfr: npt.ArrayLike,
    bmi: npt.ArrayLike,
    antihypertensive: npt.ArrayLike,
    statin: npt.ArrayLike,
    *,
    outcome: Outcome = "cvd",
    years: Literal[10, 30] = 10,
    hba1c: npt.ArrayLike | None = None,
    uacr: npt.ArrayLike | None = None,
    deprivation_decile: npt.ArrayLike | None = None,
    outside: Outside = "missing",
) -> Floats:
    """Return the risk in % of people without known cardiovascular disease.

    Ages in years (30 to 79 for 10 years, 30 to 59 for 30 years; NaN outside), sex `female` or `male`,
    cholesterol in mg/dL, pressure in mm[Hg], filtration in mL/min/{1.73_m2}; yes-no inputs as 1 and 0, true
    and false. The optional predictors choose the variant: none the base equations, one its own, more the full
    equations; a missing value of an optional predictor is allowed and has its own coefficient.

    Args:
        outside: what becomes of people whose cholesterol, pressure, filtration or body mass index lies
            outside the published range: a missing risk, or the risk at the nearest limit.

    Reference:
        Khan and others 2024, Circulation 149:430, and its supplement.
    """
    ages, is_female = _numbers(age), female(sex)
    measured = {
        "total_cholesterol": _numbers(total_cholesterol),
        "hdl": _numbers(hdl),
        "systolic_bp": _numbers(systolic_bp),
        "egfr": _numbers(egfr),
        "bmi": _numbers(bmi),
    }
    inside = _inside(measured) if outside == "missing" else np.bool_(True)
    measured = {name: np.clip(values, *LIMITS[name]) for name, values in measured.items()}
    treated = {
        "diabetes": _numbers(diabetes),
        "smoker": _numbers(current_smoker),
        "pressure": _numbers(antihypertensive),
        "statin": _numbers(statin),
    }
    terms = _terms(ages, measured, treated) | _optional(hba1c, uacr, deprivation_decile, treated["diabetes"])
    variant = variant_of(hba1c is not None, uacr is not None, deprivation_decile is not None)
    women, men = (_linear(terms, variant, years, f"{who}_{outcome}") for who in ("women", "men"))
    risk = 100 / (1 + np.exp(-np.where(is_female == 1, women, men)))
    low, high = AGES[years]
    return np.where((ages >= low) & (ages <= high) & inside & ~np.isnan(is_female), risk, np.nan)


def variant_of(has_hba1c: bool, has_uacr: bool, has_deprivation: bool) -> Variant:
    """Return the set of coefficients for the optional predictors that are at hand."""
    if has_hba1c + has_uacr + has_deprivation > 1:
        return "full"
    return "hba1c" if has_hba1c else "acr" if has_uacr else "sdi" if has_deprivation else "base"


def _terms(age: Floats, measured: Mapping[str, Floats], treated: Mapping[str, Floats]) -> dict[str, Floats]:
    """Centre and scale the predictors as the paper does; names are those of the coefficient file."""
    decades = (age - 55) / 10
    non_hdl = (measured["total_cholesterol"] - measured["hdl"]) * _MMOL - 3.5
    hdl = (measured["hdl"] * _MMOL - 1.3) / 0.3
    low_pressure = (np.minimum(measured["systolic_bp"], 110) - 110) / 20
    pressure = (np.maximum(measured["systolic_bp"], 110) - 130) / 20
    slim = (np.minimum(measured["bmi"], 30) - 25) / 5
    obese = (np.maximum(measured["bmi"], 30) - 30) / 5
    low_rate = (np.minimum(measured["egfr"], 60) - 60) / -15
    rate = (np.maximum(measured["egfr"], 60) - 90) / -15
    return {
        "age": decades,
        "age_squared": decades**2,
        "non_hdl": non_hdl,
        "hdl": hdl,
        "sbp_below_110": low_pressure,
        "sbp_from_110": pressure,
        "diabetes": treated["diabetes"],
        "smoking": treated["smoker"],
        "bmi_below_30": slim,
        "bmi_from_30": obese,
        "egfr_below_60": low_rate,
        "egfr_from_60": rate,
        "antihypertensive": treated["pressure"],
        "statin": treated["statin"],
        "treated_sbp_from_110": treated["pressure"] * pressure,
        "treated_non_hdl": treated["statin"] * non_hdl,
        "age_x_non_hdl": decades * non_hdl,
        "age_x_hdl": decades * hdl,
        "age_x_sbp_from_110": decades * pressure,
        "age_x_diabetes": decades * treated["diabetes"],
        "age_x_smoking": decades * treated["smoker"],
        "age_x_bmi_from_30": decades * obese,
        "age_x_egfr_below_60": decades * low_rate,
        "constant": np.ones_like(decades),
    }


def _optional(
    hba1c: npt.ArrayLike | None,
    uacr: npt.ArrayLike | None,
    decile: npt.ArrayLike | None,
    diabetes: Floats,
) -> dict[str, Floats]:
    """Return the terms of the optional predictors; absent ones count as missing."""
    glycated, leak, poverty = (_numbers(np.nan if v is None else v) for v in (hba1c, uacr, decile))
    above = np.nan_to_num(glycated - 5.3)
    positive = np.where(leak > 0, leak, np.nan)
    return {
        "sdi_4_to_6": ((poverty >= 4) & (poverty <= 6)).astype(np.float64),
        "sdi_7_to_10": (poverty >= 7).astype(np.float64),
        "sdi_missing": np.isnan(poverty).astype(np.float64),
        "ln_acr": np.nan_to_num(np.log(positive)),
        "acr_missing": np.isnan(positive).astype(np.float64),
        "hba1c_with_diabetes": above * diabetes,
        "hba1c_without_diabetes": above * (1 - diabetes),
        "hba1c_missing": np.isnan(glycated).astype(np.float64),
    }


def _linear(terms: Mapping[str, Floats], variant: Variant, years: int, column: str) -> Floats:
    total: Floats = np.zeros(())
    for name, coefficient in _coefficients()[variant, years][column].items():
        # Zero coefficients are left out, so that a missing body mass index spoils heart failure only.
        total = total + coefficient * terms[name] if coefficient else total
    return total


@cache
def _coefficients() -> Mapping[tuple[str, int], Mapping[str, Mapping[str, float]]]:
    """Read the coefficients: (variant, years) to column to term to value."""
    found: dict[tuple[str, int], dict[str, dict[str, float]]] = {}
    for row in read_table("prevent.csv"):
        columns = found.setdefault((row["variant"], int(row["years"])), {})
        for column, text in row.items():
            if column not in ("variant", "years", "term"):
                columns.setdefault(column, {})[row["term"]] = float(text)
    return found


def _inside(measured: Mapping[str, Floats]) -> npt.NDArray[np.bool_]:
    checks = [~((values < LIMITS[name][0]) | (values > LIMITS[name][1])) for name, values in measured.items()]
    shape = np.broadcast_shapes(*(check.shape for check in checks))
    inside: npt.NDArray[np.bool_] = np.all([np.broadcast_to(check, shape) for check in checks], axis=0)
    return inside


def _numbers(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
