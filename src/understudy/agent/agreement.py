"""Two readings of one request, clause by clause: the interpreter's and a language model's."""

from __future__ import annotations

from understudy.agent.values import Interpretation
from understudy.core.schema import Role
from understudy.core.values import Value
from understudy.reports.wording import listing
from understudy.workflow.plan import Plan

NOTHING = "nothing"
SURE = 0.999


class Difference(Value):
    """A field of the plan that the two read differently, and whose reading was taken."""

    field: str
    read: str
    proposed: str
    taken: str


def decided(
    reading: Interpretation, read: Plan | None, proposed: Plan
) -> tuple[Plan, tuple[Difference, ...]]:
    """Return the plan that is taken, and every field on which the readings differ.

    The interpreter's reading of a clause always stands. A language model's plan is taken only where words of the
    request were left unread, and only if it keeps all that the interpreter read: then it may add, never replace,
    so that it can invent nothing about a request that is understood.
    """
    if read is None:
        return proposed, _differences({}, stated(proposed), "language model")
    ours, theirs = stated(read), stated(proposed)
    adds = bool(reading.unread) or reading.confidence < SURE
    keeps = all(theirs[field] == text for field, text in ours.items() if text != NOTHING)
    is_taken = adds and keeps
    who = "language model" if is_taken else "interpreter"
    return (proposed if is_taken else read), _differences(ours, theirs, who)


def stated(plan: Plan) -> dict[str, str]:
    """Return what a plan says, field by field, in words that can be compared."""
    table = plan.schema_.table
    learned = plan.population is None
    fields = {
        "data": plan.table if learned else plan.population.name if plan.population else "",
        "conditions": _set(plan.cohort.conditions),
        "without": _set(plan.cohort.exclude),
        "rows": f"{plan.rows:,}" if plan.rows else "",
        "limits": _set([w.says() for w in plan.given.where]),
        "shares": _set([s.says() for s in plan.given.shares]),
        "observations": "" if learned else _set(table.names),
        "method": plan.synthesizer.name,
        "target": _set(table.having(Role.TARGET)),
        "protected": _set(table.having(Role.PROTECTED)),
        "training rows": f"{plan.train_rows:,}" if plan.train_rows else "",
        "files": _set([choice.name for choice in plan.exports]),
        "policy": plan.policy,
    }
    return {name: text or NOTHING for name, text in fields.items()}


def _set(names: tuple[str, ...] | list[str]) -> str:
    return listing(sorted(names), 40) if names else ""


def _differences(ours: dict[str, str], theirs: dict[str, str], who: str) -> tuple[Difference, ...]:
    return tuple(
        Difference(field=name, read=ours.get(name, NOTHING), proposed=text, taken=who)
        for name, text in theirs.items()
        if ours.get(name, NOTHING) != text
    )
