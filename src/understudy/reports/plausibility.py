"""Could every synthetic row be a patient: rules and bounds, in the real data first."""

from __future__ import annotations

from pydantic import Field

from understudy.core.blocks import Block, Callout, TableBlock, Text
from understudy.core.contracts import Evidence, Section
from understudy.core.results import Axis
from understudy.reports.answers import axis_blocks
from understudy.reports.origin import is_built
from understudy.reports.wording import count

_INTRO = (
    "Could every synthetic row be a patient? Rows are held against the bounds, closed values and rules of the "
    "schema. Where real rows break a rule themselves, that is said first."
)
_HANDLING = {
    "drop": "real rows that break it were not learned from",
    "repair": "the broken cells were treated as missing",
    "keep_rate": "learned as they are: synthetic rows break it about as often",
}


class Plausibility(Section):
    """What the real data break, the rules, and the answers on plausibility."""

    worst: int = Field(default=20, ge=1, le=100, description="Rows of the tables.")

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return violations in the real data, then the rules, then the answers."""
        blocks = axis_blocks(evidence, "Plausibility", _INTRO, (Axis.PLAUSIBILITY,), most_parts=self.worst)
        return [*blocks[:2], *_real_violations(evidence), *_rules(evidence), *blocks[2:]]


def _real_violations(evidence: Evidence) -> list[Block]:
    if is_built(evidence):
        return [Text(text="No real row was read: the rules alone judge these rows.")]
    found = evidence.violations
    if not found:
        return [Text(text="The real rows break no rule and no bound of the schema.")]
    title = f"The real data break {count(len(found), 'statement')} of the schema"
    return [Callout(tone="warning", title=title, points=found)]


def _rules(evidence: Evidence) -> list[Block]:
    rules = evidence.schema_.rules
    if not rules:
        return []
    rows = tuple((r.name or "(unnamed)", r.says(), _HANDLING[r.on_violation], r.source) for r in rules)
    columns = ("Rule", "Says", "Real rows that break it", "Source")
    return [TableBlock(columns=columns, rows=rows, caption="Rules of the schema", collapsed=len(rows) > 8)]
