"""Weighted prevalence in NHANES 2017-March 2020, by the conditions' own definitions.

Run from the repository root, with the shared data beside the checkout, to write the table that ships:

    python -m tests.unit.knowledge.survey > src/understudy/knowledge/data/conditions/nhanes_prevalence.csv
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from understudy.core.rules import sql
from understudy.knowledge.conditions import SurveyDefinition, conditions

SHARED = Path(os.environ.get("UNDERSTUDY_SHARED", Path(__file__).parents[4] / "shared"))
TABLE = SHARED / "data" / "nhanes" / "nhanes_2017_2020.parquet"
QUESTIONNAIRE = SHARED / "data" / "nhanes" / "raw" / "P_MCQ.csv.gz"
AGE_GROUPS = ((20, 39), (40, 59), (60, None))
WEIGHTS = {"interview": "wt_interview", "examination": "wt_mec", "fasting": "wt_fasting"}
RACES = {"Other/Multiracial": "Other or multiracial"}
COLUMNS = ("condition", "sex", "race", "age_low", "age_high", "percent", "low", "high", "people")

# Observation id -> column of the shared table.
NUMBERS = {
    "age": "age",
    "bmi": "bmi",
    "height": "height_cm",
    "weight": "weight_kg",
    "waist": "waist_cm",
    "hip": "hip_cm",
    "systolic_bp": "sbp_mmhg",
    "diastolic_bp": "dbp_mmhg",
    "heart_rate": "pulse_bpm",
    "hba1c": "hba1c_pct",
    "fasting_glucose": "glucose_fasting_mgdl",
    "random_glucose": "glucose_serum_mgdl",
    "fasting_insulin": "insulin_uUml",
    "homa_ir": "homa_ir",
    "total_cholesterol": "chol_total_mgdl",
    "ldl": "ldl_nih2_mgdl",
    "hdl": "hdl_mgdl",
    "non_hdl": "non_hdl_mgdl",
    "triglycerides": "triglycerides_mgdl",
    "creatinine": "creatinine_mgdl",
    "egfr": "egfr_ckdepi2021",
    "bun": "bun_mgdl",
    "uacr": "uacr_mgg",
    "uric_acid": "uric_acid_mgdl",
    "alt": "alt_ul",
    "ast": "ast_ul",
    "alp": "alp_ul",
    "ggt": "ggt_ul",
    "albumin": "albumin_gdl",
    "bilirubin_total": "bilirubin_total_mgdl",
    "sodium": "sodium_mmoll",
    "potassium": "potassium_mmoll",
    "calcium": "calcium_mgdl",
    "bicarbonate": "bicarbonate_mmoll",
    "hscrp": "hscrp_mgl",
    "cotinine": "cotinine_ngml",
    "hemoglobin": "hemoglobin_gdl",
    "hematocrit": "hematocrit_pct",
    "platelets": "platelets_k_ul",
    "mcv": "mcv_fl",
    "rbc": "rbc_m_ul",
    "rdw": "rdw_pct",
    "wbc": "wbc_k_ul",
    "neutrophils_percent": "neutrophil_pct",
    "lymphocytes_percent": "lymphocyte_pct",
    "phq9_total": "phq9",
    "age_at_diabetes_diagnosis": "dm_age_dx",
    "diabetes_duration": "dm_duration_y",
    "age_at_mi": "mi_age",
    "age_at_stroke": "stroke_age",
    "sleep_hours": "sleep_h_weekday",
    "sedentary_minutes_per_day": "sedentary_min",
    "cigarettes_per_day": "cigs_per_day",
    "income_poverty_ratio": "income_poverty_ratio",
}
FLAGS = {
    "diabetes_diagnosed": "dm_diagnosed",
    "insulin": "insulin_now",
    "oral_glucose_lowering": "dm_pills_now",
    "hypertension_diagnosed": "htn_told",
    "high_cholesterol_diagnosed": "chol_high_told",
    "antihypertensive": "bp_med_now",
    "cholesterol_medicine": "chol_med_now",
    "history_heart_failure": "heart_failure",
    "history_chd": "chd",
    "history_angina": "angina",
    "history_mi": "mi",
    "history_stroke": "stroke",
    "history_copd": "copd",
    "history_asthma": "asthma",
    "history_cancer": "cancer",
    "history_liver_disease": "liver_condition",
    "history_ckd": "kidney_weak_told",
    "dialysis": "dialysis_12m",
    "diabetic_retinopathy": "retinopathy_told",
    "pregnant": "pregnant_exam",
}


def is_at_hand() -> bool:
    """Say whether the shared survey files are there."""
    return TABLE.exists() and QUESTIONNAIRE.exists()


def people() -> pl.DataFrame:
    """Return the survey's people: observations by id, variables of P_MCQ, weights, strata and units."""
    frame = pl.read_parquet(TABLE)
    answers = pl.read_csv(QUESTIONNAIRE, infer_schema_length=None).with_columns(
        pl.all().exclude("SEQN").replace(0, None).cast(pl.Float64)
    )
    return frame.join(answers, left_on="seqn", right_on="SEQN", how="left").select(
        pl.col("sex").str.to_lowercase(),
        pl.col("race_ethnicity").replace(RACES),
        *(pl.col(column).alias(name) for name, column in NUMBERS.items()),
        *((pl.col(column) == 1).alias(name) for name, column in FLAGS.items()),
        pl.col("smoking").alias("smoking_status"),
        *WEIGHTS.values(),
        "stratum",
        "psu",
        pl.col("^MCQ.*$"),
    )


