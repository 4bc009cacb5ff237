"""What is drawn of an adult and in which order, what follows from it, and who was asked what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.core.conditions import Between, OneOf, Where
from understudy.knowledge.derivations import EQUATIONS
from understudy.knowledge.observations import observations

Columns = Mapping[str, npt.NDArray[Any]]

YOUNGEST, OLDEST = 20, 80
"""Ages in years: most questions were put to people from 20 on only, and from 80 on the survey publishes 80."""

AGES_SAY = f"adults from {YOUNGEST} on; {OLDEST} stands for {OLDEST} and over"

OLDEST_PREGNANT = 44
"""Oldest age in years at which the survey publishes pregnancy."""

SEEN_IN_SURVEY = ("cholesterol_medicine_needs_diagnosis", "infarction_is_coronary_disease")
"""Soft rules that stay soft: so many real people break them that prevalences would be wrong without them."""

ALWAYS_SEEN = ("age", "sex", "race_ethnicity", "diabetes_diagnosed")
"""Drawn early; every later observation may depend on them, whatever else it depends on."""

MAKE_GROUPS = ("age", "sex", "diabetes_diagnosed")
"""What makes the groups in which quantities have margins of their own, in drawing order."""

# The share of a life before an event, so that no event lies in the future.
LIFE_SHARES: Mapping[str, str] = {
    "share_at_diabetes_diagnosis": "age_at_diabetes_diagnosis",
    "share_at_hypertension_diagnosis": "age_at_hypertension_diagnosis",
    "share_at_mi": "age_at_mi",
    "share_at_stroke": "age_at_stroke",
    "share_at_smoking_start": "age_started_smoking",
}

# Drawn in this order: what people condition on comes first, what only the fasting subsample tells comes last.
DRAWN = (
    "age", "sex", "race_ethnicity", "diabetes_diagnosed", "pregnant", "bmi", "height", "hypertension_diagnosed",
    "high_cholesterol_diagnosed", "smoking_status", "history_chd", "history_mi", "history_angina",
    "history_heart_failure", "history_stroke", "history_ckd", "history_copd", "history_asthma",
    "history_cancer", "history_arthritis", "history_thyroid_disease", "history_liver_disease",
    "history_kidney_stones", "insulin", "oral_glucose_lowering", "antihypertensive", "cholesterol_medicine",
    "hba1c", "egfr", "uacr", "dialysis", "systolic_bp", "diastolic_bp", "total_cholesterol", "hdl", "alt", "ast",
    "platelets", "phq9_total", "waist", "hip", "arm_circumference", "bun", "hscrp",
    "uric_acid", "hemoglobin", "mcv", "mchc", "rdw", "mean_platelet_volume", "wbc", "lymphocytes_percent",
    "monocytes_percent", "eosinophils_percent", "basophils_percent", "ggt", "alp", "bilirubin_total",
    "albumin", "total_protein", "ldh", "ck", "iron", "sodium", "potassium", "chloride", "bicarbonate",
    "calcium", "phosphorus", "osmolality", "urine_creatinine", "heart_rate", "cotinine", "sleep_hours",
    "sleep_hours_weekend", "education", "income_poverty_ratio", "marital_status", "born_in_usa",
    "health_insurance", "prediabetes_diagnosed", "relative_diabetes", "relative_heart_attack",
    "relative_asthma", "diabetic_retinopathy", "cigarettes_per_day", *LIFE_SHARES,
    "random_glucose", "fasting_glucose", "fasting_insulin", "triglycerides",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """Who an observation exists for.

    Attributes:
        where: conditions on columns that are drawn earlier; all hold for those it exists for.
        otherwise: what everyone else has: no, or nothing.
    """

    where: tuple[Where, ...]
    otherwise: bool | None = None


def _true(column: str) -> tuple[Where, ...]:
    return (OneOf(column=column, values=("true",)),)


_SMOKED = (OneOf(column="smoking_status", values=("former", "current")),)
_SMOKES = (OneOf(column="smoking_status", values=("current",)),)
_NO_DIABETES = (OneOf(column="diabetes_diagnosed", values=("false",)),)
_MAY_BE_PREGNANT = (OneOf(column="sex", values=("female",)), Between(column="age", high=OLDEST_PREGNANT))

ASKED: Mapping[str, Asked] = {
    "insulin": Asked(_true("diabetes_diagnosed"), otherwise=False),
    "oral_glucose_lowering": Asked(_true("diabetes_diagnosed"), otherwise=False),
    "antihypertensive": Asked(_true("hypertension_diagnosed"), otherwise=False),
    "prediabetes_diagnosed": Asked(_NO_DIABETES, otherwise=False),
    "dialysis": Asked(_true("history_ckd"), otherwise=False),
    "diabetic_retinopathy": Asked(_true("diabetes_diagnosed"), otherwise=False),
    "pregnant": Asked(_MAY_BE_PREGNANT, otherwise=False),
    "cigarettes_per_day": Asked(_SMOKES),
    "share_at_diabetes_diagnosis": Asked(_true("diabetes_diagnosed")),
    "share_at_hypertension_diagnosis": Asked(_true("hypertension_diagnosed")),
    "share_at_mi": Asked(_true("history_mi")),
    "share_at_stroke": Asked(_true("history_stroke")),
    "share_at_smoking_start": Asked(_SMOKED),
}


@dataclass(frozen=True)
class Step:
    """How one column follows from others.

    Attributes:
        output: the observation.
        inputs: the columns that it follows from.
        function: takes their arrays, gives the output's, NaN or None where there is none.
        equation: id of the equation in the knowledge base, or None for what undoes an equation.
        says: the step in words.
        sources: ids of sources.
    """

    output: str
    inputs: tuple[str, ...]
    function: Callable[..., npt.NDArray[Any]]
    equation: str | None = None
    says: str = ""
    sources: tuple[str, ...] = ()


def _event(output: str, share: str) -> Step:
    def function(age: npt.NDArray[Any], part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.asarray(np.minimum(np.round(age * part), age))

    says = "age times the drawn share of life before the event"
    return Step(output, ("age", share), function, says=says, sources=("nhanes_2017_2020",))


def _undone(output: str, inputs: Sequence[str], function: Callable[..., npt.NDArray[Any]], says: str) -> Step:
    return Step(output, tuple(inputs), function, says=says, sources=("nhanes_2017_2020",))


def _computed(name: str) -> Step:
    """Return an equation of the knowledge base as a step."""
    entry = EQUATIONS[name]
    return Step(entry.output, entry.inputs, entry.function, name, entry.name, entry.sources)


_KNOWN_DISEASE = ("history_chd", "history_mi", "history_stroke", "history_heart_failure")


def _risk(name: str) -> Step:
    """Return a PREVENT risk: none for people with known disease; any medicine for cholesterol is a statin."""
    entry = EQUATIONS[name]
    inputs = tuple("cholesterol_medicine" if i == "statin" else i for i in entry.inputs)

    def function(*columns: npt.NDArray[Any]) -> npt.NDArray[Any]:
        risk = entry.function(*columns[: len(inputs)])
        return np.where(np.any(columns[len(inputs) :], axis=0), np.nan, risk)

    says = f"{entry.name}, for people without known disease; any medicine for cholesterol counts as a statin"
    return Step(entry.output, (*inputs, *_KNOWN_DISEASE), function, name, says, entry.sources)


def creatinine_of(egfr: npt.NDArray[Any], age: npt.NDArray[Any], sex: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the creatinine in mg/dL that gives this filtration rate by CKD-EPI 2021."""
    is_female = np.asarray(sex, dtype=object) == "female"
    kappa, alpha = np.where(is_female, 0.7, 0.9), np.where(is_female, -0.241, -0.302)
    ratio = egfr / (142 * 0.9938**age * np.where(is_female, 1.012, 1.0))
    return np.asarray(kappa * ratio ** (1 / np.where(ratio > 1, alpha, -1.2)))


