"""`understudy ask`: --yes approves a plan that holds all that was said, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.calling import call
from tests.workflow.simulated import patients


def test_a_request_that_was_read_whole_runs_when_it_is_approved_beforehand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = call(monkeypatch, "ask", "60 adults with type 2 diabetes", "--yes", "--out", str(tmp_path / "out"))
    assert said.code == 0, said.err
    assert (tmp_path / "out" / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("60 florgly patients with type 2 diabetes", "'florgly' was not understood"),
        ("60 rural patients with type 2 diabetes", "only the nearest to what was asked"),
        ("60 patients with tuberculosis", "only the nearest to what was asked"),
    ],
)
def test_a_request_that_does_not_hold_whole_is_not_run_by_yes(
    words: str, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = call(monkeypatch, "ask", words, "--yes", "--out", str(tmp_path / "out"))
    assert said.code == 2
    assert why in said.err
    assert not (tmp_path / "out").exists()


def test_nothing_runs_that_nobody_approved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = call(monkeypatch, "ask", "60 adults with type 2 diabetes", "--out", str(tmp_path / "out"))
    assert said.code == 2
    assert "nobody approved the plan" in said.err
    assert not (tmp_path / "out").exists()


def test_a_negative_size_is_no_option_but_an_error_that_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = call(monkeypatch, "ask", "-5 patients", "--yes", "--out", str(tmp_path / "out"))
    assert said.code == 2
    assert "rows must be positive" in said.out + said.err


def test_a_judgement_is_printed_as_the_command_that_does_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    patients(60, seed=1).write_csv("real.csv")
    said = call(monkeypatch, "ask", "evaluate s.csv against real.csv, target outcome", "--plan-only")
    assert said.code == 0, said.err
    command = "understudy evaluate --real real.csv --synthetic s.csv --target outcome --out DIR"
    assert said.out.strip().splitlines()[-1] == command
