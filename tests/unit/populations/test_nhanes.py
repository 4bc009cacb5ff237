"""The survey's adults are read with refusals, codes and questions not asked made plain."""

from __future__ import annotations

import polars as pl
import pytest

from tests.unit.knowledge.survey import FLAGS, NUMBERS
from tests.unit.populations.nhanes_files import RAW, TABLE, needs_survey
from understudy.core.errors import SourceError
from understudy.knowledge.observations import observations
from understudy.populations.nhanes import EXAMINATION, FASTING, read_adults

# The other derivation leaves questions missing that were not put to a person; here their answer is no.
NOT_PUT = {"oral_glucose_lowering", "antihypertensive", "cholesterol_medicine", "dialysis", "insulin"}

pytestmark = needs_survey


@pytest.fixture(scope="module")
def people():
    return read_adults(RAW)


@pytest.fixture(scope="module")
def derived():
    return pl.read_parquet(TABLE).filter((pl.col("age") >= 20) & (pl.col("wt_mec") > 0))


def test_every_examined_adult_is_there_with_a_weight(people, derived):
    assert people.height == derived.height == 8_544
    assert people[EXAMINATION].to_list() == pytest.approx(derived["wt_mec"].to_list())
    assert people[FASTING].fill_null(0).sum() == pytest.approx(derived["wt_fasting"].sum(), rel=0.001)


@pytest.mark.parametrize("name", sorted(NUMBERS.keys()))
def test_numbers_agree_with_an_independent_derivation(people, derived, name):
    if name not in people.columns:
        pytest.skip("follows from others, or its file is not at hand")
    mine, theirs = people[name].to_list(), derived[NUMBERS[name]].to_list()
    assert [a is None for a in mine] == [b is None for b in theirs]
    assert [a for a in mine if a is not None] == pytest.approx(
        [b for b in theirs if b is not None], abs=0.051
    )


@pytest.mark.parametrize("name", sorted(FLAGS.keys() - NOT_PUT))
def test_answers_agree_with_an_independent_derivation(people, derived, name):
    theirs = (derived[FLAGS[name]].cast(pl.Float64) == 1).to_list()
    known = derived[FLAGS[name]].is_not_null().to_list()
    assert people[name].to_list() == [
        answer if asked else None for answer, asked in zip(theirs, known, strict=True)
    ]


def test_levels_are_those_of_the_knowledge_base(people):
    for name in people.select(pl.selectors.string()).columns:
        assert set(people[name].drop_nulls()) <= set(observations()[name].values or ())


def test_no_value_leaves_its_plausible_range_but_for_one_person(people):
    odd = {}
    for name in people.columns:
        limits = observations()[name].plausible if name in observations() else None
        if limits is not None:
            odd[name] = int((~people[name].is_between(limits.low, limits.high)).sum())
    assert sum(odd.values()) <= 1, {name: count for name, count in odd.items() if count}


def test_a_folder_that_lacks_files_is_refused_with_their_names(tmp_path):
    (tmp_path / "P_DEMO.XPT").write_bytes(b"")
    with pytest.raises(SourceError, match="P_BMX"):
        read_adults(tmp_path)
