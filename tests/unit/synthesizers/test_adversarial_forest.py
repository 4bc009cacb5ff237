"""The adversarial forest: what it learns, what each setting does, and how conditions choose among leaves."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.unit.synthesizers.clinic import clinic
from understudy.core.catalog import Choice
from understudy.core.conditions import Conditions, parse_where
from understudy.core.contracts import Fitting, Generator
from understudy.core.dataset import Dataset
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.core.seeds import Seed
from understudy.synthesizers.catalog import CATALOG


def fitted(train: Dataset, **settings: Any) -> Generator:
    choice = Choice(name="adversarial_forest", settings={"trees": 10} | settings)
    return CATALOG.create(choice).fit(train, Fitting(seed=Seed(1)))


def checkers(rows: int) -> Dataset:
    """Two numbers whose signs tell a level together, neither alone; one of them is sometimes missing."""
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-1, 1, (2, rows))
    frame = pl.DataFrame(
        {"x": x, "y": np.where(rng.random(rows) < 0.2, np.nan, y), "same": np.where(x * y > 0, "yes", "no")}
    ).with_columns(pl.col("y").fill_nan(None))
    columns = (
        Column(name="x", kind=Kind.NUMBER, decimals=3),
        Column(name="y", kind=Kind.NUMBER, decimals=3),
        Column(name="same", kind=Kind.CATEGORY),
    )
    return Dataset.of(Schema(tables=(Table(columns=columns),)), frame)


@pytest.fixture(scope="module")
def forest() -> Generator:
    return fitted(checkers(3_000))


def share_right(frame: pl.DataFrame) -> float:
    there = frame.drop_nulls()
    return float(np.mean(((there["x"] * there["y"] > 0) == (there["same"] == "yes")).to_numpy()))


def test_what_two_columns_tell_only_together_is_learned(forest):
    assert share_right(forest.sample(2_000, Seed(1)).frame) > 0.8


def test_conditions_choose_leaves_by_how_well_they_agree(forest):
    given = Conditions(where=(parse_where("x >= 0.5"), parse_where("y >= 0.5")))
    drawn = forest.sample(500, Seed(1), given).frame
    assert drawn.filter(pl.col("same") == "yes").height > 400
    support = forest.feasibility(given, Seed(1)).support
    assert 0.03 < support < 0.08  # a quarter of a quarter, of four fifths: 0.05


def test_known_cells_choose_leaves_by_how_likely_they_make_them(forest):
    known = pl.DataFrame({"x": [0.6, -0.6] * 100, "y": [0.6, 0.6] * 100})
    made = forest.sample(200, Seed(1), Conditions(partial=known)).frame
    assert share_right(made) > 0.8


@pytest.mark.parametrize(
    "changed",
    [{"trees": 5}, {"leaf": 20}, {"rounds": 1}, {"tolerance": 0.5}, {"kernel": 0.0}, {"back": 20.0}],
    ids=str,
)
def test_every_setting_changes_what_is_drawn(changed):
    train = clinic(400, seed=1)
    usual = fitted(train).sample(50, Seed(1)).digest()
    assert fitted(train, **changed).sample(50, Seed(1)).digest() != usual
