"""Tools that explain: terms, metrics, choices, guidelines, and where the numbers come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from understudy.agent.state import Desk, Outcome
from understudy.agent.terms import define
from understudy.core.blocks import Block, Callout, Heading, TableBlock, Text
from understudy.core.contracts import Evidence
from understudy.core.errors import RequestError, UnknownNameError
from understudy.core.results import Estimate
from understudy.core.values import Value
from understudy.knowledge.conditions import conditions
from understudy.knowledge.guidelines import Guideline, guidelines
from understudy.knowledge.lexicon import lookup
from understudy.knowledge.sources import sources
from understudy.metrics.catalog import CATALOG as METRICS
from understudy.reports.answers import answer_blocks
from understudy.reports.origin import is_built
from understudy.reports.sources import USED, column_origins
from understudy.reports.wording import listing, sentence
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.describing import describe_population
from understudy.workflow.plan import Plan


class Subject(Value):
    """What is asked about."""

    subject: str = Field(
        default="", max_length=200, description="The thing that is asked about, in a few words."
    )


def define_term(desk: Desk, arguments: Subject) -> Outcome:
    """Say what a term means: epsilon, C2ST, HbA1c, holdout."""
    term = define(arguments.subject)
    blocks: list[Block] = [Heading(text=term.name, level=3), Text(text=sentence(term.says))]
    return Outcome((*blocks, *_read_at(term.sources)), f"{term.name}: {term.says}")


def explain_metric(desk: Desk, arguments: Subject) -> Outcome:
    """Say what a metric asks, and what it found in the newest release."""
    name = arguments.subject.strip().casefold().replace(" ", "_").replace("-", "_")
    if name not in METRICS.names:
        try:
            return define_term(desk, arguments)
        except UnknownNameError:
            raise UnknownNameError("metric", arguments.subject, METRICS.names) from None
    entry = METRICS.entry(name)
    evidence = desk.state.evidence()
    result = evidence.evaluation.result(name) if evidence else None
    blocks: list[Block] = [Heading(text=name.replace("_", " "), level=3), Text(text=sentence(entry.summary))]
    if result is not None:
        found = answer_blocks(result, most_figures=0, most_parts=6)
        return Outcome((*blocks, *found[1:]), _told(entry.summary, result.estimate))
    blocks.append(Text(text="No release of this conversation measured it yet."))
    return Outcome(tuple(blocks), entry.summary)


def explain_choice(desk: Desk, arguments: Subject) -> Outcome:
    """Say why the plan is as it is: the method, the rows, the observations, any of its choices."""
    plan, subject = desk.state.plan, arguments.subject.strip().casefold().replace(" ", "_")
    if plan is None:
        return Outcome((Text(text="There is no plan yet whose choices could be explained."),), "no plan yet")
    reasons = _reasons(plan)
    if subject in SYNTHESIZERS.names:
        entry = SYNTHESIZERS.entry(subject)
        chosen = plan.synthesizer.name == subject
        text = f"{sentence(entry.summary)} " + (
            f"It is in this plan because: {plan.synthesizer.reason}." if chosen else
            f"This plan does not use it; it uses {plan.synthesizer.name or 'a population'}: "
            f"{plan.synthesizer.reason or (plan.population.reason if plan.population else '')}."
        )  # fmt: skip
        return Outcome((Text(text=text),), f"{entry.name}: {entry.summary}")
    chosen_rows = [row for row in reasons if subject and subject in row[0].replace(" ", "_")] or reasons
    return Outcome((TableBlock(columns=("Choice", "Why"), rows=tuple(chosen_rows)),), "the person sees why")


def look_up_guideline(desk: Desk, arguments: Subject) -> Outcome:
    """Say which guideline states a limit or defines a condition, with the publication behind it."""
    found = _statements(arguments.subject, desk.state.said)
    if not found:
        raise RequestError(
            f"no guideline known here states {arguments.subject!r}. `understudy knowledge list guidelines` lists them."
        )
    rows = tuple(
        (says, f"{guide.name}, {guide.organisation}{f', {guide.year}' if guide.year else ''}")
        for guide, says in found
    )
    cited = dict.fromkeys(name for guide, _ in found for name in guide.sources)
    references = tuple(f"{sources()[name].cite()} (read: {sources()[name].what_was_read})" for name in cited)
    table = TableBlock(columns=("Statement, in our words", "Guideline"), rows=rows)
    told = "\n".join(f"{says} ({guide})" for says, guide in rows)
    return Outcome((table, *_read_at(references)), told)


def trace_sources(desk: Desk, arguments: Subject) -> Outcome:
    """Say which data and publications stand behind the patients, or behind one column."""
    evidence, plan = desk.state.evidence(), desk.state.plan
    if evidence is None and plan is None:
        raise RequestError("nothing was planned or made yet whose sources could be traced")
    if evidence is None:
        assert plan is not None
        return _planned_sources(plan, arguments.subject)
    columns = column_origins(evidence)
    names = _columns_meant(arguments.subject, columns)
    lead: list[Block] = [Heading(text="Where the numbers come from", level=3)]
    if not names:
        lead += [Text(text=USED)] if is_built(evidence) else []
        lead += _definitions(evidence)
    return _traced({n: columns[n] for n in names} or columns, lead, is_whole=not names)


def _planned_sources(plan: Plan, subject: str) -> Outcome:
    if plan.population is None:
        return Outcome(
            (Text(text=f"Everything is learned from {plan.table}; no publication is used."),), "learned"
        )
    described = describe_population(plan.population.name)
    held: dict[str, dict[str, Any]] = {o["id"]: o for o in described["observations"]}
    columns = {name: held[name] for name in plan.schema_.table.names if name in held}
    names = _columns_meant(subject, columns)
    return _traced({n: columns[n] for n in names} or columns, [Text(text=USED)], is_whole=not names)


def _traced(columns: Mapping[str, Mapping[str, Any]], lead: list[Block], *, is_whole: bool) -> Outcome:
    """Return the publications and what rests on each; of single columns, how each was made."""
    known = sources()
    behind: dict[str, list[str]] = {}
    for name, entry in columns.items():
        for source in entry.get("sources", ()):
            behind.setdefault(source, []).append(name)
    cited = [name for name in behind if name in known]
    if not is_whole:
        made = tuple(
            (n, sentence(str(e.get("method", ""))), ", ".join(e.get("sources", ())))
            for n, e in columns.items()
        )
        lead = [*lead, TableBlock(columns=("Column", "How it was made", "Sources"), rows=made)]
    if not cited:
        learned = "No publication stands behind these columns: they are learned from the real table."
        return Outcome((*lead, Text(text=learned)), "no publication: learned from the real table")
    rows = tuple((known[n].cite(), listing(behind[n], 40), known[n].what_was_read) for n in cited)
    table = TableBlock(columns=("Source", "Columns that rest on it", "What of it was read"), rows=rows)
    hint = Text(text="How one column was made: ask, for example, “where does egfr come from?”.")
    return Outcome((*lead, table, *([hint] if is_whole else [])), f"sources: {', '.join(cited)}")


def _columns_meant(subject: str, columns: Mapping[str, Any]) -> list[str]:
    ids = {meaning.id for meaning in lookup(subject)} if subject else set()
    return [name for name in columns if name in ids or (subject and name.casefold() == subject.casefold())]


def _definitions(evidence: Evidence) -> list[Block]:
    rows = tuple(
        (str(d["condition"]), str(d["when"]), ", ".join(d["sources"]))
        for d in evidence.provenance.get("definitions", ())
    )
    return [TableBlock(columns=("Condition", "Who has it", "Sources"), rows=rows)] if rows else []


def _read_at(references: tuple[str, ...]) -> list[Block]:
    return [Callout(tone="note", title="Where this can be read", points=references)] if references else []


def _reasons(plan: Plan) -> list[tuple[str, str]]:
    rows = [(name.replace("_", " "), why) for name, why in plan.reasons.items()]
    if plan.synthesizer.name:
        rows.insert(0, (f"synthesizer {plan.synthesizer.name}", plan.synthesizer.reason))
    if plan.population is not None:
        why = "built from published aggregates, so that no private record is needed"
        rows.insert(0, (f"population {plan.population.name}", why))
    return rows


def _statements(subject: str, said: str) -> list[tuple[Guideline, str]]:
    """Return the statements that hold the number, or that define the condition or observation."""
    if re.fullmatch(r"\d+(\.\d+)?", subject):
        pattern = rf"(?<![\d.]){re.escape(subject)}(?![\d]|\.\d)"
        return [
            (g, s.says) for g in guidelines().values() for s in g.statements if re.search(pattern, s.says)
        ]
    ids = {subject, *(meaning.id for meaning in lookup(subject)), *(meaning.id for meaning in lookup(said))}
    named = {c.guideline for name in ids if name in conditions() for c in conditions()[name].criteria}
    wanted = [guidelines()[name] for name in named if name in guidelines()]
    if not wanted:
        wanted = [
            g for g in guidelines().values()
            if any(re.search(rf"\b{re.escape(i)}\b", f"{g.name} {s.says} {s.when}", re.I)
                   for i in ids if i for s in g.statements)
        ]  # fmt: skip
    return [(g, s.says) for g in wanted for s in g.statements]


def _told(summary: str, estimate: Estimate | None) -> str:
    return summary if estimate is None else f"{summary}: {estimate.value:.3g}"
