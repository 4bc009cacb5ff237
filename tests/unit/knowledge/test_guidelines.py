"""Every guideline says where it was read, and its conditions are expressions over observations."""

import polars as pl
import pytest

from understudy.core.errors import UnknownNameError
from understudy.core.rules import sql
from understudy.knowledge.conditions import conditions
from understudy.knowledge.guidelines import guideline, guidelines
from understudy.knowledge.observations import observations
from understudy.knowledge.sources import sources


@pytest.mark.parametrize("name", sorted(guidelines()))
def test_every_statement_reads_known_observations(name: str) -> None:
    entry = guideline(name)
    assert set(entry.sources) <= set(sources())
    for statement in entry.statements:
        if statement.when:
            assert set(sql(statement.when).meta.root_names()) <= set(observations()), statement.says


def test_every_guideline_is_used_or_named_by_a_condition() -> None:
    used = {rule.guideline for c in conditions().values() for rule in c.criteria}
    used |= {stage.guideline for c in conditions().values() for stage in c.stages}
    named = " ".join(text for c in conditions().values() for text in c.missing)
    assert [name for name in guidelines() if name not in used and name not in named] == []


def test_the_two_definitions_of_hypertension_differ_where_they_should() -> None:
    patient = pl.DataFrame({"systolic_bp": [134.0], "diastolic_bp": [78.0]})
    newer, older = guideline("acc_aha_2017").statements[0].when, guideline("jnc7").statements[0].when
    assert newer is not None
    assert older is not None
    assert patient.select(sql(newer)).item() is True
    assert patient.select(sql(older)).item() is False


def test_an_unknown_guideline_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="kdigo_ckd"):
        guideline("kdigo")
