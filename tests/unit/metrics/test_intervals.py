"""Intervals and weighted areas against plain oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from understudy.metrics.intervals import (
    around,
    auc,
    patient_draw,
    patient_weights,
    percentile,
    weighted_auc,
    wilson,
)

SCORES = st.lists(st.integers(-3, 3), min_size=2, max_size=12)


@given(SCORES, SCORES)
def test_the_area_equals_the_share_of_pairs_in_the_right_order(above: list[int], below: list[int]) -> None:
    pairs = [(a > b) + 0.5 * (a == b) for a in above for b in below]
    found = auc(np.array(above), np.array(below))
    assert found.value == pytest.approx(np.mean(pairs))
    assert found.holds(found.value)


def test_the_interval_of_an_area_is_as_wide_as_its_sampling_error() -> None:
    rng = np.random.default_rng(0)
    values = [auc(rng.normal(0.8, 1, 80), rng.normal(0, 1, 120)) for _ in range(400)]
    truth = 0.7141962  # Phi(0.8 / sqrt(2))
    held = np.mean([v.holds(truth) for v in values])
    assert 0.92 <= held <= 0.98


def test_weighted_areas_equal_those_of_a_reference_implementation() -> None:
    rng = np.random.default_rng(1)
    scores, labels = rng.integers(0, 6, 90) / 2, rng.random(90) < 0.4
    weights = rng.integers(0, 4, size=(5, 90))
    expected = [roc_auc_score(labels, scores, sample_weight=w) for w in weights]
    assert weighted_auc(scores, labels, weights) == pytest.approx(expected)


def test_an_area_without_a_class_is_undefined() -> None:
    assert np.isnan(weighted_auc(np.arange(4.0), np.array([True] * 4), np.ones((1, 4)))).all()


@given(st.integers(0, 50), st.integers(1, 50))
def test_a_share_lies_in_its_wilson_interval_inside_zero_to_one(hits: int, more: int) -> None:
    found = wilson(hits, hits + more)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_wilson_interval_matches_the_published_example() -> None:
    found = wilson(81, 263)  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
    assert found.low == pytest.approx(0.2553, abs=5e-5)
    assert found.high == pytest.approx(0.3662, abs=5e-5)


def test_intervals_hold_their_value_even_at_the_end_of_the_scale() -> None:
    assert around(1.0, 0.1, 0.0, 1.0).high == 1.0
    assert around(1.2, 0.1, 0.0, 1.0).holds(1.2)
    assert percentile(0.9, np.array([0.1, 0.2, np.nan])).holds(0.9)
    assert around(0.5, float("nan")).low is None


def test_patients_are_drawn_whole() -> None:
    patients = np.array([0, 0, 0, 1, 2, 2])
    rng = np.random.default_rng(2)
    weights = patient_weights(patients, rng, 50)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 4] == weights[:, 5]).all()
    assert set(np.unique(weights[:, [0, 3, 4]].sum(axis=1))) == {3}
    rows = patient_draw(patients, rng)
    counts = np.bincount(rows, minlength=6)
    assert counts[0] == counts[1] == counts[2]
    assert counts[4] == counts[5]
