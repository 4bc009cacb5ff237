"""From findings to the plan for a person's own table, through the door that the command line uses too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from understudy.workflow.advise import Wishes, plan_for
from understudy.workflow.candidates import AUTO, DEFAULT_SYNTHESIZER
from understudy.workflow.plan import Holdout, Plan

# In the order in which they are settled: what builds on another comes after it.
_ORDER = (
    "seed", "splits", "policy", "export", "violations", "device", "with_generator", "complete", "rows", "counts",
    "times", "train_rows", "holdout", "time_s", "target", "protected", "synthesizer", "compared", "privacy",
    "settings", "unlimit", "where", "limits", "shares",
)  # fmt: skip
_PLAIN = frozenset(
    ("seed", "splits", "policy", "export", "violations", "device", "with_generator", "rows", "train_rows", "target",
     "synthesizer")
)  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """The table that is spoken of.

    Attributes:
        path: where it lies.
        schema: what its columns mean.
        rows: how many rows it has, where that is known.
    """

    path: str
    schema: Schema
    rows: int | None = None


def plan_table(
    text: str, subject: Subject, findings: Sequence[Finding], revision: Revision | None = None
) -> Planned:
    """Return the plan for a table that findings ask for, or the nearest feasible one with what it leaves out."""
    start = Wishes(goal=text) if revision is None else _wishes_of(revision, text)
    asked = sorted((f for f in findings if f.field in _ORDER), key=lambda f: _ORDER.index(f.field))

    def apply(wishes: Wishes, finding: Finding) -> Wishes:
        return replace(wishes, **_changes(wishes, finding, subject, is_adding=revision is not None))

    def draft(wishes: Wishes) -> tuple[Plan, tuple[str, ...]]:
        return _draft(subject, wishes)

    planned = Planner(apply, draft).plan(start, asked)
    planned = planned if planned.plan else replace(planned, plan=draft(start)[0])
    return planned.refusing(
        findings, _ORDER, "this is possible for patients of a population only, not for a table"
    )


def _changes(wishes: Wishes, finding: Finding, subject: Subject, *, is_adding: bool) -> dict[str, Any]:
    """Return the wishes that a finding changes, by name."""
    field, value = finding.field, finding.value
    if field in _PLAIN:
        return {field: value}
    if field == "protected":
        before = wishes.protected or subject.schema.table.having(Role.PROTECTED)
        return {"protected": tuple(dict.fromkeys([*before, *value])) if is_adding else value}
    if field == "holdout":
        return {"holdout": Holdout(fraction=value)}
    if field == "complete":
        return {"complete": value or subject.path}
    if field == "time_s":
        return {"time_limit_s": value}
    if field == "times":
        if subject.rows is None:
            raise RequestError("how many rows the table has is not known here; say how many you want")
        return {"rows": round(value * subject.rows)}
    if field == "settings":
        return {"settings": _settings(wishes, *value)}
    if field == "privacy":
        return _private(wishes, *value)
    if field == "compared":
        return {"synthesizer": next((n for n in value if n in SYNTHESIZERS.names), None)}
    return _given(wishes, field, value, subject.schema)


def _settings(wishes: Wishes, name: str, value: float) -> Mapping[str, Any]:
    chosen = wishes.synthesizer or DEFAULT_SYNTHESIZER
    fields: Mapping[str, Any] = SYNTHESIZERS.recipe(chosen).model_fields
    if name not in fields:
        raise RequestError(f"{chosen} has no setting {name!r}; it has {', '.join(fields) or 'none'}")
    return {**wishes.settings, name: int(value) if value == int(value) and value >= 1 else value}


def _private(wishes: Wishes, name: str, value: float | None) -> dict[str, Any]:
    """Return wishes for a synthesizer that keeps a privacy budget; a promise that none can keep is refused."""
    able = [e.name for e in SYNTHESIZERS.entries if "differential_privacy" in e.handles]
    chosen = wishes.synthesizer if wishes.synthesizer in able or not able else able[0]
    if chosen not in able:
        raise RequestError(
            "formal privacy (epsilon, delta) is not available yet: no synthesizer here keeps a budget; measured "
            "instead is whether attacks find the patients that were learned from"
        )
    wishes = replace(wishes, synthesizer=chosen)
    settings = wishes.settings if value is None else _settings(wishes, name, value)
    return {"synthesizer": chosen, "settings": settings}


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


def _draft(subject: Subject, wishes: Wishes) -> tuple[Plan, tuple[str, ...]]:
    plan = plan_for(subject.path, subject.schema, wishes)
    given = resolve(plan.given, plan.schema_)
    # Making the recipe checks its settings; nothing is learned.
    if plan.synthesizer.name != AUTO:
        SYNTHESIZERS.create(Choice(name=plan.synthesizer.name, settings=plan.synthesizer.settings))
    return plan.model_copy(update={"given": given}), ()


def _wishes_of(revision: Revision, text: str) -> Wishes:
    wishes = wishes_of(revision.plan)
    given = _forgetting(wishes.given, revision.columns)
    return replace(wishes, goal=f"{wishes.goal}\n{text}", given=given)


def wishes_of(plan: Plan) -> Wishes:
    """Return the wishes that lead to a plan for a table."""
    table = plan.schema_.table
    return Wishes(
        goal=plan.goal,
        synthesizer=plan.synthesizer.name if plan.synthesizer.reason == "asked for" else None,
        settings=plan.synthesizer.settings,
        given=plan.given,
        target=next(iter(table.having(Role.TARGET)), None),
        protected=table.having(Role.PROTECTED),
        rows=plan.rows,
        complete=plan.complete,
        train_rows=plan.train_rows,
        device=plan.device,
        with_generator=plan.with_generator,
        time_limit_s=plan.time_limit_s,
        holdout=plan.holdout,
        splits=plan.splits,
        export=plan.exports[0].name,
        violations=plan.violations,
        policy=plan.policy,
        seed=plan.seed,
    )
