"""The shipped parameters: small, aggregates only, and what the builder makes of the public-use files."""

from __future__ import annotations

from graphlib import TopologicalSorter
from importlib.resources import files

import numpy as np
import polars as pl
import pytest

from tests.unit.populations.nhanes_files import RAW, needs_survey
from understudy.core.conditions import Between, Conditions, OneOf
from understudy.core.seeds import Seed
from understudy.knowledge.sources import sources
from understudy.knowledge.statistics import statistics
from understudy.populations.building import build
from understudy.populations.fitting import FEWEST, FittingSettings
from understudy.populations.nhanes import EXAMINATION, read_adults
from understudy.populations.origins import stated_by_steps
from understudy.populations.structure import ASKED, DRAWN, LIFE_SHARES, STEPS, creatinine_of, needs, published
from understudy.populations.us_adults import UsAdults
from understudy.sampling.leaves import LevelLeaves, NormalLeaves

FOLDER = files("understudy.populations").joinpath("data")
FILES = ("us_adults.json", "us_adults.npz")
PEOPLE = 8_544


@pytest.fixture(scope="module")
def adults():
    return UsAdults().build()


@pytest.fixture(scope="module")
def sample(adults):
    return adults.sample(30_000, Seed(1)).frame


@pytest.fixture(scope="module")
def trees(adults):
    return [tree for model in adults.model.models for tree in model.trees]


def test_both_files_together_stay_below_three_megabytes():
    assert sum(len(FOLDER.joinpath(name).read_bytes()) for name in FILES) < 3_000_000


def test_no_array_has_an_entry_for_each_person():
    with FOLDER.joinpath(FILES[1]).open("rb") as file, np.load(file) as stored:
        assert max(size for name in stored.files for size in stored[name].shape) < PEOPLE / 4


def test_no_tree_has_more_leaves_than_people_in_groups_of_the_smallest_leaf(trees):
    smallest = FittingSettings().leaf
    assert smallest >= FEWEST
    assert all((tree.left < 0).sum() <= PEOPLE / smallest for tree in trees)


def test_no_leaf_rests_on_fewer_than_eleven_people(adults):
    # Counted by the builder; that it counts right is what building anew shows.
    assert len(adults.model.fewest) == len(adults.model.models)
    assert min(adults.model.fewest) >= FEWEST


def test_leaves_hold_nothing_but_rounded_quantiles_and_shares(trees):
    for tree in trees:
        if isinstance(tree.leaves, NormalLeaves):
            assert set(vars(tree.leaves)) == {"centres", "spread", "fall_back", "parent"}
            assert (tree.leaves.spread > 0).all()
        else:
            assert isinstance(tree.leaves, LevelLeaves)
            assert tree.leaves.count.max() <= 1_000  # thousandths, no counts of people


def test_a_margin_has_no_more_bins_than_people_in_groups_of_eleven(adults):
    for column in adults.model.variables.columns:
        if column.margin is not None:
            # Each of the stacked margins has two tails of eight pieces, each tail of at least eleven people in all.
            assert len(column.margin.centre) <= PEOPLE / FEWEST + 16 * column.margin.cumulative[-1]


@needs_survey
def test_no_exact_extreme_of_fewer_than_eleven_people_is_kept(adults):
    people = read_adults(RAW)
    for column in adults.model.variables.columns:
        name, margin = column.column.name, column.margin
        if margin is None or name not in people.columns or name in LIFE_SHARES:
            continue
        cells = people[name].drop_nulls().to_numpy()
        for extreme, kept in ((cells.min(), margin.centre[0]), (cells.max(), margin.centre[-1])):
            assert (cells == extreme).sum() >= FEWEST or abs(kept - extreme) > 1e-6, (name, extreme)


@needs_survey
def test_nobody_of_the_survey_comes_back(sample):
    names = ["age", "sex", "race_ethnicity", "height", "weight", "waist", "total_cholesterol", "hba1c"]
    real = read_adults(RAW).select(names).drop_nulls()
    assert sample.select(names).join(real, on=names, how="inner", nulls_equal=False).height == 0


@needs_survey
@pytest.mark.slow
def test_building_anew_gives_the_shipped_bytes(tmp_path):
    for path in build(RAW, tmp_path):
        assert path.read_bytes() == FOLDER.joinpath(path.name).read_bytes()


