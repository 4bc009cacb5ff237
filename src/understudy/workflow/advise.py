"""Advice before work: a complete plan from a table and a few wishes, its cost, what the rows support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import polars as pl
from pydantic import ValidationError

from understudy.core.catalog import Choice
from understudy.core.conditions import Conditions
from understudy.core.contracts import Synthesizer
from understudy.core.dataset import Dataset
from understudy.core.errors import PlanError, RequestError
from understudy.core.rules import Handling
from understudy.core.schema import Column, Kind, Role, Schema, explain
from understudy.exports.catalog import CATALOG as EXPORTS
from understudy.sources.files import Reading
from understudy.sources.limits import available_memory
from understudy.sources.profile import linking_column, propose
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.augment import METRIC, filling
from understudy.workflow.candidates import (
    AUTO,
    DEFAULT_SYNTHESIZER,
    TUNE_SHARE,
    candidates,
    expected_seconds,
    tune_splits,
)
from understudy.workflow.inputs import Frames, learnable, raw_table, split_count
from understudy.workflow.plan import Holdout, Plan
from understudy.workflow.policy import FEWEST_JUDGED

_TAKEN_OVER = (
    "goal", "read", "given", "complete", "rows", "train_rows", "time_limit_s", "device", "with_generator",
    "holdout", "splits", "violations", "policy", "seed",
)  # fmt: skip


@dataclass(frozen=True)
class Wishes:
    """What a person said of a run; everything left out is chosen, with a reason."""

    goal: str = ""
    read: Mapping[str, Any] = field(default_factory=dict)
    schema: Schema | None = None
    synthesizer: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    given: Conditions = field(default_factory=Conditions)
    target: str | None = None
    protected: Sequence[str] | None = None
    rows: int | None = None
    augment: int | None = None
    balance: str | None = None
    complete: str = ""
    train_rows: int | None = None
    time_limit_s: float | None = None
    device: str = "cpu"
    with_generator: bool = False
    holdout: Holdout = field(default_factory=lambda: Holdout(fraction=0.2))
    splits: int | None = None
    export: str = "csv"
    violations: Handling | None = None
    policy: Literal["internal", "external"] = "internal"
    seed: int = 0


@dataclass(frozen=True)
class Draft:
    """A complete plan, and what was noticed about the table on the way.

    Attributes:
        plan: every choice with its reason.
        notes: what the reading and the profile of the table noticed.
        frames: the tables as they were read, by name: what is run is what was profiled, and read once.
    """

    plan: Plan
    notes: tuple[str, ...]
    frames: Frames


def draft(table: str, wishes: Wishes, frames: Frames | None = None) -> Draft:
    """Propose a complete plan for a table: what is not wished for is filled in, each choice with its reason.

    Args:
        table: path of the table, or the name of one of `frames`.
        wishes: what the person said.
        frames: tables in memory.

    Raises:
        RequestError: if the table cannot be read, or a wish names what does not exist.
    """
    frame, notes = raw_table(table, frames or {}, wishes.read)
    frames = {**(frames or {}), table: Reading(frame, notes)}
    reasons: dict[str, str] = {}
    patient = linking_column(frame)
    known = learnable(frame, patient, wishes.holdout, wishes.seed)
    if wishes.schema is None:
        proposal = propose(known, patient=patient, target=wishes.target)
        schema, notes = proposal.schema, (*notes, *proposal.notes)
        reasons["schema"] = (
            "proposed from names and the content of the rows to learn from; edit it where it is wrong"
        )
    else:
        schema = wishes.schema
        reasons["schema"] = "given"
    if wishes.augment is None and wishes.balance is None:
        return Draft(plan_for(table, schema, wishes, reasons), notes, frames)
    return Draft(_augmenting(table, known, schema, wishes, reasons), notes, frames)


def _augmenting(
    table: str, known: pl.DataFrame, schema: Schema, wishes: Wishes, reasons: Mapping[str, str]
) -> Plan:
    """Return the plan of rows that are to be added to the real ones, and the question whether they help."""
    if wishes.rows is not None or wishes.complete:
        raise RequestError(
            "rows to add are counted by --augment or --balance; leave --rows and --complete out"
        )
    why = "asked for, to be added to the real rows"
    if wishes.balance is not None:
        found = filling(known, schema, wishes.balance, wishes.augment)
        given = Conditions(where=wishes.given.where, shares=(*wishes.given.shares, *found.shares))
        wishes, why = replace(wishes, rows=found.rows, given=given), found.reason
    else:
        wishes = replace(wishes, rows=wishes.augment)
    plan = plan_for(table, schema, wishes, reasons)
    asked = (*plan.metrics, Choice(name=METRIC, reason="do the added rows help a model?"))
    return plan.model_copy(update={"metrics": asked, "reasons": {**plan.reasons, "rows": why}})


def plan_for(table: str, schema: Schema, wishes: Wishes, reasons: Mapping[str, str] | None = None) -> Plan:
    """Return the complete plan for a table whose meaning is known; its rows are not looked at.

    Args:
        table: path or name of the table.
        schema: what its columns mean.
        wishes: what the person said.
        reasons: why the schema is as it is.

    Raises:
        RequestError: if a wish names what does not exist.
    """
    why_fields = dict(reasons or {"schema": "given"})
    schema = with_wished_roles(schema, wishes, why_fields)
    if wishes.rows is not None and wishes.rows < 1:
        raise RequestError(f"--rows is {wishes.rows}; ask for at least 1 row")
    name = wishes.synthesizer or DEFAULT_SYNTHESIZER
    if name != AUTO:
        SYNTHESIZERS.entry(name)
    elif wishes.settings:
        raise RequestError(
            "`auto` chooses among synthesizers at their defaults; name one to give it settings"
        )
    EXPORTS.entry(wishes.export)
    why = "asked for" if wishes.synthesizer else "most faithful at an attack that gains nothing, and fast"
    why = (
        "asked for: candidates are tried on rows set aside from those to learn from" if name == AUTO else why
    )
    if wishes.rows is None:
        learned = "as many as were learned from: more rows hold no more information"
        why_fields["rows"] = "one for each row to complete" if wishes.complete else learned
    why_fields["holdout"] = _holdout_reason(wishes.holdout)
    try:
        return Plan(
            table=table,
            schema=schema,
            synthesizer=Choice(name=name, settings=dict(wishes.settings), reason=why),
            exports=(Choice(name=wishes.export),),
            reasons=why_fields,
            **{field: getattr(wishes, field) for field in _TAKEN_OVER},
        )
    except ValidationError as error:
        raise PlanError(f"the plan would be invalid: {explain(error)}") from error


def with_wished_roles(schema: Schema, wishes: Wishes, reasons: dict[str, str]) -> Schema:
    """Return the schema with the target and protected columns that were wished for, noting the reasons."""
    if wishes.target is not None:
        schema = schema.with_roles(Role.TARGET, [wishes.target])
        reasons["target"] = "asked for"
    elif targets := schema.table.having(Role.TARGET):
        reasons["target"] = f"{targets[0]!r} guessed: {schema.table.column(targets[0]).reason}"
    if wishes.protected is not None:
        schema = schema.with_roles(Role.PROTECTED, wishes.protected)
        reasons["protected"] = "asked for"
    elif named := schema.table.having(Role.PROTECTED):
        reasons["protected"] = f"{', '.join(named)} recognised by name and content"
    return schema


def _holdout_reason(holdout: Holdout) -> str:
    if holdout.table is not None:
        return "a table of its own, asked for"
    if holdout.fraction is None:
        return "none, asked for: privacy and utility cannot be measured"
    return "patients that no fit ever sees, against whom utility and privacy are measured"


@dataclass(frozen=True)
class Cost:
    """What a run is expected to need, from its size alone.

    Attributes:
        seconds: wall-clock time of the whole run on one core of a laptop.
        fit_seconds: that of learning once.
        memory_bytes: peak memory.
        disk_bytes: size of the release and of the stored steps.
        free_memory_bytes: memory that is free now.
        supports: what this many rows can and cannot show.
    """

    seconds: float
    fit_seconds: float
    memory_bytes: float
    disk_bytes: float
    free_memory_bytes: float
    supports: tuple[str, ...]


def cost(plan: Plan, real: Dataset) -> Cost:
    """Estimate time, memory and disk of a plan, and say what its rows can support."""
    learned = [c for c in real.columns if c.is_learned]
    rows, columns = real.rows, max(len(learned), 1)
    asked = plan.rows or rows
    splits = split_count(plan, rows, columns)
    evaluate_s = 1.0 + 0.4 * columns**0.5 + 1.5e-4 * min(rows, 20_000) * columns
    fit_s, choose_s = _learning_seconds(plan, real, columns, evaluate_s)
    sample_s = 4e-7 * asked * columns
    return Cost(
        seconds=3.0 + choose_s + splits * (fit_s + evaluate_s) + sample_s,
        fit_seconds=fit_s,
        memory_bytes=3e8 + 60.0 * rows * len(real.columns) + 60.0 * asked * len(real.columns),
        disk_bytes=5e6 + 24.0 * asked * len(real.columns),
        free_memory_bytes=float(available_memory()),
        supports=tuple(_supports(plan, real, learned)),
    )


def _learning_seconds(plan: Plan, real: Dataset, columns: int, evaluate_s: float) -> tuple[float, float]:
    """Return the seconds of learning once, and those that `auto` takes to choose."""
    if plan.synthesizer.name != AUTO:
        recipe: Synthesizer = SYNTHESIZERS.create(plan.synthesizer)
        return recipe.expected_seconds(real.rows, columns), 0.0
    offered = candidates(real.rows, real.columns, plan.policy, plan.time_limit_s)
    times = [expected_seconds(choice.name, real.rows, columns) for choice in offered]
    splits = tune_splits(real.rows)
    return max(times), splits * sum((1 - TUNE_SHARE) * seconds + evaluate_s for seconds in times)


def _supports(plan: Plan, real: Dataset, learned: list[Column]) -> list[str]:
    said = []
    rows, share = real.rows, plan.holdout.fraction
    if share is not None:
        held = round(rows * share / (1 - share))
        if held < FEWEST_JUDGED:
            said.append(
                f"about {held} rows are held out, fewer than the {FEWEST_JUDGED} that a verdict on privacy needs: "
                "attacks run, but the finding is 'inconclusive', never 'safe'"
            )
    elif plan.holdout.table is None:
        said.append("no row is held out: neither utility nor privacy is measured")
    if rows < 10 * len(learned):
        said.append(
            f"{rows} rows for {len(learned)} columns: single margins will be right, relations among many columns "
            "at once will not"
        )
    for column in learned:
        if column.kind is Kind.CATEGORY and column.has(Role.TARGET):
            fewest = int(real.frame[column.name].drop_nulls().value_counts()["count"].min() or 0)  # type: ignore[arg-type]
            if fewest < 20:
                said.append(
                    f"the rarest level of target {column.name!r} has {fewest} rows: too few to predict it"
                )
    return said
