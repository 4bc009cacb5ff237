"""The chain keeps how columns hang together, and honours restrictions with the right weights."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import ks_2samp

from tests.unit.sampling.simulated import chain_of, dataset, draw, number, patients, resampled
from understudy.core.conditions import Conditions, parse_where
from understudy.core.dataset import Dataset
from understudy.core.rules import Ordered
from understudy.core.schema import Column, Kind, Schema, Table
from understudy.modalities.wishes import holds, resolve
from understudy.sampling.chain import Chain
from understudy.sampling.trees import TreeSettings

ROWS = 1_500
REAL = dataset(patients(ROWS))
CHAIN = chain_of(REAL)
FREE = draw(CHAIN, 40_000, seed=9).frame


def asked(*texts):
    return resolve(Conditions(where=tuple(parse_where(t) for t in texts)), REAL.schema).where


def satisfying(frame, where):
    return frame.filter([holds(w, REAL.schema) for w in where])


def correlation(frame, a, b):
    both = frame.select(a, b).drop_nulls()
    return np.corrcoef(both[a].rank(), both[b].rank())[0, 1]


def test_rows_have_all_columns_in_canonical_form_and_weigh_nothing_without_restriction():
    candidates = draw(CHAIN, 500)
    assert candidates.frame.schema == REAL.frame.schema
    assert (candidates.log_weight == 0).all()
    assert Dataset.of(REAL.schema, candidates.frame).check() == []


@pytest.mark.parametrize("name", ["age", "bmi", "insulin", "glucose", "crp"])
def test_means_and_quantiles_of_numbers_are_kept(name):
    real, drawn = REAL.frame[name].drop_nulls(), FREE[name].drop_nulls()
    assert drawn.mean() == pytest.approx(real.mean(), abs=0.08 * real.std())
    for share in (0.1, 0.5, 0.9):
        assert drawn.quantile(share) == pytest.approx(real.quantile(share), abs=0.12 * real.std())


@pytest.mark.parametrize("name", ["sex", "stage", "site", "dead"])
def test_shares_of_levels_are_kept(name):
    for level in REAL.frame[name].unique():
        real, drawn = ((frame[name] == level).mean() for frame in (REAL.frame, FREE))
        assert drawn == pytest.approx(real, abs=0.03)


@pytest.mark.parametrize("pair", [("bmi", "glucose"), ("age", "bmi"), ("age", "insulin")])
def test_correlations_are_kept(pair):
    assert correlation(FREE, *pair) == pytest.approx(correlation(REAL.frame, *pair), abs=0.08)


def test_a_relation_without_a_line_is_kept():
    def bend(frame):
        ends = ((18, 42), (54, 66), (78, 95))
        parts = [frame.filter(pl.col("age").is_between(*part))["crp"].median() for part in ends]
        return min(parts[0], parts[2]) / parts[1]

    assert bend(REAL.frame) > 1.5
    assert bend(FREE) == pytest.approx(bend(REAL.frame), rel=0.25)


def test_levels_depend_on_numbers_as_they_did():
    for frame in (REAL.frame, FREE):
        old = frame.filter(pl.col("age") > 75)["dead"].mean()
        young = frame.filter(pl.col("age") < 50)["dead"].mean()
        assert old - young > 0.6


def test_labs_that_miss_together_still_do_and_missingness_still_depends_on_age():
    assert FREE["crp"].is_null().equals(FREE["glucose"].is_null())
    gaps = []
    for frame in (REAL.frame, FREE):
        shares = [
            frame.filter(part)["crp"].is_null().mean() for part in (pl.col("age") <= 65, pl.col("age") > 65)
        ]
        gaps.append(shares[0] - shares[1])
    assert gaps[0] > 0.2
    assert gaps[1] == pytest.approx(gaps[0], abs=0.1)


def test_nobodys_own_number_comes_back():
    real = REAL.frame["crp"].drop_nulls()
    assert not FREE["crp"].is_in(real.implode()).any()


CONDITIONS = [
    ("age >= 70",),
    ("age = 67",),
    ("bmi > 30", "sex = m"),
    ("crp > 4",),
    ("crp is missing", "age < 60"),
    ("insulin = 0", "stage in (II, III)"),
    ("insulin > 150",),
    ("dead = true", "age < 60"),
    ("site != north", "visit >= 2018"),
    ("age in (50, 60, 70)",),
    ("glucose is not missing", "glucose < 100"),
]


@pytest.mark.parametrize("texts", CONDITIONS, ids="; ".join)
def test_restricted_rows_satisfy_and_weigh_as_rejection_says(texts):
    where = asked(*texts)
    kept = satisfying(FREE, where)
    candidates = draw(CHAIN, 12_000, where=where)
    weight = np.exp(candidates.log_weight)
    assert satisfying(candidates.frame.filter(pl.Series(weight > 0)), where).height == (weight > 0).sum()
    share = kept.height / FREE.height
    error = 4 * np.sqrt(share * (1 - share) / FREE.height + weight.var() / len(weight))
    assert weight.mean() == pytest.approx(share, abs=error)


@pytest.mark.parametrize("texts", CONDITIONS[:1] + CONDITIONS[2:9], ids="; ".join)
def test_resampled_rows_are_distributed_as_rejected_ones(texts):
    where = asked(*texts)
    kept, drawn = satisfying(FREE, where), resampled(draw(CHAIN, 12_000, where=where))
    for name in ("age", "bmi", "glucose", "insulin"):
        if kept[name].drop_nulls().len() > 100:
            distance = ks_2samp(kept[name].drop_nulls(), drawn[name].drop_nulls()).statistic
            assert distance < 0.07 + 1.5 / np.sqrt(kept.height)
    for name in ("sex", "stage", "dead"):
        level = REAL.frame[name][0]
        error = 0.04 + 2 / np.sqrt(kept.height)
        assert (drawn[name] == level).mean() == pytest.approx((kept[name] == level).mean(), abs=error)


@pytest.mark.parametrize(
    "texts", [("bmi > 500",), ("age >= 70", "age <= 60"), ("crp is missing", "glucose > 90")]
)
def test_what_nobody_has_weighs_nothing(texts):
    where = tuple(w for text in texts for w in asked(text))
    assert (draw(CHAIN, 300, where=where).log_weight == -np.inf).all()


def test_a_number_that_no_level_equals_weighs_nothing():
    real = dataset(pl.DataFrame({"x": [1.0, 2.0, 3.0] * 20}), Column(name="x", kind=Kind.NUMBER))
    where = resolve(Conditions(where=(parse_where("x = 2.5"),)), real.schema).where
    assert (draw(chain_of(real), 50, where=where).log_weight == -np.inf).all()


def test_known_cells_are_kept_and_guide_the_others():
    known = pl.DataFrame({"age": [25.0] * 2_000 + [90.0] * 2_000})
    drawn = draw(CHAIN, 4_000, known=known)
    assert drawn.frame["age"].equals(known["age"])
    picked = [
        resampled(type(drawn)(drawn.frame[part], drawn.log_weight[part]))["dead"].mean()
        for part in (slice(0, 2_000), slice(2_000, 4_000))
    ]
    expected = [FREE.filter(end)["dead"].mean() for end in (pl.col("age") < 35, pl.col("age") > 85)]
    assert picked == pytest.approx(expected, abs=0.12)


def test_weights_of_known_cells_carry_what_comes_earlier_in_the_chain():
    known = pl.DataFrame({"dead": [True] * 8_000})
    drawn = resampled(draw(CHAIN, 8_000, known=known))
    expected = FREE.filter(pl.col("dead"))["age"]
    assert drawn["age"].mean() == pytest.approx(expected.mean(), abs=1.5)


def test_holes_beside_a_known_cell_of_the_same_state_are_filled():
    known = REAL.frame.filter(pl.col("crp").is_not_null()).with_columns(
        glucose=pl.lit(None, dtype=pl.Float64)
    )
    drawn = draw(CHAIN, known.height, known=known)
    assert drawn.frame["glucose"].null_count() == 0
    assert drawn.frame["crp"].equals(known["crp"])
    assert np.isfinite(drawn.log_weight).all()


def test_levels_never_learned_and_numbers_out_of_range_are_kept_when_known():
    known = pl.DataFrame({"site": ["moon"] * 20, "bmi": [400.0] * 20})
    drawn = draw(CHAIN, 20, known=known)
    assert drawn.frame["site"].to_list() == ["moon"] * 20
    assert drawn.frame["bmi"].to_list() == [400.0] * 20
    assert np.isfinite(drawn.log_weight).all()


def test_rules_are_obeyed_while_rows_are_drawn():
    rng = np.random.default_rng(0)
    low = np.round(rng.normal(75, 12, 600))
    frame = pl.DataFrame({"dbp": low, "sbp": low + np.round(rng.gamma(2, 15, 600)) + 1})
    columns = (number("dbp", decimals=0), number("sbp", decimals=0))
    rule = Ordered(lower="dbp", upper="sbp", strict=True)
    real = Dataset.of(Schema(tables=(Table(columns=columns),), rules=(rule,)), frame)
    assert (
        draw(chain_of(real), 5_000).frame.select(pl.col("dbp") < pl.col("sbp"))
    ).to_series().mean() > 0.999


@pytest.mark.parametrize("rows", [1, 2, 6, 12])
def test_tiny_tables_are_drawn_from(rows):
    real = dataset(patients(rows))
    drawn = draw(chain_of(real), 200).frame
    assert drawn.height == 200
    assert drawn.schema == real.frame.schema


def test_columns_that_never_vary_or_always_miss_are_drawn():
    frame = patients(100).with_columns(
        age=pl.lit(50.0),
        crp=pl.lit(None, dtype=pl.Float64),
        dead=pl.lit(None, dtype=pl.Boolean),
        sex=pl.lit("f"),
    )
    drawn = draw(chain_of(dataset(frame)), 50).frame
    assert drawn["age"].to_list() == [50.0] * 50
    assert drawn["crp"].null_count() == 50
    assert drawn["dead"].null_count() == 50
    assert drawn["sex"].to_list() == ["f"] * 50


def test_no_rows_can_be_drawn():
    assert draw(CHAIN, 0).frame.height == 0


def test_the_same_randomness_gives_the_same_rows_and_another_gives_others():
    again = chain_of(REAL)
    assert draw(again, 300, seed=4).frame.equals(draw(CHAIN, 300, seed=4).frame)
    assert not draw(CHAIN, 300, seed=5).frame.equals(draw(CHAIN, 300, seed=4).frame)


def test_learning_leaves_rows_as_they_are_and_tells_of_its_progress():
    frame = patients(120)
    told: list[float] = []
    Chain.fit(dataset(frame), REAL.columns, TreeSettings(), np.random.default_rng(0), told.append)
    assert frame.equals(patients(120))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_global_randomness_is_left_alone():
    before = np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002 - the state that must not change
    draw(chain_of(dataset(patients(100))), 10)
    np.testing.assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], before)  # noqa: NPY002
