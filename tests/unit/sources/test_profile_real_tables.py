"""The traps of public tables, as their cards describe them; skipped where the tables are absent."""

import os
from pathlib import Path

import polars as pl
import pytest

from understudy.core.dataset import Dataset
from understudy.core.rules import Derived, FixedCombinations, Ordered
from understudy.core.schema import Kind, Role
from understudy.modalities.tabular import canonical
from understudy.sources.profile import Proposal, propose

SHARED = Path(os.environ.get("UNDERSTUDY_SHARED", Path(__file__).parents[4] / "shared"))


def proposal_of(path: str) -> Proposal:
    file = SHARED / "data" / path
    if not file.exists():
        pytest.skip(f"{path} is not in the shared data")
    return propose(
        pl.read_csv(file, infer_schema_length=None) if path.endswith("csv") else pl.read_parquet(file)
    )


def kinds(proposal: Proposal, *names: str) -> set[Kind]:
    return {proposal.schema.table.column(name).kind for name in names}


TARGETS = [
    ("cardio70k", {"cardio"}), ("deepsurv_metabric", {"event"}), ("diabetes130", {"readmitted"}),
    ("hcv_uci", {"Category"}),
    ("heart_disease_uci4", {"disease"}), ("heart_failure299", {"DEATH_EVENT"}), ("md_covid_testing", {"result"}),
    ("obesity_uci", {"NObeyesdad"}), ("pbc2_long", {"status2"}), ("pima", {"Outcome"}),
    ("rd_mldatar_heartdisease", {"HeartDisease"}), ("rd_survival_colon", {"status"}),
    ("schizophrenia_fairness", {"Diagnosis"}),
    ("stroke5110", {"stroke"}), ("support2", {"hospdead", "death"}), ("wdbc", {"target"}),
]  # fmt: skip


@pytest.mark.parametrize(("table", "targets"), TARGETS)
def test_the_target_of_each_study_is_found(table, targets):
    found = proposal_of(f"tabular/{table}.parquet").schema.table.having(Role.TARGET)
    assert len(found) == 1
    assert set(found) <= targets


@pytest.mark.parametrize("table", [name for name, _ in TARGETS])
def test_every_cell_is_read_and_no_sentinel_changes_these_tables(table):
    path = SHARED / "data" / "tabular" / f"{table}.parquet"
    schema = proposal_of(f"tabular/{table}.parquet").schema
    frame = pl.read_parquet(path)
    dataset, problems = canonical(frame, schema)
    assert problems == []
    learned = [column.name for column in schema.table.columns if column.is_learned]
    missing = frame.select(pl.col(learned).is_null() | pl.col(learned).cast(pl.String).eq("NaN")).sum()
    assert dataset.frame.select(pl.col(learned).is_null()).sum().row(0) == missing.row(0)


def test_diabetes_hospital_stays():
    table = proposal_of("tabular/diabetes130.parquet").schema.table
    assert table.having(Role.PATIENT) == ("patient_nbr",)
    assert table.column("encounter_id").kind is Kind.KEY
    assert {table.column(f"diag_{i}").vocabulary for i in (1, 2, 3)} == {"ICD-9-CM"}
    assert table.column("age").ordered
    assert (table.column("age").values or ())[:2] == ("[0-10)", "[10-20)")
    assert "Unknown/Invalid" not in (table.column("gender").values or ())
    assert set(table.having(Role.PROTECTED)) == {"race", "gender", "age"}
    assert table.column("number_inpatient").kind is Kind.NUMBER
    assert table.column("discharge_disposition_id").kind is Kind.CATEGORY
    assert any("'examide', 'citoglipton'" in note for note in table.notes)


def test_zeros_of_pima_that_stand_for_missing_are_named_and_pregnancies_are_not():
    proposal = proposal_of("tabular/pima.parquet")
    suspected = [note for note in proposal.notes if "sentinels: ['0']" in note]
    named = {"Glucose", "BloodPressure", "SkinThickness", "Insulin", "BMI"}
    assert {
        name for name in proposal.schema.table.names if any(f"'{name}'" in note for note in suspected)
    } == named
    assert all(column.sentinels == () for column in proposal.schema.table.columns)


