"""Conditions are honoured exactly, rows follow the model given them, and what cannot be met is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.sampling.patients_by_formula import AGES, LEVELS, RULED, SCHEMA, Formula
from understudy.core.conditions import Balanced, Between, Conditions, OneOf, Share, parse_share, parse_where
from understudy.core.errors import ConditionError, UnknownNameError
from understudy.core.seeds import Seed
from understudy.modalities.wishes import holds, resolve
from understudy.sampling.conditioning import Sampler
from understudy.sampling.rules import RowRules

PLAIN = Sampler(Formula(), RowRules.of(SCHEMA, None), LEVELS, learned_rows=1000)
STRICT = Sampler(Formula(RULED), RowRules.of(RULED, None), LEVELS, learned_rows=1000)


def wishing(*texts, **more):
    return Conditions(where=tuple(parse_where(t) for t in texts), **more)


def sharing(*texts, **more):
    return Conditions(shares=tuple(s for t in texts for s in parse_share(t)), **more)


def mean(values):
    return float(np.mean(values.to_numpy()))


def count(flags):
    return int(np.sum(flags.fill_null(value=False).to_numpy()))


def satisfied(frame, conditions):
    asked = resolve(conditions, SCHEMA).where
    return frame.select(pl.all_horizontal([holds(w, SCHEMA) for w in asked])).to_series().all()


ranges = st.tuples(st.integers(20, 99), st.integers(20, 99)).map(
    lambda ends: Between(column="age", low=min(ends), high=max(ends))
)
sets = st.sets(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=2).flatmap(
    lambda names: st.booleans().map(lambda no: OneOf(column="site", values=tuple(sorted(names)), exclude=no))
)
proportions = st.floats(0, 1).map(lambda p: Share(column="sex", value="female", proportion=p))


@given(ranges, sets, proportions, st.integers(1, 300), st.integers(0, 5))
@settings(max_examples=30)
def test_random_ranges_sets_and_proportions_are_honoured_exactly(ages, sites, share, n, seed):
    asked = Conditions(where=(ages, sites), shares=(share,))
    frame = STRICT.sample(n, Seed(seed), asked)
    assert frame.height == n
    assert satisfied(frame, asked)
    assert abs(count(frame["sex"] == "female") - n * share.proportion) < 1
    assert STRICT.rules.valid(frame).all()


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    asked = wishing("sick = true")
    first = STRICT.sample(50, Seed(3), asked)
    assert first.equals(STRICT.sample(50, Seed(3), asked))
    assert not first.equals(STRICT.sample(50, Seed(4), asked))
    assert PLAIN.sample(50, Seed(3)).equals(PLAIN.sample(50, Seed(3)))


def test_one_row_can_be_sampled_and_none_cannot():
    assert PLAIN.sample(1, Seed()).height == 1
    assert PLAIN.sample(1, Seed(), wishing("age = 70")).height == 1
    with pytest.raises(ConditionError, match="at least 1"):
        PLAIN.sample(0, Seed())


def test_conditioned_rows_follow_the_exact_conditional_distribution():
    # Given sick, P(age) is proportional to age.
    frame = PLAIN.sample(20_000, Seed(1), wishing("sick = true"))
    expected = (AGES**2).sum() / AGES.sum()
    spread = np.sqrt((AGES**3).sum() / AGES.sum() - expected**2)
    assert abs(mean(frame["age"]) - expected) < 4 * spread / np.sqrt(20_000)
    assert abs(mean(frame["site"] == "A") - 0.6) < 0.015


def test_the_reported_support_is_the_probability_of_the_conditions():
    report = PLAIN.feasibility(wishing("age >= 80", "sick = true", "site in (B, C)"), Seed(2))
    expected = (AGES[AGES >= 80] / 100).sum() / len(AGES) * 0.4
    assert report.support == pytest.approx(expected, rel=0.05)
    assert 0.5 < report.acceptance <= 1
    assert report.effective_rows > 1000
    assert report.notes == ()


def test_few_real_patients_behind_a_condition_are_said():
    report = PLAIN.feasibility(wishing("age = 99", "site = C"), Seed(2))
    assert "real patients are like this" in report.notes[0]
    report = PLAIN.feasibility(wishing("age >= 98", shares=parse_share("site=C:0.5")), Seed(2))
    assert any(note.startswith("site = C: rests on about") for note in report.notes)


def test_conditions_on_computed_columns_are_honoured():
    frame = STRICT.sample(200, Seed(1), wishing("load >= 480", "age < 60"))
    assert frame.height == 200
    assert frame["load"].to_numpy().min() >= 480
    assert np.allclose(frame["load"], frame["dose"] * 10)
    expected = 20 / 500 * 0.9
    support = STRICT.feasibility(wishing("load >= 480"), Seed(1)).support
    assert support == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("n", [1, 2, 7, 100, 101])
def test_balanced_levels_are_equally_frequent_to_one_row(n):
    frame = PLAIN.sample(n, Seed(5), sharing("site:balanced"))
    counts = [count(frame["site"] == level) for level in "ABC"]
    assert sum(counts) == n
    assert max(counts) - min(counts) <= 1


def test_several_proportions_hold_together_exactly():
    asked = sharing("sick:balanced", "sex=female:0.7", "site=A:0.1", "site=B:0.1")
    frame = PLAIN.sample(333, Seed(5), asked)
    assert frame.height == 333
    assert abs(count(frame["sick"]) - 166.5) < 1
    assert abs(count(frame["sex"] == "female") - 0.7 * 333) < 1
    assert abs(count(frame["site"] == "A") - 33.3) < 1
    assert abs(count(frame["site"] == "C") - 266.4) < 1
    assert frame["sex"].null_count() > 0


def test_proportions_keep_the_dependence_between_other_columns():
    frame = PLAIN.sample(4000, Seed(5), sharing("sick=true:0.5"))
    old = mean(frame.filter(pl.col("sick"))["age"])
    young = mean(frame.filter(~pl.col("sick"))["age"])
    assert old - young > 15


def test_proportions_that_exclude_each_other_are_refused():
    asked = Conditions(
        where=(OneOf(column="sick", values=("true",)),),
        shares=(Share(column="sick", value="false", proportion=0.5),),
    )
    with pytest.raises(ConditionError, match="no patient"):
        PLAIN.sample(10, Seed(), asked)
    with pytest.raises(ConditionError, match="balanced and to have shares"):
        PLAIN.sample(
            10,
            Seed(),
            Conditions(shares=(Balanced(column="sex"), Share(column="sex", value="male", proportion=0.1))),
        )


def test_a_level_that_the_other_conditions_exclude_is_named():
    asked = wishing(
        "age = 30", "sick = true", shares=(*parse_share("site:balanced"), *parse_share("sick=false:0.5"))
    )
    with pytest.raises(
        ConditionError, match=r"ask for 5 rows with 'sick = false'.*Nearest feasible: shares of"
    ):
        PLAIN.sample(10, Seed(), asked)


def test_impossible_conditions_name_the_bottleneck_and_the_nearest_feasible():
    # Inside the bounds of the schema, but nobody is like this: sick goes up with age only to 99.
    with pytest.raises(
        ConditionError, match=r"'dose > 60'.*runs from 0 to 49.9. Nearest feasible: dose >= 4"
    ):
        PLAIN.sample(10, Seed(), wishing("age > 30", "dose > 60"))
    with pytest.raises(
        ConditionError, match=r"'site = rare'.*protected.*Nearest feasible: site in \(A, B, C\)"
    ):
        PLAIN.sample(10, Seed(), wishing("site = rare", "sick = true"))
    with pytest.raises(ConditionError, match=r"never missing"):
        PLAIN.sample(10, Seed(), wishing("age is missing"))


def test_rules_and_conditions_that_exclude_each_other_are_refused_with_both_named():
    with pytest.raises(ConditionError, match=r"together with"):
        STRICT.sample(10, Seed(), wishing("age < 25", "load > 400"))


def test_names_that_do_not_exist_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'age'"):
        PLAIN.sample(10, Seed(), wishing("agee > 3"))
    with pytest.raises(ConditionError, match="made anew"):
        PLAIN.sample(10, Seed(), wishing("id = 3"))


def test_partial_rows_are_completed_and_their_cells_kept():
    partial = pl.DataFrame(
        {"age": [30.0, None, 90.0], "sex": ["male", None, None], "sick": [None, True, None]}
    )
    frame = STRICT.sample(300, Seed(1), Conditions(partial=partial))
    assert frame.height == 300
    repeated = pl.concat([partial] * 100)
    for name in partial.columns:
        given_cells = repeated[name].is_not_null()
        assert frame[name].filter(given_cells).equals(repeated[name].filter(given_cells))
    assert STRICT.rules.valid(frame).all()
    sick_old = mean(frame["sick"].gather_every(3, 2))
    sick_young = mean(frame["sick"].gather_every(3, 0))
    assert sick_old > 0.75
    assert sick_young < 0.5
    # Given sick, the open age follows P(age | sick), which is proportional to age.
    expected = (AGES**2).sum() / AGES.sum()
    assert abs(mean(frame["age"].gather_every(3, 1)) - expected) < 9


def test_partial_rows_obey_conditions_or_are_refused():
    partial = pl.DataFrame({"sex": ["male", "female"]})
    frame = PLAIN.sample(2, Seed(1), wishing("age >= 90", partial=partial))
    assert frame["age"].to_numpy().min() >= 90
    with pytest.raises(ConditionError, match="1 partial rows give a 'sex'"):
        PLAIN.sample(2, Seed(1), wishing("sex = male", partial=partial))
    with pytest.raises(ConditionError, match="3 rows cannot be made of 2"):
        PLAIN.sample(3, Seed(1), Conditions(partial=partial))
    with pytest.raises(ConditionError, match="outside its bounds"):
        PLAIN.sample(1, Seed(1), Conditions(partial=pl.DataFrame({"age": [140.0]})))
    with pytest.raises(ConditionError, match="made anew"):
        PLAIN.sample(1, Seed(1), Conditions(partial=pl.DataFrame({"id": ["7"]})))


def test_partial_rows_that_break_a_rule_are_named_by_their_place():
    partial = pl.DataFrame({"age": [80.0, 30.0], "dose": [12.0, 45.0]})
    with pytest.raises(ConditionError, match="1 partial rows cannot be completed, such as row 2"):
        STRICT.sample(2, Seed(1), Conditions(partial=partial))


def test_a_given_computed_value_is_kept_and_agrees_with_its_formula():
    partial = pl.DataFrame({"load": [120.0, None]})
    frame = STRICT.sample(40, Seed(1), Conditions(partial=partial))
    assert frame["load"].gather_every(2).to_list() == [120.0] * 20
    drawn = frame.gather_every(2).drop_nulls("dose")
    assert ((drawn["dose"] * 10 - 120).abs() <= 0.05 + 1e-9).all()


def test_unconditioned_rows_are_independent_of_the_size_of_chunks_in_number():
    assert PLAIN.sample(120_000, Seed(1)).height == 120_000
