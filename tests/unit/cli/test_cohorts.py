"""`understudy cohort`, `populations`, `sources` and `run` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.unit.cli.calling import Said, call
from understudy.workflow.release import verify

WORDS = ("cohort", "us_adults", "--condition", "type 2 diabetes", "--rows", "300", "--units", "si")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    folder = tmp_path_factory.mktemp("cohort") / "release"
    with pytest.MonkeyPatch.context() as patch:
        said = call(
            patch,
            *WORDS,
            "--share",
            "sex=female:0.6",
            "--target",
            "bmi:mean=33",
            "--out",
            str(folder),
            "--json",
        )
    return folder, said


def test_a_cohort_is_released_with_a_json_document(made: tuple[Path, Said]) -> None:
    folder, said = made
    document = json.loads(said.out)
    assert said.code == 0
    assert document["rows"] == 300
    assert document["verdict"]["is_released"]
    assert verify(folder) == []


def test_the_rows_are_as_asked(made: tuple[Path, Said]) -> None:
    (path,) = (made[0] / "data").glob("*.csv")
    frame = pl.read_csv(path)
    assert frame.width >= 20
    assert frame.filter(pl.col("sex") == "female").height == 180
    assert frame["bmi"].mean() == pytest.approx(33, abs=0.05)


def test_sources_are_told_for_every_column_and_for_one(
    made: tuple[Path, Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = json.loads(call(monkeypatch, "sources", str(made[0]), "--json").out)
    assert all(entry["sources"] for entry in everything["columns"].values())
    assert everything["definitions"][0]["condition"] == "Type 2 diabetes"
    one = call(monkeypatch, "sources", str(made[0]), "--column", "egfr")
    assert "CKD-EPI" in one.out
    assert "hba1c" not in one.out


def test_sources_of_an_unknown_column_are_refused(
    made: tuple[Path, Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(monkeypatch, "sources", str(made[0]), "--column", "efgr")
    assert said.code == 2
    assert "egfr" in said.err


def test_the_plan_of_a_cohort_runs_again_to_the_same_rows(
    made: tuple[Path, Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(monkeypatch, "run", str(made[0] / "plan.yaml"), "--out", str(tmp_path / "again"), "--json")
    assert said.code == 0
    tables = [next((folder / "data").glob("*.csv")).read_bytes() for folder in (made[0], tmp_path / "again")]
    assert tables[0] == tables[1]


def test_people_are_told_what_was_chosen_and_what_is_lacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(
        monkeypatch, "cohort", "--condition", "heart failure", "--rows", "50", "--out", str(tmp_path / "r")
    )
    assert said.code == 0
    assert "nt_probnp" in said.err
    assert "Released" in said.out


@pytest.mark.parametrize(
    ("words", "said_so"),
    [
        (("--condition", "lupus"), "none is invented"),
        (("--condition", "schizophrenia"), "cannot represent"),
        (("--rows", "-5"), "ask for 1"),
        (("--observations", "many"), "a number or 'all'"),
        (("--units", "hba1c=kg"), "kg"),
        (("--units", "imperial"), "conventional"),
        (("--decimals", "bmi"), "bmi=1"),
        (("--target", "bmi:mean=75"), "Nearest feasible"),
        (("--target", "A1c:mean=60"), "60 mmol/mol"),
        (("--where", "creatinin > 2"), "creatinine"),
        (("--share", "sex=female:1.5"), "between 0 and 1"),
        (("--add", "troponin"), "does not hold"),
        (
            ("--where", "age < 18"),
            "adults from 20 on; 80 stands for 80 and over). Nearest feasible: 'age<=20'",
        ),
        (("--where", "age > 80"), "Nearest feasible: 'age>=80'"),
        (("--add", "qqqqq"), "understudy populations show us_adults"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_in_one_line(
    words: tuple[str, ...], said_so: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(monkeypatch, "cohort", "us_adults", *words, "--out", str(tmp_path / "release"))
    assert said.code == 2
    assert said_so in said.err
    assert not (tmp_path / "release").exists()


def test_an_unknown_population_is_refused_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(monkeypatch, "cohort", "us_adult", "--out", str(tmp_path / "release"))
    assert said.code == 2
    assert "us_adults" in said.err


def test_populations_are_listed_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "us_adults" in call(monkeypatch, "populations", "list").out
    document = json.loads(call(monkeypatch, "populations", "show", "us_adults", "--json").out)
    assert len(document["observations"]) >= 60
    assert "type_2_diabetes" in {entry["id"] for entry in document["conditions"]}
