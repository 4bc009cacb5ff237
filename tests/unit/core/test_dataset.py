"""The dataset: canonical form, splits by patient, digests, and what rows break."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from understudy.core.dataset import Dataset
from understudy.core.errors import SchemaError
from understudy.core.rules import Derived, FixedCombinations, Implies, Ordered
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.seeds import Seed

PATIENT = Column(name="patient", kind=Kind.KEY, roles=(Role.PATIENT,))
AGE = Column(name="age", kind=Kind.NUMBER, decimals=0, low=0, high=120)
SEX = Column(name="sex", kind=Kind.CATEGORY, values=("f", "m"))


def dataset(n: int = 60) -> Dataset:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "patient": [str(i // 3) for i in range(n)],
            "age": rng.integers(20, 90, n).astype(float),
            "sex": rng.choice(["f", "m"], n),
        }
    )
    return Dataset.of(Schema(tables=(Table(columns=(PATIENT, AGE, SEX)),)), frame)


def test_a_split_keeps_the_rows_of_a_patient_together() -> None:
    rest, part = dataset().split(0.25, Seed(3))
    assert not set(rest.frame["patient"]) & set(part.frame["patient"])
    assert part.frame["patient"].n_unique() == 5
    assert rest.rows + part.rows == 60


def test_the_same_seed_splits_alike_and_another_does_not() -> None:
    data = dataset()
    assert data.split(0.5, Seed(1))[0].digest() == data.split(0.5, Seed(1))[0].digest()
    assert data.split(0.5, Seed(1))[0].digest() != data.split(0.5, Seed(2))[0].digest()


def test_a_patient_without_a_key_is_one_of_his_own() -> None:
    data = dataset(6)
    blank = data.with_frame(data.frame.with_columns(pl.lit(None, dtype=pl.String).alias("patient")))
    assert len(set(blank.patients)) == 6


def test_the_digest_changes_with_any_cell() -> None:
    data = dataset()
    changed = data.with_frame(
        data.frame.with_columns(age=pl.when(pl.col("age") == 25).then(26.0).otherwise("age"))
    )
    assert (data.frame["age"] == 25).any() == (data.digest() != changed.digest())
    other = data.with_frame(data.frame.with_columns(sex=pl.lit("f")))
    assert data.digest() != other.digest()


def test_a_frame_that_is_not_canonical_is_refused() -> None:
    data = dataset()
    with pytest.raises(SchemaError, match="expected Float64"):
        data.with_frame(data.frame.with_columns(pl.col("age").cast(pl.Int64)))
    with pytest.raises(SchemaError, match="columns differ"):
        data.with_frame(data.frame.drop("age"))


def test_check_counts_what_bounds_levels_and_rules_forbid() -> None:
    columns = (
        Column(name="low", kind=Kind.NUMBER, low=0),
        Column(name="high", kind=Kind.NUMBER),
        Column(name="sum", kind=Kind.NUMBER),
        Column(name="sex", kind=Kind.CATEGORY, values=("f", "m")),
        Column(name="pregnant", kind=Kind.BOOLEAN),
    )
    rules = (
        Ordered(lower="low", upper="high"),
        Derived(column="sum", formula="low + high", tolerance=0.01),
        Implies(when="pregnant", then="sex = 'f'"),
        FixedCombinations(of=("sex", "pregnant"), allowed=(("f", "true"), ("f", "false"), ("m", "false"))),
    )
    frame = pl.DataFrame(
        {
            "low": [1.0, -1.0, 5.0, None],
            "high": [2.0, 3.0, 4.0, 1.0],
            "sum": [3.0, 2.0, 10.0, 7.0],
            "sex": ["f", "x", "m", "m"],
            "pregnant": [True, False, True, None],
        }
    )
    found = {
        v.where: v.rows
        for v in Dataset.of(Schema(tables=(Table(columns=columns),), rules=rules), frame).check()
    }
    assert found["table 'patients': column 'low'"] == 1
    assert found["table 'patients': column 'sex'"] == 1
    assert found["rule 'low <= high'"] == 1
    assert found["rule 'sum = low + high within 0.01'"] == 1
    assert found["rule \"if pregnant then sex = 'f'\""] == 1
    assert found["rule 'only known combinations of sex, pregnant'"] == 3