@needs_survey
def test_prevalences_by_sex_and_age_are_those_of_the_survey(sample):
    people, told = (
        read_adults(RAW),
        ("diabetes_diagnosed", "hypertension_diagnosed", "history_mi", "history_asthma"),
    )
    for sex in ("female", "male"):
        for low, high in ((20, 39), (40, 59), (60, 79)):
            inside = (pl.col("sex") == sex) & pl.col("age").is_between(low, high)
            real, made = people.filter(inside), sample.filter(inside)
            for name in told:
                known = real.select(name, EXAMINATION).drop_nulls()
                weight = known[EXAMINATION].to_numpy()
                share = np.average(known[name].to_numpy(), weights=weight)
                error = np.sqrt(share * (1 - share) * (2 / known.height + 1 / made.height))
                assert abs(made[name].mean() - share) < max(0.01, 3 * error), (sex, low, name)


def test_means_and_prevalences_are_those_of_the_knowledge_base(sample):
    figures = [
        s for name, s in statistics().items() if name.startswith("us_adults_") and s.about in sample.columns
    ]
    checked = 0
    for figure in figures:
        rows = sample if figure.sex is None else sample.filter(pl.col("sex") == figure.sex)
        if figure.kind == "mean" and figure.low is not None and figure.high is not None:
            margin = max(0.03 * abs(figure.value), (figure.high - figure.low) / 2 * 1.5)
            assert abs(float(rows[figure.about].cast(pl.Float64).mean()) - figure.value) < margin, figure.id
            checked += 1
    assert checked >= 10


def test_obesity_and_diabetes_are_as_common_as_published(sample):
    assert 100 * (sample["bmi"] >= 30).mean() == pytest.approx(41.9, abs=1)
    assert 100 * sample["diabetes_diagnosed"].mean() == pytest.approx(11.3, abs=1)


def test_events_lie_within_a_life(sample):
    for event in LIFE_SHARES.values():
        assert sample.select((pl.col(event) > pl.col("age")).any()).item() is False


def test_nobody_has_what_was_asked_of_others_only(sample):
    assert not sample.filter(pl.col("pregnant") & ((pl.col("sex") == "male") | (pl.col("age") > 44))).height
    assert not sample.filter(pl.col("insulin") & ~pl.col("diabetes_diagnosed")).height
    assert not sample.filter(pl.col("dialysis") & ~pl.col("history_ckd")).height


def test_undoing_the_filtration_rate_gives_the_creatinine_back():
    creatinine, age = np.array([0.5, 0.7, 0.9, 1.4, 6.0]), np.array([20.0, 35, 50, 65, 80])
    for sex in ("female", "male"):
        rate = next(s for s in STEPS if s.output == "egfr").function(creatinine, age, [sex] * 5)
        assert creatinine_of(rate, age, np.array([sex] * 5, dtype=object)) == pytest.approx(creatinine)


def test_every_step_has_a_source_and_rests_on_what_is_drawn():
    for step in STEPS:
        assert step.sources
        assert set(step.sources) <= sources().keys()
        assert needs([step.output]) <= set(DRAWN)
        assert step.says


def test_everything_drawn_depends_on_what_is_drawn_before(adults):
    place = {name: number for number, name in enumerate(DRAWN)}
    for number, model in enumerate(adults.model.models):
        assert model.features is None or max(model.features.earlier) < number
    for name, asked in ASKED.items():
        assert all(place[where.column] < place[name] for where in asked.where)
    assert len(published()) == len(adults.schema.table.columns) >= 60


def test_a_condition_on_a_computed_column_draws_the_people_it_describes(adults, sample):
    given = Conditions(where=(Between(column="fib4", low=1.3), OneOf(column="sex", values=("male",))))
    drawn = adults.sample(1_000, Seed(2), given).frame
    found = sample.filter((pl.col("fib4") >= 1.3) & (pl.col("sex") == "male"))
    assert drawn["fib4"].min() >= 1.3
    for name in ("age", "ast", "alt", "platelets", "bmi"):
        error = found[name].std() * (1 / found.height + 1 / drawn.height) ** 0.5
        assert abs(drawn[name].mean() - found[name].mean()) < 4 * error


def test_no_column_is_said_to_be_computed_from_what_is_computed_from_it() -> None:
    made = stated_by_steps()
    inputs = {
        name: origin.method.removeprefix("computed from ").partition(":")[0].split(", ")
        for name, origin in made.items()
        if origin.method.startswith("computed")
    }
    order = TopologicalSorter({name: [i for i in read if i in inputs] for name, read in inputs.items()})
    assert set(order.static_order()) == set(inputs)
    assert "weight follows from the drawn value" in made["bmi"].method