def test_heart_disease_leak_and_zero_cholesterol_are_named():
    proposal = proposal_of("tabular/heart_disease_uci4.parquet")
    assert any("'disease' is given away by 'num'" in note for note in proposal.notes)
    assert any("'chol': 172 cells of 0" in note for note in proposal.notes)
    assert kinds(proposal, "cp", "thal", "slope", "restecg") == {Kind.CATEGORY}
    assert FixedCombinations(of=("num", "disease")).of in {r.columns for r in proposal.schema.rules}


def test_absurd_blood_pressures_are_counted_and_ages_in_days_are_told():
    proposal = proposal_of("tabular/cardio70k.parquet")
    [rule] = proposal.schema.rules
    assert isinstance(rule, Ordered)
    assert (rule.lower, rule.upper, rule.on_violation) == ("ap_lo", "ap_hi", "keep_rate")
    assert any("1236 of 70000" in note for note in proposal.notes)
    assert proposal.schema.table.column("age").unit == "d"


def test_invented_names_are_identifiers_and_clinics_are_not():
    table = proposal_of("tabular/md_covid_testing.parquet").schema.table
    assert table.having(Role.IDENTIFIER) == ("fake_first_name", "fake_last_name")
    assert table.column("clinic_name").kind is Kind.CATEGORY
    assert table.having(Role.PATIENT) == ("subject_id",)


def test_all_direct_identifiers_of_synthea_patients_are_found():
    table = proposal_of("synthea_1k_partial/patients.csv").schema.table
    expected = {"SSN", "DRIVERS", "PASSPORT", "FIRST", "LAST", "MAIDEN", "ADDRESS", "LAT", "LON"}
    assert set(table.having(Role.IDENTIFIER)) == expected
    assert table.column("BIRTHDATE").kind is Kind.DATETIME
    assert {"BIRTHDATE", "ZIP", "CITY", "COUNTY", "BIRTHPLACE"} <= set(table.having(Role.QUASI_IDENTIFIER))


def test_visits_of_cirrhosis_patients_are_linked_and_ordered_in_time():
    table = proposal_of("tabular/pbc2_long.parquet").schema.table
    assert table.having(Role.PATIENT) == ("id",)
    assert table.having(Role.TIME) == ("year",)
    assert table.column("sno.").kind is Kind.KEY


def test_two_rows_of_a_colon_patient_are_linked():
    proposal = proposal_of("tabular/rd_survival_colon.parquet")
    assert proposal.schema.table.having(Role.PATIENT) == ("id",)
    assert any("always the same value: 'study'" in note for note in proposal.notes)


def test_the_repeated_diagnosis_is_called_a_copy():
    proposal = proposal_of("tabular/schizophrenia_fairness.parquet")
    assert any("'Diagnosis_label' holds the same levels" in note for note in proposal.notes)


def test_computed_columns_of_nhanes_are_found_and_hold():
    proposal = proposal_of("nhanes/nhanes_2017_2020.parquet")
    derived = {r.column for r in proposal.schema.rules if isinstance(r, Derived)}
    assert derived == {
        "bmi",
        "egfr_ckdepi2021",
        "ldl_friedewald_mgdl",
        "homa_ir",
        "non_hdl_mgdl",
        "dm_duration_y",
    }
    orders = {(r.lower, r.upper) for r in proposal.schema.rules if isinstance(r, Ordered)}
    assert {("dbp_mmhg", "sbp_mmhg"), ("dm_age_dx", "age"), ("stroke_age", "age")} <= orders
    assert set(proposal.schema.table.having(Role.PROTECTED)) == {"sex", "age", "race_ethnicity"}
    frame = pl.read_parquet(SHARED / "data/nhanes/nhanes_2017_2020.parquet")
    dataset: Dataset = canonical(frame, proposal.schema)[0]
    assert [str(v) for v in dataset.check() if v.where.startswith("rule")] == []


def test_codes_of_synthea_conditions_fix_their_descriptions():
    proposal = proposal_of("synthea_1k_partial/conditions.csv")
    assert proposal.schema.table.column("CODE").vocabulary == "SNOMED CT"
    assert ("CODE", "DESCRIPTION") in {r.columns for r in proposal.schema.rules}
    assert proposal.schema.table.having(Role.PATIENT) == ("PATIENT",)
