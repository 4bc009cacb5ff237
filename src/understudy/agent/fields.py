"""The fields of a plan as a language model states them, and the plan that they make."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from understudy.agent.aliases import revealed
from understudy.agent.state import Desk
from understudy.core.conditions import conditions
from understudy.core.errors import RequestError
from understudy.core.values import Value
from understudy.workflow.advise import Wishes, draft
from understudy.workflow.cohort_request import CohortWishes, draft_cohort
from understudy.workflow.plan import Plan

Names = tuple[str, ...]


class PlanFields(Value):
    """What a request asks for; everything that it does not say is left out."""

    origin: Literal["population", "table"] | None = Field(
        default=None, description="table where the person's own table is meant, else population."
    )
    conditions: Names = Field(default=(), max_length=10, description="Diseases that every patient has.")
    exclude: Names = Field(default=(), max_length=10, description="Diseases that no patient has.")
    rows: int | None = Field(default=None, ge=1, le=100_000_000, description="How many patients or rows.")
    observations: int | None = Field(default=None, ge=1, le=200, description="How many observations.")
    add: Names = Field(default=(), max_length=20, description="Observations that are named.")
    drop: Names = Field(default=(), max_length=20, description="Observations to leave out.")
    where: Names = Field(
        default=(), max_length=20, description="Limits that every row keeps, such as age>=65 or sex=female."
    )
    share: Names = Field(default=(), max_length=20, description="Proportions, such as sex=female:0.6.")
    target: str | None = Field(default=None, description="Column to predict, where a table is meant.")
    protected: Names = Field(default=(), max_length=10, description="Columns whose groups are compared.")
    synthesizer: str | None = Field(default=None, description="Method by name, where one is asked for.")
    train_rows: int | None = Field(default=None, ge=2, description="Real rows to learn from, at most.")
    export: Literal["csv", "parquet"] | None = Field(default=None, description="Format of the files.")
    policy: Literal["internal", "external"] | None = Field(
        default=None, description="external where the data leave the house."
    )


def drafted_from(fields: PlanFields, desk: Desk, read: Plan | None) -> Plan:
    """Return the plan that the fields make, through the doors that the command line uses too.

    Args:
        fields: what a language model read; columns of private tables by number.
        desk: the tables at hand.
        read: the interpreter's plan, whose goal, seed and unmentioned choices stay.

    Raises:
        RequestError: if a field names what does not exist.
    """
    is_table = fields.origin == "table" or (fields.origin is None and bool(desk.tables))
    return _of_table(fields, desk, read) if is_table else _of_population(fields, desk, read)


def _of_population(fields: PlanFields, desk: Desk, read: Plan | None) -> Plan:
    wishes = CohortWishes(
        conditions=fields.conditions,
        exclude=fields.exclude,
        rows=fields.rows or (read.rows if read and read.rows else 1_000),
        observations=fields.observations or 20,
        add=fields.add,
        drop=fields.drop,
        where=fields.where,
        share=fields.share,
        export=fields.export or "csv",
        policy=fields.policy or "internal",
        seed=read.seed if read else 0,
        goal=desk.state.said,
    )
    return draft_cohort(wishes).plan


def _of_table(fields: PlanFields, desk: Desk, read: Plan | None) -> Plan:
    table = desk.table
    if table is None:
        raise RequestError("no table was brought")
    where, share, protected = ([revealed(text, table) for text in texts]
                               for texts in (fields.where, fields.share, fields.protected))  # fmt: skip
    wishes = Wishes(
        goal=desk.state.said,
        schema=table.known.schema_,
        synthesizer=fields.synthesizer,
        given=conditions(where, share),
        target=revealed(fields.target, table) if fields.target else None,
        protected=protected or None,
        rows=fields.rows,
        train_rows=fields.train_rows,
        export=fields.export or "csv",
        policy=fields.policy or "internal",
        seed=read.seed if read else 0,
    )
    return draft(table.known.path, wishes, {table.known.path: table.reading}).plan
