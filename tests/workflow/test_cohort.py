"""Cohorts from request to release, on a small simulated population."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.unit.populations.people import People
from understudy.core.errors import ConditionError, OutputError, PlanError, RequestError, UnknownNameError
from understudy.reports.compose import compose, render
from understudy.reports.sources import column_origins
from understudy.workflow.cohort import run_cohort
from understudy.workflow.cohort_drawing import BLOCK
from understudy.workflow.cohort_request import CohortWishes, draft_cohort
from understudy.workflow.describing import describe_population
from understudy.workflow.plan import Plan
from understudy.workflow.release import Release, read_evidence, verify

WISHES = CohortWishes(
    conditions=("type 2 diabetes", "ckd"),
    rows=400,
    where=("eGFR 30-60", "age >= 50"),
    share=("sex=female:0.6",),
    system="si",
    goal="a trial of kidney protection",
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    draft = draft_cohort(WISHES, People())
    folder = tmp_path_factory.mktemp("cohort") / "release"
    return run_cohort(draft.plan, folder, generator=draft.generator, notes=draft.notes)


def table(release: Release) -> pl.DataFrame:
    (path,) = release.data_folder.glob("*.csv")
    return pl.read_csv(path)


def test_a_release_is_complete_and_intact(release: Release) -> None:
    names = {path.name for path in release.folder.iterdir()}
    expected = {
        "data",
        "schema.yaml",
        "plan.yaml",
        "evaluation.json",
        "report.html",
        "card.md",
        "manifest.json",
    }
    assert expected <= names
    assert verify(release.folder) == []


def test_every_patient_is_as_asked_in_the_units_of_the_release(release: Release) -> None:
    frame = table(release)
    assert frame.height == 400
    assert frame["egfr"].is_between(30, 60).all()
    assert (frame["age"] >= 50).all()
    assert (frame["sex"] == "female").sum() == 240
    assert frame["hba1c"].min() > 20  # type: ignore[operator]


def test_every_column_says_where_it_comes_from(release: Release) -> None:
    manifest = json.loads((release.folder / "manifest.json").read_text())
    columns = manifest["provenance"]["columns"]
    assert set(columns) == set(table(release).columns)
    assert all(entry["method"] and entry["sources"] for entry in columns.values())
    assert set().union(*(entry["sources"] for entry in columns.values())) <= set(
        manifest["provenance"]["citations"]
    )
    assert "CKD-EPI" in columns["egfr"]["method"]
    assert "mmol/mol" in columns["hba1c"]["method"]


def test_a_report_that_is_composed_anew_is_the_planned_one(release: Release) -> None:
    evidence = read_evidence(release.folder)
    assert "Where these numbers come from" in [getattr(b, "text", "") for b in compose(evidence)]
    assert render(evidence.title, compose(evidence)) == (release.folder / "report.html").read_bytes()


def test_the_stored_evidence_tells_the_same_origins(release: Release) -> None:
    assert column_origins(read_evidence(release.folder)) == column_origins(release.evidence)


def test_the_report_says_where_the_numbers_come_from_and_what_that_proves(release: Release) -> None:
    page = (release.folder / "report.html").read_text()
    assert "Where these numbers come from" in page
    assert "without any private record" in page
    assert "It does not show" in page
    assert "real rows held out" not in page


def test_the_verdict_says_that_privacy_attacks_do_not_apply(release: Release) -> None:
    first = release.verdict.findings[0]
    assert first.status == "met"
    assert "do not apply" in first.evidence
    assert release.verdict.is_released


def test_the_evaluation_compares_with_published_figures(release: Release) -> None:
    reference = release.evidence.evaluation.result("reference")
    assert reference is not None
    assert len(reference.details) > 50
    # The simulated people take fewer drugs than Americans do: that must be seen.
    assert any(
        "blood pressure medicine" in d.name and d.estimate and d.estimate.value > 1 for d in reference.details
    )


def test_the_support_is_reported(release: Release) -> None:
    asked = release.evidence.provenance["conditions"]
    assert 0 < asked["support"] < 0.1
    assert "Chronic kidney disease" in asked["asked"]


def test_the_plan_can_be_written_read_and_run_again(release: Release, tmp_path: Path) -> None:
    plan = Plan.from_yaml((release.folder / "plan.yaml").read_text())
    again = run_cohort(plan, tmp_path / "again", generator=People())
    assert table(again).equals(table(release))


def test_another_seed_draws_other_patients(tmp_path: Path) -> None:
    frames = []
    for seed in (0, 1):
        draft = draft_cohort(CohortWishes(rows=50, seed=seed), People())
        frames.append(table(run_cohort(draft.plan, tmp_path / str(seed), generator=People())))
    assert not frames[0].equals(frames[1])


def test_targets_and_shares_are_met_together_and_reported(tmp_path: Path) -> None:
    wishes = CohortWishes(
        conditions=("T2DM",),
        rows=500,
        targets=("bmi:mean=34", "A1c:mean=60 mmol/mol"),
        share=("sex=female:0.6",),
    )
    draft = draft_cohort(wishes, People())
    release = run_cohort(draft.plan, tmp_path / "release", generator=People())
    frame = table(release)
    assert frame["bmi"].mean() == pytest.approx(34, abs=0.05)
    assert frame["hba1c"].mean() == pytest.approx(7.64, abs=0.01)
    assert (frame["sex"] == "female").sum() == 300
    found = release.evidence.provenance["calibration"]
    assert [entry["asked"] for entry in found["targets"]] == ["bmi:mean=34 kg/m2", "hba1c:mean=7.64 %"]
    assert found["effective_rows"] < found["pool_rows"]
    assert "Calibration to aggregates" in (release.folder / "report.html").read_text()


def test_a_table_one_of_a_hospital_is_met(tmp_path: Path) -> None:
    path = tmp_path / "table_one.csv"
    path.write_text("observation,mean,sd\nage,62,11\nbmi,33,6\n")
    draft = draft_cohort(CohortWishes(conditions=("T2DM",), rows=400, target_tables=(path,)), People())
    frame = table(run_cohort(draft.plan, tmp_path / "release", generator=People()))
    assert frame["age"].mean() == pytest.approx(62, abs=0.1)
    assert frame["bmi"].std() == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize(
    ("wishes", "error", "words"),
    [
        (CohortWishes(rows=-1), RequestError, "ask for 1"),
        (CohortWishes(observations=0), RequestError, "at least 1"),
        (CohortWishes(conditions=("lupus",)), UnknownNameError, "lupus"),
        (CohortWishes(conditions=("copd",)), ConditionError, "history_copd"),
        (CohortWishes(conditions=("ckd",), exclude=("ckd",)), RequestError, "both"),
        (CohortWishes(add=("nt-probnp",)), RequestError, "does not hold"),
        (CohortWishes(system="metric"), UnknownNameError, "system of units"),
        (CohortWishes(targets=("A1c:mean=60",)), ConditionError, "60 mmol/mol"),
        (CohortWishes(where=("A1c >= 53",)), ConditionError, "53 mmol/mol"),
        (CohortWishes(where=("sex=femal",)), UnknownNameError, "female"),
        (CohortWishes(where=("age > 70", "age < 60")), ConditionError, "exclude each other"),
        (CohortWishes(share=("sex=female:0.7", "sex=male:0.4")), ConditionError, "110 %"),
        (
            CohortWishes(conditions=("obesity",), where=("bmi < 25",)),
            ConditionError,
            "'Obesity' contradicts .*bmi < 25",
        ),
        (CohortWishes(export="exel"), UnknownNameError, "csv"),
        (CohortWishes(target_tables=(Path("nowhere.csv"),)), RequestError, "nowhere.csv"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_before_anything_is_drawn(
    wishes: CohortWishes, error: type[RequestError], words: str
) -> None:
    with pytest.raises(error, match=words):
        draft_cohort(wishes, People())


def test_an_impossible_target_is_refused_with_the_range(tmp_path: Path) -> None:
    draft = draft_cohort(CohortWishes(rows=500, targets=("bmi:mean=60",)), People())
    with pytest.raises(ConditionError, match="Nearest feasible"):
        run_cohort(draft.plan, tmp_path / "release", generator=People())
    assert not (tmp_path / "release").exists()


def test_a_folder_with_other_files_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    draft = draft_cohort(CohortWishes(rows=10), People())
    with pytest.raises(OutputError):
        run_cohort(draft.plan, tmp_path, generator=People())


def test_a_plan_names_a_table_or_a_population_but_not_both() -> None:
    plan = draft_cohort(CohortWishes(rows=10), People()).plan
    with pytest.raises(PlanError, match="exactly one"):
        Plan.from_yaml(plan.model_copy(update={"table": "patients.csv"}).to_yaml())


def test_a_population_says_what_it_holds_and_represents() -> None:
    found = describe_population("people", People())
    assert {"hba1c", "egfr"} <= {entry["id"] for entry in found["observations"]}
    assert "type_2_diabetes" in {entry["id"] for entry in found["conditions"]}
    assert "sepsis" in found["not_represented"]


def test_patients_of_a_large_cohort_are_as_asked_block_by_block(tmp_path: Path) -> None:
    wishes = CohortWishes(
        conditions=("hypertension",),
        rows=BLOCK + 1_001,
        share=("sex=female:0.6",),
        targets=("age:mean=58",),
        observations=3,
    )
    draft = draft_cohort(wishes, People())
    release = run_cohort(draft.plan, tmp_path / "release", generator=People())
    frame = table(release)
    assert release.verdict.is_released, release.verdict.summary
    assert frame.height == release.dataset.rows == BLOCK + 1_001  # type: ignore[union-attr]
    assert abs(frame.filter(pl.col("sex") == "female").height - 0.6 * frame.height) < 1
    assert frame["age"].mean() == pytest.approx(58, abs=0.02)
    assert not list(tmp_path.glob(".release.rows-*"))


@pytest.mark.slow
def test_the_patients_are_the_same_whatever_the_number_of_processes(tmp_path: Path) -> None:
    wishes = CohortWishes(rows=BLOCK + 10, observations=2, share=("sex=female:0.5",))
    draft = draft_cohort(wishes)
    files = []
    for processes in (1, 2):
        release = run_cohort(draft.plan, tmp_path / str(processes), processes=processes)
        (path,) = release.data_folder.glob("*.csv")
        files.append(path.read_bytes())
    assert files[0] == files[1]
