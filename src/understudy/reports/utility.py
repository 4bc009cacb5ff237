"""Does an analysis on the synthetic rows come to the same conclusions?"""

from __future__ import annotations

from pydantic import Field

from understudy.core.blocks import Block
from understudy.core.contracts import Evidence, Section
from understudy.core.results import Axis
from understudy.reports.answers import axis_blocks

_INTRO = (
    "Would an analysis or a prediction model made from the synthetic rows hold for real patients? Models are "
    "trained on synthetic rows and tested on **real** rows that nothing has seen, beside models trained on real "
    "rows. Nothing is ever both trained and tested on synthetic rows."
)


class Utility(Section):
    """Answers on utility."""

    worst: int = Field(default=12, ge=1, le=100, description="Rows of the tables.")

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the answers on utility."""
        return axis_blocks(evidence, "Utility", _INTRO, (Axis.UTILITY,), most_parts=self.worst)
