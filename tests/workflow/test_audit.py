"""The audit: rules of the knowledge base on a raw table."""

from __future__ import annotations

import polars as pl
import pytest

from understudy.core.errors import SourceError
from understudy.workflow.audit import audit


def table(rows: int = 200) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "patient": [f"p{k}" for k in range(rows)],
            "Age": [30 + k % 50 for k in range(rows)],
            "gender": ["F" if k % 2 else "M" for k in range(rows)],
            "SBP (mmHg)": [120 + k % 30 for k in range(rows)],
            "DBP (mmHg)": [70 + k % 20 for k in range(rows)],
            "HbA1c (mmol/mol)": [35 + k % 20 for k in range(rows)],
            "colour of door": [["red", "blue"][k % 2] for k in range(rows)],
        }
    )


def test_columns_are_recognised_by_synonym_and_unit() -> None:
    found = audit(table())
    read = {reading.column: (reading.name, reading.unit) for reading in found.readings}
    assert read["SBP (mmHg)"] == ("systolic_bp", "mm[Hg]")
    assert read["HbA1c (mmol/mol)"] == ("hba1c", "mmol/mol")
    assert "colour of door" in found.unknown


def test_a_plausible_table_is_clean() -> None:
    found = audit(table())
    assert len(found.checked) > 5
    assert found.is_clean
    assert not [entry.rule.id for entry in found.violations]


def test_the_rows_that_break_a_rule_are_counted_and_named() -> None:
    swapped = pl.when(pl.int_range(pl.len()).is_in([3, 9])).then(200).otherwise(pl.col("DBP (mmHg)"))
    found = audit(table().with_columns(swapped.alias("DBP (mmHg)")))
    assert not found.is_clean
    order = next(entry for entry in found.violations if set(entry.columns) == {"SBP (mmHg)", "DBP (mmHg)"})
    assert order.broken == 2
    assert order.shown == (4, 10)
    assert order.is_believed


def test_a_rule_that_most_rows_break_is_doubted() -> None:
    found = audit(
        table().with_columns(pl.col("HbA1c (mmol/mol)").alias("HbA1c (%)")).drop("HbA1c (mmol/mol)")
    )
    assert any(not entry.is_believed for entry in found.violations)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(SourceError, match="no rows"):
        audit(table().head(0))
