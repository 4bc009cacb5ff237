"""Prediction, importance, fairness and plausibility: tested on real patients, and only on those."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.unit.metrics.patients import comparison, corrupt, simulate
from understudy.core.catalog import Choice
from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.results import Outcome
from understudy.core.rules import FixedCombinations
from understudy.core.schema import Column, Kind, Role, Schema
from understudy.metrics.anchors import settled
from understudy.metrics.catalog import CATALOG
from understudy.metrics.fairness import rate_ratio
from understudy.metrics.groups import groupings
from understudy.metrics.learned import rivals
from understudy.metrics.task import performance


def changed(rows: Dataset, *columns: pl.Expr) -> Dataset:
    return rows.with_frame(rows.frame.with_columns(columns))


def with_target(compared: Comparison, name: str) -> Comparison:
    schema = compared.real.schema.with_roles(Role.TARGET, (name,))
    assert compared.holdout is not None
    return Comparison(
        compared.real.with_schema(schema),
        compared.synthetic.with_schema(schema),
        compared.holdout.with_schema(schema),
        compared.seed,
    )


def test_a_model_of_fresh_patients_predicts_as_well_as_one_of_the_real() -> None:
    result = CATALOG.create("prediction").measure(comparison(1200))
    assert result.estimate is not None
    assert result.floor is not None
    assert result.estimate.value > 0.75
    assert result.floor.high is not None
    assert result.floor.high < result.estimate.value
    family = next(d.name for d in result.details if d.estimate == result.estimate)
    gap = result.detail(family, "difference to real").estimate
    assert gap is not None
    assert gap.holds(0.0)


def test_labels_of_the_holdout_teach_nothing() -> None:
    clean = comparison()
    assert clean.holdout is not None
    turned = replace(clean, holdout=changed(clean.holdout, ~pl.col("died")))
    first, second = rivals(settled(clean)), rivals(settled(turned))
    assert first.family == second.family
    # Rows are sorted by content, so compare the predictions as multisets.
    for key, predicted in first.predictions.items():
        assert np.sort(second.predictions[key], axis=0) == pytest.approx(np.sort(predicted, axis=0))


def test_synthetic_labels_without_relation_are_useless_on_real_patients() -> None:
    clean = comparison(800)
    rng = np.random.default_rng(0)
    died = clean.synthetic.frame["died"][rng.permutation(clean.synthetic.rows)]
    useless = clean.synthetic.with_frame(clean.synthetic.frame.with_columns(died))
    result = CATALOG.create("prediction").measure(replace(clean, synthetic=useless))
    assert result.estimate is not None
    assert result.estimate.value < 0.65


def test_a_number_is_predicted_by_its_explained_variance() -> None:
    result = CATALOG.create("prediction").measure(with_target(comparison(600), "systolic"))
    assert result.worst == 0.0
    assert {d.measure for d in result.details} == {"R2", "difference to real"}
    assert result.ceiling is not None
    assert 0.1 < result.ceiling.value < 1


def test_several_levels_are_predicted_one_against_the_rest() -> None:
    result = CATALOG.create("prediction").measure(with_target(comparison(600), "ward"))
    assert result.ceiling is not None
    assert result.ceiling.value > 0.7


def test_a_column_that_gives_the_target_away_is_named_left_out_and_measured_apart() -> None:
    clean = comparison(400)

    def told(rows: Dataset) -> Dataset:
        stage = pl.when(pl.col("died")).then(pl.lit("VI")).otherwise(pl.col("ward").str.head(1)).alias("ward")
        return changed(rows, stage)

    assert clean.holdout is not None
    leaking = Comparison(told(clean.real), told(clean.synthetic), told(clean.holdout), clean.seed)
    result = CATALOG.create("prediction").measure(leaking)
    assert result.estimate is not None
    assert result.estimate.value < 0.95
    assert "gives the target away by itself: ward" in result.reading
    (apart,) = [d for d in result.details if d.name.endswith("with ward")]
    assert apart.estimate is not None
    assert apart.estimate.value > 0.99
    honest = CATALOG.create("prediction").measure(clean)
    assert "gives the target away" not in honest.reading


def test_a_number_in_another_unit_gives_a_number_away() -> None:
    clean = with_target(comparison(400), "systolic")

    def told(rows: Dataset) -> Dataset:
        return changed(rows, (pl.col("systolic") / 7.5).alias("diastolic"))

    assert clean.holdout is not None
    leaking = Comparison(told(clean.real), told(clean.synthetic), told(clean.holdout), clean.seed)
    assert "itself: diastolic" in CATALOG.create("prediction").measure(leaking).reading


def test_weighted_explained_variance_equals_that_of_repeated_rows() -> None:
    schema_task = rivals(settled(with_target(comparison(200), "systolic"))).task
    rng = np.random.default_rng(0)
    truth, predicted, weights = rng.normal(size=30), rng.normal(size=30), rng.integers(0, 3, size=(4, 30))
    for row, found in zip(weights, performance(schema_task, truth, predicted, weights), strict=True):
        t, p = np.repeat(truth, row), np.repeat(predicted, row)
        assert found == pytest.approx(1 - ((t - p) ** 2).sum() / ((t - t.mean()) ** 2).sum())


def test_models_are_fitted_once_for_a_comparison() -> None:
    compared = comparison(200)
    assert settled(compared) is settled(compared)
    assert rivals(settled(compared)) is rivals(settled(compared))


def test_a_target_that_is_never_predicted_says_why() -> None:
    for name, word in (("admitted", "datetime"),):
        result = CATALOG.create("prediction").measure(with_target(comparison(120), name))
        assert result.outcome is Outcome.NOT_APPLICABLE
        assert word in result.reason


def test_an_invented_risk_factor_lowers_the_overlap_of_importances() -> None:
    clean = comparison(800)
    metric = CATALOG.create("importance")
    honest = metric.measure(clean)
    invented = changed(clean.synthetic, pl.when(pl.col("died")).then(90.0).otherwise(72.0).alias("diastolic"))
    misled = metric.measure(replace(clean, synthetic=invented))
    assert honest.estimate is not None
    assert misled.estimate is not None
    assert misled.estimate.value < honest.estimate.value - 0.1
    share = misled.detail("diastolic", "share of importance")
    assert share.estimate is not None
    assert share.ceiling is not None
    assert share.estimate.value > share.ceiling.value + 0.1


def test_ages_are_banded_and_groups_are_crossed() -> None:
    names = [way.name for way in groupings(comparison(300))]
    assert names == ["age", "sex", "age × sex"]
    ways = groupings(comparison(300))
    assert ways[0].groups == ("age <40", "age 40 to <65", "age 65+")
    assert "age 65+ × sex=male" in ways[2].groups
    rows = simulate(50)
    member = ways[2].membership(rows)
    first = rows.frame.row(0, named=True)
    band = "<40" if first["age"] < 40 else "40 to <65" if first["age"] < 65 else "65+"
    assert ways[2].groups[member[0]] == f"age {band} × sex={first['sex']}"


def test_a_group_whose_relation_is_lost_is_named() -> None:
    clean = comparison(2000)
    rng = np.random.default_rng(0)
    noise = pl.Series(rng.random(clean.synthetic.rows) < 0.5)
    lost = changed(
        clean.synthetic, pl.when(pl.col("sex") == "male").then(noise).otherwise(pl.col("died")).alias("died")
    )
    result = CATALOG.create("group_prediction").measure(replace(clean, synthetic=lost))
    by_group = {
        d.name: d.estimate.value for d in result.details if d.measure.startswith("diff") and d.estimate
    }
    assert by_group["sex=male"] < by_group["sex=female"]
    assert [d for d in result.details if d.note] == [] or all(d.rows is not None for d in result.details)


def test_a_bias_planted_into_the_synthetic_data_opens_a_gap() -> None:
    clean = comparison(2000)
    biased = changed(clean.synthetic, (pl.col("died") | (pl.col("sex") == "male")).alias("died"))
    metric = CATALOG.create("fairness")
    fair, unfair = metric.measure(clean), metric.measure(replace(clean, synthetic=biased))
    assert fair.estimate is not None
    assert unfair.estimate is not None
    assert unfair.estimate.value > fair.estimate.value + 0.2
    parity = unfair.detail("sex", "demographic parity difference")
    assert parity.estimate is not None
    assert parity.ceiling is not None
    assert parity.estimate.value > parity.ceiling.value + 0.2


def test_false_positive_rates_stand_for_each_group_and_as_ratios_to_the_largest() -> None:
    clean = comparison(2000)
    biased = changed(clean.synthetic, (pl.col("died") | (pl.col("sex") == "male")).alias("died"))
    result = CATALOG.create("fairness").measure(replace(clean, synthetic=biased))
    ratio = result.detail("sex=male to sex=female", "false positive rate ratio")
    rates = [result.detail(f"sex={sex}", "false positive rate") for sex in ("male", "female")]
    assert ratio.estimate is not None
    assert ratio.ceiling is not None
    assert all(rate.estimate is not None for rate in rates)
    assert ratio.estimate.value == pytest.approx(rates[0].estimate.value / rates[1].estimate.value)  # type: ignore[union-attr]
    assert ratio.estimate.value > 3 * ratio.ceiling.value


def test_crossed_groups_are_compared_with_the_one_that_differs_in_a_single_column() -> None:
    result = CATALOG.create("fairness").measure(comparison(2000))
    names = [d.name for d in result.details if d.measure == "false positive rate ratio" and " × " in d.name]
    assert names
    for name in names:
        one, other = _sides(name)
        assert sum(a != b for a, b in zip(one, other, strict=True)) == 1


def _sides(name: str) -> list[list[str]]:
    """Return the levels on both sides of a ratio's name; levels may themselves hold the word `to`."""
    half = len(name) // 2
    place = min((k for k in range(len(name)) if name[k : k + 4] == " to "), key=lambda k: abs(k - half))
    return [side.split(" × ") for side in (name[:place], name[place + 4 :])]


