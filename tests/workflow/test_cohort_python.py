"""`understudy.cohort`: patients from knowledge in one line of Python."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from understudy import cohort
from understudy.core.errors import RequestError


def test_patients_come_back_as_a_table_with_plan_and_verdict() -> None:
    made = cohort("type 2 diabetes", rows=200, system="si", targets=["bmi:mean=32"], where=["age 40-75"])
    assert isinstance(made.data, pl.DataFrame)
    assert made.data.height == 200
    assert made.data["bmi"].mean() == pytest.approx(32, abs=0.05)
    assert made.data["age"].is_between(40, 75).all()
    assert made.plan.schema_.table.column("hba1c").unit == "mmol/mol"
    assert made.verdict.is_released
    assert "Where these numbers come from" in made.report()


def test_a_release_is_kept_where_a_folder_is_named(tmp_path: Path) -> None:
    made = cohort("heart failure", rows=50, out=tmp_path / "release", missing="realistic")
    assert (made.release.folder / "manifest.json").is_file()


def test_a_wrong_request_is_refused() -> None:
    with pytest.raises(RequestError, match="none is invented"):
        cohort("lupus")
