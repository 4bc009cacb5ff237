"""From a sentence to a plan or a question, by grammar alone: no language model, no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from understudy.agent.reading.basics import read_basics
from understudy.agent.reading.planning import Asked, planned
from understudy.agent.reading.sheet import Sheet
from understudy.agent.reading.vocabulary import medical_and_common
from understudy.core.schema import Schema
from understudy.core.values import Value
from understudy.workflow.plan import Plan

Topic = Literal[
    "sources",
    "guideline",
    "define",
    "explain_metric",
    "why",
    "safe_to_share",
    "what_is_wrong",
    "improve",
    "undo",
    "evaluate",
    "compare_runs",
    "describe",
    "help",
    "language",
]


class KnownTable(Value):
    """What may be known of a private table: never a row or a cell.

    Attributes:
        path: where it lies.
        schema_: what its columns mean.
        rows: how many rows it has, where that is known.
    """

    path: str
    schema_: Schema = Field(alias="schema")
    rows: int | None = None


class Clause(Value):
    """Some words of the request, and what they became.

    Attributes:
        words: the person's own words.
        field: which part of the plan or question they speak of; `unread` where they were not understood.
        became: what they became, in words.
        is_kept: whether the plan does what they ask.
    """

    words: str
    field: str
    became: str
    is_kept: bool = True


class Ask(Value):
    """One part of the single question that is put to the person, with the default that is used without an answer."""

    about: str
    question: str
    default: str


class Question(Value):
    """A question of the person: what about, and about which thing.

    Attributes:
        topic: what is asked.
        subject: the thing it is asked about, in the person's words, or an id where it was recognised.
    """

    topic: Topic
    subject: str = ""


class Interpretation(Value):
    """What a sentence was taken for: a plan that does all it asks, or a question, and what was left open.

    Attributes:
        text: the sentence.
        language: ISO 639-1 code of its language.
        plan: a plan that does everything that is asked; None where that is impossible or nothing was asked for.
        nearest: where it is impossible, the nearest feasible plan; `notes` say what it leaves out.
        compared: further plans to run beside `plan`, where a comparison is asked for.
        question: what the person wants to know, where that is what they want.
        confidence: 0 to 1; how much of the sentence was understood, and how surely.
        unread: words that were not understood, as written.
        clauses: every part of the sentence, and what it became.
        notes: contradictions, what is not available yet, and what was assumed.
        asks: at most one question to the person, in its parts, each with its default.
    """

    text: str
    language: str = "en"
    plan: Plan | None = None
    nearest: Plan | None = None
    compared: tuple[Plan, ...] = ()
    question: Question | None = None
    confidence: float = Field(ge=0, le=1)
    unread: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()
    notes: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()


def interpret(text: str, *, table: KnownTable | None = None, previous: Sequence[Plan] = ()) -> Interpretation:
    """Read a request in plain words: cohorts, work on a person's own table, follow-ups and questions.

    Args:
        text: what the person wrote.
        table: what is known of their table, where they brought one.
        previous: the plans of the conversation so far, the current one last; a follow-up revises it.
    """
    sheet = Sheet(text, medical_and_common())
    read_basics(sheet)
    made = planned(Asked(text, tuple(sheet.findings)))
    unread = tuple(text[item.start : item.end] for item in sheet.left_over())
    clauses = [Clause(words=f.words, field=f.field, became=f.says) for f in sheet.findings]
    return Interpretation(
        text=text,
        plan=made.plan,
        confidence=1.0 - min(1.0, len(unread) / max(len(sheet.items), 1)) if made.plan else 0.0,
        unread=unread,
        clauses=tuple(clauses),
        notes=made.notes,
    )
