"""SQL conditions taken apart mean what they meant whole."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.populations.people import SCHEMA, simulate
from understudy.core.dataset import Dataset
from understudy.core.errors import RuleError
from understudy.core.rules import sql
from understudy.knowledge.conditions import conditions
from understudy.modalities.wishes import holds
from understudy.populations.logic import as_where, conjuncts, names, parse, without

COLUMNS = {c.name: c for c in SCHEMA.table.columns}
LEAVES = (
    "bmi >= 30",
    "hba1c < 6.5",
    "insulin",
    "sex = 'female'",
    "sex <> 'male'",
    "diabetes_duration IS NULL",
    "age_at_diabetes_diagnosis < 30",
    "bmi + 1 > waist / 4",
)


def gappy(rows: int = 400) -> pl.DataFrame:
    """Simulated people with some cells missing."""
    rng = np.random.default_rng(3)
    frame = simulate(rows, rng)
    return frame.with_columns(
        pl.when(pl.Series(rng.random(rows) > 0.15)).then(pl.col(name)).alias(name) for name in frame.columns
    )


def nested(depth: int) -> st.SearchStrategy[str]:
    if depth == 0:
        return st.sampled_from(LEAVES)
    inner = nested(depth - 1)
    return st.one_of(
        inner,
        st.builds("({}) AND ({})".format, inner, inner),
        st.builds("({}) OR ({})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    )


FRAME = gappy()


@given(nested(3))
def test_taken_apart_and_put_together_a_condition_selects_the_same_people(text: str) -> None:
    whole = FRAME.select(sql(text).fill_null(value=False).alias("is")).to_series()
    parts = [sql(part.sql()).fill_null(value=False) for part in conjuncts(parse(text))]
    assert FRAME.select(pl.all_horizontal(parts).alias("is")).to_series().equals(whole)


@given(nested(2))
def test_what_a_generator_honours_selects_the_same_people_as_the_sql(text: str) -> None:
    dataset = Dataset.of(SCHEMA, FRAME)
    for part in conjuncts(parse(text)):
        where = as_where(part, COLUMNS)
        if where is not None:
            expected = FRAME.select(sql(part.sql()).fill_null(value=False).alias("is")).to_series()
            assert dataset.frame.select(holds(where, SCHEMA).alias("is")).to_series().equals(expected)


def test_a_case_that_asks_for_known_inputs_is_read_as_such() -> None:
    text = "CASE WHEN hba1c IS NULL OR bmi IS NULL THEN NULL ELSE hba1c >= 6.5 OR bmi >= 30 END"
    wheres = [as_where(part, COLUMNS) for part in conjuncts(parse(text))]
    assert [w.says() for w in wheres if w is not None] == ["hba1c is not missing", "bmi is not missing"]


@pytest.mark.parametrize("name", sorted(conditions()))
def test_every_definition_of_the_knowledge_base_can_be_taken_apart(name: str) -> None:
    entry = conditions()[name]
    texts = [c.when for c in entry.criteria] + [s.when for s in entry.stages]
    texts += [entry.nhanes_definition.when] if entry.nhanes_definition else []
    for text in texts:
        assert set(names(parse(text))) == set(sql(text).meta.root_names())


def test_alternatives_that_read_what_is_not_held_are_left_out() -> None:
    whole = parse("hba1c >= 6.5 OR ogtt_2h_glucose >= 200")
    held = without(whole, lambda name: name == "hba1c")
    assert held is not None
    assert held.sql() == "hba1c >= 6.5"
    assert without(parse("hba1c >= 6.5 AND ogtt_2h_glucose >= 200"), lambda name: name == "hba1c") is None


def test_a_character_that_no_condition_has_is_refused() -> None:
    with pytest.raises(RuleError, match=";"):
        parse("bmi >= 30; drop table")
