"""What every synthesizer of the catalog keeps, and the generator that it makes."""

from __future__ import annotations

import json
import random
import time
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.unit.synthesizers.clinic import clinic
from understudy.core.catalog import Choice
from understudy.core.conditions import Between, Conditions, OneOf, parse_share, parse_where
from understudy.core.contracts import Comparison, Fitting, Generator, Synthesizer
from understudy.core.dataset import CANONICAL, Dataset
from understudy.core.errors import ArtifactError, ConditionError, UnknownNameError
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.seeds import Seed
from understudy.metrics.catalog import CATALOG as METRICS
from understudy.modalities.wishes import matching
from understudy.synthesizers.catalog import CATALOG, DEEP
from understudy.synthesizers.saved import load

NAMES = CATALOG.names
FLOOR = "marginals"
ROWS = 500
# Small networks, trained briefly: what they keep does not depend on how well they learn.
QUICK: dict[str, dict[str, Any]] = {
    "autoregressive": {"updates": 300, "width": 32, "depth": 1},
    "copula_gan": {"updates": 400, "width": 64, "depth": 1, "embedding": 16, "learning_rate": 5e-3},
    "ctgan": {"updates": 400, "width": 64, "depth": 1, "embedding": 16, "learning_rate": 5e-3},
    "tvae": {"updates": 400, "width": 32, "depth": 1, "embedding": 16, "learning_rate": 1e-2},
}
NEEDS_TORCH = pytest.mark.skipif(find_spec("torch") is None, reason="the extra `deep` is not installed")


@pytest.fixture(scope="module")
def train() -> Dataset:
    return clinic(ROWS, seed=3)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=NEEDS_TORCH if DEEP in CATALOG.entry(name).handles else ()) for name in NAMES
    ],
)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def generator(name, train) -> Generator:
    return fitted(name, train)


@pytest.fixture(scope="module")
def drawn(generator) -> Dataset:
    return generator.sample(ROWS, Seed(7))


def fitted(name: str, train: Dataset, seed: int = 1) -> Generator:
    return created(name).fit(train, Fitting(seed=Seed(seed)))


def created(name: str) -> Synthesizer:
    return CATALOG.create(Choice(name=name, settings=QUICK.get(name, {})))


def table(frame: pl.DataFrame, *columns: Column) -> Dataset:
    return Dataset.of(Schema(tables=(Table(columns=columns),)), frame)


def test_it_is_a_synthesizer_and_makes_a_generator(name, generator):
    assert isinstance(created(name), Synthesizer)
    assert isinstance(generator, Generator)


def test_a_sample_has_the_rows_asked_for_and_obeys_the_schema_and_its_rules(generator, train, drawn):
    assert drawn.rows == ROWS
    assert drawn.schema == train.schema == generator.schema
    assert drawn.frame.schema == train.frame.schema
    assert drawn.check() == []
    assert generator.sample(1, Seed()).rows == 1


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(generator, drawn):
    assert generator.sample(ROWS, Seed(7)).digest() == drawn.digest()
    assert generator.sample(ROWS, Seed(8)).digest() != drawn.digest()


def test_the_same_fit_gives_the_same_generator(name, train, drawn):
    assert fitted(name, train).sample(ROWS, Seed(7)).digest() == drawn.digest()


def test_a_saved_generator_samples_the_same_after_loading(generator, drawn, tmp_path):
    generator.save(tmp_path / "generator")
    again = load(tmp_path / "generator")
    assert again.sample(ROWS, Seed(7)).digest() == drawn.digest()
    given = Conditions(where=(parse_where("age>=70"),))
    assert again.sample(20, Seed(1), given).digest() == generator.sample(20, Seed(1), given).digest()
    assert again.feasibility(given, Seed(1)) == generator.feasibility(given, Seed(1))
    assert not list((tmp_path / "generator").rglob("*.pkl"))


def test_a_generator_of_a_newer_format_is_refused(generator, tmp_path):
    generator.save(tmp_path)
    path = tmp_path / "generator.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | {"format": 99}), encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"format 99.*upgrade"):
        load(tmp_path)


