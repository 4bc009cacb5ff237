"""Requests that cannot be carried out: each is refused with one clear message, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.unit.cli.calling import Said, call
from tests.workflow.simulated import patients, written

COLUMNS = "tables: [{name: x, columns: [{name: age, kind: number}, {name: sex, kind: category}]}]\n"


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Ask for what cannot be; gives what was said, having checked that nothing was left behind."""
    keys = pl.Series("mrn", [f"MRN{100_000 + 7 * k}" for k in range(160)])
    table = written(patients().with_columns(keys), tmp_path / "patients.csv")

    def ask(*options: str) -> Said:
        known = set(tmp_path.rglob("*"))
        said = call(monkeypatch, "synthesize", str(table), "--out", str(tmp_path / "release"), *options)
        assert said.code == 2
        assert said.out == ""
        assert "Traceback" not in said.err
        assert said.err.count("error: ") == 1
        left = {p for p in set(tmp_path.rglob("*")) - known if "release.work" not in str(p)}
        assert not left
        assert not list(tmp_path.rglob("*.partial-*"))
        return said

    return ask


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "outcom"), "Did you mean 'outcome'?"),
        (("--protected", "sexx"), "Did you mean 'sex'?"),
        (("--synthesizer", "sequential_tree"), "Did you mean 'sequential_trees'?"),
        (("--set", "leaff=3"), "Did you mean 'leaf'?"),
        (
            ("--set", "leaf=-3"),
            "setting 'leaf' of 'sequential_trees': Input should be greater than 0, got -3",
        ),
        (("--set", "leaf"), "--set leaf=20"),
        (("--format", "parqet"), "Did you mean 'parquet'?"),
        (("--policy", "extern"), "Did you mean 'external'?"),
        (("--violations", "delete"), "Known: drop, repair, keep_rate"),
        (("--rows", "0"), "--rows is 0; ask for at least 1 row"),
        (("--rows", "-5"), "--rows is -5; ask for at least 1 row"),
        (("--train-rows", "0"), "at least 2 rows"),
        (("--train-rows", "-3"), "at least 2 rows"),
        (("--holdout", "1.5"), "a share between 0 and 1, a table, or 'none'"),
        (("--holdout", "nowhere.csv"), "no file 'nowhere.csv'"),
        (("--schema", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_an_option_that_means_nothing_is_refused(refused, options: tuple[str, ...], said: str) -> None:
    assert said in refused(*options).err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--where", "agee>=65"), "Did you mean 'age'?"),
        (("--where", "sex=femal"), "Did you mean 'female'?"),
        (("--where", "hello"), "write it like 'age>=65'"),
        (("--where", "sex>=3"), "write sex=VALUE"),
        (("--where", "age>=80", "--where", "age<=30"), "exclude each other"),
        (("--where", "age>=200"), "nearest feasible: age <= 120"),
        (("--where", "mrn=MRN100000"), "identifier that is made anew"),
        (("--share", "mrn=MRN100000:0.5"), "identifier that is made anew"),
        (("--share", "sex=male:0.8", "--share", "sex=female:0.5"), "add up to 130 %, more than 100 %"),
        (("--share", "age=50:0.5"), "Use a range condition"),
        (("--share", "sex=male:1.4"), "must lie between 0 and 1"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(refused, options: tuple[str, ...], said: str) -> None:
    told = refused(*options).err
    assert said in told
    assert "pydantic" not in told


def test_a_condition_that_nobody_satisfies_is_refused_with_the_nearest_feasible(refused) -> None:
    told = refused("--where", "sbp>=400").err
    assert "no patient" in told
    assert "Nearest feasible: sbp >= " in told


def test_more_rows_than_memory_and_disk_hold_are_refused_with_every_reason(refused) -> None:
    told = refused("--rows", str(10**12)).err
    assert all(part in told for part in ("- rows:", "- memory:", "- disk:", "Ask for fewer rows"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nope", "not a mapping"),
        ("tables: [", "not valid YAML"),
        ("tables: [{name: x, columns: [{name: zzz, kind: number}]}]", "lacks 1 columns of its schema: 'zzz'"),
        ("tables: [{name: x, columns: [{name: age, kind: nummer}]}]", "columns.0.kind"),
        ("version: 99\ntables: []", "upgrade"),
        (
            COLUMNS + "rules: [{rule: derived, column: age, formula: 'SELECT ('}]",
            "cannot read the expression",
        ),
        (COLUMNS + "rules: [{rule: ordered, lower: agee, upper: age}]", "Did you mean 'age'?"),
        (COLUMNS + "rules: [{rule: implies, when: 'sex > 3', then: 'age > 2'}]", "cannot be computed"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused(refused, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "schema.yaml").write_text(text)
    assert said in refused("--schema", str(tmp_path / "schema.yaml")).err


def test_an_option_that_does_not_exist_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(monkeypatch, "synthesize", "t.csv", "--out", str(tmp_path / "r"), "--frobnicate")
    assert said.code == 2
    assert "--frobnicate" in said.err
