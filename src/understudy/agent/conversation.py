"""A conversation: words in, events out; it waits for a person's click before anything is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from understudy.agent.deciding import PLANNING, Call, Done, Reply, interpreted, modelled
from understudy.agent.facts import checked, facts_of
from understudy.agent.interpret import interpret
from understudy.agent.loop import Stop, turn
from understudy.agent.state import Desk, State, Table
from understudy.agent.tools.catalog import START_RUN, TOOLS
from understudy.agent.values import Comparing, Judging
from understudy.core.blocks import Block, Callout, Text
from understudy.core.errors import LanguageModelError
from understudy.core.events import Asked, Notify, Said, silent
from understudy.core.language import LanguageModel
from understudy.language.embedded import Embedded
from understudy.reports.wording import sentence
from understudy.store.transcripts import Transcript
from understudy.workflow.plan import Plan


class Conversation:
    """One person's conversation: its state, its tables, and what waits for a click.

    Attributes:
        desk: the state and the tables.
        waits_for: the tool that waits for a click, or empty.
    """

    def __init__(
        self,
        *,
        model: LanguageModel | None = None,
        tables: Sequence[Table] = (),
        releases: Sequence[str] = (),
        notify: Notify = silent,
        transcript: Transcript | None = None,
    ) -> None:
        self.desk = Desk(State(releases=tuple(releases)), tuple(tables))
        self._model = model or Embedded()
        self._notify = notify
        self._transcript = transcript
        self._earlier: list[str] = []
        self._facts: frozenset[Decimal] = frozenset()
        self._has_fallen_back = False
        self._paused: Stop | None = None

    @property
    def waits_for(self) -> str:
        """The tool that waits for a click, or empty."""
        return self._paused.waits_for if self._paused else ""

    def release(self, folder: Path) -> None:
        """Take in a release that was made elsewhere; the newest is spoken of."""
        state = self.desk.state
        folders = (*(f for f in state.releases if f != str(folder)), str(folder))
        self.desk = replace(self.desk, state=state.model_copy(update={"releases": folders}))

    def bring(self, table: Table) -> None:
        """Take in a private table of the person."""
        self.desk = replace(self.desk, tables=(*self.desk.tables, table))

    def say(self, text: str) -> None:
        """Answer the person's words by events; a click that was waited for counts as refused.

        Raises:
            UnderstudyError: if something is at fault that no answer can tell.
        """
        self._paused, self._has_fallen_back = None, False
        self._hear(text)
        self._go_on(turn(text, self._decide, self._use))
        self._earlier.append(text)

    def approved(self, out: Path) -> Plan | Judging | Comparing:
        """Return what waits for the person's click, and keep that they clicked.

        Args:
            out: the release folder.

        Raises:
            LanguageModelError: if nothing waits for a click.
        """
        state = self.desk.state
        asked = state.judging or state.comparing or state.plan
        if asked is None or self.waits_for != START_RUN.name:
            raise LanguageModelError("nothing waits for approval")
        self._record({"approved": asked.digest(), "out": str(out)})
        return asked

    def carried_out(self, told: str, *, release: Path | None = None, blocks: Sequence[Block] = ()) -> None:
        """Go on after what waited for a click was carried out.

        Args:
            told: what a language model may know of it.
            release: the folder of its release, where it made one.
            blocks: what it found, for the person.
        """
        if release is not None:
            self.release(release)
        self._show(blocks)
        if self._paused is not None:
            self._go_on(turn("", self._decide, self._use, self._paused, told))

    def used(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Use a tool for another assistant, and return what it may be told.

        Args:
            name: a tool of the catalog.
            arguments: its arguments; the request of `propose_plan` counts as the person's words.

        Raises:
            RequestError: if the tool needs a person's click.
            pydantic.ValidationError: if the arguments are not of the tool's form.
        """
        request = str(arguments.get("request", ""))
        if name in PLANNING and request:
            self._hear(request)
        return self._use(name, arguments)

    def _hear(self, text: str) -> None:
        state = self.desk.state.model_copy(update={"said": text})
        known = self.desk.table.known if self.desk.table else None
        every = [table.known for table in self.desk.tables]
        reading = interpret(text, table=known, previous=state.plans, tables=every)
        self.desk = replace(self.desk, state=state, reading=reading)
        self._record({"said": text})

    def decline(self) -> None:
        """Leave the plan that waits as it is, not run."""
        self._record({"declined": True})
        self._paused = None

    def _go_on(self, stop: Stop) -> None:
        if stop.waits_for:
            state = self.desk.state
            if state.judging is None and state.plan is None:
                self._show([Text(text="There is no plan to run yet.")])
                return
            self._paused = stop
            question = "Carry out this plan?" if state.judging is None else "Judge this table?"
            self._notify(Asked(tool=stop.waits_for, question=question))
            return
        self._paused = None
        if stop.text.strip():
            kept, refused = checked(stop.text.strip(), self._facts)
            self._show([Text(text=kept)] if kept else [])
            if refused:
                text = f"{len(refused)} of its sentences stated what no tool computed, and were left out."
                self._show([Callout(tone="note", title="The language model", text=text)])

    def _decide(self, done: Sequence[Done]) -> Call | Reply:
        if not self._has_fallen_back:
            try:
                action = modelled(self._model, self.desk, done, self._earlier) if self._is_modelled else None
                if isinstance(action, Call):
                    TOOLS[action.tool].arguments.model_validate(dict(action.arguments))
                if action is not None:
                    return action
            except (LanguageModelError, ValidationError) as error:
                self._fall_back(error)
        return interpreted(self.desk, done)

    @property
    def _is_modelled(self) -> bool:
        return not isinstance(self._model, Embedded)

    def _fall_back(self, error: Exception) -> None:
        self._has_fallen_back = True
        why = str(error) if isinstance(error, LanguageModelError) else "its answer is not of the asked form"
        text = f"{sentence(why)} The built-in interpreter answers instead."
        self._show([Callout(tone="note", title="The language model gave no usable answer", text=text)])

    def _use(self, name: str, arguments: Mapping[str, Any]) -> str:
        outcome = TOOLS[name].called(self.desk, arguments)
        if outcome.state is not None:
            self.desk = replace(self.desk, state=outcome.state)
        self._facts |= facts_of([outcome.told])
        self._show(outcome.blocks, tool=name)
        return outcome.told

    def _show(self, blocks: Sequence[Block], tool: str = "") -> None:
        if blocks:
            self._notify(Said(blocks=tuple(blocks)))
            self._record({"tool": tool, "blocks": [block.model_dump(mode="json") for block in blocks]})

    def _record(self, entry: Mapping[str, Any]) -> None:
        if self._transcript is not None:
            self._transcript.add(entry)