def test_an_interval_of_a_ratio_is_not_blind_to_draws_without_a_false_positive() -> None:
    called, rows = np.array([True] * 3 + [False] * 97), np.arange(100)
    weights = np.stack([np.ones(100), np.where(rows == 0, 0.0, 1.0)]).astype(np.float32)
    ratio = rate_ratio(called, (rows > 0) & (rows < 50), (rows == 0) | (rows >= 50), weights)
    assert ratio[0] == pytest.approx((2 / 49) / (1 / 51))
    assert np.isfinite(ratio[1])
    assert ratio[1] > ratio[0]


def test_the_model_whose_decisions_count_can_be_chosen() -> None:
    clean = comparison(2000)
    rates = {
        model: CATALOG.create(Choice(name="fairness", settings={"model": model}))
        .measure(clean)
        .detail("sex=male", "false positive rate")
        .estimate
        for model in ("boosted trees", "linear model")
    }
    assert rates["boosted trees"] != rates["linear model"]


def test_a_group_of_noise_is_the_least_faithful() -> None:
    clean = comparison(900)
    noisy = corrupt(clean.synthetic, 0.6).frame
    male = (clean.synthetic.frame["sex"] == "male").rename("male")
    mixed = clean.synthetic.frame.with_columns(
        noisy[name].zip_with(male, clean.synthetic.frame[name])
        for name in ("diastolic", "systolic", "ward", "admitted")
    )
    result = CATALOG.create("group_marginals").measure(
        replace(clean, synthetic=clean.synthetic.with_frame(mixed))
    )
    values = {d.name: d.estimate.value for d in result.details if d.estimate}
    assert values["sex=male"] < values["sex=female"] - 0.05


