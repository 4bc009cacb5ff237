"""`understudy list`, `profile`, `--help` and `--version` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.unit.cli.calling import call
from tests.workflow.simulated import patients, written
from understudy import Schema, __version__
from understudy.cli.listing import FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_listed_with_summaries(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = json.loads(call(monkeypatch, "list", family, "--json").out)
    assert names
    assert all(names.values())
    told = call(monkeypatch, "list", family)
    assert told.code == 0
    assert all(name in told.out for name in names)


@pytest.mark.parametrize("family", ["synthesizers", "metrics", "exports"])
def test_the_settings_of_every_entry_are_shown(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in json.loads(call(monkeypatch, "list", family, "--json").out):
        assert call(monkeypatch, "list", family, name).out.strip()
        document = json.loads(call(monkeypatch, "list", family, name, "--json").out)
        assert all(field.get("description") for field in document["properties"].values())


@pytest.mark.parametrize(
    ("words", "said"),
    [(("synthesizer",), "Did you mean 'synthesizers'"), (("metrics", "pair"), "Did you mean 'pairs'")],
)
def test_an_unknown_family_or_entry_is_refused(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = call(monkeypatch, "list", *words)
    assert told.code == 2
    assert said in told.err


def test_a_profile_is_a_schema_in_yaml_or_json_with_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = str(written(patients(), tmp_path / "t.csv"))
    as_yaml = call(monkeypatch, "profile", table)
    meaning = Schema.from_yaml(as_yaml.out)
    assert Schema.model_validate_json(call(monkeypatch, "profile", table, "--json").out) == meaning
    assert all(column.reason and column.confidence for column in meaning.table.columns)
    call(monkeypatch, "profile", table, "--out", str(tmp_path / "schema.yaml"))
    assert yaml.safe_load((tmp_path / "schema.yaml").read_text()) == yaml.safe_load(as_yaml.out)


def test_the_help_documents_every_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    told = call(monkeypatch, "--help").out
    assert all(f"{code} " in told for code in (0, 1, 2, 3, 4, 130))
    assert call(monkeypatch, "--version").out.strip() == f"understudy {__version__}"
