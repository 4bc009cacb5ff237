"""The report of a comparison: which synthesizer to use and why, and what each reached on every axis."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from understudy.core.blocks import Block, Callout, Chart, Heading, TableBlock, Text
from understudy.core.contest import Contest, Difference, Entrant
from understudy.core.results import Axis, MetricResult, Outcome
from understudy.reports.charts.pareto import Point, pareto_chart
from understudy.reports.judgement import SIGNS, judge
from understudy.reports.summary import AXES
from understudy.reports.wording import ABSENT, code, count, duration, interval, listing, number, sentence

_GLANCE = ("detection", "pairs", "prediction", "membership", "fairness", "plausibility")
_ATTACK = "membership"
_STANDINGS = {
    "better": "better beyond chance",
    "worse": "worse beyond chance",
    "level": "comparable within noise",
    "unknown": "too few seeds to say",
}
_CHANGES = {
    "keeps": "kept",
    "shrinks": "shrinks",
    "grows": "grows",
    "turns": "turns round",
    "unknown": "too few seeds",
}
_SPLIT = "each decides the split, the fit and the rows; all synthesizers share the splits"
_SHARED = (
    "each decides the fit and the rows; all are judged on the same rows held out, so that differences and changes "
    "hold for these rows, and other patients may show others"
)
_SIGNS = "✓ close to what real rows reach, ~ some way from it, ✕ far from it, · no judgement."


def contest_blocks(contest: Contest) -> list[Block]:
    """Return the whole report."""
    return [
        Heading(text="Recommendation"),
        *recommendation(contest),
        Heading(text="At a glance"),
        at_a_glance(contest),
        *_charts(contest),
        *(block for axis in AXES for block in _axis(contest, axis)),
        *_gaps(contest),
        *_differences(contest),
        *_cost(contest),
        *_method(contest),
    ]


def recommendation(contest: Contest) -> list[Block]:
    """Return what to use and why, and who could not take part."""
    advice = contest.advice
    points = tuple(sentence(reason) for reason in advice.reasons)
    said = Callout(
        tone="good" if advice.name else "bad",
        title=f"Use {advice.name}" if advice.name else "None can be recommended",
        text=sentence(advice.summary),
        points=points,
    )
    failed = tuple(f"**{e.name}**: {sentence(e.failure)}" for e in contest.entrants if e.pooled is None)
    missing = [Callout(tone="warning", title="Could not take part", points=failed)] if failed else []
    return [said, *missing]


def at_a_glance(contest: Contest) -> TableBlock:
    """Return the headline figures: a column for each synthesizer, a row for each question."""
    first = contest.finished[0]
    rows = []
    for metric in _GLANCE:
        result = first.result(metric)
        if result is not None:
            own = (_brief(e.result(metric)) for e in contest.finished)
            anchors = (number(e.value, 3) if e else ABSENT for e in (result.ceiling, result.floor))
            rows.append((result.title, *own, *anchors))
    refused = (f"{e.refusals} of {len(e.trials)}" for e in contest.finished)
    learning = (duration(fmean(t.fit_seconds for t in e.trials)) for e in contest.finished)
    rows += [("Seeds with findings against", *refused, "", ""), ("Learning", *learning, "", "")]
    columns = ("", *(e.name for e in contest.finished), "real rows", "shuffled")
    note = (
        f"Means over {count(len(contest.seeds), 'seed')}; intervals stand below. {_SIGNS} Findings against: of the "
        f"{contest.policy} release policy. Learning: time of one fit."
    )
    return TableBlock(columns=columns, rows=tuple(rows), align="l" + "r" * (len(columns) - 1), note=note)


def _brief(result: MetricResult | None) -> str:
    if result is None or result.estimate is None:
        return ABSENT
    return f"{SIGNS[judge(result).tone]} {number(result.estimate.value, 3)}"


def _anchor_rows(first: Entrant, results: Sequence[MetricResult]) -> list[tuple[str, ...]]:
    return [
        ("Unseen real rows", *(interval(r.ceiling) for r in results)),
        ("Shuffled columns", *(interval(r.floor) for r in results)),
    ]


def _cell(result: MetricResult | None) -> str:
    if result is None or result.estimate is None:
        return ABSENT if result is None else _no_answer(result)
    return f"{SIGNS[judge(result).tone]} {interval(result.estimate)}"


def _no_answer(result: MetricResult) -> str:
    words = {Outcome.INCONCLUSIVE: "inconclusive", Outcome.NOT_APPLICABLE: "does not apply"}
    return words.get(result.outcome, "not measured")


def _charts(contest: Contest) -> list[Block]:
    pairs = (("detection", "Fidelity against what an attack gains"), ("prediction", "Utility against it"))
    charts = [chart for metric, caption in pairs if (chart := _chart(contest, metric, caption)) is not None]
    if not charts:
        return []
    words = (
        "Better to the right and upward. The grey line joins those that no other beats on both axes; points whose "
        "lines overlap cannot be told apart with these seeds."
    )
    return [Heading(text="What is kept, and what an attack gains"), Text(text=words), *charts]


def _chart(contest: Contest, metric: str, caption: str) -> Chart | None:
    points, drawn = [], []
    for entrant in contest.finished:
        kept, attack = entrant.result(metric), entrant.result(_ATTACK)
        if kept and attack and kept.estimate is not None and attack.estimate is not None:
            points.append(Point(entrant.name, kept.estimate, attack.estimate))
            drawn.append((kept, attack))
    return pareto_chart(points, *drawn[0], caption) if drawn else None


def _axis(contest: Contest, axis: Axis) -> list[Block]:
    first = contest.finished[0]
    asked = () if first.pooled is None else first.pooled.on(axis)
    if not asked:
        return []
    results = [r for r in asked if any(_answered(e, r.metric) for e in contest.finished)]
    title, question = AXES[axis]
    blocks: list[Block] = [Heading(text=title), Text(text=f"**{question}**")]
    if results:
        columns = ("", *(f"{r.title} ({_best(r)})" for r in results))
        rows = tuple((e.name, *(_cell(e.result(r.metric)) for r in results)) for e in contest.finished)
        blocks.append(
            TableBlock(
                columns=columns,
                rows=(*rows, *_anchor_rows(first, results)),
                align="l" + "r" * len(results),
            )
        )
    silent = [f"{r.title}: {r.reason or 'no answer'}" for r in asked if r not in results]
    return [*blocks, *(Text(text=sentence(words)) for words in silent)]


def _answered(entrant: Entrant, metric: str) -> bool:
    result = entrant.result(metric)
    return result is not None and result.estimate is not None


def _best(result: MetricResult) -> str:
    return f"best {number(result.best)}"


def _gaps(contest: Contest) -> list[Block]:
    if not contest.gaps:
        return []
    words = (
        "A model is learned from the real rows and from the synthetic rows, and both decide on held-out real "
        "patients. A ratio is that of the false positive rates of two groups. What does not change beyond the noise of "
        "the seeds is kept; else it shrinks towards equality, grows, or turns round, and about one in twenty of such "
        "changes is chance. A bias that is kept is no virtue, and one that shrank may be hidden: see the rates."
    )
    blocks: list[Block] = [Heading(text="Gaps between groups"), Text(text=words)]
    for measure in dict.fromkeys(g.measure for g in contest.gaps):
        blocks.append(_gap_table(contest, measure))
    return blocks


def _gap_table(contest: Contest, measure: str) -> TableBlock:
    rows: list[tuple[str, str, str]] = []
    gaps = [gap for gap in contest.gaps if gap.measure == measure]
    for group in dict.fromkeys(gap.group for gap in gaps):
        own = [gap for gap in gaps if gap.group == group]
        rows.append((f"{group}: real rows", interval(own[0].real), ""))
        rows += [(gap.entrant, interval(gap.synthetic), _CHANGES[gap.change]) for gap in own]
    return TableBlock(
        columns=("Learned from", "Gap", "Change"),
        rows=tuple(rows),
        align="lrl",
        caption=measure.capitalize(),
        collapsed=len(rows) > 60,
    )


def _differences(contest: Contest) -> list[Block]:
    if not contest.differences:
        return []
    leader = contest.differences[0].leader
    titles = {r.metric: r.title for e in contest.finished if e.pooled for r in e.pooled.results}
    rows = tuple(
        (
            d.entrant,
            titles.get(d.metric, d.metric),
            interval(d.estimate),
            ABSENT if d.chance is None else _chance(d),
            _STANDINGS[d.standing],
        )
        for d in contest.differences
    )
    note = (
        "Entrant less leader on the same splits. The interval allows for the overlap of the training sets (Nadeau and "
        "Bengio 2003), the variance is that which remains once entrants and seeds are accounted for; both are "
        "adjusted for the number of entrants (Bonferroni). Differences below 0.01 count as none."
    )
    table = TableBlock(
        columns=("Entrant", "Measure", f"Difference from {leader}", "Chance alone", "Reading"),
        rows=rows,
        align="llrrl",
        note=note,
        collapsed=len(rows) > 24,
        caption=f"Differences from {leader}",
    )
    return [Heading(text="Differences and chance"), table]


def _chance(difference: Difference) -> str:
    chance = difference.chance or 0.0
    return "< 0.001" if chance < 0.001 else f"{chance:.3f}"


def _cost(contest: Contest) -> list[Block]:
    rows = tuple(
        (
            e.name,
            duration(fmean(t.fit_seconds for t in e.trials)),
            duration(fmean(t.fit_cpu_seconds for t in e.trials)),
            duration(fmean(t.sample_seconds for t in e.trials)),
            f"{number(fmean(t.generator_bytes for t in e.trials) / 1e6)} MB",
        )
        for e in contest.finished
    )
    table = TableBlock(
        columns=("", "Learning", "Processor time of it", "Drawing as many rows", "Generator on disk"),
        rows=rows,
        align="lrrrr",
        note="Means over the seeds, on this machine and beside whatever else it did.",
    )
    return [Heading(text="Cost"), table]


def _method(contest: Contest) -> list[Block]:
    learned, held = contest.rows
    points = (
        f"Table {code(contest.table)}: {count(learned, 'row')} learned from, {count(held)} held out; target "
        f"{listing([code(t) for t in contest.targets]) or 'none'}; protected "
        f"{listing([code(p) for p in contest.protected]) or 'none'}",
        f"Seeds {listing([str(s) for s in contest.seeds], 20)}: {_SHARED if contest.is_one_holdout else _SPLIT}",
        "As many synthetic rows as were learned from. No holdout row was seen by a fit; the schema was proposed "
        "from the rows to learn from of the first seed",
        "A recommendation is for this table and these settings. It orders by the mean distance from real rows in "
        "detection, pairs and prediction, after those whose rows the policy refuses",
        *(str(note) for note in contest.provenance.get("notes", ())),
    )
    settings = tuple(
        (e.name, ", ".join(f"{k}={v}" for k, v in e.choice.settings.items()) or "defaults")
        for e in contest.entrants
    )
    return [
        Heading(text="How it was compared"),
        Callout(tone="note", title="Method and limits", points=tuple(map(sentence, points))),
        TableBlock(columns=("Synthesizer", "Settings"), rows=settings),
    ]
