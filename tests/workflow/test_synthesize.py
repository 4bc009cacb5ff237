"""`understudy synthesize`, `plan` and `run`: what they write, and that every option takes effect."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter  # type: ignore[import-untyped]
import yaml

from tests.unit.cli.calling import call
from tests.workflow.simulated import FILES, QUICK, patients, quicker, tables, written


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return written(patients(), tmp_path / "patients.csv")


@pytest.fixture
def made(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Synthesize the table quickly with further options; gives the rows and the release folder."""

    def synthesize(*options: object, name: str = "release") -> tuple[pl.DataFrame, Path]:
        out = tmp_path / name
        said = call(monkeypatch, "synthesize", str(table), "--out", str(out), *QUICK, *map(str, options))
        # Whether the policy withholds what an option makes is not the question here.
        assert said.code in (0, 3), said.err
        return tables(out), out

    return synthesize


def evaluation(out: Path) -> dict:
    return json.loads((out / "evaluation.json").read_text())


def test_a_release_holds_exactly_its_seven_parts(made) -> None:
    rows, out = made()
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert [path.name for path in (out / "data").iterdir()] == ["patients.csv"]
    assert rows.columns == patients().columns
    assert rows.height == 160


def test_the_release_says_that_it_is_synthetic(made) -> None:
    _, out = made()
    manifest = json.loads((out / "manifest.json").read_text())
    assert "SYNTHETIC" in manifest["label"]
    assert "synthetic" in (out / "card.md").read_text().lower()
    assert manifest["seed"] == 0
    assert manifest["versions"]["understudy"]


