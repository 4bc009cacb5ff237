"""Tools that weigh a release: may it be shared, what is wrong with it, what would make it better, which is best."""

from __future__ import annotations

from pathlib import Path

from understudy.agent.state import Desk, NoArguments, Outcome
from understudy.agent.tools.explaining import Subject
from understudy.core.blocks import Block, Callout, Heading, TableBlock, Text
from understudy.core.contracts import Evidence
from understudy.core.errors import RequestError
from understudy.core.results import Axis, MetricResult
from understudy.metrics.catalog import CATALOG as METRICS
from understudy.reports.judgement import SIGNS, judge
from understudy.reports.origin import is_built
from understudy.reports.sources import PROVES
from understudy.reports.wording import interval, sentence
from understudy.workflow.release import read_evidence

_STATUS = {
    "met": "✓ met",
    "not_met": "✕ not met",
    "inconclusive": "~ inconclusive",
    "not_checked": "· not checked",
}
_NEVER = (
    "It is not called anonymous: attacks that were not run may succeed, and whoever shares it decides with the law "
    "that applies to them."
)


def is_safe_to_share(desk: Desk, arguments: NoArguments) -> Outcome:
    """Say what the release policy decides, requirement by requirement, and what that does not promise."""
    evidence = _needed(desk)
    blocks: list[Block] = []
    if is_built(evidence):
        text = "No private record was read to make these rows, so nobody's privacy is at stake in them."
        blocks.append(Text(text=text))
    if evidence.verdict is not None:
        verdict = evidence.verdict
        tone = "good" if verdict.is_released else "bad"
        blocks.append(Callout(tone="good" if tone == "good" else "bad", title=sentence(verdict.summary)))
        rows = tuple((f.requirement, _STATUS[f.status], f.evidence) for f in verdict.findings)
        blocks.append(TableBlock(columns=("Requirement", "", "Evidence"), rows=rows))
    blocks += _results(evidence, (Axis.PRIVACY,))
    points = PROVES[1:] if is_built(evidence) else (_NEVER,)
    blocks.append(Callout(tone="note", title="What this does not show", points=points))
    is_out = bool(evidence.verdict and evidence.verdict.is_released)
    return Outcome(tuple(blocks), f"the policy says: {'released' if is_out else 'withheld'}")


def what_is_wrong(desk: Desk, arguments: NoArguments) -> Outcome:
    """Say what falls short: requirements that are not met, weak results, what was noticed in the data."""
    evidence = _needed(desk)
    found = evidence.verdict.findings if evidence.verdict else ()
    missed = [f"{f.requirement}: {f.evidence}" for f in found if f.status in ("not_met", "inconclusive")]
    weak = [r for r in evidence.evaluation.results if judge(r).tone in ("fair", "bad")]
    blocks: list[Block] = []
    if missed:
        blocks.append(Callout(tone="warning", title="Requirements", points=tuple(map(sentence, missed))))
    if weak:
        points = tuple(f"{r.title}: {judge(r).words}. {sentence(r.reading)}".strip() for r in weak)
        blocks.append(Callout(tone="warning", title="Weak results", points=points))
    if evidence.violations:
        points = tuple(map(sentence, evidence.violations[:8]))
        blocks.append(Callout(tone="note", title="Noticed in the real data", points=points))
    limits = PROVES[1:] if is_built(evidence) else ()
    limits = (*limits, *map(str, evidence.provenance.get("notes", ())))[:8]
    if limits:
        blocks.append(Callout(tone="note", title="Limits", points=tuple(map(sentence, limits))))
    if not blocks:
        blocks.append(Text(text="Nothing that was measured falls short; what was not measured is not known."))
    told = "\n".join(f"{r.metric}: {judge(r).words}" for r in weak if r.metric in METRICS.names)
    return Outcome(tuple(blocks), told or "no weak result")