def test_broken_rules_are_counted_beside_the_real_rate() -> None:
    clean = comparison(400)
    swapped = clean.synthetic.frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 100)
        .then(pl.lit(310.0))
        .otherwise(pl.col("systolic"))
        .alias("systolic")
    )
    result = CATALOG.create("plausibility").measure(
        replace(clean, synthetic=clean.synthetic.with_frame(swapped))
    )
    assert result.estimate is not None
    assert result.ceiling is not None
    assert result.estimate.value == pytest.approx(0.25)
    assert result.ceiling.value == 0
    assert result.detail("systolic <= 300 mm[Hg]", "rows that break it").rows == 100
    excess = result.detail("systolic <= 300 mm[Hg]", "excess over real").estimate
    assert excess is not None
    assert excess.low is not None
    assert 0.2 < excess.low < 0.25


def test_unknown_combinations_are_judged_by_the_real_rows() -> None:
    clean = comparison(400)
    plain = clean.real.table.replacing([Column(name="ward", kind=Kind.CATEGORY)])
    schema = Schema(tables=(plain,), rules=(FixedCombinations(of=("sex", "pregnant")),))
    impossible = changed(clean.synthetic, (pl.col("sex") == "male").alias("pregnant"))
    result = CATALOG.create("plausibility").measure(
        Comparison(clean.real.with_schema(schema), impossible.with_schema(schema))
    )
    share = (clean.synthetic.frame["sex"] == "male").mean()
    assert result.estimate is not None
    assert result.estimate.value == pytest.approx(share)


def test_a_schema_without_statements_has_nothing_to_break() -> None:
    clean = comparison(60)
    rows = [r.select(["ward", "admitted"]) for r in (clean.real, clean.synthetic)]
    assert (
        CATALOG.create("plausibility").measure(Comparison(rows[0], rows[1])).outcome is Outcome.NOT_APPLICABLE
    )
