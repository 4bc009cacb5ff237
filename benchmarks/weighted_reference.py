"""The weighted reference figures of NHANES 2017-March 2020, beside the same figures of people who were drawn."""

from __future__ import annotations

from functools import reduce
from operator import and_

import numpy as np
import polars as pl

from benchmarks.survey import FEWEST, FEWEST_CASES, SHARED, Bar, deviation_error, estimate, weight_of
from understudy.core.seeds import Seed
from understudy.populations.nhanes import EXAMINATION, FASTING

TABLE = SHARED / "data" / "reference" / "nhanes_weighted_reference.csv.gz"
_RACES = {"Other/Multiracial": "Other or multiracial"}
_DECADES = ("18-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+")
_SAME = {
    "age": "age", "albumin_gdl": "albumin", "alp_ul": "alp", "alt_ul": "alt", "angina": "history_angina",
    "ast_ul": "ast", "asthma": "history_asthma", "bicarbonate_mmoll": "bicarbonate",
    "bilirubin_total_mgdl": "bilirubin_total", "bmi": "bmi", "born_usa": "born_in_usa",
    "bp_med_now": "antihypertensive",
    "bun_mgdl": "bun", "calcium_mgdl": "calcium", "cancer": "history_cancer", "chd": "history_chd",
    "chol_high_told": "high_cholesterol_diagnosed", "chol_med_now": "cholesterol_medicine",
    "chol_total_mgdl": "total_cholesterol", "cigs_per_day": "cigarettes_per_day", "copd": "history_copd",
    "cotinine_ngml": "cotinine", "creatinine_mgdl": "creatinine", "dbp_mmhg": "diastolic_bp",
    "dialysis_12m": "dialysis", "dm_age_dx": "age_at_diabetes_diagnosis", "dm_diagnosed": "diabetes_diagnosed",
    "dm_duration_y": "diabetes_duration", "egfr_ckdepi2021": "egfr", "ggt_ul": "ggt",
    "glucose_fasting_mgdl": "fasting_glucose", "glucose_serum_mgdl": "random_glucose", "hba1c_pct": "hba1c",
    "hdl_mgdl": "hdl", "heart_failure": "history_heart_failure", "height_cm": "height", "hematocrit_pct": "hematocrit",
    "hemoglobin_gdl": "hemoglobin", "hip_cm": "hip", "homa_ir": "homa_ir", "hscrp_mgl": "hscrp",
    "htn_told": "hypertension_diagnosed", "income_poverty_ratio": "income_poverty_ratio", "insulin_now": "insulin",
    "insulin_uUml": "fasting_insulin", "insured": "health_insurance", "kidney_weak_told": "history_ckd",
    "ldl_nih2_mgdl": "ldl", "liver_condition": "history_liver_disease", "lymphocyte_pct": "lymphocytes_percent",
    "mcv_fl": "mcv", "mi": "history_mi", "mi_age": "age_at_mi", "neutrophil_pct": "neutrophils_percent",
    "non_hdl_mgdl": "non_hdl", "phq9": "phq9_total", "platelets_k_ul": "platelets", "potassium_mmoll": "potassium",
    "prediabetes_told": "prediabetes_diagnosed", "pregnant_exam": "pregnant", "pulse_bpm": "heart_rate",
    "rbc_m_ul": "rbc", "rdw_pct": "rdw", "relative_diabetes": "relative_diabetes",
    "relative_heart_attack": "relative_heart_attack", "retinopathy_told": "diabetic_retinopathy",
    "sbp_mmhg": "systolic_bp", "sleep_h_weekday": "sleep_hours", "sodium_mmoll": "sodium", "stroke": "history_stroke",
    "stroke_age": "age_at_stroke", "triglycerides_mgdl": "triglycerides", "uacr_mgg": "uacr",
    "uric_acid_mgdl": "uric_acid", "waist_cm": "waist", "wbc_k_ul": "wbc", "weight_kg": "weight",
}  # fmt: skip
# Questions that were put to some people only: the table speaks of these alone.
_OF = {
    "dialysis_12m": pl.col("history_ckd"), "insulin_now": pl.col("diabetes_diagnosed"),
    "retinopathy_told": pl.col("diabetes_diagnosed"), "prediabetes_told": ~pl.col("diabetes_diagnosed"),
    "pregnant_exam": (pl.col("sex") == "female") & (pl.col("age") <= 44),
}  # fmt: skip


def against_reference(people: pl.DataFrame, drawn: pl.DataFrame) -> tuple[list[Bar], pl.DataFrame]:
    """Compare drawn people with every cell of the table that holds enough people.

    The table is of adults from 18 on, the population of those from 20 on; the cells of ages 18 to 29 are compared
    as they are. Intervals are of the survey's adults in the cell (Taylor). Diabetes is told or found
    in blood; fasting glucose counts for as many drawn people as have fasted in the survey.

    Args:
        people: adults of the survey, as `survey` returns them.
        drawn: people of the population, all columns.
    """
    if not TABLE.is_file():
        return [], pl.DataFrame()
    fasted = pl.col(FASTING).is_not_null()
    share = people.select(pl.col(EXAMINATION).filter(fasted).sum() / pl.col(EXAMINATION).sum()).item()
    chosen = pl.Series("fasted", Seed(21).rng().random(drawn.height) < share)
    people, drawn = (
        _grouped(_computed(people).with_columns(fasted=fasted)),
        _grouped(drawn.with_columns(chosen)),
    )
    rows = [
        compared
        for line in pl.read_csv(TABLE, infer_schema_length=None).iter_rows(named=True)
        if line["variable"] in _SAME and (compared := _compared(line, people, drawn))
    ]
    table = pl.DataFrame(rows)
    return _bars(table), table


