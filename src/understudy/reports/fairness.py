"""Do the synthetic rows serve every group of patients alike?"""

from __future__ import annotations

from pydantic import Field

from understudy.core.blocks import Block, Text
from understudy.core.contracts import Evidence, Section
from understudy.core.results import Axis
from understudy.core.schema import Role
from understudy.reports.answers import axis_blocks
from understudy.reports.wording import code, listing

_INTRO = (
    "Do the synthetic rows serve every group of patients as well as real rows would? What matters is the change "
    "against real rows: a gap between groups that the real rows show too is a finding about care or about the "
    "data, not about the synthesis."
)


class Fairness(Section):
    """Answers by protected group."""

    worst: int = Field(default=20, ge=1, le=100, description="Rows of the tables.")

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the answers on fairness, after the columns that define the groups."""
        blocks = axis_blocks(evidence, "Fairness", _INTRO, (Axis.FAIRNESS,), most_parts=self.worst)
        names = [n for table in evidence.schema_.tables for n in table.having(Role.PROTECTED)]
        if names:
            said = f"Groups are formed by {listing([code(n) for n in names])}."
        else:
            said = (
                "No column is marked as protected. Mark those that form groups, such as sex, in the schema."
            )
        return [*blocks[:2], Text(text=said), *blocks[2:]]
