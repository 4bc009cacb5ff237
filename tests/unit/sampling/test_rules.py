"""Rules hold in every drawn row, and what is computed is computed, not drawn."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.conditions import Between
from understudy.core.dataset import Dataset
from understudy.core.errors import RuleError
from understudy.core.rules import Derived, FixedCombinations, Implies, Ordered
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.sampling.rules import RowRules


def number(name, **fields):
    return Column(name=name, kind=Kind.NUMBER, **fields)


COLUMNS = (
    number("weight", decimals=1),
    number("height", decimals=2),
    number("bmi", decimals=1, low=10, high=80),
    number("obese", decimals=0),
    number("dbp", decimals=0),
    number("sbp", decimals=0),
    Column(name="sex", kind=Kind.CATEGORY, values=("f", "m")),
    Column(name="pregnant", kind=Kind.BOOLEAN),
    Column(name="code", kind=Kind.CODE),
    Column(name="words", kind=Kind.CATEGORY),
    Column(name="id", kind=Kind.KEY, roles=(Role.KEY,)),
)
BMI = Derived(column="bmi", formula="weight / power(height, 2)", tolerance=0.05)
OBESE = Derived(column="obese", formula="case when bmi >= 30 then 1 else 0 end")
PRESSURE = Ordered(lower="dbp", upper="sbp", strict=True)
PREGNANT = Implies(when="pregnant = true", then="sex = 'f'")
CODES = FixedCombinations(of=("code", "words"))
RULES = (OBESE, BMI, PRESSURE, PREGNANT, CODES)


def schema(*rules):
    return Schema(tables=(Table(columns=COLUMNS),), rules=rules)


def rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    code = rng.integers(4, size=n)
    frame = pl.DataFrame(
        {
            "weight": np.round(rng.uniform(45, 120, n), 1),
            "height": np.round(rng.uniform(1.5, 2.0, n), 2),
            "dbp": np.round(rng.uniform(50, 100, n)),
            "sbp": np.round(rng.uniform(80, 180, n)),
            "sex": rng.choice(["f", "m"], n),
            "pregnant": rng.random(n) < 0.3,
            "code": [f"C{c}" for c in code],
            "words": [f"words {c}" for c in code],
            "id": [str(i) for i in range(n)],
        }
    )
    frame = frame.with_columns(bmi=pl.lit(0.0), obese=pl.lit(0.0))
    return frame.select([c.name for c in COLUMNS])


def offences(frame, rules=RULES):
    asked = RowRules.of(schema(*rules), rows())
    closed = (*asked.computed, *asked.checked)
    return [str(v) for v in Dataset.of(schema(*closed), frame).check()]


def test_computed_columns_are_not_learned_and_keys_neither():
    rules = RowRules.of(schema(*RULES), rows())
    assert rules.derived == ("bmi", "obese")
    names = [c.name for c in rules.learned(COLUMNS)]
    assert names == ["weight", "height", "dbp", "sbp", "sex", "pregnant", "code", "words"]


def test_of_rules_in_a_circle_the_first_is_computed_and_the_others_are_checked():
    total = Derived(column="sbp", formula="dbp + weight")
    back = Derived(column="dbp", formula="sbp - weight")
    rules = RowRules.of(schema(total, back), rows())
    assert rules.derived == ("sbp",)
    assert [c.needs for c in rules.checks()] == [frozenset({"dbp", "weight"})]


def test_computed_values_are_rounded_and_missing_where_an_input_is():
    rules = RowRules.of(schema(*RULES), rows())
    frame = pl.DataFrame({"weight": [80.0, None, 70.0], "height": [1.83, 1.7, 0.0]})
    done = rules.complete(frame)
    assert done["bmi"].to_list() == [23.9, None, None]
    assert done["obese"].to_list() == [0.0, 0.0, 0.0]


def test_a_value_is_not_rounded_further_than_the_rule_tolerates():
    exact = Derived(column="bmi", formula="weight / power(height, 2)")
    rules = RowRules.of(schema(exact), rows())
    done = rules.complete(pl.DataFrame({"weight": [80.0], "height": [1.83]}))
    assert done["bmi"][0] == pytest.approx(80 / 1.83**2, abs=1e-12)


def test_a_rule_is_checked_as_soon_as_its_last_column_is_drawn():
    rules = RowRules.of(schema(*RULES), rows())
    assert rules.checks_after({"weight"}, "dbp") == ()
    assert [c.says for c in rules.checks_after({"weight", "dbp"}, "sbp")] == ["dbp < sbp"]
    assert [c.says for c in rules.checks_after({"weight"}, "height")] == ["bmi lies in 10 to 80"]
    frame = pl.DataFrame({"dbp": [80.0, 80.0, None], "sbp": [120.0, 80.0, 90.0]})
    assert rules.valid(frame, rules.checks_after({"dbp"}, "sbp")).tolist() == [True, False, True]


def test_conditions_on_computed_columns_are_checked_when_their_inputs_are_drawn():
    wish = Between(column="bmi", low=30)
    rules = RowRules.of(schema(*RULES), rows()).wishing([wish, Between(column="weight", low=3)])
    frame = pl.DataFrame({"weight": [120.0, 60.0], "height": [1.7, 1.7]})
    assert rules.valid(frame, rules.checks_after({"height"}, "weight")).tolist() == [True, False]


def test_rules_whose_violations_are_kept_are_not_enforced():
    kept = PRESSURE.model_copy(update={"on_violation": "keep_rate"})
    assert RowRules.of(schema(kept), rows()).is_empty


def test_combinations_of_fewer_than_five_real_rows_are_not_allowed():
    real = (
        rows()
        .with_row_index()
        .with_columns(words=pl.when(pl.col("index") < 4).then(pl.lit("secret")).otherwise("words"))
    )
    rules = RowRules.of(schema(CODES), real.drop("index"))
    allowed = [c for rule in rules.checked if isinstance(rule, FixedCombinations) for c in rule.allowed or ()]
    assert sorted(allowed) == [(f"C{i}", f"words {i}") for i in range(4)]


@given(st.integers(0, 200), st.integers(1, 60))
def test_repaired_rows_break_no_rule(seed, n):
    rules = RowRules.of(schema(*RULES), rows())
    rng = np.random.default_rng(seed)
    broken = rows(n, seed).with_columns(
        words=pl.Series(rng.choice(["words 0", "words 1", "else"], n)),
        sbp=pl.Series(np.round(rng.uniform(50, 100, n))),
    )
    frame = rules.complete(broken.drop("bmi", "obese")).select(broken.columns)
    mended = rules.repair(frame)
    assert mended.height == n
    assert rules.valid(mended).all()
    assert offences(mended) == []


def test_rules_that_contradict_each_other_are_named():
    rules = RowRules.of(
        schema(
            FixedCombinations(of=("sex", "pregnant"), allowed=(("m", "true"),)),
            Implies(when="sex = 'm'", then="pregnant = false"),
        ),
        rows(),
    )
    with pytest.raises(RuleError, match="no drawn row obeys all rules"):
        rules.repair(rows(), kept=("sex", "pregnant"))


def test_rules_survive_json():
    rules = RowRules.of(schema(*RULES), rows())
    assert RowRules.from_document(rules.to_document()) == rules
