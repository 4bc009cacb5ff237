"""`understudy knowledge` from the command line."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.calling import call
from understudy.knowledge.entries import CHAPTERS, Chapter, chapter, look_up


@pytest.mark.parametrize(
    ("name", "chapter_", "id_"),
    [
        ("T2DM", "conditions", "type_2_diabetes"),
        ("heart failure", "conditions", "heart_failure"),
        ("A1c", "observations", "hba1c"),
        ("statin", "drugs", "statin"),
        ("egfr_ckd_epi_2021", "equations", "egfr_ckd_epi_2021"),
        ("ada_diagnosis", "guidelines", "ada_diagnosis"),
    ],
)
def test_an_entry_is_found_by_what_people_call_it(name: str, chapter_: str, id_: str) -> None:
    assert (chapter_, id_) in [(found.chapter, found.id) for found in look_up(name)]


def test_a_condition_is_shown_with_ranking_prevalence_and_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(monkeypatch, "knowledge", "show", "type 2 diabetes")
    assert said.code == 0
    assert "Body mass index" in said.out
    assert "How common" in said.out
    assert "E11" in said.out
    assert "Sources" in said.out


@pytest.mark.parametrize("name", ["HTN", "SBP", "metformin", "ckd_epi_2021", "homa_ir"])
def test_every_kind_of_entry_can_be_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "knowledge", "show", name).code == 0
    document = json.loads(call(monkeypatch, "knowledge", "show", name, "--json").out)
    assert all(part["citations"] or part["chapter"] in ("sources", "units") for part in document)


def test_an_unknown_name_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(monkeypatch, "knowledge", "show", "heart failur")
    assert said.code == 2
    assert "heart failure" in said.err


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_chapter_can_be_listed(name: Chapter, monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(monkeypatch, "knowledge", "list", name, "--json")
    assert set(json.loads(said.out)) == set(chapter(name))


def test_a_chapter_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(monkeypatch, "knowledge", "list", "condition")
    assert said.code == 2
    assert "conditions" in said.err
