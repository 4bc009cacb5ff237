"""The review of a plan, as a person who plans sees it."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from tests.unit.cli.calling import call
from tests.workflow.simulated import patients, written


@pytest.mark.parametrize(("columns", "is_warned"), [(3, False), (30, True)])
def test_more_columns_than_the_people_can_hide_in_are_warned_of_before_any_work(
    columns: int, is_warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = patients(300)
    people = people.with_columns(
        (pl.col("sbp") + pl.int_range(pl.len()).shuffle(seed=k)).alias(f"assay_{k}") for k in range(columns)
    )
    table = written(people, tmp_path / "patients.csv")
    said = call(monkeypatch, "plan", str(table), "--out", str(tmp_path / "plan.yaml"))
    assert said.code == 0
    assert ("with fewer than 20 people to a column" in said.err) == is_warned


def test_a_library_that_is_not_installed_is_missed_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, out = written(patients(60), tmp_path / "patients.csv"), tmp_path / "release"
    monkeypatch.setitem(sys.modules, "safetensors", None)
    said = call(monkeypatch, "synthesize", str(table), "--synthesizer", "tvae", "--out", str(out))
    assert said.code == 2
    assert "training a network needs" in said.err
    assert "Learning" not in said.err
    assert not out.exists()
