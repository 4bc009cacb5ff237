"""Keys and identifiers are made anew: unique, alike in form, never a real one."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.dataset import Dataset
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.seeds import Seed
from understudy.synthesizers.fresh import Fresh, Seen
from understudy.synthesizers.identifiers import Identifiers, Sizes

KEY = Column(name="id", kind=Kind.KEY, roles=(Role.KEY,))


def made_of(texts, n, column=KEY, seed=0):
    fresh = Fresh.fit(pl.Series("id", texts, dtype=pl.String), column, np.random.default_rng(1))
    return fresh.make(n, np.random.default_rng(seed)).tolist()


@given(st.sets(st.text(min_size=1, max_size=12), min_size=1, max_size=80), st.integers(0, 9))
def test_every_real_text_is_recognised_and_many_others_are_not(texts, seed):
    seen = Seen.of(np.array(sorted(texts)), np.random.default_rng(seed))
    assert seen.may_hold(np.array(sorted(texts))).all()
    others = np.array([f"other text {k}" for k in range(500)])
    assert 1 - seen.may_hold(others).mean() > 0.05


keys = st.one_of(
    st.sets(st.integers(1, 10**9).map(str), min_size=1, max_size=60),
    st.sets(st.from_regex(r"[A-Z]{2}-[0-9]{4}", fullmatch=True), min_size=1, max_size=60),
    st.sets(st.uuids().map(str), min_size=1, max_size=20),
    st.integers(1, 200).map(lambda n: {str(k) for k in range(1, n + 1)}),
    st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=30),
)


@given(keys, st.integers(1, 300))
def test_made_keys_are_different_from_each_other_and_from_every_real_key(real, n):
    made = made_of(sorted(real), n)
    assert len(set(made)) == n
    assert not set(made) & real


def test_sparse_numbers_keep_their_digits_and_range():
    rng = np.random.default_rng(0)
    real = [str(k) for k in rng.choice(9_000_000, 2_000, replace=False) + 1_000_000]
    made = np.array([int(k) for k in made_of(real, 3_000)])
    assert ((made >= 1_000_000) & (made < 10_100_000)).all()
    assert abs(np.median(made) - np.median([int(k) for k in real])) < 500_000


def test_numbers_that_count_the_rows_are_counted_on():
    made = [int(k) for k in made_of([str(k) for k in range(1, 300)], 100)]
    assert min(made) > 1000
    assert made == sorted(made)


def test_patterns_are_kept():
    rng = np.random.default_rng(0)
    real = [f"S{rng.integers(100, 999)}-{rng.integers(10, 99)}" for _ in range(400)]
    assert all(re.fullmatch(r"S\d{3}-\d{2}", key) for key in made_of(sorted(set(real)), 200))


def test_a_pattern_without_room_is_lengthened():
    made = made_of([f"A{k:03d}" for k in range(900)], 2_000)
    assert len(set(made)) == 2_000


@pytest.mark.parametrize(
    ("identifier", "form"),
    [
        ("name", r"Patient \d{6}"),
        ("email", r"synthetic-\d{6}@example\.org"),
        ("phone", r"\d{3}-555-01\d\d"),
        ("mrn", r"SYN\d{7}"),
        ("ssn", r"000-\d{2}-\d{4}"),
        ("address", r"\d+ Example Street, Sampletown"),
        ("ip", r"2001:db8::[0-9a-f]+"),
    ],
)
def test_identifiers_are_obviously_synthetic(identifier, form):
    column = Column(name="id", kind=Kind.TEXT, roles=(Role.IDENTIFIER,), identifier=identifier)
    made = made_of(["Ann Lee", "Bo Ek"], 150, column)
    assert len(set(made)) == 150
    assert all(re.fullmatch(form, text) for text in made)


def test_even_a_name_that_looks_made_up_is_not_given_again():
    column = Column(name="id", kind=Kind.TEXT, roles=(Role.IDENTIFIER,), identifier="name")
    real = [f"Patient {k:06d}" for k in range(1, 50)]
    assert not set(made_of(real, 100, column)) & set(real)


def visits(patients=400, seed=0, contiguous=True):
    rng = np.random.default_rng(seed)
    sizes = rng.choice([1, 2, 5], patients, p=[0.5, 0.3, 0.2])
    who = np.repeat(np.arange(patients), sizes)
    if not contiguous:
        who = rng.permutation(who)
    frame = pl.DataFrame(
        {
            "patient": [str(100_000 + 7 * k) for k in who],
            "name": [f"Name {k}" for k in who],
            "visit": [f"V-{k:05d}" for k in range(len(who))],
            "sex": np.array(["f", "m"])[who % 2],
            "lab": rng.normal(size=len(who)),
        }
    )
    columns = (
        Column(name="patient", kind=Kind.KEY, roles=(Role.KEY, Role.PATIENT)),
        Column(name="name", kind=Kind.TEXT, roles=(Role.IDENTIFIER,), identifier="name"),
        Column(name="visit", kind=Kind.KEY, roles=(Role.KEY,)),
        Column(name="sex", kind=Kind.CATEGORY),
        Column(name="lab", kind=Kind.NUMBER),
    )
    return Dataset.of(Schema(tables=(Table(columns=columns),)), frame)


def remade(train, n=None, **more):
    n = n or train.rows
    rng = np.random.default_rng(9)
    frame = pl.DataFrame({"sex": rng.choice(["f", "m"], n), "lab": rng.normal(size=n)})
    made, order = Identifiers.fit(train, Seed(1)).make(frame, n, Seed(2), **more)
    return frame[order].with_columns(list(made.values())), order


def test_patients_have_as_many_rows_as_real_ones_and_one_name_and_sex_each():
    train = visits()
    frame, _ = remade(train)
    per = frame.group_by("patient").agg(
        pl.len().alias("rows"), pl.col("name").n_unique(), pl.col("sex").n_unique()
    )
    assert per["name"].to_list() == [1] * per.height
    assert per["sex"].to_list() == [1] * per.height
    assert frame["visit"].n_unique() == frame.height
    shares = {k: float((per["rows"] == k).mean() or 0) for k in (1, 2, 5)}
    for size, share in {1: 0.5, 2: 0.3, 5: 0.2}.items():
        assert abs(shares[size] - share) < 0.08


def test_rows_of_a_patient_stand_together_if_they_did():
    frame, _ = remade(visits(contiguous=True))
    runs = (frame["patient"] != frame["patient"].shift(1)).fill_null(value=True).sum()
    assert runs == frame["patient"].n_unique()
    frame, order = remade(visits(contiguous=False))
    assert order.tolist() == list(range(frame.height))


def test_rows_to_complete_stay_in_their_order():
    _, order = remade(visits(contiguous=True), in_order=True)
    assert order.tolist() == sorted(order)


def test_numbers_of_rows_that_few_patients_have_are_pooled():
    groups = np.repeat(np.arange(102), [1] * 100 + [37, 41])
    sizes = Sizes.of(groups)
    assert 37 not in sizes.rows
    assert 41 not in sizes.rows


def test_missing_identifiers_stay_missing_at_their_rate_and_numbers_are_withheld():
    columns = (
        Column(name="phone", kind=Kind.TEXT, roles=(Role.IDENTIFIER,), identifier="phone"),
        Column(name="lat", kind=Kind.NUMBER, roles=(Role.IDENTIFIER,), identifier="coordinates"),
    )
    frame = pl.DataFrame({"phone": ["212-555-7788", None] * 100, "lat": [47.1] * 200})
    train = Dataset.of(Schema(tables=(Table(columns=columns),)), frame)
    made, _ = Identifiers.fit(train, Seed(1)).make(None, 1000, Seed(2))
    assert 400 < made["phone"].null_count() < 600
    assert made["lat"].null_count() == 1000