def recommend_next_step(desk: Desk, arguments: Subject) -> Outcome:
    """Say what to do next: the advice of the weak results, or the next step of the work."""
    evidence = desk.state.evidence()
    if evidence is None:
        text = (
            "Approve the plan, or say what to change." if desk.state.plan else "Say which patients you need."
        )
        return Outcome((Text(text=text),), text)
    results = [r for r in evidence.evaluation.results if not arguments.subject or r.axis == arguments.subject]
    advice = [(r.title, sentence(r.advice)) for r in results if r.advice and judge(r).tone in ("fair", "bad")]
    if not advice and is_built(evidence):
        text = (
            "The checks of this cohort found nothing to mend. Closer to your own patients: state targets such as "
            "“mean BMI 31”, or bring a table with `--data` to learn from."
        )
        return Outcome((Text(text=text),), text)
    if not advice:
        text = (
            "No measured result asks for a change. More real rows, or another synthesizer beside this one, may "
            "still help."
        )
        return Outcome((Text(text=text),), text)
    block = TableBlock(columns=("Weak result", "What to do"), rows=tuple(advice))
    return Outcome((block,), "the person sees the advice")


def rate_quality(desk: Desk, arguments: NoArguments) -> Outcome:
    """Say how good the newest release is, each answer beside real rows and shuffled columns."""
    evidence = _needed(desk)
    told = "\n".join(
        f"{r.metric}: {r.estimate.value:.3g}"
        for r in evidence.evaluation.results
        if r.estimate is not None and r.metric in METRICS.names
    )
    return Outcome(tuple(_results(evidence, tuple(Axis))), told)


def compare_runs(desk: Desk, arguments: NoArguments) -> Outcome:
    """Put the releases of this conversation side by side."""
    folders = desk.state.releases
    if len(folders) < 2:
        raise RequestError(f"{len(folders)} release{'' if len(folders) == 1 else 's'} so far; two are needed")
    every = [read_evidence(Path(folder)) for folder in folders[-4:]]
    names = dict.fromkeys(r.metric for e in every for r in e.evaluation.results)
    rows = [
        ("method", *(_method(e) for e in every)),
        ("rows", *(f"{e.evaluation.synthetic_rows:,}" for e in every)),
    ]
    for name in names:
        found = [e.evaluation.result(name) for e in every]
        title = next(r.title for r in found if r is not None)
        rows.append((title, *("–" if r is None else interval(r.estimate) for r in found)))
    verdicts = ("released" if e.verdict and e.verdict.is_released else "withheld" for e in every)
    rows.append(("verdict", *verdicts))
    block = TableBlock(columns=("", *(Path(f).name for f in folders[-4:])), rows=tuple(rows))
    return Outcome((block,), f"{len(every)} releases were compared; the person sees the table")


def follow_run(desk: Desk, arguments: NoArguments) -> Outcome:
    """Say what was made so far and where it lies."""
    if not desk.state.releases:
        return Outcome((Text(text="Nothing was run yet."),), "nothing was run yet")
    evidence = _needed(desk)
    folder = Path(desk.state.releases[-1])
    is_out = bool(evidence.verdict and evidence.verdict.is_released)
    rows = (
        ("Rows", f"{evidence.evaluation.synthetic_rows:,}"),
        ("Verdict", "released" if is_out else "withheld"),
        ("Data", str(folder / ("data" if is_out else "withheld"))),
        ("Report", str(folder / "report.html")),
    )
    told = f"{evidence.evaluation.synthetic_rows} rows, {'released' if is_out else 'withheld'}"
    return Outcome((Heading(text="The newest run", level=3), TableBlock(columns=("", ""), rows=rows)), told)


def _needed(desk: Desk) -> Evidence:
    evidence = desk.state.evidence()
    if evidence is None:
        raise RequestError("there is no release yet; approve a plan first, then ask again")
    return evidence


def _method(evidence: Evidence) -> str:
    chosen = evidence.plan.get("synthesizer") or evidence.plan.get("population") or {}
    return str(chosen.get("name", "")) if isinstance(chosen, dict) else ""


def _results(evidence: Evidence, axes: tuple[Axis, ...]) -> list[Block]:
    rows = tuple(_row(r) for r in evidence.evaluation.results if r.axis in axes)
    columns = ("", "Result", "Synthetic", "Real rows", "Shuffled", "In words")
    return [TableBlock(columns=columns, rows=rows)] if rows else []


def _row(result: MetricResult) -> tuple[str, ...]:
    judgement = judge(result)
    shown = (interval(e) if e is not None else "" for e in (result.estimate, result.ceiling, result.floor))
    return (SIGNS[judgement.tone], result.title, *shown, judgement.words)