def test_json_prints_one_document_and_progress_goes_to_the_error_stream(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(monkeypatch, "synthesize", str(table), "--out", str(tmp_path / "r"), *QUICK, "--json")
    document = json.loads(said.out)
    assert document["verdict"]["is_released"]
    assert document["rows"] == 160
    assert "Learning" in said.err


def test_people_are_told_the_verdict_the_figures_and_where_everything_lies(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call(monkeypatch, "synthesize", str(table), "--out", str(tmp_path / "r"), *QUICK)
    assert "Released" in said.out
    assert "report.html" in said.out
    assert "understudy verify" in said.out
    assert "Traceback" not in said.err


def test_rows_gives_exactly_so_many(made) -> None:
    assert made("--rows", 37)[0].height == 37


def test_where_holds_in_every_row_and_is_reported(made) -> None:
    rows, out = made("--where", "age>=65", "--where", "sex=female")
    assert rows["age"].min() >= 65
    assert set(rows["sex"]) == {"female"}
    asked = evaluation(out)["provenance"]["conditions"]
    assert "age >= 65" in asked["asked"]
    assert 0 < asked["support"] < 1
    assert 0 < asked["acceptance"] <= 1


def test_a_share_is_exact(made) -> None:
    rows, _ = made("--share", "sex=female:0.6", "--rows", 200)
    assert rows.filter(pl.col("sex") == "female").height == 120


def test_balanced_classes_are_exact(made) -> None:
    rows, _ = made("--share", "outcome:balanced", "--rows", 100)
    assert rows["outcome"].sum() == 50


def test_the_target_is_the_one_that_was_asked_for(made) -> None:
    _, out = made("--target", "sex")
    columns = yaml.safe_load((out / "schema.yaml").read_text())["tables"][0]["columns"]
    assert [c["name"] for c in columns if "target" in c.get("roles", ())] == ["sex"]
    assert "target" in evaluation(out)["plan"]["reasons"]


def test_the_protected_columns_are_those_that_were_asked_for(made) -> None:
    _, out = made("--protected", "sex")
    columns = yaml.safe_load((out / "schema.yaml").read_text())["tables"][0]["columns"]
    assert [c["name"] for c in columns if "protected" in c.get("roles", ())] == ["sex"]


def test_train_rows_limits_what_is_learned_from(made) -> None:
    rows, out = made("--train-rows", 70)
    assert evaluation(out)["provenance"]["learned_rows"] == 70
    assert rows.height == 70


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_rows(made) -> None:
    data = [
        (made("--seed", seed, name=name)[1] / "data" / "patients.csv").read_bytes()
        for seed, name in ((3, "a"), (3, "b"), (4, "c"))
    ]
    assert data[0] == data[1] != data[2]


def test_parquet_is_written_when_asked_for(made) -> None:
    rows, out = made("--format", "parquet")
    assert [path.suffix for path in (out / "data").iterdir()] == [".parquet"]
    assert rows.height == 160


def test_a_setting_reaches_the_synthesizer(made) -> None:
    trees = ("--synthesizer", "sequential_trees", "--set", "pruning=0")
    first, _ = made(*trees, "--set", "leaf=5", name="small")
    second, out = made(*trees, "--set", "leaf=80", name="large")
    settings = yaml.safe_load((out / "plan.yaml").read_text())["synthesizer"]["settings"]
    assert settings == {"pruning": 0, "leaf": 80}
    assert not first.equals(second)


def test_the_synthesizer_is_the_one_that_was_asked_for(made) -> None:
    trees, _ = made("--synthesizer", "sequential_trees", "--rows", 400, name="trees")
    alone, _ = made("--synthesizer", "marginals", "--rows", 400, name="alone")
    both = pl.corr("age", "sbp")
    assert trees.select(both).item() > 0.4 > abs(alone.select(both).item()) + 0.15


def test_the_goal_is_kept_with_the_release(made) -> None:
    _, out = made("--goal", "Teach triage to students")
    assert "Teach triage to students" in (out / "report.html").read_text()
    assert yaml.safe_load((out / "plan.yaml").read_text())["goal"] == "Teach triage to students"


def test_the_policy_decides_whether_what_cannot_be_shown_goes_out(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "release"
    said = call(
        monkeypatch, "synthesize", str(table), "--out", str(out), *QUICK, "--policy", "external", "--json"
    )
    assert said.code == 3
    assert sorted(p.name for p in out.iterdir()) == sorted({*FILES, "withheld"} - {"data"})
    document = json.loads(said.out)
    assert not document["verdict"]["is_released"]
    assert "withheld" in document["data"]
    assert evaluation(out)["preview"] == {}
    assert call(monkeypatch, "verify", str(out)).code == 0


def test_an_edited_schema_is_obeyed(
    table: Path, made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = call(monkeypatch, "profile", str(table))
    schema = yaml.safe_load(said.out)
    columns = {c["name"]: c for c in schema["tables"][0]["columns"]}
    columns["age"] |= {"low": 30, "high": 60}
    schema["tables"][0]["columns"] = [columns["age"], columns["sex"]]
    (tmp_path / "edited.yaml").write_text(yaml.safe_dump(schema))
    rows, _ = made("--schema", tmp_path / "edited.yaml", "--violations", "drop")
    assert rows.columns == ["age", "sex"]
    assert rows["age"].is_between(30, 60).all()


def test_a_work_folder_takes_the_finished_steps(made, tmp_path: Path) -> None:
    _, out = made("--work", tmp_path / "elsewhere")
    assert {p.name for p in (tmp_path / "elsewhere").iterdir()} >= {"fit", "sample", "measure"}
    assert not out.with_name("release.work").exists()


def test_a_holdout_share_and_a_holdout_table_are_compared_with(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = written(patients(90, seed=5), tmp_path / "held.csv")
    sizes = []
    for number, holdout in enumerate(("0.25", str(held), "none")):
        plan, out = tmp_path / f"{number}.yaml", tmp_path / f"release-{number}"
        call(monkeypatch, "plan", str(table), "--holdout", holdout, "-s", "marginals", "--out", str(plan))
        quicker(plan, "marginals", "copies")
        assert call(monkeypatch, "run", str(plan), "--out", str(out)).code in (0, 3)
        measured = evaluation(out)["evaluation"]
        assert (measured["results"][1]["outcome"] == "not_applicable") == (holdout == "none")
        sizes.append((measured["real_rows"], measured["holdout_rows"]))
    assert sizes == [(120, 40), (160, 90), (160, 0)]


def test_a_plan_can_be_edited_and_gives_the_data_that_synthesize_gives(
    table: Path, tmp_path: Path, made, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, out = tmp_path / "plan.yaml", tmp_path / "from-plan"
    options = ("--where", "age 30-70", "--share", "sex=male:25%", "--rows", "80", "--seed", "9")
    said = call(monkeypatch, "plan", str(table), *QUICK, *options, "--out", str(plan))
    assert said.code == 0
    assert "GB of memory" in said.err
    quicker(plan)
    assert call(monkeypatch, "run", str(plan), "--out", str(out)).code == 0
    _, direct = made(*options)
    assert (out / "data/patients.csv").read_bytes() == (direct / "data/patients.csv").read_bytes()
    assert len(evaluation(out)["evaluation"]["results"]) == 1


def test_a_plan_goes_to_standard_output_as_yaml_or_json(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_yaml = yaml.safe_load(call(monkeypatch, "plan", str(table), "--rows", "12").out)
    as_json = json.loads(call(monkeypatch, "plan", str(table), "--rows", "12", "--json").out)
    assert as_yaml["rows"] == as_json["rows"] == 12


def test_a_written_plan_runs_again_to_the_same_data(
    made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = made("--seed", 5)
    said = call(monkeypatch, "run", str(first / "plan.yaml"), "--out", str(tmp_path / "again"))
    assert said.code == 0
    assert (first / "data/patients.csv").read_bytes() == (tmp_path / "again/data/patients.csv").read_bytes()


def test_how_a_table_is_read_can_be_said_and_is_part_of_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, out = tmp_path / "book.xlsx", tmp_path / "release"
    with xlsxwriter.Workbook(book) as workbook:
        pl.DataFrame({"remark": ["a", "b"] * 40}).write_excel(workbook, worksheet="notes")
        patients(80).write_excel(workbook, worksheet="2")
    assert "name: remark" in call(monkeypatch, "profile", str(book)).out
    assert "name: sbp" in call(monkeypatch, "profile", str(book), "--read", "sheet=2").out
    said = call(monkeypatch, "synthesize", str(book), "--read", "sheet=2", "--out", str(out), *QUICK)
    assert said.code == 0, said.err
    assert yaml.safe_load((out / "plan.yaml").read_text())["read"] == {"sheet": "2"}
    again = call(monkeypatch, "run", str(out / "plan.yaml"), "--out", str(tmp_path / "again"))
    assert again.code == 0, again.err
    assert tables(tmp_path / "again").equals(tables(out))
    for options, words in (
        (("--read", "sheet=3"), "Known: notes, 2"),
        (("--read", "sheet"), "--read encoding="),
    ):
        refused = call(monkeypatch, "plan", str(book), *options)
        assert refused.code == 2
        assert words in refused.err
