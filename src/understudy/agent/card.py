"""A plan on one card: goal, data, method, budget, checks; and what was made of every clause of the request."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.agent.state import Table
from understudy.agent.values import Interpretation, Judging
from understudy.core.blocks import Block, Callout, Heading, TableBlock
from understudy.core.dataset import Dataset
from understudy.core.schema import Role
from understudy.populations.catalog import CATALOG as POPULATIONS
from understudy.reports.wording import count, listing, sentence
from understudy.workflow.advise import cost
from understudy.workflow.cohort_request import asked_in_words
from understudy.workflow.inputs import read_inputs
from understudy.workflow.plan import Plan
from understudy.workflow.review import review

_COHORT_CHECKS = "plausibility rules in every row, agreement with published figures"
_TABLE_CHECKS = (
    "fidelity, usefulness, privacy attacks, fairness, plausibility; each against real rows held out"
)


def card(plan: Plan, table: Table | None, train: Dataset | None) -> list[Block]:
    """Return the one card that a person reads before they click.

    Args:
        plan: what would be done.
        table: the private table that the plan learns from, where it was brought.
        train: its rows that are learned from, by `learned_from`.
    """
    rows = of_population(plan) if plan.population is not None else _of_table(plan, table, train)
    rows += [("Checks", _COHORT_CHECKS if plan.population is not None else _TABLE_CHECKS)]
    rows += [("Release policy", plan.policy), ("Files", listing([choice.name for choice in plan.exports]))]
    goal = [("Goal", plan.goal)] if plan.goal else []
    return [Heading(text="The plan", level=3), TableBlock(columns=("", ""), rows=tuple(goal + rows))]


def judgement_card(judging: Judging) -> list[Block]:
    """Return the card of the judgement of a synthetic table that is there already."""
    without = (
        "none named: what needs rows that its maker never saw stays unmeasured, such as membership attacks"
    )
    rows = [
        ("Synthetic", judging.synthetic),
        ("Real", judging.real),
        ("Held out", judging.holdout or without),
        *([("Target", judging.target)] if judging.target else []),
        *([("Protected", listing(judging.protected))] if judging.protected else []),
        ("Checks", _TABLE_CHECKS),
        ("Release policy", judging.policy),
        ("Same command", f"{judging.command()} --out DIR"),
    ]
    return [Heading(text="The judgement", level=3), TableBlock(columns=("", ""), rows=tuple(rows))]


def learned_from(plan: Plan, table: Table | None) -> Dataset | None:
    """Return the rows that a plan for a private table learns from; None where there is no such table."""
    if plan.population is not None or table is None:
        return None
    return read_inputs(plan, {plan.table: table.reading}).train


def problems(plan: Plan, train: Dataset | None) -> list[str]:
    """Return what the review of a plan for a private table objects to; errors first."""
    if train is None:
        return []
    found = review(plan, train)
    return [str(v) for v in sorted(found, key=lambda v: v.severity != "error")]


def understood(reading: Interpretation) -> list[Block]:
    """Say what was not understood or cannot be done, and what is assumed; nothing is dropped in silence."""
    lost = [f"“{c.words}”: {c.became}" for c in reading.clauses if not c.is_kept and c.field != "unread"]
    lost += [f"“{' '.join(reading.unread)}”: not understood"] if reading.unread else []
    notes = [note for note in reading.notes if not any(note in line for line in lost)]
    blocks: list[Block] = []
    if lost:
        title = "Not in this plan" if reading.plan or reading.nearest else "Not understood"
        blocks.append(Callout(tone="warning", title=title, points=tuple(map(sentence, lost))))
    if notes:
        blocks.append(Callout(tone="note", title="Good to know", points=tuple(map(sentence, notes))))
    if reading.asks:
        points = tuple(f"{ask.question} Without an answer: {ask.default}." for ask in reading.asks)
        blocks.append(Callout(tone="note", title="One question", points=points))
    return blocks


def of_population(plan: Plan) -> list[tuple[str, str]]:
    """Return the lines of the card of a cohort."""
    assert plan.population is not None
    name = plan.population.name
    summary = POPULATIONS.entry(name).summary if name in POPULATIONS.names else ""
    names = plan.schema_.table.names
    return [
        ("Patients", f"{plan.rows or 0:,}: {asked_in_words(plan)}"),
        ("Data", f"{name}: {summary}. No private record is read."),
        ("Observations", f"{len(names)}: {listing(names, 40)}"),
        ("Why these", plan.reasons.get("schema", "")),
        ("Method", "drawn from the population under these conditions; derived values are computed"),
        ("Budget", "seconds, no privacy budget: nothing private is touched"),
    ]


def _of_table(plan: Plan, table: Table | None, train: Dataset | None) -> list[tuple[str, str]]:
    schema = plan.schema_.table
    learned = [c.name for c in schema.columns if c.is_learned]
    rows = [
        ("Data", f"{plan.table}: {count(table.reading.frame.height, 'row') if table else 'not read yet'}"),
        ("Learned", f"{count(len(learned), 'column')}; keys and direct identifiers are made anew"),
        ("Method", f"{plan.synthesizer.name}: {plan.synthesizer.reason}"),
        ("Rows", f"{plan.rows:,}" if plan.rows else plan.reasons.get("rows", "as many as learned from")),
    ]
    if not plan.given.is_empty:
        rows.append(("Conditions", plan.given.says()))
    for role, word in ((Role.TARGET, "Target"), (Role.PROTECTED, "Protected")):
        if names := schema.having(role):
            rows.append((word, listing(names)))
    rows.append(("Held out", plan.reasons.get("holdout", "")))
    return [*rows, *(_budget(plan, train) if train is not None else [])]


def _budget(plan: Plan, train: Dataset) -> list[tuple[str, str]]:
    need = cost(plan, train)
    rows = [("Budget", f"about {need.seconds:.0f} s and {need.memory_bytes / 1e9:.1f} GB of memory")]
    return rows + (
        [("What the rows support", " ".join(map(sentence, need.supports)))] if need.supports else []
    )


def difference(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """Return the lines of a card that changed: name, before, after."""
    old = dict(before)
    return [
        (name, old.get(name, ""), text)
        for name, text in after
        if old.get(name) != text and name not in ("Goal", "Why these")
    ]
