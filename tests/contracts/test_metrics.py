"""What every metric of the catalog keeps, whatever it asks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from tests.unit.metrics.patients import comparison, corrupt, simulate
from understudy.core.contracts import Comparison, Metric
from understudy.core.dataset import Dataset
from understudy.core.results import Axis, Estimate, MetricResult, Outcome
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.seeds import Seed
from understudy.metrics.catalog import CATALOG

NAMES = CATALOG.names
PRIVACY = tuple(name for name in NAMES if "privacy" in CATALOG.entry(name).handles)
# Privacy metrics have contracts of their own: for them identical data is the worst that can happen.
OTHERS = tuple(name for name in NAMES if name not in PRIVACY)
# What a model learned from data reaches is bounded by the real-trained model, not by the end of the scale.
BY_CEILING = {"augmentation", "group_prediction", "prediction"}
# Judged against rows that nobody learned from, so there the best synthetic data are those rows.
AGAINST_HOLDOUT = {"detection"}
# Noise may move a gap between groups either way: that it gets worse is no law for a single table.
# Noise beside real rows is mostly ignored by a model: its harm is small, and no law for a single table.
NOT_MONOTONE = {"fairness", "augmentation"}
EXACT = 1e-9


def measure(name: str, compared: Comparison) -> MetricResult:
    return CATALOG.create(name).measure(compared)


def badness(result: MetricResult) -> float:
    """Distance from the best value in the direction of the worst, in units of the scale."""
    assert result.estimate is not None, result.reason
    return (result.estimate.value - result.best) / (result.worst - result.best)


def without_time(result: MetricResult) -> MetricResult:
    return result.model_copy(update={"seconds": 0.0})


def estimates(result: MetricResult) -> list[Estimate]:
    own = [result.estimate, result.ceiling, result.floor]
    parts = [e for d in result.details for e in (d.estimate, d.ceiling, d.floor)]
    return [e for e in (*own, *parts) if e is not None]


@pytest.fixture(scope="module")
def fresh() -> Comparison:
    return comparison()


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_answers_in_full(name: str, fresh: Comparison) -> None:
    result = measure(name, fresh)
    assert result.outcome in (Outcome.MEASURED, Outcome.INCONCLUSIVE), result.reason
    assert result.metric == name
    assert result.estimate is not None
    assert result.ceiling is not None or name in PRIVACY
    assert result.floor is not None or name in PRIVACY
    assert result.question.endswith("?")
    assert result.reading
    assert result.advice
    assert result.details
    assert result.seconds > 0
    assert MetricResult.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize("name", NAMES)
def test_the_question_of_a_metric_is_the_docstring_of_its_module(name: str, fresh: Comparison) -> None:
    module = __import__(type(CATALOG.create(name)).__module__, fromlist=["__doc__"])
    # The docstring may go on where the question ends.
    assert measure(name, fresh).question.rstrip("?") in " ".join((module.__doc__ or "").split())


@pytest.mark.parametrize("name", NAMES)
def test_a_value_lies_in_its_own_interval(name: str, fresh: Comparison) -> None:
    for compared in (fresh, replace(fresh, synthetic=corrupt(fresh.synthetic, 0.5))):
        for estimate in estimates(measure(name, compared)):
            assert np.isfinite(estimate.value)
            assert estimate.holds(estimate.value), estimate


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_answer(name: str) -> None:
    first, second = measure(name, comparison()), measure(name, comparison())
    assert without_time(first) == without_time(second)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_rows_does_not_matter(name: str, fresh: Comparison) -> None:
    rng = np.random.default_rng(1)

    def shuffled(rows: Dataset) -> Dataset:
        return rows.take(rng.permutation(rows.rows))

    assert fresh.holdout is not None
    other = Comparison(shuffled(fresh.real), shuffled(fresh.synthetic), shuffled(fresh.holdout), fresh.seed)
    result, again = measure(name, fresh), measure(name, other)
    assert result.estimate is not None
    assert again.estimate is not None
    assert again.estimate.value == pytest.approx(result.estimate.value, abs=EXACT)


@pytest.mark.parametrize("name", NAMES)
def test_measuring_leaves_data_and_global_randomness_alone(name: str, fresh: Comparison) -> None:
    before = fresh.real.digest(), fresh.synthetic.digest()
    state = np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002 - to see that nobody uses it
    measure(name, fresh)
    assert (fresh.real.digest(), fresh.synthetic.digest()) == before
    assert (np.random.get_state(legacy=False)["state"]["key"] == state).all()  # noqa: NPY002


@pytest.mark.parametrize("name", OTHERS)
def test_identical_data_give_the_best_value(name: str, fresh: Comparison) -> None:
    same = fresh.holdout if name in AGAINST_HOLDOUT else fresh.real
    assert same is not None
    result = measure(name, replace(fresh, synthetic=same))
    assert result.estimate is not None
    if name in BY_CEILING:
        assert result.ceiling is not None
        # The same rows twice are more rows for the smallest leaf of a tree.
        near = 0.05 if name == "augmentation" else EXACT
        assert result.estimate.value == pytest.approx(result.ceiling.value, abs=near)
    else:
        assert result.estimate.value == pytest.approx(result.best, abs=0.03 if name == "coverage" else EXACT)


@pytest.mark.parametrize("name", [name for name in OTHERS if name not in NOT_MONOTONE])
def test_more_corruption_is_never_better_and_noise_is_clearly_worse(name: str, fresh: Comparison) -> None:
    found = [
        badness(measure(name, replace(fresh, synthetic=corrupt(fresh.synthetic, share))))
        for share in (0.0, 0.25, 0.5, 1.0)
    ]
    for less, more in pairwise(found):
        assert more >= less - 0.06, found
    # Pairs and missingness average over many small differences, so their scale is wide.
    assert found[-1] > found[0] + 0.05, found


@pytest.mark.parametrize("name", [n for n in OTHERS if "fidelity" in CATALOG.entry(n).handles])
def test_shuffled_columns_are_never_better_than_real_patients_where_dependence_counts(
    name: str, fresh: Comparison
) -> None:
    if name == "marginals":
        pytest.skip("shuffling keeps every column as it is")
    result = measure(name, fresh)
    assert result.ceiling is not None
    assert result.floor is not None
    direction = np.sign(result.worst - result.best)
    assert direction * result.floor.value > direction * result.ceiling.value


@pytest.mark.parametrize("name", NAMES)
def test_without_a_holdout_a_metric_answers_or_says_why_not(name: str, fresh: Comparison) -> None:
    result = measure(name, replace(fresh, holdout=None))
    if "holdout" in CATALOG.entry(name).handles or name in PRIVACY:
        assert result.outcome is Outcome.NOT_APPLICABLE
        assert "holdout" in result.reason
    else:
        assert result.outcome is Outcome.MEASURED
        assert result.ceiling is None


@pytest.mark.parametrize("name", [n for n in NAMES if "target" in CATALOG.entry(n).handles])
def test_without_a_target_there_is_nothing_to_predict(name: str, fresh: Comparison) -> None:
    bare = with_roles(fresh, Role.TARGET, ())
    result = measure(name, bare)
    assert result.outcome is Outcome.NOT_APPLICABLE
    assert "target" in result.reason


@pytest.mark.parametrize("name", [n for n in NAMES if "protected" in CATALOG.entry(n).handles])
def test_without_a_protected_column_there_are_no_groups(name: str, fresh: Comparison) -> None:
    result = measure(name, with_roles(fresh, Role.PROTECTED, ()))
    assert result.outcome is Outcome.NOT_APPLICABLE
    assert "protected" in result.reason


@pytest.mark.parametrize(
    "name",
    [
        "copies",
        "coverage",
        "detection",
        "group_marginals",
        "group_prediction",
        "membership",
        "missingness",
        "pairs",
        "plausibility",
        "single_values",
    ],
)
def test_a_metric_says_how_each_protected_group_fares(name: str, fresh: Comparison) -> None:
    groups = [d for d in measure(name, fresh).details if d.scope == "group"]
    assert {"sex=female", "sex=male", "age 65+"} <= {d.name for d in groups}
    assert any(d.estimate is not None for d in groups)


def with_roles(compared: Comparison, role: Role, names: tuple[str, ...]) -> Comparison:
    schema = compared.real.schema.with_roles(role, names)
    assert compared.holdout is not None
    return Comparison(
        compared.real.with_schema(schema),
        compared.synthetic.with_schema(schema),
        compared.holdout.with_schema(schema),
        compared.seed,
    )


def of_one_column(values: pl.Series, column: Column) -> Dataset:
    return Dataset.of(Schema(tables=(Table(columns=(column,)),)), pl.DataFrame({column.name: values}))


def lone(values: pl.Series, column: Column) -> Comparison:
    """Compare tables of a single column: 60, 40 and 30 rows of the values."""
    real, made, held = (of_one_column(values.head(n), column) for n in (60, 40, 30))
    return Comparison(real, made, held, Seed(1))


def constant(rows: Dataset, *names: str) -> Dataset:
    return rows.with_frame(rows.frame.with_columns(pl.col(n).first().alias(n) for n in names))


def emptied(rows: Dataset, *names: str) -> Dataset:
    dtypes = rows.frame.schema
    return rows.with_frame(rows.frame.with_columns(pl.lit(None, dtype=dtypes[n]).alias(n) for n in names))


def odd_tables() -> dict[str, Comparison]:
    """Tables at which a careless metric stumbles."""
    plain = comparison(120)
    assert plain.holdout is not None
    every = tuple(c.name for c in plain.real.columns if c.kind is not Kind.KEY)
    number = Column(name="x", kind=Kind.NUMBER)
    level = Column(name="x", kind=Kind.CATEGORY)
    draws = pl.Series(np.random.default_rng(0).normal(size=60))

    def each(change: object) -> Comparison:
        assert callable(change)
        return Comparison(change(plain.real), change(plain.synthetic), change(plain.holdout), Seed(1))

    return {
        "one real row": replace(plain, real=simulate(1)),
        "one row each": each(lambda rows: rows.take(np.array([0]))),
        "one synthetic row": replace(plain, synthetic=simulate(1)),
        "no synthetic row": replace(plain, synthetic=simulate(5).take(np.array([], dtype=np.int64))),
        "one holdout row": replace(plain, holdout=simulate(1)),
        "five rows each": each(lambda rows: rows.take(np.arange(5))),
        "all constant": each(lambda rows: constant(rows, *every)),
        "all missing": each(lambda rows: emptied(rows, *every)),
        "constant target": each(lambda rows: constant(rows, "died")),
        "constant synthetic target": replace(plain, synthetic=constant(plain.synthetic, "died")),
        "synthetic all missing": replace(plain, synthetic=emptied(plain.synthetic, *every)),
        "lactate missing": each(lambda rows: emptied(rows, "lactate")),
        "target missing": each(lambda rows: emptied(rows, "died")),
        "only keys": each(lambda rows: rows.select(["mrn"])),
        "one number": lone(draws, number),
        "one constant number": lone(draws * 0 + 3, number),
        "one level": lone(pl.Series(["a", "b"] * 30), level),
    }


ODD = odd_tables()


@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("name", NAMES)
def test_odd_tables_end_in_an_answer_or_a_reason(name: str, case: str) -> None:
    result = measure(name, ODD[case])
    assert result.outcome is not Outcome.FAILED, result.reason
    assert result.estimate is not None or result.reason
    for estimate in estimates(result):
        assert np.isfinite(estimate.value)
        assert estimate.holds(estimate.value)


def test_a_failure_is_a_result_that_quotes_no_cell() -> None:
    plain = comparison(60)
    other = simulate(60).select(["age", "sex"])
    for name in NAMES:
        result = measure(name, replace(plain, synthetic=other))
        assert result.outcome is Outcome.FAILED
        assert "columns differ" in result.reason
        assert result.estimate is None


def test_every_axis_has_a_metric(fresh: Comparison) -> None:
    assert {measure(name, fresh).axis for name in NAMES} == set(Axis)


def test_every_entry_is_a_metric_named_as_it_is_listed() -> None:
    assert all(issubclass(CATALOG.recipe(name), Metric) for name in NAMES)
    assert list(NAMES) == sorted(NAMES)
