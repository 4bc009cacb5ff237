"""The verdict on one screen, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from understudy.core.blocks import Block, Callout, Heading, Number, Numbers, TableBlock, Text
from understudy.core.contracts import Evidence, Section
from understudy.core.results import Axis, Finding, MetricResult, Verdict
from understudy.reports.answers import number_of
from understudy.reports.charts.gauges import gauge_chart
from understudy.reports.judgement import judge
from understudy.reports.origin import is_completed, sizes, what_rows_are
from understudy.reports.wording import bounds, sentence

AXES: Mapping[Axis, tuple[str, str]] = {
    Axis.FIDELITY: ("Fidelity", "Do the rows look real?"),
    Axis.DIVERSITY: ("Diversity", "Is the whole variety there?"),
    Axis.UTILITY: ("Utility", "Do analyses come out the same?"),
    Axis.PRIVACY: ("Privacy", "Does an attack gain anything?"),
    Axis.FAIRNESS: ("Fairness", "Is every group served alike?"),
    Axis.PLAUSIBILITY: ("Plausibility", "Could every row be a patient?"),
}
# The one figure that stands for an axis on the first screen, where it was measured.
HEADLINES: Mapping[Axis, tuple[str, ...]] = {
    Axis.FIDELITY: ("detection", "pairs", "marginals"),
    Axis.DIVERSITY: ("coverage", "diversity"),
    Axis.UTILITY: ("prediction",),
    Axis.PRIVACY: ("membership",),
    Axis.FAIRNESS: ("fairness", "group_prediction"),
    Axis.PLAUSIBILITY: ("plausibility",),
}
_STATUS = {
    "met": "✓ met",
    "not_met": "✕ not met",
    "inconclusive": "? inconclusive",
    "not_checked": "– not checked",
}


class Summary(Section):
    """Released or withheld and why, a figure for each axis, gauges, and the policy's requirements."""

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the verdict, the headline figures, the gauges and the requirements."""
        blocks: list[Block] = [Heading(text="Verdict"), verdict_callout(evidence.verdict)]
        blocks += [what_rows_are(evidence)] if is_completed(evidence) else []
        blocks.append(Text(text=sentence(sizes(evidence))))
        numbers = tuple(n for axis in AXES if (n := _headline(evidence, axis)) is not None)
        if numbers:
            blocks.append(Numbers(numbers=numbers))
        for axis, (title, question) in AXES.items():
            chart = gauge_chart(f"{title}: {question.lower()}", evidence.evaluation.on(axis))
            blocks += [chart] if chart else []
        blocks += _requirements(evidence.verdict)
        return [*blocks, *_next_steps(evidence)]


def verdict_callout(verdict: Verdict | None) -> Callout:
    """Return the policy's decision with its reasons."""
    if verdict is None:
        return Callout(
            tone="note",
            title="Evaluated, no release decision",
            text="No release policy was applied. The figures below are the evidence for a decision by a person.",
        )
    reasons = [f for f in verdict.findings if f.status != "met" and f.status != "not_checked"]
    points = tuple(_said(f) for f in reasons)
    tone, title = _decision(verdict)
    return Callout(tone=tone, title=title, text=sentence(verdict.summary), points=points)


def _decision(verdict: Verdict) -> tuple[Literal["good", "warning", "bad"], str]:
    if not verdict.is_released:
        return "bad", "Withheld"
    if all(finding.status == "met" for finding in verdict.findings):
        return "good", "Released"
    return "warning", "Released, with open questions"


def _said(finding: Finding) -> str:
    words = {"not_met": "not met", "inconclusive": "inconclusive"}
    return sentence(
        f"{finding.requirement}: **{words.get(finding.status, finding.status)}**. {finding.evidence}"
    )


def headline(evidence: Evidence, axis: Axis) -> MetricResult | None:
    """Return the result that stands for an axis: the first preferred one with an answer, else any."""
    results = evidence.evaluation.on(axis)
    preferred = [r for name in HEADLINES.get(axis, ()) for r in results if r.metric == name]
    ordered = [*preferred, *results]
    return next((r for r in ordered if r.estimate is not None), ordered[0] if ordered else None)


def _headline(evidence: Evidence, axis: Axis) -> Number | None:
    result = headline(evidence, axis)
    if result is None:
        return None
    judgement = judge(result)
    far = [r.title for r in evidence.evaluation.on(axis) if r is not result and judge(r).tone == "bad"]
    if far and judgement.tone == "good":
        # One good figure must not speak for an axis on which another is bad.
        judgement = judgement._replace(tone="fair")
    shown = number_of(AXES[axis][0], result.estimate, judgement)
    anchors = [f"real rows {bounds(result.ceiling)[0]}"] if result.ceiling else []
    anchors += [f"shuffled columns {bounds(result.floor)[0]}"] if result.floor else []
    beside = f" ({', '.join(anchors)})" if anchors else ""
    but = f". Not good: {', '.join(far)}" if far else ""
    note = f"{result.title}: {judgement.words}{beside}{but}"
    return shown.model_copy(update={"note": note})


def _requirements(verdict: Verdict | None) -> list[Block]:
    if verdict is None or not verdict.findings:
        return []
    rows = tuple((_STATUS[f.status], f.requirement, sentence(f.evidence)) for f in verdict.findings)
    caption = f"What the “{verdict.policy}” policy requires"
    columns = ("Status", "Requirement", "Evidence")
    return [TableBlock(columns=columns, rows=rows, caption=caption, collapsed=len(rows) > 8)]


def _next_steps(evidence: Evidence) -> list[Block]:
    bad = [r for r in evidence.evaluation.results if judge(r).tone == "bad" and r.advice]
    if not bad:
        return []
    points = tuple(f"**{r.title}.** {sentence(r.advice)}" for r in bad[:5])
    return [Callout(tone="warning", title="What to do next", points=points)]
