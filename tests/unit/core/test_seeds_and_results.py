"""Randomness by name, and results pooled over splits."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.core.results import Axis, Detail, Estimate, MetricResult, Outcome, pool
from understudy.core.seeds import Seed


def test_a_stream_depends_on_its_path_of_names_only() -> None:
    assert Seed(1).child("fit").rng().random() == Seed(1).child("fit").rng().random()
    assert Seed(1).child("fit").integer() != Seed(1).child("sample").integer()
    assert Seed(1).child("a").child("b").integer() != Seed(1).child("ab").integer()


def result(value: float, outcome: Outcome = Outcome.MEASURED) -> MetricResult:
    estimate = None if outcome is Outcome.FAILED else Estimate(value=value, low=value - 0.1, high=value + 0.1)
    return MetricResult(
        metric="m",
        title="M",
        question="?",
        axis=Axis.FIDELITY,
        best=1,
        worst=0,
        outcome=outcome,
        estimate=estimate,
        details=(Detail(scope="column", name="a", estimate=estimate),),
    )


def test_pooled_results_average_and_their_interval_covers_the_spread() -> None:
    values = [0.4, 0.5, 0.6, 0.7]
    pooled = pool([result(v) for v in values], holdout_share=0.25)
    assert pooled.estimate is not None
    assert pooled.estimate.value == pytest.approx(0.55)
    half = 1.96 * np.sqrt(np.var(values, ddof=1) * (1 / 4 + 0.25))
    assert pooled.estimate.high == pytest.approx(0.55 + half)
    assert pooled.detail("a").estimate == pooled.estimate
    assert pooled.splits == 4


def test_a_failed_split_does_not_spoil_the_pool() -> None:
    pooled = pool([result(0.5), result(0.0, Outcome.FAILED), result(0.7)], holdout_share=0.25)
    assert pooled.estimate is not None
    assert pooled.estimate.value == pytest.approx(0.6)
    assert pooled.splits == 2