def _rest(*parts: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(100 - np.sum(parts, axis=0))


_OTHER_CELLS = ("lymphocytes_percent", "monocytes_percent", "eosinophils_percent", "basophils_percent")
_CELLS = ("neutrophils", "lymphocytes", "monocytes", "eosinophils", "basophils")

# In order of computation. Where an equation's inputs are computed, its result is drawn and the equation undone,
# so that conditions on the result act while a person is drawn; the equation then gives the published value.
STEPS: tuple[Step, ...] = (
    *(_event(output, share) for share, output in LIFE_SHARES.items()),
    _undone("weight", ("bmi", "height"), lambda bmi, height: bmi * (height / 100) ** 2,
            "the drawn body mass index times height squared"),
    _undone("creatinine", ("egfr", "age", "sex"), creatinine_of,
            "the creatinine that gives the drawn filtration rate by CKD-EPI 2021"),
    _undone("urine_albumin", ("uacr", "urine_creatinine"), lambda ratio, creatinine: ratio * creatinine / 100,
            "the drawn albumin-creatinine ratio times urine creatinine"),
    _undone("hematocrit", ("hemoglobin", "mchc"), lambda hemoglobin, mchc: 100 * hemoglobin / mchc,
            "hemoglobin by its drawn concentration in the cells"),
    _undone("rbc", ("hematocrit", "mcv"), lambda hematocrit, mcv: 10 * hematocrit / mcv,
            "hematocrit by the drawn mean volume of the cells"),
    _undone("mch", ("hemoglobin", "rbc"), lambda hemoglobin, rbc: 10 * hemoglobin / rbc,
            "hemoglobin by the number of cells"),
    _undone("neutrophils_percent", _OTHER_CELLS, _rest, "what the other white cells leave of 100 %"),
    *(_undone(cell, ("wbc", f"{cell}_percent"), lambda wbc, percent: wbc * percent / 100,
              "share of the white cells") for cell in _CELLS),
    _undone("globulin", ("total_protein", "albumin"), lambda protein, albumin: protein - albumin,
            "total protein less albumin"),
    *(_computed(name) for name in (
        "bmi", "bsa_mosteller", "waist_hip_ratio", "waist_height_ratio", "egfr_ckd_epi_2021", "ckd_stage", "uacr",
        "albuminuria_category", "bun_creatinine_ratio", "mean_arterial_pressure", "pulse_pressure", "non_hdl",
        "ldl_nih", "total_hdl_ratio", "estimated_average_glucose", "homa_ir", "fib4", "anion_gap",
        "calcium_corrected", "diabetes_duration", "pack_years")),
    *(_risk(f"prevent_{outcome}_{years}y")
      for years in (10, 30) for outcome in ("cvd", "ascvd", "hf")),
)  # fmt: skip

REDONE = tuple(step.output for step in STEPS if step.output in DRAWN)
"""Columns that are drawn and then computed anew from what was computed of them."""


def needs(names: Sequence[str]) -> frozenset[str]:
    """Return the drawn columns that the named columns rest on."""
    found = set()
    for name in names:
        open_, seen = [name], set()
        while open_:
            current = open_.pop()
            if current in DRAWN:
                found.add(current)
                if current not in REDONE:
                    continue
            for step in STEPS:
                if step.output == current and current not in seen:
                    open_ += list(step.inputs)
            seen.add(current)
    return frozenset(found)


def made_for(names: Sequence[str]) -> frozenset[str]:
    """Return the columns that computing the named ones goes through, themselves included."""
    found, open_ = set(names), list(names)
    while open_:
        current = open_.pop()
        for step in STEPS:
            if step.output == current:
                fresh = [name for name in step.inputs if name not in found]
                found.update(fresh)
                open_ += fresh
    return frozenset(found)


def published() -> tuple[str, ...]:
    """Return the ids of all columns, in the order of the knowledge base."""
    held = {*DRAWN, *(step.output for step in STEPS)}
    return tuple(name for name in observations() if name in held)


def derive_all(columns: dict[str, npt.NDArray[Any]], wanted: frozenset[str] | None = None) -> None:
    """Add to the columns, arrays by id, what follows from them, rounded as observations are.

    Args:
        columns: drawn columns, of one length; changed in place.
        wanted: outputs to compute, with all that they rest on; by default everything that can be computed.
    """
    table = observations()
    for step in STEPS:
        if (wanted is not None and step.output not in wanted) or not all(i in columns for i in step.inputs):
            continue
        with np.errstate(all="ignore"):
            made = step.function(*(columns[name] for name in step.inputs))
        digits = table[step.output].decimals
        if made.dtype != object and digits is not None:
            made = np.round(made, digits)
        columns[step.output] = made
