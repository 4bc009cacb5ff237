"""How the synthetic table was made, with what, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.core.blocks import Block, Callout, Heading, TableBlock, Text
from understudy.core.contracts import Evidence, Section
from understudy.reports.origin import (
    UNSUPPORTED,
    fact_rows,
    facts,
    identifiers,
    limits,
    open_questions,
    plan_rows,
)
from understudy.reports.wording import duration, sentence


class Provenance(Section):
    """Plan, identifiers, versions, seeds, digests, timings, limits and unsupported uses."""

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return where the table comes from, and the limits."""
        blocks: list[Block] = [
            Heading(text="Provenance and limits"),
            Callout(tone="warning", title="Not supported", points=UNSUPPORTED),
            Callout(
                tone="note",
                title="Limits",
                points=(*limits(evidence), *map(sentence, open_questions(evidence))),
            ),
            Text(text=f"**Identifiers.** {identifiers(evidence)}"),
        ]
        if evidence.goal:
            blocks.append(Text(text=f"**Goal, in the requester's words.** {evidence.goal}"))
        plan = tuple(plan_rows(evidence.plan))
        if plan:
            blocks.append(TableBlock(columns=("Setting", "Value"), rows=plan, caption="The plan"))
        found = tuple(fact_rows(facts(evidence)))
        if found:
            caption = "Versions, seeds, digests and timings"
            blocks.append(
                TableBlock(columns=("Fact", "Value"), rows=found, caption=caption, collapsed=len(found) > 12)
            )
        return [*blocks, *_timings(evidence)]


def _timings(evidence: Evidence) -> list[Block]:
    seconds: Mapping[str, float] = {r.title: r.seconds for r in evidence.evaluation.results if r.seconds > 0}
    if not seconds:
        return []
    rows = tuple((title, duration(s)) for title, s in seconds.items())
    caption = f"Time to measure: {duration(sum(seconds.values()))}"
    return [TableBlock(columns=("Measure", "Time"), rows=rows, align="lr", caption=caption, collapsed=True)]
