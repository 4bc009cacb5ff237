"""Every condition resolves what it names, cites what was read, and counts as the survey does."""

import csv
import gzip
import re

import polars as pl
import pytest

from tests.unit.knowledge import survey
from understudy.core.errors import UnknownNameError
from understudy.core.rules import sql
from understudy.core.schema import Kind
from understudy.knowledge.conditions import (
    Criterion,
    Stage,
    condition,
    conditions,
    nothing_held_on,
    survey_prevalence,
)
from understudy.knowledge.drugs import drug_classes, treatments_of
from understudy.knowledge.guidelines import guidelines
from understudy.knowledge.observations import observations
from understudy.knowledge.sources import sources

ASKED_FOR = (
    "type_2_diabetes",
    "type_1_diabetes",
    "prediabetes",
    "hypertension",
    "obesity",
    "dyslipidaemia",
    "ckd",
    "coronary_heart_disease",
    "myocardial_infarction",
    "heart_failure",
    "stroke",
    "atrial_fibrillation",
    "copd",
    "asthma",
    "depression",
    "schizophrenia",
    "anaemia",
    "fatty_liver",
    "gout",
    "hypothyroidism",
    "osteoporosis",
)
EMPTY = {Kind.NUMBER: pl.Float64, Kind.BOOLEAN: pl.Boolean, Kind.CATEGORY: pl.String}
needs_survey = pytest.mark.skipif(not survey.is_at_hand(), reason="the shared survey files are not there")
ICD = survey.SHARED / "data" / "reference" / "icd10cm-order-Jan-2021.csv.gz"


def empty_patient() -> pl.DataFrame:
    """One row in which every observation is missing."""
    return pl.DataFrame(
        {name: pl.Series([None], dtype=EMPTY[entry.kind]) for name, entry in observations().items()}
    )


def test_there_are_at_least_forty_conditions() -> None:
    assert len(conditions()) >= 40


@pytest.mark.parametrize("name", ASKED_FOR)
def test_conditions_that_people_ask_for_rank_twenty_observations(name: str) -> None:
    assert len(condition(name).important(20)) == 20


def test_the_first_observation_of_diabetes_is_hba1c() -> None:
    assert condition("type_2_diabetes").important(3) == ("hba1c", "fasting_glucose", "bmi")


def test_an_unknown_condition_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="hypertension"):
        condition("hypertensoin")


@pytest.mark.parametrize("name", sorted(conditions()))
def test_every_name_in_a_condition_resolves(name: str) -> None:
    entry = condition(name)
    known = set(observations())
    assert {ranked.id for ranked in entry.observations} <= known
    rules: list[Criterion | Stage] = [*entry.criteria, *entry.stages]
    for rule in rules:
        assert set(rule.observations) <= known, rule
        assert rule.guideline in guidelines(), rule
    definition = entry.nhanes_definition
    if definition and definition.over == "observations":
        assert set(definition.names) <= known
    assert set(entry.complications) <= set(conditions())
    assert set(entry.treatments) <= known
    assert set(entry.cited()) <= set(sources())


@pytest.mark.parametrize("name", sorted(conditions()))
def test_every_criterion_is_an_expression_that_gives_true_false_or_unknown(name: str) -> None:
    entry = condition(name)
    patient = empty_patient()
    rules: list[Criterion | Stage] = [*entry.criteria, *entry.stages]
    if entry.nhanes_definition and entry.nhanes_definition.over == "observations":
        assert patient.select(sql(entry.nhanes_definition.when)).to_series().dtype in (pl.Boolean, pl.Null)
    for rule in rules:
        answer = patient.select(sql(rule.when)).to_series()
        assert answer.dtype == pl.Boolean
        assert answer.to_list() == [None], "what is not measured must not decide"


def test_criteria_tell_patients_from_others() -> None:
    sick = {
        "type_2_diabetes": {"hba1c": 7.1},
        "hypertension": {"systolic_bp": 142.0, "diastolic_bp": 70.0},
        "ckd": {"egfr": 44.0},
        "copd": {"fev1_fvc_ratio": 0.61},
        "osteoporosis": {"bone_density_t_score": -2.7},
    }
    well = {
        "type_2_diabetes": {"hba1c": 5.2, "fasting_glucose": 90.0, "ogtt_2h_glucose": 100.0},
        "hypertension": {"systolic_bp": 118.0, "diastolic_bp": 72.0},
        "ckd": {"egfr": 95.0, "uacr": 6.0},
        "copd": {"fev1_fvc_ratio": 0.8},
        "osteoporosis": {"bone_density_t_score": -0.4},
    }
    for values, expected in ((sick, True), (well, False)):
        for name, row in values.items():
            patient = empty_patient().with_columns(pl.lit(v).alias(k) for k, v in row.items())
            assert patient.select(sql(condition(name).criteria[0].when)).item() is expected, name


