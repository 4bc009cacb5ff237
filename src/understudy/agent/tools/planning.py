"""Tools about the plan: propose, revise, go back, and say what keeps a plan from running."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from understudy.agent.agreement import Difference, decided
from understudy.agent.card import (
    card,
    difference,
    judgement_card,
    learned_from,
    of_population,
    problems,
    understood,
)
from understudy.agent.fields import PlanFields, drafted_from
from understudy.agent.state import Desk, NoArguments, Outcome, State
from understudy.core.blocks import Block, Callout, Heading, TableBlock, Text
from understudy.core.errors import RequestError
from understudy.reports.wording import sentence
from understudy.workflow.plan import Plan


class ProposePlan(PlanFields):
    """A request for patients, and optionally how a language model reads it, field by field."""

    request: str = Field(default="", description="The person's request in their own words, unchanged.")


def propose_plan(desk: Desk, arguments: ProposePlan) -> Outcome:
    """Turn the person's words into one complete plan; a model's reading is checked against the interpreter's."""
    reading = desk.reading
    if reading is None:
        raise RequestError("say in words which patients are wished for")
    read = reading.plan or reading.nearest
    differences: tuple[Difference, ...] = ()
    trouble = ""
    if arguments.model_dump(exclude={"request"}, exclude_defaults=True):
        try:
            proposed = drafted_from(arguments, desk, read)
        except RequestError as error:
            trouble = f"the language model's reading makes no plan: {error}"
        else:
            read, differences = decided(reading, read, proposed)
    if read is None:
        return Outcome((*_helped(desk), *_said(trouble)), "no plan: the request was not understood")
    blocks = [*understood(reading), *_disagreement(differences), *_said(trouble)]
    return _with(desk, read, blocks)


def revise_plan(desk: Desk, arguments: ProposePlan) -> Outcome:
    """Change the current plan as the person's words say; the plan before it stays for undo."""
    before = desk.state.plan
    if before is None:
        raise RequestError("there is no plan to change yet; propose one first")
    outcome = propose_plan(desk, arguments)
    after = outcome.state.plan if outcome.state is not None else None
    if after is None or after.population is None or before.population is None:
        return outcome
    changed = difference(of_population(before), of_population(after))
    block = TableBlock(columns=("What changes", "Before", "Now"), rows=tuple(changed))
    return replace(outcome, blocks=(*outcome.blocks, *([block] if changed else [])))


def plan_judgement(desk: Desk, arguments: NoArguments) -> Outcome:
    """Plan to judge a synthetic table that is there already, as the person's words name it; never a release."""
    reading = desk.reading
    if reading is None or reading.judging is None:
        said = understood(reading) if reading is not None else []
        return Outcome(tuple(said), "no plan: the tables to judge were not named")
    state = desk.state.model_copy(update={"judging": reading.judging, "comparing": None})
    blocks = (*understood(reading), *judgement_card(reading.judging))
    return Outcome(blocks, "a judgement was planned; the person sees it on one card", state)


def undo(desk: Desk, arguments: NoArguments) -> Outcome:
    """Go back to the plan before the current one."""
    before = desk.state.plans[:-1]
    if not before:
        return Outcome((Text(text="There is no earlier plan to go back to."),), "no earlier plan")
    state = desk.state.model_copy(update={"plans": before, "judging": None, "comparing": None})
    blocks = card(before[-1], desk.table, learned_from(before[-1], desk.table))
    return Outcome((Text(text="Back to the plan before."), *blocks), "undone", state)


def explain_violation(desk: Desk, arguments: NoArguments) -> Outcome:
    """Say what keeps the current plan from running, or what the review warns of."""
    plan = desk.state.plan
    if plan is None:
        return Outcome((Text(text="There is no plan yet."),), "there is no plan yet")
    found = [sentence(text) for text in problems(plan, learned_from(plan, desk.table))]
    if not found:
        return Outcome((Text(text="The review finds nothing wrong with the plan."),), "no violation")
    block = Callout(tone="warning", title="What the review says", points=tuple(found))
    return Outcome((block,), "the review objects to the plan; the person sees why")


def suggest_words(desk: Desk, arguments: NoArguments) -> Outcome:
    """Say what a person can ask for, with examples."""
    return Outcome(_helped(desk), "the person sees examples")


def _helped(desk: Desk) -> tuple[Block, ...]:
    said = understood(desk.reading) if desk.reading is not None else []
    examples = (
        "2000 type 2 diabetes patients with 20 important observations, US population",
        "500 women over 65 with heart failure, 30 % smokers",
        "make it 5,000 / same but 70 % women / drop triglycerides / undo that",
        "which sources did you use? / is it safe to share? / what is epsilon?",
    )
    return (*said, Callout(tone="note", title="What you can say, for example", points=examples))


def _with(desk: Desk, plan: Plan, before: list[Block]) -> Outcome:
    table = next((t for t in desk.tables if t.known.path == plan.table), None)
    train = learned_from(plan, table)
    objections = problems(plan, train)
    comparing = desk.reading.comparing if desk.reading is not None and plan == desk.reading.plan else None
    changes = {"plans": (*desk.state.plans, plan), "judging": None, "comparing": comparing}
    state: State = desk.state.model_copy(update=changes)
    blocks = [*before, *card(plan, table, train)]
    if objections:
        blocks.append(
            Callout(tone="warning", title="The review says", points=tuple(map(sentence, objections)))
        )
    return Outcome(tuple(blocks), "a plan was drawn up; the person sees it on one card", state)


def _said(text: str) -> list[Block]:
    return [Callout(tone="note", title="The language model", text=sentence(text))] if text else []


def _disagreement(differences: tuple[Difference, ...]) -> list[Block]:
    if not differences:
        return []
    rows = tuple((d.field, d.read, d.proposed, d.taken) for d in differences)
    columns = ("Field", "Interpreter", "Language model", "Taken")
    caption = "Where the language model reads the request otherwise"
    return [Heading(text="Two readings", level=4), TableBlock(columns=columns, rows=rows, caption=caption)]
