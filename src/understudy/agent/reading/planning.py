"""Findings become a plan step by step: what cannot be met with the rest is left out, and said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from understudy.agent.reading.sheet import Finding
from understudy.core.errors import RequestError
from understudy.workflow.plan import Plan

W = TypeVar("W")


@dataclass(frozen=True)
class Planned:
    """What became of a request.

    Attributes:
        plan: the plan that does all that could be done.
        notes: what a person should know of it.
        failed: findings that the plan leaves out, each with the reason.
    """

    plan: Plan | None
    notes: tuple[str, ...] = ()
    failed: tuple[tuple[Finding, str], ...] = ()

    def refusing(self, findings: Sequence[Finding], known: Sequence[str], why: str) -> Planned:
        """Return this with what a plan of its kind has no place for, so that nothing is dropped in silence."""
        odd = [f for f in findings if f.is_kept and f.field not in (*known, "background", "table")]
        return replace(self, failed=(*self.failed, *((f, f"{f.says}: {why}") for f in odd)))


@dataclass(frozen=True)
class Planner(Generic[W]):
    """How wishes of one kind grow by a finding, and become a plan.

    Attributes:
        apply: wishes with one more finding.
        draft: the plan of the wishes and its notes; raises a RequestError where there is none.
    """

    apply: Callable[[W, Finding], W]
    draft: Callable[[W], tuple[Plan, tuple[str, ...]]]

    def plan(self, start: W, findings: Sequence[Finding]) -> Planned:
        """Plan all findings at once, or as many as can be met together, in their order."""
        able = [finding for finding in findings if finding.is_kept]
        try:
            wishes = start
            for finding in able:
                wishes = self.apply(wishes, finding)
            plan, notes = self.draft(wishes)
            return Planned(plan, notes)
        except RequestError:
            return self._nearest(start, able)

    def _nearest(self, wishes: W, findings: Sequence[Finding]) -> Planned:
        failed: list[tuple[Finding, str]] = []
        plan: Plan | None = None
        notes: tuple[str, ...] = ()
        for finding in findings:
            try:
                grown = self.apply(wishes, finding)
                plan, notes = self.draft(grown)
                wishes = grown
            except RequestError as error:
                failed.append((finding, str(error)))
        return Planned(plan, notes, tuple(failed))


@dataclass(frozen=True)
class Revision:
    """What a follow-up replaces of the plan before it.

    Attributes:
        plan: the plan before it.
        columns: columns whose limits and shares are stated anew.
        is_replacing: whether conditions that are named take the place of the earlier ones.
    """

    plan: Plan
    columns: frozenset[str] = field(default_factory=frozenset)
    is_replacing: bool = False
