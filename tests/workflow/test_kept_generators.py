"""Generators that a release keeps, rows drawn from them later, and partial rows that are completed."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from tests.unit.cli.calling import Said, call
from tests.workflow.simulated import QUICK, patients, tables, written
from understudy import RequestError, sample, synthesize


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch):
    """Call the command line; gives what it said."""

    def start(*words: str | Path) -> Said:
        return call(monkeypatch, *map(str, words))

    return start


@pytest.fixture
def table(tmp_path: Path) -> Path:
    frame = patients().with_columns(name=pl.Series([f"Ann{k} Li{k}" for k in range(160)]))
    return written(frame, tmp_path / "patients.csv")


@pytest.fixture
def release(say, table: Path, tmp_path: Path) -> Path:
    """Return a release that keeps its generator."""
    out = tmp_path / "release"
    assert say("synthesize", table, "--out", out, *QUICK, "--with-generator").code == 0
    return out


def test_rows_drawn_later_satisfy_their_conditions_and_are_labelled_sealed_and_called_unjudged(
    say, release: Path, tmp_path: Path
) -> None:
    out = tmp_path / "older"
    options = ("--rows", "40", "--where", "age>=65", "--share", "sex=female:0.75", "--seed", "3")
    said = say("sample", release, "--out", out, *options)
    assert said.code == 0, said.err
    assert "not judged" in said.err
    rows = tables(out)
    assert rows.height == 40
    assert rows.select((pl.col("age") >= 65).all()).item()
    assert (rows["sex"] == "female").sum() == 30
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["label"].startswith("SYNTHETIC DATA")
    assert manifest["verdict"] is None
    assert manifest["conditions"]["support"] < 1
    assert say("verify", out).code == 0
    (out / "data" / "patients.csv").write_text("age\n1\n")
    assert say("verify", out).code == 4
    again = tmp_path / "again"
    say("sample", release / "generator", "--out", again, *options)
    assert tables(again).equals(rows)


def test_a_kept_generator_draws_what_the_release_drew_and_is_part_of_what_is_verified(
    say, release: Path, tmp_path: Path
) -> None:
    say("sample", release, "--out", tmp_path / "again")
    assert tables(tmp_path / "again").equals(tables(release))
    arrays = release / "generator" / "arrays.npz"
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"\x01")
    assert "generator/arrays.npz was changed" in say("verify", release).out
    damaged = say("sample", release, "--out", tmp_path / "none")
    assert damaged.code == 2
    assert "damaged" in damaged.err
    assert not (tmp_path / "none").exists()


def test_a_generator_is_called_as_sensitive_as_the_real_data_and_no_external_release_holds_it(
    say, table: Path, tmp_path: Path
) -> None:
    planned = say("plan", table, "--with-generator")
    assert "warning: with_generator: a trained generator is as sensitive as the real data" in planned.err
    out = tmp_path / "release"
    for option in (("--with-generator",), ("--complete", str(table))):
        refused = say("synthesize", table, "--out", out, *QUICK, "--policy", "external", *option)
        assert refused.code == 2
        assert "policy `external`" in refused.err
        assert not out.exists()


def test_a_release_without_a_generator_says_how_to_keep_one(say, table: Path, tmp_path: Path) -> None:
    say("synthesize", table, "--out", tmp_path / "release", *QUICK)
    said = say("sample", tmp_path / "release", "--out", tmp_path / "more")
    assert said.code == 2
    assert "--with-generator" in said.err


def test_the_manifest_tells_what_the_generator_chose_for_itself(say, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "release"
    assert say("synthesize", table, "--out", out, "--holdout", "none").code == 0
    facts = json.loads((out / "manifest.json").read_text())["provenance"]["generator"]
    assert facts["learned_rows"] == 160
    assert facts["settings"]["leaf"] in (16.0, 10.0, 6.0)
    assert "generator · settings · leaf" in (out / "report.html").read_text()


def test_partial_rows_are_completed_and_the_release_says_that_their_cells_are_not_synthetic(
    say, table: Path, tmp_path: Path
) -> None:
    given = pl.DataFrame({"age": [45, 80, None], "sex": ["female", None, "male"], "name": ["A", "B", "C"]})
    out, partial = tmp_path / "release", written(given, tmp_path / "partial.csv")
    done = say("synthesize", table, "--out", out, *QUICK, "--complete", partial, "--format", "parquet")
    assert done.code == 0, done.err
    rows = tables(out)
    assert rows.height == 3
    assert rows["age"].to_list()[:2] == [45, 80]
    assert rows["sex"].to_list()[::2] == ["female", "male"]
    assert rows.null_count().sum_horizontal().item() == 0
    assert not set(rows["name"]) & set("ABC")
    assert json.loads((out / "manifest.json").read_text())["label"].startswith("COMPLETED DATA")
    assert "COMPLETED DATA" in (out / "card.md").read_text()
    assert "COMPLETED DATA" in (out / "report.html").read_text()
    assert "No row describes a person" not in (out / "card.md").read_text()
    assert "SYNTHETIC" not in (out / "report.html").read_text()
    assert json.loads((out / "evaluation.json").read_text())["preview"] == {}
    assert pq.read_metadata(out / "data" / "patients.parquet").metadata[b"SYNTHETIC"] == b"partly"
    assert (
        "name' is made anew" in json.loads((out / "evaluation.json").read_text())["provenance"]["notes"][-1]
    )


def test_several_completions_of_each_row_are_a_multiple_of_the_rows(
    say, release: Path, tmp_path: Path
) -> None:
    partial = written(pl.DataFrame({"age": [30, 70]}), tmp_path / "partial.csv")
    for rows, code in (("6", 0), ("5", 2)):
        said = say("sample", release, "--out", tmp_path / "more", "--complete", partial, "--rows", rows)
        assert said.code == code, said.err
    assert "or a multiple" in said.err
    assert tables(tmp_path / "more")["age"].to_list() == [30, 70] * 3


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"agee": [40]}, "Did you mean 'age'?"),
        ({"age": ["old"]}, "1 given cells cannot be read, such as 'old'"),
        ({"age": [400]}, "outside its bounds"),
        ({"name": ["Ann"]}, "gives no column that is learned"),
    ],
)
def test_rows_that_cannot_be_completed_are_refused(
    say, table: Path, tmp_path: Path, cells: dict[str, list], words: str
) -> None:
    partial = written(pl.DataFrame(cells), tmp_path / "partial.csv")
    said = say("synthesize", table, "--out", tmp_path / "release", *QUICK, "--complete", partial)
    assert said.code == 2
    assert words in said.err
    assert not (tmp_path / "release").exists()


def test_rows_of_a_generator_whose_release_was_withheld_are_withheld_too(
    say, table: Path, tmp_path: Path
) -> None:
    out, more = tmp_path / "release", tmp_path / "more"
    done = say("synthesize", table, "--out", out, *QUICK, "--complete", table, "--with-generator")
    assert done.code == 3, done.err
    assert (out / "withheld" / "generator").is_dir()
    assert not (out / "generator").exists()
    said = say("sample", out, "--out", more, "--rows", "5")
    assert said.code == 3
    assert "withheld" in said.err
    assert (more / "withheld").is_dir()
    assert not (more / "data").exists()


def test_python_keeps_draws_and_completes_likewise(tmp_path: Path) -> None:
    done = synthesize(
        patients(), synthesizer="marginals", holdout=None, out=tmp_path / "r", with_generator=True
    )
    drawn = sample(done.release.folder, rows=10, where=["age>=65"])
    assert drawn.height == 10
    assert drawn["age"].to_numpy().min() >= 65
    completed = sample(done.release.folder, complete=pl.DataFrame({"age": [50]}))
    assert completed["age"].to_list() == [50]
    with pytest.raises(RequestError, match="`out`"):
        synthesize(patients(), with_generator=True)


def test_a_time_limit_and_a_device_are_part_of_the_plan_and_of_what_was_learned(
    say, table: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.yaml"
    said = say("plan", table, "--time-limit", "0.001", "--device", "cuda:1", "--out", plan)
    assert "warning: time_limit_s: learning is expected to take" in said.err
    assert "time_limit_s: 0.001\n" in plan.read_text()
    assert "device: cuda:1\n" in plan.read_text()
    for option, value in (("--time-limit", "0"), ("--device", "tpu")):
        refused = say("plan", table, option, value)
        assert refused.code == 2
        assert "the plan would be invalid" in refused.err
