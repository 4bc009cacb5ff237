"""What an interpretation consists of: clauses, questions in both directions, plans."""

from __future__ import annotations

from shlex import join
from typing import Literal

from pydantic import Field

from understudy.core.schema import Role, Schema
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
    "quality",
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


class Judging(Value):
    """A synthetic table that is there already, to be judged against the real one.

    Attributes:
        synthetic: where the synthetic table lies.
        real: where the real table lies that it was made from.
        holdout: where real rows lie that its maker never saw; empty where there are none.
        target: the column that is predicted.
        protected: columns whose groups are compared.
        policy: the release policy that decides.
        seed: the seed of all that is random.
    """

    synthetic: str
    real: str
    holdout: str = ""
    target: str = ""
    protected: tuple[str, ...] = ()
    policy: Literal["internal", "external"] = "internal"
    seed: int = 0

    def command(self) -> str:
        """Return the command that does the same; `--out` is left to the person."""
        said = {
            "--real": self.real,
            "--synthetic": self.synthetic,
            "--holdout": self.holdout,
            "--target": self.target,
            "--protected": ",".join(self.protected),
            "--policy": self.policy if self.policy != "internal" else "",
            "--seed": str(self.seed or ""),
        }
        return join(["understudy", "evaluate", *(part for pair in said.items() if pair[1] for part in pair)])


class Comparing(Value):
    """Synthesizers that are to be compared on a person's own table.

    Attributes:
        plan: what is wished for all of them; its synthesizer is the first of those compared.
        names: the synthesizers.
    """

    plan: Plan
    names: tuple[str, ...]

    def command(self) -> str:
        """Return the command that does the same; `--out` is left to the person."""
        table = self.plan.schema_.table
        roles = {"--target": table.having(Role.TARGET), "--protected": table.having(Role.PROTECTED)}
        said = [part for flag, columns in roles.items() if columns for part in (flag, ",".join(columns))]
        return join(["understudy", "compare", self.plan.table, "--synthesizers", ",".join(self.names), *said])


class Interpretation(Value):
    """What a sentence was taken for: a plan that does all it asks, or a question, and what was left open.

    Attributes:
        text: the sentence.
        language: ISO 639-1 code of its language.
        plan: a plan that does everything that is asked; None where that is impossible or nothing was asked for.
        nearest: where it is impossible, the nearest feasible plan; `notes` say what it leaves out.
        compared: further plans to run beside `plan`, where a comparison is asked for.
        is_revision: whether the plan changes the one before it.
        judging: a synthetic table to be judged, where that is asked for.
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
    is_revision: bool = False
    judging: Judging | None = None
    question: Question | None = None
    confidence: float = Field(ge=0, le=1)
    unread: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()
    notes: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()

    @property
    def comparing(self) -> Comparing | None:
        """What is to be compared, where the whole of it can be."""
        if self.plan is None or not self.compared:
            return None
        names = tuple(plan.synthesizer.name for plan in (self.plan, *self.compared))
        return Comparing(plan=self.plan, names=names)
