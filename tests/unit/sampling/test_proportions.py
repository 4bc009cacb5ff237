"""Proportions become whole rows whose every margin is exact to one row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.conditions import Share
from understudy.core.errors import ConditionError
from understudy.sampling.proportions import parts_of, strata_of, whole

shares = st.lists(st.floats(0.01, 1), min_size=1, max_size=6)


@given(shares, st.integers(1, 5000))
def test_whole_numbers_add_up_and_stay_within_one_of_the_exact_share(weights, n):
    rows = whole(weights, n)
    assert rows.sum() == n
    assert (np.abs(rows - np.array(weights) / sum(weights) * n) < 1).all()


def asked(*margins):
    wishes = []
    for number, margin in enumerate(margins):
        scaled = np.array(margin) / sum(margin) * 0.999
        wishes += [
            Share(column=f"c{number}", value=f"v{k}", proportion=float(p)) for k, p in enumerate(scaled)
        ]
    return parts_of(wishes, {})


@given(st.lists(shares, min_size=2, max_size=3), st.integers(1, 400), st.integers(0, 99))
def test_every_margin_of_several_columns_is_exact(margins, n, seed):
    parts = asked(*margins)
    strata = strata_of(parts, n, lambda cells: np.random.default_rng(seed).random(len(cells)) + 1e-3)
    assert sum(s.rows for s in strata) == n
    for column in parts.values():
        for part in column:
            held = sum(s.rows for s in strata if part.where in s.where)
            assert abs(held - part.share * n) < 1


def test_dependence_between_the_columns_is_kept():
    parts = asked([1, 1], [1, 1])
    strong = {("c0 = v0", "c1 = v0"): 0.45, ("c0 = v1", "c1 = v1"): 0.45}

    def joint(cells):
        return np.array([strong.get((a.says(), b.says()), 0.02) for a, b in cells])

    strata = {s.says(): s.rows for s in strata_of(parts, 1000, joint)}
    assert strata["c0 = v0; c1 = v0"] > 400
    assert strata.get("c0 = v0; c1 = v1", 0) < 60


def test_combinations_that_never_occur_stay_empty_or_are_refused():
    parts = asked([1, 1], [1, 1])

    def diagonal(cells):
        return np.array(
            [float(a.says()[-2:] == b.says()[-2:] or "not" in a.says() + b.says()) for a, b in cells]
        )

    strata = strata_of(parts, 100, diagonal)
    assert all("v0; c1 = v1" not in s.says() for s in strata)
    with pytest.raises(ConditionError, match="cannot hold together"):
        strata_of(asked([1, 3], [3, 1]), 1000, diagonal)
