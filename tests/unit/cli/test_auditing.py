"""`understudy audit` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.calling import call

PLAUSIBLE = "age,sex,sbp,dbp\n" + "".join(
    f"{30 + k % 40},{'FM'[k % 2]},{120 + k % 20},{75 + k % 9}\n" for k in range(60)
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "patients.csv"
    path.write_text(PLAUSIBLE)
    return path


def test_a_plausible_table_ends_with_zero(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(monkeypatch, "audit", str(table))
    assert said.code == 0
    assert "No row breaks a rule" in said.out


def test_a_table_with_swapped_pressures_ends_with_four(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table.write_text(PLAUSIBLE + "50,F,70,140\n")
    said = call(monkeypatch, "audit", str(table))
    assert said.code == 4
    assert "61" in said.out


def test_the_json_names_rules_columns_and_rows(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table.write_text(PLAUSIBLE + "50,F,70,140\n")
    said = call(monkeypatch, "audit", str(table), "--json")
    document = json.loads(said.out)
    assert not document["is_clean"]
    broken = [rule for rule in document["rules"] if rule["broken"]]
    assert {"sbp", "dbp"} in [set(rule["columns"]) for rule in broken]
    assert all(rule["sources"] for rule in document["rules"])


def test_a_table_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(monkeypatch, "audit", str(tmp_path / "none.csv"))
    assert said.code == 2
    assert "none.csv" in said.err
