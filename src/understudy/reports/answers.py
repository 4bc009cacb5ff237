"""One result as blocks: the question, the answer between its anchors, what it means, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.blocks import Block, Callout, Heading, Number, Numbers, Text
from understudy.core.contracts import Evidence
from understudy.core.results import Axis, Estimate, MetricResult, Outcome
from understudy.reports.figures import figure_blocks
from understudy.reports.judgement import Judgement, judge
from understudy.reports.parts import part_blocks
from understudy.reports.wording import bounds, exact, number, sentence

_NO_ANSWER = {
    Outcome.FAILED: ("warning", "This could not be measured"),
    Outcome.INCONCLUSIVE: ("note", "Inconclusive: this is neither a pass nor a fail"),
    Outcome.NOT_APPLICABLE: ("note", "This does not apply here"),
}


def axis_blocks(
    evidence: Evidence,
    title: str,
    intro: str,
    axes: Sequence[Axis],
    most_figures: int = 32,
    most_parts: int = 8,
) -> list[Block]:
    """Return a section that answers every question asked on the given axes."""
    results = [r for axis in axes for r in evidence.evaluation.on(axis)]
    blocks: list[Block] = [Heading(text=title), Text(text=intro)]
    if not results:
        return [*blocks, Text(text="No question was asked here: the plan names no metric of this kind.")]
    for result in results:
        blocks += answer_blocks(result, most_figures, most_parts)
    return blocks


def answer_blocks(result: MetricResult, most_figures: int = 32, most_parts: int = 8) -> list[Block]:
    """Return everything about one result; a metric that this package has never heard of reads the same."""
    blocks: list[Block] = [Heading(text=result.title, level=3), Text(text=f"**{sentence(result.question)}**")]
    blocks += outcome_blocks(result)
    if result.estimate is not None:
        judgement = judge(result)
        blocks.append(Numbers(numbers=anchored_numbers(result, judgement)))
        if result.reading:
            blocks.append(Text(text=sentence(result.reading)))
        if judgement.tone in ("fair", "bad") and result.advice:
            blocks.append(Callout(tone="note", title="What to do", text=sentence(result.advice)))
    blocks += figure_blocks(result, most_figures)
    blocks += part_blocks(result, most_parts)
    return blocks


def outcome_blocks(result: MetricResult) -> list[Block]:
    """Say why there is no answer; nothing where there is one."""
    if result.outcome is Outcome.MEASURED:
        return []
    tone, title = _NO_ANSWER[result.outcome]
    reason = sentence(result.reason) or "No reason was given."
    points = (sentence(result.advice),) if result.advice and result.outcome is Outcome.INCONCLUSIVE else ()
    return [Callout(tone="warning" if tone == "warning" else "note", title=title, text=reason, points=points)]


def anchored_numbers(result: MetricResult, judgement: Judgement) -> tuple[Number, ...]:
    """Return the answer with its judgement, and its anchors beside it."""
    numbers = [number_of("Synthetic", result.estimate, judgement)]
    if result.ceiling is not None:
        numbers.append(number_of("Real rows", result.ceiling))
    if result.floor is not None:
        numbers.append(number_of("Shuffled columns", result.floor))
    return (*numbers, Number(label="Ideal", value=exact(result.best), note=f"worst {exact(result.worst)}"))


def number_of(label: str, estimate: Estimate | None, judgement: Judgement | None = None) -> Number:
    """Return an estimate as a figure with its interval."""
    judgement = judgement or Judgement("neutral", "")
    if estimate is None:
        return Number(label=label, value=number(None), note=judgement.words)
    value, low, high = bounds(estimate)
    return Number(
        label=label,
        value=value,
        low=low or None,
        high=high or None,
        note=judgement.words,
        tone=judgement.tone,
    )
