"""`understudy evaluate`: the judgement of tables that other tools made."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.unit.cli.calling import call
from tests.workflow.simulated import patients, written

NEEDS_HOLDOUT = {"prediction", "importance", "copies", "closest_record", "membership"}


@pytest.fixture
def evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Evaluate a synthetic table against the real one; gives the exit code, the JSON and the folder."""
    real = written(patients(200), tmp_path / "real.csv")

    def evaluate(synthetic: pl.DataFrame, *options: str):
        made, out = written(synthetic, tmp_path / "synthetic.csv"), tmp_path / "evaluation"
        told = call(
            monkeypatch,
            "evaluate",
            "--real",
            str(real),
            "--synthetic",
            str(made),
            "--out",
            str(out),
            "--json",
            *options,
        )
        return told, json.loads(told.out) if told.out else {}, out

    return evaluate


def test_fresh_rows_are_judged_with_a_holdout_and_nothing_speaks_against_them(
    evaluated, tmp_path: Path
) -> None:
    held = written(patients(120, seed=8), tmp_path / "held.csv")
    told, document, out = evaluated(patients(200, seed=9), "--holdout", str(held), "--target", "outcome")
    assert told.code == 0, told.err
    assert {name for name, r in document["results"].items() if r["outcome"] == "failed"} == set()
    assert {n for n, r in document["results"].items() if r["estimate"] is not None} >= NEEDS_HOLDOUT
    assert sorted(p.name for p in out.iterdir()) == [
        "card.md",
        "evaluation.json",
        "manifest.json",
        "report.html",
        "schema.yaml",
    ]


def test_the_manifest_says_seed_and_digests_of_what_was_compared(evaluated, tmp_path: Path) -> None:
    held = written(patients(120, seed=8), tmp_path / "held.csv")
    told, _, out = evaluated(patients(200, seed=9), "--holdout", str(held), "--seed", "5")
    assert told.code == 0, told.err
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["seed"] == 5
    inputs = manifest["provenance"]["inputs"]
    assert sorted(inputs) == ["holdout", "real", "synthetic"]
    assert len({digest for digest in inputs.values() if len(digest) == 64}) == 3


def test_a_holdout_that_was_learned_from_is_refused(evaluated, tmp_path: Path) -> None:
    held = written(patients(200).head(120), tmp_path / "held.csv")
    told, _, out = evaluated(patients(200, seed=9), "--holdout", str(held))
    assert told.code == 2
    assert "it is no holdout" in told.err
    assert not out.exists()


def test_a_copy_of_the_real_table_is_withheld_with_the_reason(evaluated, tmp_path: Path) -> None:
    held = written(patients(120, seed=8), tmp_path / "held.csv")
    told, document, _ = evaluated(patients(200), "--holdout", str(held))
    assert told.code == 3
    findings = {f["requirement"]: f["status"] for f in document["verdict"]["findings"]}
    assert findings["No real row is copied more often than chance explains"] == "not_met"
    assert findings["No attack finds more of the people learned from than the limit allows"] == "not_met"


def test_without_a_holdout_utility_and_privacy_are_not_applicable_and_never_called_safe(evaluated) -> None:
    told, document, _ = evaluated(patients(200, seed=9), "--target", "outcome", "--policy", "external")
    assert told.code == 3
    for name in NEEDS_HOLDOUT:
        assert document["results"][name]["outcome"] == "not_applicable"
        assert "holdout" in document["results"][name]["reason"]
    statuses = {f["requirement"]: f["status"] for f in document["verdict"]["findings"]}
    assert statuses["No attack finds more of the people learned from than the limit allows"] == "not_checked"


def test_more_and_fewer_columns_than_the_real_table_are_told(evaluated) -> None:
    made = patients(200, seed=9).drop("sbp").with_columns(source=pl.lit("tool"))
    told, _, out = evaluated(made)
    assert told.code in (0, 3), told.err
    notes = json.loads((out / "evaluation.json").read_text())["provenance"]["notes"]
    assert "column 'sbp' is not in the synthetic table and was not judged" in notes
    assert "column 'source' is not in the real table and was left out" in notes


def test_a_table_of_other_columns_is_refused(evaluated) -> None:
    told, _, out = evaluated(pl.DataFrame({"x": [1, 2, 3]}))
    assert told.code == 2
    assert "shares no column" in told.err
    assert not out.exists()


def test_columns_of_other_types_are_read_as_the_real_table_means_them(evaluated) -> None:
    made = patients(200, seed=9).with_columns(
        pl.col("age").cast(pl.Float64) + 0.25, pl.col("outcome").replace_strict({0: "no", 1: "yes"})
    )
    told, document, out = evaluated(made)
    assert told.code in (0, 3)
    assert document["results"]["marginals"]["outcome"] == "measured"
    assert "outcome" in " ".join(json.loads((out / "evaluation.json").read_text())["provenance"]["notes"])


def test_the_target_the_groups_and_the_schema_are_those_that_were_asked_for(
    evaluated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = tmp_path / "schema.yaml"
    call(monkeypatch, "profile", str(tmp_path / "real.csv"), "--out", str(schema))
    schema.write_text(schema.read_text().replace("name: patients", "name: cohort_a"))
    _, _, out = evaluated(
        patients(200, seed=9),
        "--target",
        "sex",
        "--protected",
        "outcome",
        "--schema",
        str(schema),
        "--seed",
        "4",
    )
    evidence = json.loads((out / "evaluation.json").read_text())
    roles = {c["name"]: c["roles"] for c in evidence["schema"]["tables"][0]["columns"]}
    assert [n for n, r in roles.items() if "target" in r] == ["sex"]
    assert [n for n, r in roles.items() if "protected" in r] == ["outcome"]
    assert evidence["provenance"]["seed"] == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--target", "outcom"), "Did you mean 'outcome'?"),
        (("--holdout", "nowhere.csv"), "no file 'nowhere.csv'"),
        (("--read", "sheet=2"), "is called 'sheet'"),
        (("--read", "delimiter=;"), "shares no column with the real one"),
        (("--policy", "extern"), "Did you mean 'external'?"),
    ],
)
def test_what_does_not_exist_is_refused(evaluated, options: tuple[str, str], said: str) -> None:
    told, _, out = evaluated(patients(200, seed=9), *options)
    assert told.code == 2
    assert said in told.err
    assert not out.exists()