def _computed(people: pl.DataFrame) -> pl.DataFrame:
    return people.with_columns(
        non_hdl=pl.col("total_cholesterol") - pl.col("hdl"),
        homa_ir=pl.col("fasting_glucose") * pl.col("fasting_insulin") / 405,
        diabetes_duration=pl.col("age") - pl.col("age_at_diabetes_diagnosis"),
    )


def _grouped(people: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that the table groups by, spelled as there."""
    told, high = pl.col("diabetes_diagnosed"), pl.col("hba1c") >= 6.5
    found = told | high.fill_null(value=False)
    found |= (pl.col("fasted") & (pl.col("fasting_glucose") >= 126)).fill_null(value=False)
    decade = pl.col("age").clip(20, 80) // 10 - 2
    return people.with_columns(
        pl.when(found).then(pl.lit("1.0")).when(high.is_not_null()).then(pl.lit("0.0")).alias("by_dm_any"),
        decade.cast(pl.Int64)
        .replace_strict(dict(enumerate(_DECADES)), return_dtype=pl.String)
        .alias("by_age_group"),
        pl.col("sex").str.to_titlecase().alias("by_sex"),
        pl.col("race_ethnicity").alias("by_race_ethnicity"),
    )


def _compared(line: dict[str, object], people: pl.DataFrame, drawn: pl.DataFrame) -> dict[str, object] | None:
    """Return one cell beside what was drawn; None where it rests on too few people."""
    variable, groups = str(line["variable"]), str(line["by"])
    name = _SAME[variable]
    parts = zip(groups.split("|"), str(line["level"]).split("|"), strict=True)
    inside = reduce(and_, [pl.col(f"by_{by}") == _RACES.get(level, level) for by, level in parts])
    inside = (inside & _OF.get(variable, pl.lit(value=True))).fill_null(value=False)
    here = inside & pl.col("fasted") if weight_of(name) == FASTING else inside
    values = drawn.filter(here)[name].cast(pl.Float64).drop_nulls().to_numpy()
    mean, spread, count = (float(str(line[key])) for key in ("mean", "sd", "n_unweighted"))
    is_share = drawn[name].dtype == pl.Boolean
    cases = count * (min(mean, 1 - mean) if is_share else 1)
    known = estimate(people, name, inside)
    if count < FEWEST or len(values) < FEWEST or known is None or cases < FEWEST_CASES:
        return None
    own, error, own_spread, _, _ = known
    got, got_spread = float(values.mean()), float(values.std())
    off = abs(got - mean)
    spread_error = 0.0 if is_share else deviation_error(people, name, inside, own, own_spread)
    is_close = off <= (0.01 if is_share else 0.03 * abs(mean))
    is_near = is_share or abs(got_spread / spread - 1) <= 0.10
    return {
        "group": _group(groups, str(line["level"])), "cell": f"{groups}: {line['level']}", "name": name,
        "is_share": is_share, "people": int(count), "mean": mean, "error": error, "got": got, "sd": spread,
        "got_sd": got_spread, "mean_close": is_close, "mean_ok": is_close or off <= 1.96 * error, "sd_ok": is_near,
        "sd_in": is_near or abs(got_spread - spread) <= 1.96 * spread_error,
    }  # fmt: skip


def _group(by: str, level: str) -> str:
    if by.startswith("dm_any"):
        return "diabetes" if level.startswith("1.0") else "no diabetes"
    return "race and sex" if by.startswith("race") else "adults"


def _bars(table: pl.DataFrame) -> list[Bar]:
    bars = []
    for group in ("adults", "diabetes", "no diabetes", "race and sex"):
        for is_share, what, asked in ((True, "prevalences", "1 pp"), (False, "means", "3 %")):
            part = table.filter((pl.col("group") == group) & (pl.col("is_share") == is_share))
            cells = f"reference, {group}, {part.height} cells of"
            bars.append(_bar(f"{cells} {what}", f"within {asked} or the 95 % interval", part["mean_ok"]))
            if not is_share:
                bars.append(_bar(f"{cells} SDs", "within 10 %", part["sd_ok"]))
                bars.append(_bar(f"{cells} SDs", "within 10 % or the 95 % interval", part["sd_in"]))
    return bars


def _bar(what: str, asked: str, flags: pl.Series) -> Bar:
    met = int(np.sum(flags.to_numpy()))
    return Bar(
        what, asked, f"{met} of {flags.len()} ({100 * met / max(flags.len(), 1):.1f} %)", met == flags.len()
    )