def prevalence(
    frame: pl.DataFrame, definition: SurveyDefinition, domain: pl.Expr
) -> tuple[float, float, float, int, int]:
    """Return percent, 95 % limits, people and cases of a domain, weighted and design-based.

    Reference: Taylor linearisation of a ratio, units of analysis within strata, as in the NHANES tutorials.
    """
    weight = WEIGHTS[definition.weight]
    rows = frame.select(
        has=sql(definition.when).cast(pl.Boolean),
        inside=domain & (pl.col("age") >= definition.age_low),
        weight=pl.col(weight).fill_null(0.0),
        stratum="stratum",
        psu="psu",
    ).with_columns(inside=pl.col("inside") & pl.col("has").is_not_null() & (pl.col("weight") > 0))
    used = rows.filter("inside")
    total = float(used["weight"].sum())
    share = float(used.filter("has")["weight"].sum()) / total
    units = (
        rows.with_columns(
            z=pl.when("inside").then(pl.col("weight") * (pl.col("has").cast(pl.Float64) - share) / total)
        )
        .group_by("stratum", "psu")
        .agg(pl.col("z").sum())
        .group_by("stratum")
        .agg(pl.len().alias("n"), pl.col("z").var().alias("variance"))
    )
    error = float(np.sqrt(float((units["n"] * units["variance"].fill_null(0.0)).sum())))
    limits = 100 * share - 196 * error, 100 * share + 196 * error
    return 100 * share, max(limits[0], 0.0), min(limits[1], 100.0), used.height, used.filter("has").height


def domains() -> Iterator[tuple[dict[str, str], pl.Expr]]:
    """Yield all, the sexes, the age groups, the groups of race and Hispanic origin, and sex by age."""
    yield {}, pl.lit(value=True)
    for sex in ("female", "male"):
        yield {"sex": sex}, pl.col("sex") == sex
    for low, high in AGE_GROUPS:
        yield _ages(low, high), pl.col("age").is_between(low, high or 200)
    for race in people()["race_ethnicity"].unique().sort():
        yield {"race": race}, pl.col("race_ethnicity") == race
    for sex in ("female", "male"):
        for low, high in AGE_GROUPS:
            chosen = (pl.col("sex") == sex) & pl.col("age").is_between(low, high or 200)
            yield {"sex": sex} | _ages(low, high), chosen


def rows() -> Iterator[dict[str, str]]:
    """Yield the rows of the table that ships: cells of 30 people and 11 cases at least."""
    frame = people()
    cells = list(domains())
    for name, entry in conditions().items():
        definition = entry.nhanes_definition
        if definition is None:
            continue
        for labels, domain in cells:
            if entry.sex and labels.get("sex") != entry.sex:
                continue
            percent, low, high, count, cases = prevalence(frame, definition, domain)
            if count >= 30 and cases >= 11 and count - cases >= 11:
                numbers = {"percent": f"{percent:.1f}", "low": f"{low:.1f}", "high": f"{high:.1f}"}
                yield {"condition": name} | labels | numbers | {"people": str(count)}


def _ages(low: int, high: int | None) -> dict[str, str]:
    return {"age_low": str(low)} | ({"age_high": str(high)} if high else {})


def main() -> None:
    """Write the table to standard output."""
    sys.stdout.write("# Computed from NHANES 2017-March 2020 public-use files with\n")
    sys.stdout.write(
        "# python -m tests.unit.knowledge.survey (survey weights, Taylor-linearised 95 % limits)\n"
    )
    sys.stdout.write(",".join(COLUMNS) + "\n")
    for row in rows():
        sys.stdout.write(",".join(row.get(column, "") for column in COLUMNS) + "\n")


if __name__ == "__main__":
    main()
