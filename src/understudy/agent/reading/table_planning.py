"""From findings to the plan for a person's own table, through the door that the command line uses too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from understudy.agent.reading.limits import Limit, in_own_unit
from understudy.agent.reading.planning import Planned, Planner, Revision
from understudy.agent.reading.sheet import Finding
from understudy.core.catalog import Choice
from understudy.core.conditions import Conditions, OneOf, Proportion, Where
from understudy.core.errors import ConditionError, RequestError
from understudy.core.schema import Role, Schema
from understudy.modalities.wishes import resolve
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.advise import DEFAULT_SYNTHESIZER, Wishes, plan_for
from understudy.workflow.plan import Holdout, Plan

_ORDER = (
    *("seed", "splits", "policy", "export", "violations", "rows", "counts", "times", "train_rows", "holdout"),
    *(
        "time_s",
        "target",
        "protected",
        "synthesizer",
        "compared",
        "settings",
        "unlimit",
        "where",
        "limits",
        "shares",
    ),
)
_PLAIN = ("seed", "splits", "policy", "export", "violations", "rows", "train_rows", "target", "synthesizer")


def plan_table(
    text: str,
    path: str,
    schema: Schema,
    rows: int | None,
    findings: Sequence[Finding],
    revision: Revision | None = None,
) -> Planned:
    """Return the plan for a table that findings ask for, or the nearest feasible one with what it leaves out."""
    start = Wishes(goal=text) if revision is None else _wishes_of(revision, text)
    asked = sorted((f for f in findings if f.field in _ORDER), key=lambda f: _ORDER.index(f.field))
    add = revision is not None

    def apply(wishes: Wishes, finding: Finding) -> Wishes:
        return _apply(wishes, finding, schema, rows, is_adding=add)

    def draft(wishes: Wishes) -> tuple[Plan, tuple[str, ...]]:
        return _draft(path, schema, wishes)

    planned = Planner(apply, draft).plan(start, asked)
    if planned.plan is None and not planned.failed:
        return planned
    return planned if planned.plan else replace(planned, plan=draft(start)[0])


def _apply(wishes: Wishes, finding: Finding, schema: Schema, rows: int | None, *, is_adding: bool) -> Wishes:
    field, value = finding.field, finding.value
    if field in _PLAIN:
        changes: dict[str, Any] = {field: value}
    elif field == "protected":
        before = schema.table.having(Role.PROTECTED) if wishes.protected is None else wishes.protected
        changes = {"protected": tuple(dict.fromkeys([*before, *value])) if is_adding else value}
    elif field == "holdout":
        changes = {"holdout": Holdout(fraction=value)}
    elif field == "time_s":
        changes = {"time_limit_s": value}
    elif field == "times":
        if rows is None:
            raise RequestError("how many rows the table has is not known here; say how many you want")
        changes = {"rows": round(value * rows)}
    elif field == "settings":
        changes = {"settings": _settings(wishes, *value)}
    elif field == "compared":
        changes = {"synthesizer": next((n for n in value if n in SYNTHESIZERS.names), None)}
    else:
        changes = _given(wishes, field, value, schema)
    return replace(wishes, **changes)


def _settings(wishes: Wishes, name: str, value: float | None) -> Mapping[str, Any]:
    chosen = wishes.synthesizer or DEFAULT_SYNTHESIZER
    fields: Mapping[str, Any] = SYNTHESIZERS.recipe(chosen).model_fields
    if name not in fields:
        says = f"{chosen} has no setting {name!r}; it has {', '.join(fields) or 'none'}"
        raise RequestError(
            says + ("; formal privacy is not available yet" if name in ("epsilon", "delta") else "")
        )
    if value is None:
        return wishes.settings
    return {**wishes.settings, name: int(value) if value == int(value) and value >= 1 else value}


def _given(wishes: Wishes, field: str, value: Any, schema: Schema) -> dict[str, Any]:
    given = wishes.given
    if field == "counts":
        total, shares = value
        return {"rows": total, "given": _grown(given, (), shares)}
    if field == "unlimit":
        return {"given": _forgetting(given, value)}
    if field == "shares":
        return {"given": _grown(given, (), value)}
    return {"given": _grown(given, tuple(_wheres(value, schema)), ())}


def _grown(given: Conditions, where: tuple[Where, ...], shares: Sequence[Proportion]) -> Conditions:
    try:
        return Conditions(where=(*given.where, *where), shares=(*given.shares, *shares))
    except ValueError as error:
        raise ConditionError(
            str(error).partition("Value error, ")[2].partition(" [")[0] or str(error)
        ) from error


def _wheres(value: Any, schema: Schema) -> list[Where]:
    parts = value if isinstance(value, tuple) else (value,)
    found: list[Where] = []
    for part in parts:
        if isinstance(part, Limit):
            found.append(in_own_unit(part, schema.table.column(part.where.column).unit))
        elif isinstance(part, OneOf):
            found.append(part)
    return found


def _forgetting(given: Conditions, columns: Sequence[str] | frozenset[str]) -> Conditions:
    return Conditions(
        where=tuple(w for w in given.where if w.column not in columns),
        shares=tuple(s for s in given.shares if s.column not in columns),
    )


def _draft(path: str, schema: Schema, wishes: Wishes) -> tuple[Plan, tuple[str, ...]]:
    plan = plan_for(path, schema, wishes)
    given = resolve(plan.given, plan.schema_)
    # Making the recipe checks its settings; nothing is learned.
    SYNTHESIZERS.create(Choice(name=plan.synthesizer.name, settings=plan.synthesizer.settings))
    return plan.model_copy(update={"given": given}), ()


def _wishes_of(revision: Revision, text: str) -> Wishes:
    plan = revision.plan
    table = plan.schema_.table
    return Wishes(
        goal=f"{plan.goal}\n{text}",
        synthesizer=plan.synthesizer.name if plan.synthesizer.reason == "asked for" else None,
        settings=plan.synthesizer.settings,
        given=_forgetting(plan.given, revision.columns),
        target=next(iter(table.having(Role.TARGET)), None),
        protected=table.having(Role.PROTECTED),
        rows=plan.rows,
        train_rows=plan.train_rows,
        time_limit_s=plan.time_limit_s,
        holdout=plan.holdout,
        splits=plan.splits,
        export=plan.exports[0].name,
        violations=plan.violations,
        policy=plan.policy,
        seed=plan.seed,
    )
