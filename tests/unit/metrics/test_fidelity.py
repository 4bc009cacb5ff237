"""Columns, pairs, missing values, detection and coverage: the traps that others fell into."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from scipy.stats.contingency import association as contingency

from tests.unit.metrics.patients import comparison, corrupt, simulate
from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.results import Histogram, Matrix
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.core.seeds import Seed
from understudy.metrics.anchors import EQUAL_ROWS, judged
from understudy.metrics.association import AssociationCoding, association
from understudy.metrics.catalog import CATALOG
from understudy.metrics.histograms import FEWEST_PEOPLE, OTHER, histogram, round_edges


def blanked(rows: Dataset, column: str, share: float, seed: int = 0) -> Dataset:
    keep = np.random.default_rng(seed).random(rows.rows) >= share
    return rows.with_frame(
        rows.frame.with_columns(pl.when(pl.Series(keep)).then(pl.col(column)).alias(column))
    )


def test_masking_nine_in_ten_values_lowers_the_column() -> None:
    clean = comparison()
    masked = replace(clean, synthetic=blanked(clean.synthetic, "systolic", 0.9))
    metric = CATALOG.create("marginals")
    before = metric.measure(clean).detail("systolic", "agreement").estimate
    after = metric.measure(masked).detail("systolic", "agreement").estimate
    assert before is not None
    assert after is not None
    assert before.value > 0.85
    assert after.value < 0.2


def test_agreement_of_a_column_is_one_minus_its_kolmogorov_or_variation_distance() -> None:
    column = Column(name="x", kind=Kind.NUMBER)
    schema = Schema(tables=(Table(columns=(column, Column(name="g", kind=Kind.CATEGORY))),))
    real = Dataset.of(schema, pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "g": ["a", "a", "b", "b"]}))
    made = Dataset.of(schema, pl.DataFrame({"x": [3.0, 4.0, 5.0, None], "g": ["a", "c", "b", "b"]}))
    result = CATALOG.create("marginals").measure(Comparison(real, made, None, Seed(0)))
    of_x, of_g = result.detail("x", "agreement").estimate, result.detail("g", "agreement").estimate
    assert of_x is not None
    assert of_g is not None
    assert of_x.value == pytest.approx(0.5)  # below 3 lie half of the real values, none of the synthetic
    assert of_g.value == pytest.approx(0.75)
    shift = result.detail("x", "shift").estimate
    assert shift is not None
    assert shift.value == pytest.approx(1.5 / (3.97 - 1.03))  # means 2.5 and 4; the order is kept


def test_keys_identifiers_and_free_text_are_not_judged() -> None:
    kinds = (("k", Kind.KEY, ()), ("n", Kind.CATEGORY, (Role.IDENTIFIER,)), ("t", Kind.TEXT, ()))
    columns = tuple(Column(name=n, kind=k, roles=r) for n, k, r in kinds)
    table = Table(columns=(*columns, Column(name="x", kind=Kind.NUMBER)))
    frame = pl.DataFrame({"k": ["1"], "n": ["Ann"], "t": ["well"], "x": [1.0]})
    assert [c.name for c in judged(Dataset.of(Schema(tables=(table,)), frame))] == ["x"]


def test_a_new_key_does_not_give_synthetic_rows_away() -> None:
    same = comparison()
    assert same.holdout is not None
    renamed = same.holdout.with_frame(same.holdout.frame.with_columns(mrn=pl.lit("S") + pl.col("mrn")))
    result = CATALOG.create("detection").measure(replace(same, synthetic=renamed))
    assert result.estimate is not None
    assert result.estimate.value == pytest.approx(0.5)


def test_fresh_patients_cannot_be_told_apart_and_noise_can() -> None:
    clean = comparison()
    metric = CATALOG.create("detection")
    fresh = metric.measure(clean)
    assert fresh.estimate is not None
    assert fresh.estimate.holds(0.5)
    noisy = metric.measure(replace(clean, synthetic=corrupt(clean.synthetic, 0.5)))
    assert noisy.estimate is not None
    assert noisy.estimate.low is not None
    assert noisy.estimate.low > 0.8


def test_the_column_that_gives_synthetic_rows_away_is_named() -> None:
    clean = comparison()
    rounded = clean.synthetic.frame.with_columns((pl.col("systolic") / 10).round() * 10 + 0.05)
    result = CATALOG.create("detection").measure(
        replace(clean, synthetic=clean.synthetic.with_frame(rounded))
    )
    named = [d for d in result.details if d.measure == "gives it away"]
    assert named[0].name == "systolic"


def test_association_agrees_with_the_textbook() -> None:
    rows = simulate(300)
    coding = AssociationCoding.fit(rows, judged(rows), 60)
    found = association(coding.transform(rows))
    place = {name: k for k, name in enumerate(coding.names)}
    rank = spearmanr(rows.frame["age"].to_numpy(), rows.frame["systolic"].to_numpy()).statistic
    assert found[place["age"], place["systolic"]] == pytest.approx(rank)
    table = rows.frame.pivot("ward", index="sex", values="age", aggregate_function="len")
    counts = table.drop("sex").fill_null(0).to_numpy()
    n, (r, k) = rows.rows, counts.shape
    raw = contingency(counts, method="cramer") ** 2 * min(r - 1, k - 1)
    square = max(0.0, raw - (r - 1) * (k - 1) / (n - 1))
    smaller = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    assert found[place["sex"], place["ward"]] == pytest.approx(np.sqrt(square / smaller))
    assert found == pytest.approx(found.T)


def test_a_turned_sign_counts_fully() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    schema = Schema(tables=(Table(columns=tuple(Column(name=n, kind=Kind.NUMBER) for n in "xy")),))
    real = Dataset.of(schema, pl.DataFrame({"x": x, "y": x + 0.1 * rng.normal(size=400)}))
    made = Dataset.of(schema, pl.DataFrame({"x": x, "y": -x + 0.1 * rng.normal(size=400)}))
    result = CATALOG.create("pairs").measure(Comparison(real, made, None, Seed(0)))
    assert result.estimate is not None
    assert result.estimate.value > 1.8
    assert result.details[0].name == "x × y"
    assert [f.name for f in result.figures if isinstance(f, Matrix)] == ["real", "synthetic", "difference"]


def test_lost_informative_missingness_is_seen_though_the_rate_is_right() -> None:
    clean = comparison(1500)
    gap = clean.synthetic.frame["lactate"].null_count() / clean.synthetic.rows
    full = clean.synthetic.with_frame(
        clean.synthetic.frame.with_columns(pl.col("lactate").fill_null(strategy="mean"))
    )
    at_random = blanked(full, "lactate", gap)
    metric = CATALOG.create("missingness")
    kept, lost = metric.measure(clean), metric.measure(replace(clean, synthetic=at_random))
    assert kept.estimate is not None
    assert lost.estimate is not None
    assert kept.estimate.high is not None
    assert lost.estimate.low is not None
    assert lost.estimate.low > kept.estimate.value * 1.5
    rate = lost.detail("lactate", "rate").estimate
    assert rate is not None
    assert rate.value < 0.05


def test_nothing_missing_is_not_applicable() -> None:
    clean = comparison(60)
    full = [rows.select(["age", "sex"]) for rows in (clean.real, clean.synthetic)]
    result = CATALOG.create("missingness").measure(Comparison(full[0], full[1]))
    assert "nothing is missing" in result.reason


def test_a_collapsed_table_has_no_coverage_and_no_variety() -> None:
    clean = comparison()
    few = clean.synthetic.take(np.resize(np.arange(3), clean.synthetic.rows))
    covered = CATALOG.create("coverage").measure(replace(clean, synthetic=few))
    varied = CATALOG.create("diversity").measure(replace(clean, synthetic=few))
    assert covered.estimate is not None
    assert varied.estimate is not None
    assert covered.estimate.value < 0.2
    assert varied.estimate.value < 0.3
    distinct = varied.detail("distinct rows").estimate
    assert distinct is not None
    assert distinct.value <= 3 / 160


def test_fidelity_is_also_given_for_as_many_rows_as_the_ceiling_has() -> None:
    for name in ("marginals", "pairs", "missingness"):
        part = CATALOG.create(name).measure(comparison()).detail(EQUAL_ROWS)
        assert part.rows == 160
        assert part.ceiling is not None


@settings(max_examples=25)
@given(st.integers(15, 400), st.integers(0, 9), st.floats(0.1, 4))
def test_no_figure_shows_a_share_of_fewer_than_eleven_people_nor_an_extreme(
    rows: int, seed: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    values = np.exp(rng.normal(0, spread, rows))
    column = Column(name="x", kind=Kind.NUMBER)
    level = Column(name="g", kind=Kind.CATEGORY)
    schema = Schema(tables=(Table(columns=(column, level)),))
    codes = rng.geometric(0.4, rows).astype(str)
    real = Dataset.of(schema, pl.DataFrame({"x": values, "g": codes}))
    for figure in (histogram(real, real, column), histogram(real, real, level)):
        shown = [share for share in figure.real if share is not None]
        assert all(round(share * rows) >= FEWEST_PEOPLE for share in shown)
        hidden = [s for s, share in zip(figure.synthetic, figure.real, strict=True) if share is None]
        assert len([s for s in hidden if s]) != 1
    figure = histogram(real, real, column)
    assert len(figure.edges) == len(figure.real) + 1
    assert {float(values.min()), float(values.max())}.isdisjoint(figure.edges)


def test_patients_are_counted_not_their_rows() -> None:
    key = Column(name="who", kind=Kind.KEY, roles=(Role.PATIENT,))
    level = Column(name="g", kind=Kind.CATEGORY)
    schema = Schema(tables=(Table(columns=(key, level)),))
    one = pl.DataFrame({"who": ["a"] * 40, "g": ["rare"] * 40})
    many = pl.DataFrame({"who": [f"p{k}" for k in range(40)], "g": ["usual"] * 40})
    real = Dataset.of(schema, pl.concat([one, many]))
    figure = histogram(real, real, level)
    assert figure.levels == ("usual", OTHER)
    assert figure.real == (None, None)  # the one patient would follow by subtraction


def test_edges_of_whole_numbers_lie_between_them() -> None:
    column = Column(name="x", kind=Kind.NUMBER, decimals=0)
    assert round_edges(np.array([1.0, 2, 3] * 20), column, 25).tolist() == [0.5, 1.5, 2.5, 3.5]


def test_every_judged_column_has_a_figure() -> None:
    clean = comparison()
    result = CATALOG.create("marginals").measure(clean)
    figures = [f.column for f in result.figures if isinstance(f, Histogram)]
    assert figures == [c.name for c in judged(clean.real)]
