"""The state of a conversation, and what a tool makes of it: values, so that undo is a step back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from understudy.agent.values import Comparing, Interpretation, Judging, KnownTable
from understudy.core.blocks import Block, Callout
from understudy.core.contracts import Evidence
from understudy.core.errors import RequestError
from understudy.core.values import Value
from understudy.sources.files import Reading
from understudy.sources.profile import propose
from understudy.sources.reading import read_table
from understudy.workflow.plan import Plan
from understudy.workflow.release import read_evidence


class State(Value):
    """All that a conversation knows of itself.

    Attributes:
        said: the person's latest words.
        plans: every plan so far, the current one last.
        judging: the synthetic table whose judgement was asked for last, where that is what was asked for last.
        comparing: the comparison of synthesizers that was asked for, where the current plan is one.
        releases: folders of the releases that were made or brought, the newest last.
    """

    said: str = ""
    plans: tuple[Plan, ...] = ()
    judging: Judging | None = None
    comparing: Comparing | None = None
    releases: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan | None:
        """The current plan."""
        return self.plans[-1] if self.plans else None

    def evidence(self) -> Evidence | None:
        """Return what is known of the newest release; None before there is one.

        Raises:
            ArtifactError: if its folder cannot be read any more.
        """
        return read_evidence(Path(self.releases[-1])) if self.releases else None


@dataclass(frozen=True)
class Table:
    """A private table that the person brought; only its schema and its number of rows leave this value.

    Attributes:
        known: what may be known of it.
        reading: its rows, for the run that the person approves.
        notes: what reading and profile noticed.
    """

    known: KnownTable
    reading: Reading
    notes: tuple[str, ...]


def bring(path: str) -> Table:
    """Read a private table and propose what it means.

    Raises:
        SourceError: if it cannot be read.
    """
    reading = read_table(path)
    proposal = propose(reading.frame)
    known = KnownTable(path=path, schema=proposal.schema, rows=reading.frame.height)
    return Table(known, reading, (*reading.notes, *proposal.notes))


@dataclass(frozen=True)
class Desk:
    """What a tool works with.

    Attributes:
        state: the conversation so far.
        tables: the tables that the person brought, in order.
        reading: how the person's latest words were interpreted.
    """

    state: State
    tables: tuple[Table, ...] = ()
    reading: Interpretation | None = None

    @property
    def table(self) -> Table | None:
        """The table that is spoken of: the latest that was brought."""
        return self.tables[-1] if self.tables else None


@dataclass(frozen=True)
class Outcome:
    """What a tool found or did.

    Attributes:
        blocks: for the person; they may name the columns of the person's own table.
        told: for a language model: words of our catalogs, aliases and numbers, never a name, level or cell of a
            private table.
        state: the conversation after it; None if it stays as it was.
    """

    blocks: tuple[Block, ...] = ()
    told: str = ""
    state: State | None = None


A = TypeVar("A", bound=Value)


@dataclass(frozen=True)
class Tool(Generic[A]):
    """One thing that the agent can do, with typed arguments.

    Attributes:
        name: a verb.
        summary: one line for people and models.
        arguments: what it takes.
        use: does it; None where only a person's click does it.
    """

    name: str
    summary: str
    arguments: type[A]
    use: Callable[[Desk, A], Outcome] | None

    @property
    def needs_approval(self) -> bool:
        """Whether a person must click first: it spends time or budget, or releases data."""
        return self.use is None

    def called(self, desk: Desk, arguments: Mapping[str, Any]) -> Outcome:
        """Use the tool; what the request got wrong is an outcome too.

        Raises:
            pydantic.ValidationError: if the arguments are not of the tool's form.
        """
        if self.use is None:
            raise RequestError(f"{self.name} needs a person's approval")
        given = self.arguments.model_validate(dict(arguments))
        try:
            return self.use(desk, given)
        except RequestError as error:
            return Outcome((Callout(tone="warning", title="Not possible", text=str(error)),), "not possible")


class NoArguments(Value):
    """A tool that needs to be told nothing."""
