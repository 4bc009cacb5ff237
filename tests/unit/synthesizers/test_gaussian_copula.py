"""The copula recovers the correlation that it was made from, and conditions act on it as theory says."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal, norm

from understudy.core.conditions import Conditions, parse_where
from understudy.core.contracts import Fitting
from understudy.core.dataset import Dataset
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.core.seeds import Seed
from understudy.synthesizers.gaussian_copula import GaussianCopula

R = np.array([[1.0, 0.7, 0.5], [0.7, 1.0, 0.2], [0.5, 0.2, 1.0]])
COLUMNS = (
    Column(name="a", kind=Kind.NUMBER, decimals=3),
    Column(name="b", kind=Kind.NUMBER, decimals=3),
    Column(name="c", kind=Kind.CATEGORY, values=("low", "middle", "high"), ordered=True),
)


@pytest.fixture(scope="module")
def generator():
    z = np.random.default_rng(0).multivariate_normal(np.zeros(3), R, 6_000)
    frame = pl.DataFrame(
        {
            "a": np.round(z[:, 0], 3),
            "b": np.round(np.exp(z[:, 1]), 3),
            "c": np.array(["low", "middle", "high"])[np.digitize(z[:, 2], [-0.5, 0.8])],
        }
    )
    train = Dataset.of(Schema(tables=(Table(columns=COLUMNS),)), frame)
    return GaussianCopula().fit(train, Fitting(seed=Seed(1)))


def test_numbers_and_ordered_levels_keep_their_latent_correlation(generator):
    frame = generator.sample(20_000, Seed(2)).frame
    a, b = frame["a"].to_numpy(), np.log(np.maximum(frame["b"].to_numpy(), 1e-3))
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(0.7, abs=0.03)
    high = frame["c"].to_numpy() == "high"
    # E[a | z3 > 0.8] = 0.5 phi(0.8) / (1 - Phi(0.8))
    assert a[high].mean() == pytest.approx(0.5 * norm.pdf(0.8) / norm.sf(0.8), abs=0.08)


def test_support_is_the_orthant_probability(generator):
    given = Conditions(where=(parse_where("a > 1"), parse_where("b > 2.718"), parse_where("c = high")))
    expected = multivariate_normal(np.zeros(3), R).cdf(
        np.full(3, np.inf), lower_limit=np.array([1.0, 1.0, 0.8])
    )
    assert generator.feasibility(given, Seed(3)).support == pytest.approx(expected, rel=0.15)


def test_conditioned_rows_follow_the_conditional_distribution(generator):
    given = Conditions(where=(parse_where("b >= 7.4"),))
    a = generator.sample(4_000, Seed(4), given).frame["a"].to_numpy()
    cut = np.log(7.4)
    assert a.mean() == pytest.approx(0.7 * norm.pdf(cut) / norm.sf(cut), abs=0.1)


def test_a_known_cell_pulls_the_open_ones(generator):
    partial = pl.DataFrame({"a": [2.0] * 800})
    made = generator.sample(800, Seed(5), Conditions(partial=partial)).frame
    assert np.log(made["b"].to_numpy()).mean() == pytest.approx(1.4, abs=0.15)
    assert set(made["a"]) == {2.0}
