"""The tools in the hands of another assistant: it plans and asks; only the person runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from pydantic import ValidationError

from understudy.agent.conversation import Conversation
from understudy.agent.state import Table
from understudy.agent.tools.catalog import START_RUN, TOOLS
from understudy.core.blocks import Block
from understudy.core.errors import RequestError
from understudy.core.events import Event
from understudy.core.schema import explain
from understudy.reports.compose import render
from understudy.reports.origin import is_built
from understudy.store.artifacts import unwritable
from understudy.workflow.release import MANIFEST


class Guest:
    """A conversation that another assistant holds for a person.

    The assistant is taken for a language model. It reads what a language model may read, and whole answers only where
    no private table is near. It runs nothing: an approved run is a command that the person gives.
    """

    def __init__(self, out: Path, tables: Sequence[Table] = ()) -> None:
        """Begin with nothing planned.

        Args:
            out: folder for plans and releases.
            tables: private tables of the person.
        """
        self._out = out
        self._blocks: list[Block] = []
        self._conversation = Conversation(tables=tables, notify=self._hear)

    def _hear(self, event: Event) -> None:
        if event.event == "said":
            self._blocks += event.blocks

    def used(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Use a tool and return what the assistant may read.

        Raises:
            RequestError: if there is no such tool, or its arguments are not of its form.
        """
        if name not in TOOLS:
            raise RequestError(f"there is no tool {name!r}; there are {', '.join(TOOLS)}")
        if TOOLS[name].needs_approval:
            return self._asked_for()
        if (self._release / MANIFEST).is_file():
            self._conversation.release(self._release)
        self._blocks.clear()
        try:
            told = self._conversation.used(name, arguments)
        except ValidationError as error:
            raise RequestError(f"{name}: {explain(error)}") from error
        if not self._is_open():
            return told
        return "\n\n".join(filter(None, [told, render("", self._blocks, "markdown").decode()]))

    @property
    def _release(self) -> Path:
        return self._out / "release"

    def _is_open(self) -> bool:
        """Say whether nothing private is near: no table, and no release that was learned from one."""
        desk = self._conversation.desk
        evidence = desk.state.evidence()
        return not desk.tables and (evidence is None or is_built(evidence))

    def _asked_for(self) -> str:
        state = self._conversation.desk.state
        if state.judging is not None or state.comparing is not None:
            # Not the command itself: it may name columns and files that the assistant must not read.
            words = f"understudy ask {quote(state.said)} --data TABLE --out {self._release}"
            return f"{START_RUN.name} needs the person. Nothing was run. Ask them to run, with their tables: {words}"
        plan = state.plan
        if plan is None:
            return "there is no plan yet; propose one first"
        file = self._out / "plan.yaml"
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            file.write_text(plan.to_yaml(), encoding="utf-8")
        except OSError as error:
            raise unwritable(file, error) from error
        return (
            f"{START_RUN.name} needs the person. Nothing was run. Ask them to read the plan and, if they approve, to "
            f"run: understudy run {file} --out {self._release}"
        )