def test_a_stage_of_kidney_disease_follows_the_filtration_rate() -> None:
    rates = pl.DataFrame({"egfr": [95.0, 70.0, 50.0, 40.0, 20.0, 9.0]})
    stages = [s for s in condition("ckd").stages if s.id.startswith("g")]
    held = [[s.id for s in stages if rates[i].select(sql(s.when)).item()] for i in range(rates.height)]
    assert held == [["g1"], ["g2"], ["g3a"], ["g3b"], ["g4"], ["g5"]]


@pytest.mark.parametrize("name", sorted(conditions()))
def test_a_condition_without_criterion_or_definition_says_what_is_missing(name: str) -> None:
    entry = condition(name)
    said = " ".join(entry.missing).lower()
    if not entry.criteria:
        assert "criteri" in said
    if entry.nhanes_definition is None or entry.nhanes_definition.over == "variables":
        assert "definition" in said


def test_what_is_not_held_of_a_condition_is_said_by_itself() -> None:
    assert nothing_held_on(condition("hypertension")) == ()
    assert nothing_held_on(condition("tuberculosis")) == ("criteria", "complications", "treatments")
    assert "how common it is" in nothing_held_on(condition("hiv"))
    assert "how common it is" not in nothing_held_on(condition("stroke")), "computed from the survey"


def test_drug_classes_and_conditions_agree() -> None:
    for name, entry in conditions().items():
        assert set(entry.treatments) == set(treatments_of(name)), name
    for name, drug in drug_classes().items():
        assert name in observations()
        assert set(drug.treats) <= set(conditions())
        assert set(drug.sources) <= set(sources())


def test_nothing_cites_a_source_that_was_not_read() -> None:
    cited = {name for entry in conditions().values() for name in entry.cited()}
    cited |= {name for entry in drug_classes().values() for name in entry.sources}
    cited |= {name for entry in guidelines().values() for name in entry.sources}
    assert "pending" not in cited
    assert all(sources()[name].what_was_read for name in cited)


def test_icd_codes_are_well_formed_and_belong_to_one_chapter_of_the_condition() -> None:
    for entry in conditions().values():
        for code in entry.icd10cm:
            assert re.fullmatch(r"[A-Z]\d[0-9AB](\.\w{1,4})?", code.code), (entry.id, code)


@pytest.mark.skipif(not ICD.exists(), reason="the shared ICD-10-CM order file is not there")
def test_icd_codes_and_titles_are_those_of_the_order_file() -> None:
    with gzip.open(ICD, "rt", encoding="utf-8") as file:
        titles = {row["code"]: row["long"] for row in csv.DictReader(file)}
    for entry in conditions().values():
        for code in entry.icd10cm:
            assert titles.get(code.code.replace(".", "")) == code.title, (entry.id, code.code)


def test_published_figures_are_kept_as_published() -> None:
    diabetes = condition("diabetes").prevalence
    totals = {p.what: p.figures[0].percent for p in diabetes if p.source == "nchs_db516"}
    assert totals == {
        "diagnosed or undiagnosed": 15.8,
        "diagnosed by a doctor": 11.3,
        "undiagnosed": 4.5,
    }


def test_computed_prevalence_is_near_what_the_health_agency_published() -> None:
    computed = {name: table.figures[0].percent for name, table in survey_prevalence().items()}
    assert computed["obesity"] == pytest.approx(41.9, abs=0.2)
    assert computed["depression"] == pytest.approx(8.1, abs=1)
    assert computed["ckd"] == pytest.approx(15, abs=1)


def test_no_cell_of_the_computed_table_is_small() -> None:
    for name, table in survey_prevalence().items():
        for figure in table.figures:
            assert figure.people is not None
            assert figure.people >= 30
            assert figure.people * figure.percent > 0, name


@needs_survey
def test_the_computed_table_is_what_the_survey_files_give() -> None:
    shipped = {
        (name, f.sex, f.race, f.age_low, f.age_high): (f.percent, f.low, f.high, f.people)
        for name, table in survey_prevalence().items()
        for f in table.figures
    }
    again = {
        (
            row["condition"],
            row.get("sex"),
            row.get("race"),
            float(row["age_low"]) if "age_low" in row else None,
            float(row["age_high"]) if "age_high" in row else None,
        ): (float(row["percent"]), float(row["low"]), float(row["high"]), int(row["people"]))
        for row in survey.rows()
    }
    assert shipped == again
