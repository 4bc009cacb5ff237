"""From findings to the plan of a cohort, through the door that the command line uses too."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from understudy.agent.reading.feasible import refuse_impossible, units_of
from understudy.agent.reading.limits import Limit
from understudy.agent.reading.planning import Planned, Planner, Revision
from understudy.agent.reading.scope import population
from understudy.agent.reading.sheet import Finding
from understudy.agent.reading.wish_texts import share_texts, texts_of, where_texts
from understudy.core.conditions import Between, OneOf, Proportion
from understudy.core.errors import ConditionError
from understudy.core.schema import explain
from understudy.knowledge.conditions import conditions
from understudy.knowledge.levels import condition_groups
from understudy.knowledge.observations import Group, observations
from understudy.populations.targets import columns_of
from understudy.populations.targets import says as says_target
from understudy.workflow.cohort_request import DEFAULT_OBSERVATIONS, CohortWishes, draft_cohort
from understudy.workflow.plan import Plan

# What must be settled before what builds on it.
_ORDER = (
    "startover", "population", "seed", "policy", "export", "missing", "rows", "size", "counts", "times", "uncondition",
    "conditions", "condition", "staged", "exclude", "exclude_group", "unlimit", "where", "limits", "shares", "targets",
    "observations", "only", "add", "drop", "system", "units",
)  # fmt: skip
_THAT_IS = re.compile(r"\bi\.? ?e\b|that is|namely|meaning|such as|:|\(", re.IGNORECASE)


def plan_cohort(text: str, findings: Sequence[Finding], revision: Revision | None = None) -> Planned:
    """Return the plan of a cohort that findings ask for, or the nearest feasible one with what it leaves out."""
    start = CohortWishes(goal=text) if revision is None else _wishes_of(revision, text)
    asked = [f for f in _with_hints(text, findings, revision) if f.field in (*_ORDER, "observations_more")]
    asked.sort(key=lambda f: _ORDER.index(f.field) if f.field in _ORDER else _ORDER.index("observations"))
    planned = Planner(_apply, _draft).plan(start, asked)
    known = (*_ORDER, "observations_more", "observations_of")
    return planned.refusing(findings, known, "this is possible for a table of your own only (--data)")


def _with_hints(text: str, findings: Sequence[Finding], revision: Revision | None) -> list[Finding]:
    """Read "20 diabetes observations" as naming the condition too, where nothing else does."""
    named = any(f.field in ("conditions", "condition", "staged") for f in findings)
    found: list[Finding] = []
    for finding in findings:
        if finding.field == "exclude_group" and _is_spelled_out(finding, findings, text):
            found.append(replace(finding, field="background"))
        elif finding.field == "observations_of":
            count, hint = finding.value
            found.append(replace(finding, field="observations", value=count))
            if not named and revision is None:
                found.append(replace(finding, field="conditions", value=(hint,)))
        else:
            found.append(finding)
    return found


def _is_spelled_out(group: Finding, findings: Sequence[Finding], text: str) -> bool:
    """Say whether the words after a group list what it stands for: no chronic disease, i.e. no asthma."""
    end = group.start + len(group.words)
    after = [f.start for f in findings if f.field == "exclude" and f.start >= end]
    return bool(after) and bool(_THAT_IS.search(text[end : min(after) + 1]))


def _apply(wishes: CohortWishes, finding: Finding) -> CohortWishes:
    value = finding.value
    if finding.field in _SPECIAL:
        return _SPECIAL[finding.field](wishes, value)
    changes: dict[str, Any] = {finding.field: value}
    if finding.field in _GROWING:
        name, texts = _GROWING[finding.field]
        changes = {name: tuple(dict.fromkeys([*getattr(wishes, name), *texts(value)]))}
    return replace(wishes, **changes)


def _counts(wishes: CohortWishes, value: tuple[int, Sequence[Proportion]]) -> CohortWishes:
    rows, shares = value
    return replace(wishes, rows=rows, share=(*wishes.share, *share_texts(shares)))


def _excluded(wishes: CohortWishes, group: str) -> CohortWishes:
    entry = condition_groups()[group]
    # "Hypertension and no other chronic disease": what is asked for is not left out.
    others = [
        c
        for c in entry.conditions
        if _tidied([c, *wishes.conditions])[:1] == (c,) and c not in _plain(wishes)
    ]
    where = [f"{name}=false" for name in entry.observations]
    return replace(wishes, exclude=(*wishes.exclude, *others), where=(*wishes.where, *where))


def _plain(wishes: CohortWishes) -> list[str]:
    return [name.partition(":")[0] for name in wishes.conditions]


def _staged(wishes: CohortWishes, value: tuple[str, Limit]) -> CohortWishes:
    return replace(
        wishes, conditions=(*wishes.conditions, value[0]), where=(*wishes.where, *texts_of(value[1]))
    )


def _only(wishes: CohortWishes, names: Sequence[str]) -> CohortWishes:
    added = () if wishes.observations != 0 else tuple(wishes.add)
    return replace(wishes, observations=0, add=tuple(dict.fromkeys([*added, *names])))


def _count(wishes: CohortWishes, value: int | str) -> CohortWishes:
    added = () if wishes.observations == 0 else tuple(wishes.add)
    return replace(wishes, observations=None if value == "all" else int(value), add=added)


def _more(wishes: CohortWishes, value: int) -> CohortWishes:
    shown = [
        n for n in wishes.add if n in observations() and observations()[n].group is not Group.DEMOGRAPHICS
    ]
    base = len(shown) if wishes.observations == 0 else wishes.observations or DEFAULT_OBSERVATIONS
    return _count(wishes, base + value)


def _units(wishes: CohortWishes, value: Sequence[tuple[str, str]]) -> CohortWishes:
    names = dict.fromkeys([*wishes.add, *(name for name, _ in value)])
    return replace(wishes, units={**wishes.units, **dict(value)}, add=tuple(names))


def _uncondition(wishes: CohortWishes, names: Sequence[str]) -> CohortWishes:
    keep = tuple(c for c in wishes.conditions if c.partition(":")[0] not in names)
    staged = {o for name in names for stage in conditions()[name].stages for o in stage.observations}
    wishes = _forgetting(wishes, [*staged])
    return replace(wishes, conditions=keep, exclude=tuple(c for c in wishes.exclude if c not in names))


def _unlimit(wishes: CohortWishes, columns: Sequence[str]) -> CohortWishes:
    return _forgetting(wishes, columns)


_GROWING: Mapping[str, tuple[str, Callable[[Any], list[str]]]] = {
    "conditions": ("conditions", list),
    "condition": ("conditions", lambda v: [v]),
    "exclude": ("exclude", list),
    "where": ("where", where_texts),
    "limits": ("where", where_texts),
    "shares": ("share", share_texts),
    "targets": ("targets", list),
    "add": ("add", list),
    "drop": ("drop", list),
}
_SPECIAL: Mapping[str, Callable[[CohortWishes, Any], CohortWishes]] = {
    "counts": _counts,
    "exclude_group": _excluded,
    "size": lambda wishes, value: _count(replace(wishes, rows=value[0]), value[1]),
    "staged": _staged,
    "only": _only,
    "observations": _count,
    "observations_more": _more,
    "units": _units,
    "system": lambda wishes, value: replace(wishes, system=value, units={}),
    "times": lambda wishes, value: replace(wishes, rows=max(round(wishes.rows * value), 1)),
    "uncondition": _uncondition,
    "unlimit": _unlimit,
    "startover": lambda wishes, value: wishes,
}


def _draft(wishes: CohortWishes) -> tuple[Plan, tuple[str, ...]]:
    generator = population(wishes.population)
    wishes = replace(wishes, conditions=_tidied(wishes.conditions))
    if wishes.observations == 0 and wishes.add:
        wishes = _exactly(wishes)
    try:
        drafted = draft_cohort(wishes, generator)
    except ValidationError as error:
        raise ConditionError(explain(error)) from error
    refuse_impossible(drafted.plan)
    return drafted.plan, drafted.notes


def _tidied(names: Sequence[str]) -> tuple[str, ...]:
    """Leave out conditions that another one says more precisely: CKD beside CKD G4, diabetes beside type 2."""
    known = {
        name: {c.code for c in conditions()[name.partition(":")[0]].icd10cm}
        for name in names
        if name.partition(":")[0] in conditions()
    }

    def is_said(name: str) -> bool:
        codes = known.get(name, set())
        is_plain = ":" not in name
        return is_plain and any(
            other.startswith(f"{name}:") or known[other] < codes for other in known if other != name
        )

    return tuple(name for name in dict.fromkeys(names) if not is_said(name))


def _exactly(wishes: CohortWishes) -> CohortWishes:
    """Return wishes that leave out the demographics that would come along unnamed."""
    plan = draft_cohort(wishes, population(wishes.population)).plan
    spoken = {*wishes.add, *plan.given.columns, *columns_of(plan.cohort.targets)}
    return replace(wishes, drop=(*wishes.drop, *(n for n in _demographics(plan) if n not in spoken)))


def _demographics(plan: Plan) -> list[str]:
    return [n for n in plan.schema_.table.names if observations()[n].group is Group.DEMOGRAPHICS]


def _wishes_of(revision: Revision, text: str) -> CohortWishes:
    """Return the wishes that lead to the plan before, so that a follow-up can change them."""
    plan = revision.plan
    assert plan.population is not None
    held = {c.name: c for c in population(plan.population.name).schema.table.columns}
    shown = plan.schema_.table.columns
    units = units_of(plan, held)
    wishes = CohortWishes(
        population=plan.population.name,
        conditions=() if revision.is_replacing else plan.cohort.conditions,
        exclude=plan.cohort.exclude,
        rows=plan.rows or CohortWishes().rows,
        where=tuple(t for w in plan.given.where for t in _with_unit(w, units)),
        share=tuple(share_texts(plan.given.shares)),
        targets=tuple(says_target(t) for t in plan.cohort.targets),
        units=units,
        missing=plan.cohort.missing,
        export=plan.exports[0].name,
        policy=plan.policy,
        seed=plan.seed,
        goal=f"{plan.goal}\n{text}",
    )
    count = len(shown) - len(_demographics(plan))
    wishes = replace(wishes, observations=count) if revision.is_replacing else replace(
        wishes, observations=0, add=tuple(c.name for c in shown)
    )  # fmt: skip
    return _forgetting(wishes, revision.columns)


def _with_unit(where: Between | OneOf, units: Mapping[str, str]) -> list[str]:
    return texts_of(Limit(where, units.get(where.column))) if isinstance(where, Between) else texts_of(where)


def _forgetting(wishes: CohortWishes, columns: Sequence[str] | frozenset[str]) -> CohortWishes:
    def about(text: str) -> bool:
        return any(text.startswith(name) and not text[len(name) :][:1].isidentifier() for name in columns)

    return replace(
        wishes,
        where=tuple(t for t in wishes.where if not about(t)),
        share=tuple(t for t in wishes.share if not about(t)),
        targets=tuple(t for t in wishes.targets if not about(t)),
    )
