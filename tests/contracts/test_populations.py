"""What every population of the catalog keeps."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from understudy.core.conditions import Balanced, Between, Conditions, OneOf, Share
from understudy.core.contracts import Generator
from understudy.core.errors import ArtifactError, ConditionError, UnknownNameError
from understudy.core.seeds import Seed
from understudy.knowledge.derivations import EQUATIONS
from understudy.knowledge.observations import observations
from understudy.knowledge.rules import Severity, applicable, check
from understudy.modalities.wishes import resolve
from understudy.populations.catalog import CATALOG
from understudy.populations.generator import load

NAMES = CATALOG.names
FEMALE = OneOf(column="sex", values=("female",))


@pytest.fixture(scope="module", params=NAMES)
def population(request):
    return CATALOG.create(request.param).build()


@pytest.fixture(scope="module")
def people(population):
    return population.sample(20_000, Seed(3)).frame


def test_it_is_a_generator_of_observations_in_their_own_units(population):
    assert isinstance(population, Generator)
    columns = population.schema.table.columns
    assert len(columns) >= 60
    for column in columns:
        known = observations()[column.name]
        assert (column.kind, column.unit, column.values) == (known.kind, known.unit, known.values)


def test_it_draws_as_many_people_as_asked_and_the_same_ones_again(population):
    once, again = population.sample(137, Seed(1)), population.sample(137, Seed(1))
    assert once.rows == 137
    assert once.frame.equals(again.frame)
    assert not once.frame.equals(population.sample(137, Seed(2)).frame)


def test_records_are_complete_where_an_observation_exists_for_a_person(people):
    for name in ("age", "sex", "bmi", "egfr", "hba1c", "systolic_bp", "diabetes_diagnosed", "smoking_status"):
        assert people[name].null_count() == 0
    assert (people["age_at_diabetes_diagnosis"].is_not_null() == people["diabetes_diagnosed"]).all()
    assert (people["cigarettes_per_day"].is_not_null() == (people["smoking_status"] == "current")).all()


def test_nobody_breaks_a_hard_rule_of_plausibility(population, people):
    counts = check(people, applicable(population.schema.table.columns))
    assert sum(count.rule.severity is Severity.HARD for count in counts) > 100
    assert [c.rule.id for c in counts if c.broken and c.rule.severity is Severity.HARD] == []


@pytest.mark.parametrize(
    "name",
    ["bmi", "egfr_ckd_epi_2021", "uacr", "ldl_nih", "non_hdl", "mean_arterial_pressure", "homa_ir", "fib4",
     "estimated_average_glucose", "diabetes_duration", "ckd_stage"],
)  # fmt: skip
def test_what_follows_from_others_is_what_its_equation_gives(people, name):
    entry = EQUATIONS[name]
    inputs = [
        people[i].to_numpy() if people[i].dtype != pl.String else people[i].to_list() for i in entry.inputs
    ]
    expected = entry.function(*inputs)
    if expected.dtype == object:
        assert people[entry.output].to_list() == expected.tolist()
    else:
        digits = observations()[entry.output].decimals or 0
        assert np.allclose(people[entry.output].to_numpy(), np.round(expected, digits), equal_nan=True)


@pytest.mark.parametrize(
    "where",
    [
        Between(column="age", low=65, high=74),
        Between(column="bmi", low=30, high=35, high_open=True),
        Between(column="egfr", low=30, high=60),
        Between(column="ldl", low=190),
        Between(column="weight", high=60),
        Between(column="mean_arterial_pressure", low=120),
        Between(column="age_at_mi", high=45),
        OneOf(column="ckd_stage", values=("G4", "G5")),
        OneOf(column="insulin", values=("true",)),
        OneOf(column="pregnant", values=("true",)),
        OneOf(column="age_at_stroke", values=(None,), exclude=True),
        OneOf(column="race_ethnicity", values=("Non-Hispanic Asian", "Mexican American")),
    ],
    ids=lambda where: where.says(),
)
def test_conditions_hold_for_everybody_drawn_or_computed(population, where):
    frame = population.sample(150, Seed(5), Conditions(where=(where,))).frame
    values = frame[where.column]
    assert frame.height == 150
    if isinstance(where, OneOf):
        text = values.cast(pl.String)
        member = text.is_in([v for v in where.values if v is not None]) | (
            values.is_null() & (None in where.values)
        )
        assert (member.fill_null(value=False) ^ where.exclude).all()
        return
    assert where.low is None or values.min() >= where.low
    assert where.high is None or values.max() <= where.high
    assert not where.high_open or values.max() < where.high


def test_support_is_the_share_of_people_who_meet_the_conditions(population, people):
    cases = {
        (FEMALE, Between(column="age", low=60)): (pl.col("sex") == "female") & (pl.col("age") >= 60),
        (Between(column="egfr", high=60),): pl.col("egfr") <= 60,
        (Between(column="non_hdl", low=160),): pl.col("non_hdl") >= 160,
        (OneOf(column="diabetes_diagnosed", values=("true",)), Between(column="hba1c", low=8)): (
            pl.col("diabetes_diagnosed") & (pl.col("hba1c") >= 8)
        ),
    }
    for where, inside in cases.items():
        share = people.select(inside.mean()).item()
        given = resolve(Conditions(where=where), population.schema)
        assert population.feasibility(given, Seed(6)).support == pytest.approx(share, rel=0.12)


def test_conditioned_people_are_like_those_found_among_all(population, people):
    where = (OneOf(column="diabetes_diagnosed", values=("true",)), Between(column="egfr", high=75))
    drawn = population.sample(1_500, Seed(7), Conditions(where=where)).frame
    found = people.filter(pl.col("diabetes_diagnosed") & (pl.col("egfr") <= 75))
    for name in ("age", "bmi", "hba1c", "systolic_bp", "creatinine", "hemoglobin"):
        error = found[name].std() * (1 / found.height + 1 / drawn.height) ** 0.5
        assert abs(drawn[name].mean() - found[name].mean()) < 4 * error


def test_a_rare_conjunction_is_drawn_without_repeating_anybody(population):
    where = (FEMALE, Between(column="age", high=40), Between(column="egfr", high=50))
    frame = population.sample(200, Seed(8), Conditions(where=where)).frame
    assert frame.unique().height == 200
    assert frame["egfr"].max() <= 50


def test_proportions_are_exact_to_one_person(population):
    shares = (Share(column="sex", value="female", proportion=0.6), Balanced(column="diabetes_diagnosed"))
    frame = population.sample(501, Seed(9), Conditions(shares=shares)).frame
    assert (frame["sex"] == "female").sum() in (300, 301)
    assert frame["diabetes_diagnosed"].sum() in (250, 251)


@pytest.mark.parametrize(
    "where",
    [
        (Between(column="age", low=200),),
        (OneOf(column="pregnant", values=("true",)), OneOf(column="sex", values=("male",))),
        (Between(column="age", low=60), OneOf(column="pregnant", values=("true",))),
    ],
)
def test_the_impossible_is_refused_with_a_reason(population, where):
    with pytest.raises(ConditionError):
        population.sample(10, Seed(1), Conditions(where=where))


def test_rows_to_complete_are_refused(population):
    given = Conditions(partial=pl.DataFrame({"age": [50.0]}))
    with pytest.raises(ConditionError, match="completes no given rows"):
        population.sample(1, Seed(1), given)


def test_fewer_columns_are_drawn_alike(population, people):
    few = population.only(("age", "egfr", "hba1c", "prevent_cvd_10y", "age_at_stroke"))
    frame = few.sample(10_000, Seed(10)).frame
    assert frame.columns == ["age", "egfr", "hba1c", "prevent_cvd_10y", "age_at_stroke"]
    for name in frame.columns:
        error = people[name].std() * (1 / people[name].count() + 1 / frame[name].count()) ** 0.5
        assert abs(frame[name].mean() - people[name].mean()) < 4 * error


def test_an_unknown_column_is_named_with_what_is_near(population):
    with pytest.raises(UnknownNameError, match="egfr"):
        population.only(("egfrr",))


def test_a_saved_population_draws_the_same_people(population, tmp_path):
    population.save(tmp_path)
    assert load(tmp_path).sample(50, Seed(4)).frame.equals(population.sample(50, Seed(4)).frame)


def test_damaged_and_newer_files_are_refused(population, tmp_path):
    population.save(tmp_path)
    path = tmp_path / "population.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"format": 99}))
    with pytest.raises(ArtifactError, match="upgrade"):
        load(tmp_path)
    document["document"]["root"]["items"][1][1] = 3
    path.write_text(json.dumps(document))
    with pytest.raises(ArtifactError, match="digests"):
        load(tmp_path)
    path.unlink()
    with pytest.raises(ArtifactError, match="missing"):
        load(tmp_path)
