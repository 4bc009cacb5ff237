"""Do the synthetic rows look like the real ones, column by column, together, and in their variety?"""

from __future__ import annotations

from pydantic import Field

from understudy.core.blocks import Block
from understudy.core.contracts import Evidence, Section
from understudy.core.results import Axis
from understudy.reports.answers import axis_blocks

_INTRO = (
    "Do the synthetic rows look like the real ones, in each column, between columns, and in their variety? "
    "Each answer stands beside what unseen real rows reach, and beside what is left when every column is "
    "shuffled on its own."
)


class Fidelity(Section):
    """Answers on fidelity and diversity, with distributions and maps of dependence."""

    figures: int = Field(default=32, ge=0, le=200, description="Most distributions drawn.")
    worst: int = Field(default=8, ge=1, le=100, description="Rows of the tables of worst columns and pairs.")

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the answers on fidelity and diversity."""
        axes = (Axis.FIDELITY, Axis.DIVERSITY)
        return axis_blocks(evidence, "Fidelity", _INTRO, axes, self.figures, self.worst)
