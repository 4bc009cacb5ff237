"""What is held out stays unseen: it decides nothing of the plan, of what is learned, or of how rows are treated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tests.workflow.simulated import patients, plan_of
from understudy.workflow.advise import Wishes, cost, draft
from understudy.workflow.inputs import read_inputs
from understudy.workflow.plan import MEMORY, Holdout, Plan
from understudy.workflow.run import run

SHARE = Holdout(fraction=0.25)


def clinic() -> pl.DataFrame:
    """Return visits of patients: a number, a site, an odd column of whole numbers, a bound that all keep."""
    frame = patients(300)
    return frame.with_columns(
        patient_id=pl.int_range(pl.len()) // 2,
        row=pl.int_range(pl.len()),
        site=pl.Series(np.random.default_rng(3).choice(["A", "B"], 300)),
    )


def drafted(frame: pl.DataFrame) -> Plan:
    """Return the plan for a table whose rows number themselves, which no schema says."""
    wishes = Wishes(holdout=SHARE, synthesizer="marginals", splits=1)
    return draft(MEMORY, wishes, {MEMORY: frame}).plan


def spoilt(frame: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Return the table with other values in all rows that the plan holds out."""
    held = read_inputs(plan, {MEMORY: frame}).holdout
    assert held is not None
    is_held = pl.col("row").is_in(held.frame["row"].cast(pl.Int64).to_list())
    return frame.with_columns(
        pl.when(is_held).then(pl.lit("elsewhere")).otherwise("site").alias("site"),
        pl.when(is_held).then(-3.25).otherwise("sbp").alias("sbp"),
        pl.when(is_held).then(999).otherwise("age").alias("age"),
    )


def test_nothing_that_the_holdout_holds_changes_the_plan_or_the_synthetic_rows(tmp_path: Path) -> None:
    frame = clinic()
    plan = drafted(frame)
    other = spoilt(frame, plan)
    assert plan.schema_.table.column("site").values == ("A", "B")
    # Whole numbers come as whole numbers; the holdout's -3.25 turned the column into decimals on reading.
    again = drafted(other.with_columns(pl.col("sbp").round().cast(pl.Int64)))
    assert again.schema_ == plan.schema_
    rows = []
    for number, table in enumerate((frame, other)):
        done = plan.model_copy(update={"metrics": ()})
        rows.append(run(done, tmp_path / f"release{number}", frames={MEMORY: table}).dataset)
    assert rows[0] is not None
    assert rows[1] is not None
    assert rows[0].frame.equals(rows[1].frame)


def test_the_rows_of_a_patient_are_held_out_together_when_the_schema_is_proposed() -> None:
    inputs = read_inputs(drafted(clinic()), {MEMORY: clinic()})
    assert inputs.holdout is not None
    assert not set(inputs.train.frame["patient_id"]) & set(inputs.holdout.frame["patient_id"])
    assert inputs.holdout.rows == 76


def test_held_out_rows_are_treated_like_the_rows_that_are_learned_from() -> None:
    half = pl.when(pl.int_range(pl.len()) < 100).then(900).otherwise("sbp").alias("sbp")
    frame, others = patients(200).with_columns(half), patients(150, seed=5).with_columns(half)
    schema = plan_of(frame).schema_
    bounded = schema.with_table(
        schema.table.replacing([schema.table.column("sbp").model_copy(update={"high": 300.0})])
    )
    for holdout, frames in (
        (SHARE, {MEMORY: frame}),
        (Holdout(table="held"), {MEMORY: frame, "held": others}),
    ):
        plan = plan_of(frame, schema=bounded, holdout=holdout, violations="repair")
        inputs = read_inputs(plan, frames)
        assert inputs.holdout is not None
        assert inputs.holdout.frame["sbp"].null_count() > 20
        assert inputs.holdout.frame["sbp"].drop_nulls().sort()[-1] < 300
        assert inputs.holdout.schema == inputs.train.schema


def test_what_is_not_held_out_is_said_before_work_and_costs_no_further_splits() -> None:
    frame = patients(300)
    costs = {}
    for holdout in (Holdout(), SHARE):
        plan = draft(MEMORY, Wishes(holdout=holdout), {MEMORY: frame}).plan
        costs[holdout] = cost(plan, read_inputs(plan, {MEMORY: frame}).train)
    assert costs[Holdout()].supports == ("no row is held out: neither utility nor privacy is measured",)
    assert "about 75 rows are held out" in costs[SHARE].supports[0]
    assert costs[Holdout()].seconds < costs[SHARE].seconds / 2
