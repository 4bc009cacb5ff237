"""A folder that was not written by us, or by whom it says, runs nothing and is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from understudy.core.errors import ArtifactError
from understudy.synthesizers.folders import read_folder, write_folder
from understudy.synthesizers.saved import load


def test_what_is_written_is_read(tmp_path):
    write_folder(tmp_path / "new", "marginals", {"x": np.arange(3), 4: ("a", None)})
    again = read_folder(tmp_path / "new", {})
    assert again[4] == ("a", None)
    assert again["x"].tolist() == [0, 1, 2]


def test_an_empty_folder_and_an_unknown_synthesizer_are_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"generator\.json is missing"):
        load(tmp_path)
    write_folder(tmp_path, "os:system", {})
    with pytest.raises(ArtifactError, match="unknown synthesizer"):
        load(tmp_path)


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    write_folder(tmp_path, "marginals", {"x": 1})
    with pytest.raises(ArtifactError, match="no generator of rows"):
        load(tmp_path)


def test_a_changed_document_is_refused(tmp_path):
    write_folder(tmp_path, "marginals", {"x": 1})
    path = tmp_path / "generator.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    whole["document"]["root"]["items"][0][1] = 2
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(ArtifactError, match="digests do not fit"):
        read_folder(tmp_path, {})


def test_arrays_that_need_a_pickle_are_refused(tmp_path):
    write_folder(tmp_path, "marginals", {"x": np.arange(3)})
    np.savez(tmp_path / "arrays.npz", a0=np.array([{"run": "me"}], dtype=object))
    with pytest.raises(ArtifactError):
        read_folder(tmp_path, {})