@pytest.mark.parametrize("part", ["generator.json", "arrays.npz"])
def test_a_damaged_generator_is_refused(generator, tmp_path, part):
    generator.save(tmp_path)
    path = tmp_path / part
    content = path.read_bytes()
    for damaged in (b"", content[: len(content) // 2], content.replace(content[200:203], b"000", 1)):
        path.write_bytes(damaged)
        with pytest.raises(ArtifactError):
            load(tmp_path)
    path.unlink()
    with pytest.raises(ArtifactError, match="missing"):
        load(tmp_path)


def test_fitting_leaves_the_rows_and_the_global_random_state_alone(name):
    train = clinic(120, seed=5)
    before, plain = train.digest(), random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - the global state is what is watched
    fitted(name, train).sample(30, Seed(1))
    assert train.digest() == before
    assert random.getstate() == plain
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(numpy_state, after, strict=True))


def test_progress_rises_and_ends_at_one(name, train):
    told: list[Any] = []
    created(name).fit(train, Fitting(seed=Seed(1), notify=told.append))
    fractions = [event.fraction for event in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert {event.step for event in told} == {"fit"}


def test_a_fit_keeps_to_its_time_budget_and_near_its_forecast(name, train):
    began = time.perf_counter()
    recipe = created(name)
    recipe.fit(train, Fitting(seed=Seed(1), time_budget_s=20))
    assert time.perf_counter() - began < 20
    assert 0 < recipe.expected_seconds(ROWS, len(train.columns)) < 20
    assert recipe.expected_seconds(100_000, 50) > recipe.expected_seconds(1_000, 10)


def test_no_identifier_key_free_text_or_rare_level_of_a_patient_comes_back(drawn, train):
    for column in ("patient", "name", "note"):
        assert not set(drawn.frame[column]) & set(train.frame[column])
    assert drawn.frame["patient"].n_unique() == drawn.frame["name"].n_unique() == ROWS
    counts = train.frame["icd"].value_counts()
    rare = set(counts.filter(pl.col("count") < 5)["icd"])
    assert rare
    assert not set(drawn.frame["icd"]) & rare


def test_margins_and_missingness_are_as_in_the_real_rows(drawn, train):
    for column in ("age", "weight", "sbp"):
        real, made = train.frame[column].drop_nulls().to_numpy(), drawn.frame[column].drop_nulls().to_numpy()
        assert abs(real.mean() - made.mean()) < 0.25 * real.std()
        assert 0.75 < made.std() / real.std() < 1.25
        assert np.allclose(made, np.round(made, train.table.column(column).decimals))
    assert abs(drawn.frame["sbp"].null_count() - train.frame["sbp"].null_count()) < 60
    assert drawn.frame["never"].null_count() == ROWS
    assert drawn.frame["always"].unique().to_list() == ["yes"]


def test_it_beats_independent_columns(name, generator, train):
    drawn = generator.sample(2_000, Seed(7))
    result = METRICS.create("pairs").measure(Comparison(train, drawn, clinic(ROWS, seed=4), Seed(1)))
    assert result.estimate is not None
    assert result.floor is not None
    if name != FLOOR:
        assert abs(result.estimate.value - result.best) < 0.75 * abs(result.floor.value - result.best)


WISHES = [
    Conditions(where=(parse_where("age 65-80"),)),
    Conditions(where=(parse_where("sbp > 140"), parse_where("sex = female"))),
    Conditions(where=(parse_where("bmi >= 28"), parse_where("grade in (II, III)"))),
    Conditions(where=(parse_where("icd != I0"), parse_where("sbp is missing"))),
    Conditions(
        where=(parse_where("died = true"), parse_where("pregnant = no"), parse_where("visit 2020-2021"))
    ),
    Conditions(where=(parse_where("weight = 70.5"),)),
]


@pytest.mark.parametrize("given", WISHES, ids=lambda g: g.says())
def test_conditions_are_honoured_exactly(generator, given):
    made = generator.sample(80, Seed(5), given)
    assert made.rows == 80
    assert made.check() == []
    from_here = Conditions(where=tuple(_resolved(given)))
    assert matching(made, from_here).rows == 80
    report = generator.feasibility(given, Seed(5))
    assert 0 < report.support < 1
    assert 0 < report.acceptance <= 1
    assert report.effective_rows > 0


def _resolved(given):
    for wish in given.where:
        same = wish.column == "weight" and isinstance(wish, OneOf)
        yield Between(column="weight", low=70.5, high=70.5) if same else wish


def test_proportions_are_exact_to_one_row(generator):
    shares = (*parse_share("sex=female:0.3"), *parse_share("died:balanced"))
    made = generator.sample(101, Seed(5), Conditions(shares=shares))
    assert made.check() == []
    assert abs(int((made.frame["sex"] == "female").sum()) - 30.3) < 1
    assert abs(int(made.frame["died"].sum()) - 50.5) < 1


def test_partial_rows_are_completed_with_their_cells_kept(generator, train):
    known = train.frame.select("age", "sex", "sbp", "icd").head(60)
    made = generator.sample(60, Seed(5), Conditions(partial=known))
    assert made.check() == []
    for column in known.columns:
        given = known[column].is_not_null()
        assert made.frame[column].filter(given).equals(known[column].filter(given))


def test_what_nobody_satisfies_is_refused_with_what_comes_nearest(generator):
    with pytest.raises(ConditionError, match=r"Nearest feasible: age = 95"):
        generator.sample(5, Seed(1), Conditions(where=(Between(column="age", low=94.5, high=94.9),)))
    with pytest.raises(ConditionError, match=r"protected.*Nearest feasible: icd in \("):
        generator.sample(5, Seed(1), Conditions(where=(parse_where("icd = Z9999"),)))
    with pytest.raises(UnknownNameError, match="Did you mean"):
        generator.sample(5, Seed(1), Conditions(where=(parse_where("sexx = female"),)))
    with pytest.raises(ConditionError, match="made anew"):
        generator.sample(5, Seed(1), Conditions(where=(parse_where("patient = 7"),)))
    with pytest.raises(ConditionError, match="at least 1"):
        generator.sample(0, Seed(1))


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_tables_of_very_few_rows_survive(name, rows, tmp_path):
    generator = fitted(name, clinic(rows, seed=9))
    made = generator.sample(20, Seed(1))
    assert made.rows == 20
    assert made.check() == []
    generator.save(tmp_path)
    assert load(tmp_path).sample(20, Seed(1)).digest() == made.digest()


def test_ten_thousand_levels_survive_without_giving_rare_ones_away(name):
    rng = np.random.default_rng(2)
    codes = [f"C{k}" for k in np.concatenate([np.arange(10_000), rng.integers(0, 30, 5_000)])]
    train = table(
        pl.DataFrame({"code": codes, "x": rng.normal(size=15_000)}),
        Column(name="code", kind=Kind.CODE),
        Column(name="x", kind=Kind.NUMBER),
    )
    made = fitted(name, train).sample(1_000, Seed(1)).frame
    counts = train.frame["code"].value_counts()
    assert not set(made["code"]) & set(counts.filter(pl.col("count") < 5)["code"])
    assert made["code"].n_unique() > 10


@pytest.mark.parametrize(
    "kind", [Kind.NUMBER, Kind.CATEGORY, Kind.BOOLEAN, Kind.DATETIME, Kind.TEXT, Kind.CODE]
)
def test_a_table_of_one_column_with_nothing_in_it_survives(name, kind):
    train = table(pl.DataFrame({"c": [None] * 30}).cast(CANONICAL[kind]), Column(name="c", kind=kind))
    assert fitted(name, train).sample(10, Seed(1)).frame["c"].null_count() == 10


def test_a_table_of_keys_alone_survives(name):
    train = table(
        pl.DataFrame({"id": [f"P-{k:04d}" for k in range(50)]}),
        Column(name="id", kind=Kind.KEY, roles=(Role.KEY,)),
    )
    made = fitted(name, train).sample(40, Seed(1)).frame
    assert made["id"].n_unique() == 40
    assert not set(made["id"]) & set(train.frame["id"])


@pytest.mark.parametrize("columns", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_many_more_columns_than_rows_survive(name, columns):
    rng = np.random.default_rng(3)
    names = [f"x{k}" for k in range(columns)]
    base = rng.normal(size=(60, 1))
    train = table(
        pl.DataFrame(base + rng.normal(size=(60, columns)), schema=names),
        *(Column(name=n, kind=Kind.NUMBER) for n in names),
    )
    made = fitted(name, train).sample(25, Seed(1))
    assert made.frame.shape == (25, columns)
    assert sum(made.frame.null_count().row(0)) == 0
