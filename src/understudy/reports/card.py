"""The dataset card: what this is, what it may be used for, and what the evidence shows, on two pages."""

from __future__ import annotations

from understudy.core.blocks import Block, Callout, Heading, TableBlock, Text
from understudy.core.contracts import Evidence, Section
from understudy.reports.data import column_row
from understudy.reports.judgement import judge
from understudy.reports.origin import (
    INTENDED,
    UNSUPPORTED,
    fact_rows,
    facts,
    identifiers,
    limits,
    open_questions,
    plan_rows,
    sizes,
    what_rows_are,
)
from understudy.reports.summary import verdict_callout
from understudy.reports.wording import count, interval, sentence


def card(evidence: Evidence) -> list[Block]:
    """Return the blocks of the card that travels with the data."""
    return Card().compose(evidence)


class Card(Section):
    """A card that travels with the data."""

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the card."""
        return [
            what_rows_are(evidence),
            Heading(text="What it is"),
            Text(text=sentence(sizes(evidence))),
            *([Text(text=f"**Goal.** {evidence.goal}")] if evidence.goal else []),
            verdict_callout(evidence.verdict),
            Heading(text="Uses"),
            Callout(tone="good", title="Intended", points=INTENDED),
            Callout(tone="bad", title="Not supported", points=UNSUPPORTED),
            Heading(text="Key figures"),
            *_figures(evidence),
            Heading(text="Limits"),
            Callout(
                tone="note",
                title="Limits",
                points=(*limits(evidence), *map(sentence, open_questions(evidence))),
            ),
            Heading(text="How it was made"),
            Text(text=f"**Identifiers.** {identifiers(evidence)}"),
            *_facts(evidence),
            Heading(text="Columns"),
            *_columns(evidence),
        ]


def _figures(evidence: Evidence) -> list[Block]:
    rows = tuple(
        (
            r.axis.value,
            r.title,
            interval(r.estimate),
            interval(r.ceiling),
            interval(r.floor),
            sentence(judge(r).words),
        )
        for r in evidence.evaluation.results
    )
    if not rows:
        return [Text(text="Nothing was measured.")]
    columns = ("Axis", "Measure", "Synthetic", "Real rows", "Shuffled columns", "Reading")
    note = "Value (low to high): 95 % interval. What each measure asks is said in the report."
    return [TableBlock(columns=columns, rows=rows, align="llrrrl", note=note)]


def _facts(evidence: Evidence) -> list[Block]:
    offered = (("Plan", plan_rows(evidence.plan)), ("Provenance", fact_rows(facts(evidence))))
    return [
        TableBlock(columns=(name, "Value"), rows=tuple(rows), caption=name) for name, rows in offered if rows
    ]


def _columns(evidence: Evidence) -> list[Block]:
    return [
        TableBlock(
            columns=("Column", "Kind", "Role", "Unit", "Allowed values"),
            rows=tuple(column_row(c) for c in table.columns),
            caption=f"Table “{table.name}”: {count(len(table.columns), 'column')}",
        )
        for table in evidence.schema_.tables
    ]
