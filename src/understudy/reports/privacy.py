"""What somebody who holds the synthetic rows can find out about the people behind the real ones."""

from __future__ import annotations

from pydantic import Field

from understudy.core.blocks import Block, Callout, Heading, Text
from understudy.core.contracts import Evidence, Section
from understudy.core.results import Axis, MetricResult, Outcome
from understudy.reports.answers import answer_blocks
from understudy.reports.wording import count

_INTRO = (
    "What can somebody who holds the synthetic rows find out about the people behind the real ones? We attack "
    "our own data: each attack tries to tell people whose rows were learned from apart from people whose rows "
    "were not. An attack that does no better than chance has found nothing."
)
_COPIES = (
    "This looks for rows that were republished, word for word or nearly so. Copies are a reason to withhold; "
    "but their absence proves no privacy, because distances say nothing about what an attack can infer."
)
_INCONCLUSIVE = (
    "With few real rows held out, an attack's success cannot be told from luck: its interval is too wide to "
    "exclude a harm that matters. Such an answer is never counted as a pass. More held-out rows make it "
    "conclusive; until then, treat the synthetic rows as you would treat the real ones."
)


class Privacy(Section):
    """Attacks with their curves and intervals, then the copy check, labelled as such."""

    copy_checks: tuple[str, ...] = Field(
        default=("copies", "single_values", "closest_record"),
        description="Metrics that look for copies, not for attacks.",
    )

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the attacks, what inconclusive means where it occurs, and the copy check."""
        results = evidence.evaluation.on(Axis.PRIVACY)
        attacks = [r for r in results if r.metric not in self.copy_checks]
        copies = [r for r in results if r.metric in self.copy_checks]
        blocks: list[Block] = [Heading(text="Privacy"), Text(text=_INTRO)]
        if not results:
            return [*blocks, Text(text="No question was asked here: the plan names no metric of this kind.")]
        blocks += _power(evidence, results)
        for result in attacks:
            blocks += answer_blocks(result, most_parts=20)
        if copies:
            blocks += [Heading(text="Copy check", level=3), Text(text=_COPIES)]
        for result in copies:
            blocks += [_demoted(block) for block in answer_blocks(result)]
        return blocks


def _power(evidence: Evidence, results: tuple[MetricResult, ...]) -> list[Block]:
    if not any(r.outcome is Outcome.INCONCLUSIVE for r in results):
        return []
    rows = count(evidence.evaluation.holdout_rows, "real row")
    return [Callout(tone="note", title=f"Why “inconclusive”: {rows} held out", text=_INCONCLUSIVE)]


def _demoted(block: Block) -> Block:
    if isinstance(block, Heading):
        return block.model_copy(update={"level": min(block.level + 1, 4)})
    return block
