"""Simulated patients that agree with themselves, and the errors that tests plant among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from understudy.core.schema import Column, Kind
from understudy.core.seeds import Seed
from understudy.knowledge.facts import facts
from understudy.knowledge.observations import observations

TYPES: Mapping[Kind, pl.DataType | type[pl.DataType]] = {
    Kind.NUMBER: pl.Float64,
    Kind.BOOLEAN: pl.Boolean,
    Kind.CATEGORY: pl.String,
    Kind.CODE: pl.String,
    Kind.DATETIME: pl.Datetime("us"),
}


def kind_of(name: str) -> Kind:
    """Return what the values of an observation or fact are."""
    return observations()[name].kind if name in observations() else facts()[name].kind


def columns_of(frame: pl.DataFrame) -> list[Column]:
    """Return the schema of a frame whose columns are named by observation or fact."""
    return [Column(name=name, kind=kind_of(name)) for name in frame.columns]


def one_row(values: Mapping[str, object]) -> pl.DataFrame:
    """Return a frame of one row in canonical types; dates are given as text."""
    made = {}
    for name, value in values.items():
        series = pl.Series([value])
        date = kind_of(name) is Kind.DATETIME
        made[name] = series.str.to_datetime("%Y-%m-%d").cast(pl.Datetime("us")) if date else series
        if not date:
            made[name] = pl.Series([value], dtype=TYPES[kind_of(name)], strict=False)
    return pl.DataFrame(made)


def patients(count: int, seed: Seed) -> pl.DataFrame:
    """Return simulated adults: measures from simple distributions, the rest derived from them."""
    rng = seed.rng()
    female = rng.random(count) < 0.5
    age = np.round(rng.uniform(18, 85, count))
    height = np.round(np.where(female, 163, 176) + rng.normal(0, 6.5, count), 1)
    weight = np.round(np.clip(rng.lognormal(np.log(82), 0.2, count), 38, 200), 1)
    diabetes = rng.random(count) < 0.05 + 0.15 * (age > 50)
    hba1c = np.round(np.where(diabetes, rng.normal(7.2, 0.7, count), rng.normal(5.4, 0.2, count)), 1)
    glucose = np.round(28.7 * hba1c - 46.7 + rng.normal(0, 10, count))
    diastolic = np.round(np.clip(rng.normal(75, 9, count), 45, 115))
    systolic = diastolic + np.round(np.clip(rng.normal(48, 9, count), 20, 90))
    hdl = np.round(np.clip(rng.normal(53, 11, count), 25, 95))
    triglycerides = np.round(np.clip(rng.lognormal(np.log(100), 0.35, count), 40, 380))
    total = np.round(hdl + triglycerides / 5 + np.clip(rng.normal(112, 30, count), 40, 230))
    creatinine = np.round(np.clip(rng.lognormal(np.log(0.88), 0.2, count), 0.4, 2.4), 2)
    kappa, alpha = np.where(female, 0.7, 0.9), np.where(female, -0.241, -0.302)
    ratio = creatinine / kappa
    egfr = 142 * np.minimum(ratio, 1) ** alpha * np.maximum(ratio, 1) ** -1.2 * 0.9938**age
    rbc = np.round(np.clip(rng.normal(4.7, 0.35, count), 3.4, 6.2), 2)
    mcv = np.round(np.clip(rng.normal(90, 4, count), 75, 104), 1)
    hematocrit = np.round(rbc * mcv / 10, 1)
    onset = np.where(diabetes, np.round(age - rng.uniform(0, 15, count)), np.nan)
    smoking = rng.choice(["never", "former", "current"], count, p=[0.6, 0.25, 0.15])
    return pl.DataFrame(
        {
            "sex": np.where(female, "female", "male"),
            "age": age,
            "pregnant": female & (age < 45) & (rng.random(count) < 0.04),
            "height": height,
            "weight": weight,
            "bmi": np.round(weight / (height / 100) ** 2, 1),
            "diastolic_bp": diastolic,
            "systolic_bp": systolic,
            "hba1c": hba1c,
            "fasting_glucose": glucose,
            "diabetes_diagnosed": diabetes,
            "age_at_diabetes_diagnosis": np.clip(onset, 1, None),
            "insulin": diabetes & (rng.random(count) < 0.25),
            "total_cholesterol": total,
            "hdl": hdl,
            "triglycerides": triglycerides,
            "ldl": np.round(total - hdl - triglycerides / 5),
            "non_hdl": total - hdl,
            "creatinine": creatinine,
            "egfr": np.round(egfr * np.where(female, 1.012, 1.0), 1),
            "rbc": rbc,
            "mcv": mcv,
            "hematocrit": hematocrit,
            "hemoglobin": np.round(hematocrit * 0.336, 1),
            "smoking_status": smoking,
            "cigarettes_per_day": np.where(smoking == "current", np.round(rng.uniform(1, 30, count)), 0.0),
        }
    ).with_columns(pl.col("age_at_diabetes_diagnosis").fill_nan(None))


def _times(factor: float) -> Callable[[pl.Expr], pl.Expr]:
    return lambda column: column * factor


def _as(value: object) -> Callable[[pl.Expr], pl.Expr]:
    return lambda _: pl.lit(value)


# Kind of error -> column that it changes, how, and the rows where it is an error.
PLANTED: Mapping[str, tuple[str, Callable[[pl.Expr], pl.Expr], str]] = {
    "swapped pressures": ("diastolic_bp", lambda c: c + 100, "systolic_bp IS NOT NULL"),
    "pregnant man": ("pregnant", _as(value=True), "sex = 'male'"),
    "diagnosis in the future": ("age_at_diabetes_diagnosis", lambda c: c + 90, "diabetes_diagnosed"),
    "body mass index of another": ("bmi", lambda c: c + 6, "bmi > 0"),
    "height in metres": ("height", _times(0.01), "height > 0"),
    "hba1c in mmol/mol": ("hba1c", lambda c: 10.93 * c - 23.5, "hba1c > 0"),
    "creatinine in umol/L": ("creatinine", _times(88.42), "creatinine > 0"),
    "glucose in mmol/L": ("fasting_glucose", lambda c: c / 18.016, "fasting_glucose > 0"),
    "cholesterol in mmol/L": ("total_cholesterol", lambda c: c / 38.67, "total_cholesterol > 0"),
    "haemoglobin in g/L": ("hemoglobin", _times(10), "hemoglobin > 0"),
    "never smoker with cigarettes": ("cigarettes_per_day", lambda c: c + 20, "smoking_status = 'never'"),
    "age as year of birth": ("age", lambda c: 2026 - c, "age > 0"),
}
