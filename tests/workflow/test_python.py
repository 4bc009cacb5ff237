"""The Python front door: three lines from table to table, in the library of the table, nothing left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import understudy
from tests.workflow.simulated import FILES, patients, written
from understudy import Conditions, RequestError, Seed, synthesize
from understudy.core.contracts import Fitting
from understudy.modalities.tabular import canonical
from understudy.synthesizers.catalog import CATALOG

QUICK: dict[str, Any] = {"synthesizer": "marginals", "holdout": None}


@pytest.mark.parametrize(
    ("convert", "kind"),
    [
        (lambda f: f, pl.DataFrame),
        (lambda f: f.to_pandas(), pd.DataFrame),
        (lambda f: f.to_arrow(), pa.Table),
    ],
    ids=["polars", "pandas", "pyarrow"],
)
def test_the_result_comes_in_the_library_of_the_table(convert, kind) -> None:
    made = synthesize(convert(patients()), **QUICK).data
    assert isinstance(made, kind)
    assert pl.DataFrame(made).columns == patients().columns
    assert pl.DataFrame(made).height == 160


def test_a_path_gives_polars(tmp_path: Path) -> None:
    made = synthesize(written(patients(), tmp_path / "t.csv"), **QUICK).data
    assert isinstance(made, pl.DataFrame)


def test_the_input_is_left_as_it_was() -> None:
    frame, other = patients(), patients().to_pandas()
    synthesize(frame, **QUICK)
    synthesize(other, **QUICK)
    assert_frame_equal(frame, patients())
    pd.testing.assert_frame_equal(other, patients().to_pandas())


def test_no_state_is_left_on_disk_or_in_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    before = str(np.random.get_state())  # noqa: NPY002 - the global state is what must not change
    synthesize(patients(), **QUICK)
    understudy.evaluate(patients(), patients(seed=2))
    assert str(np.random.get_state()) == before  # noqa: NPY002
    assert not list((tmp_path / "temporary").iterdir())
    assert not list((tmp_path / "here").iterdir())


def test_a_release_is_written_where_asked_for(tmp_path: Path) -> None:
    done = synthesize(patients(), **QUICK, out=tmp_path / "release", export="parquet", goal="Teach")
    assert sorted(p.name for p in (tmp_path / "release").iterdir()) == FILES
    assert_frame_equal(
        done.data, pl.read_parquet(tmp_path / "release/data/patients.parquet"), check_dtypes=False
    )
    assert done.verdict.is_released
    assert done.plan.goal == "Teach"
    assert "Teach" in done.report()


def test_the_same_seed_gives_the_same_rows() -> None:
    made = [synthesize(patients(), **QUICK, seed=seed).data for seed in (1, 1, 2)]
    assert made[0].equals(made[1])
    assert not made[0].equals(made[2])


def test_every_wish_takes_effect() -> None:
    told: list[Any] = []
    done = synthesize(
        patients(),
        **QUICK,
        rows=50,
        where=["age>=40"],
        share=["sex=female:0.8"],
        target="sex",
        protected=["outcome"],
        train_rows=90,
        settings={},
        violations="drop",
        policy="external",
        notify=told.append,
    )
    assert done.data.height == 50
    assert done.data["age"].min() >= 40
    assert done.data["sex"].value_counts().filter(pl.col("sex") == "female")["count"].item() == 40
    assert done.release.evidence.schema_.table.having(understudy.core.schema.Role.TARGET) == ("sex",)
    assert done.evaluation.real_rows <= 90
    assert not done.verdict.is_released
    assert {event.step for event in told} == {"read", "fit", "sample", "evaluate", "release"}


def test_a_holdout_table_is_compared_with() -> None:
    done = synthesize(patients(), synthesizer="marginals", holdout=patients(60, seed=4).to_pandas())
    assert done.evaluation.holdout_rows == 60


def test_evaluate_judges_tables_of_any_library() -> None:
    release = understudy.evaluate(
        patients().to_pandas(), patients(seed=1).to_arrow(), patients(80, seed=2), target="outcome"
    )
    assert release.dataset is None
    result = release.evidence.evaluation.result("prediction")
    assert result is not None
    assert result.estimate is not None


def test_profile_proposes_a_schema_that_can_be_handed_back() -> None:
    proposal = understudy.profile(patients())
    assert proposal.schema.table.names == tuple(patients().columns)
    assert synthesize(patients(), **QUICK, schema=proposal.schema).data.columns == patients().columns


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"target": "outcom"}, "Did you mean 'outcome'"),
        ({"rows": 0}, "at least 1 row"),
        ({"holdout": 1.5}, "between 0 and 1"),
        ({"where": ["age>=200"]}, "nearest feasible"),
        ({"synthesizer": "ctgann"}, "no synthesizer"),
        ({"settings": {"nope": 1}}, "nope"),
        ({"export": "cvs"}, "Did you mean 'csv'"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(wishes: dict, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        synthesize(patients(), **(QUICK | wishes))


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(RequestError):
        synthesize([1, 2, 3])


@pytest.mark.parametrize("synthesizer", ["gaussian_copula", "marginals", "sequential_trees"])
def test_partial_rows_are_completed_and_what_is_given_is_kept(synthesizer: str) -> None:
    train, _ = canonical(patients(), understudy.profile(patients()).schema)
    generator = CATALOG.create(synthesizer).fit(train, Fitting(seed=Seed(0)))
    partial = train.frame.head(40).with_columns(
        pl.when(pl.int_range(pl.len()) % 2 == 0).then("sbp").alias("sbp"),
        pl.lit(None, pl.Boolean).alias("outcome"),
    )
    wished = understudy.core.conditions.parse_where("sbp is not missing")
    made = generator.sample(40, Seed(1), Conditions(partial=partial, where=(wished,))).frame
    assert_frame_equal(made.select("age", "sex"), partial.select("age", "sex"))
    given = partial["sbp"].is_not_null()
    assert made["sbp"].filter(given).equals(partial["sbp"].filter(given))
    assert made["sbp"].null_count() == 0
    assert made["outcome"].null_count() == 0
