"""What a finished run says on the terminal, for people and for machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.core.results import MetricResult
    from understudy.workflow.release import Release

WITHHELD = 3
_TONES = {"met": "green", "not_met": "red", "inconclusive": "yellow", "not_checked": "yellow"}


def conclude(release: Release, *, as_json: bool) -> int:
    """Print the outcome of a run and return the exit code that goes with it."""
    if as_json:
        print(json.dumps(_document(release), indent=1))
    else:
        _print_for_people(release)
    return 0 if release.verdict.is_released else WITHHELD


def _document(release: Release) -> dict[str, Any]:
    evaluation = release.evidence.evaluation
    return {
        "out": str(release.folder),
        "data": None if release.dataset is None else str(release.data_folder),
        "report": str(release.folder / "report.html"),
        "rows": None if release.dataset is None else release.dataset.rows,
        "verdict": release.verdict.model_dump(mode="json"),
        "seconds": release.evidence.provenance.get("seconds", {}),
        "conditions": release.evidence.provenance.get("conditions"),
        "results": {
            r.metric: r.model_dump(
                mode="json", include={"axis", "outcome", "reason", "estimate", "ceiling", "floor"}
            )
            for r in evaluation.results
        },
    }


def _print_for_people(release: Release) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    verdict = release.verdict
    tone = "green" if verdict.is_released else "red"
    word, _, rest = verdict.summary.partition(" ")
    console.print(f"\n[bold {tone}]{escape(word)}[/] {escape(rest)}\n")
    for finding in verdict.findings:
        colour = _TONES[finding.status]
        status = finding.status.replace("_", " ")
        console.print(f"  [{colour}]{status:>12}[/]  {escape(finding.requirement)}")
    results = release.evidence.evaluation.results
    rows = [(escape(result.title), *_cells(result)) for result in results]
    # A population that nobody's rows went into has no real rows to stand beside.
    titles = ("", "synthetic", "real holdout", "shuffled")
    shown = [place for place in range(len(titles)) if place < 2 or any(row[place] for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place in shown:
        table.add_column(titles[place], justify="right" if place else "left")
    for row in rows:
        table.add_row(*(row[place] for place in shown))
    console.print()
    console.print(table)
    added = release.evidence.evaluation.result("augmentation")
    if added is not None:
        console.print(f"\n{escape(added.reading or added.reason)}")
    asked = release.evidence.provenance.get("conditions")
    if asked:
        console.print(
            f"\nConditions: {escape(asked['asked'])}: support {100 * asked['support']:.3g} % of patients, "
            f"acceptance {100 * asked['acceptance']:.0f} %"
        )
        for note in asked["notes"]:
            console.print(f"  {escape(note)}")
    for violation in release.evidence.violations[:10]:
        console.print(f"[yellow]note[/] {escape(violation)}")
    console.print(f"\nReport   {escape(str(release.folder / 'report.html'))}")
    if release.dataset is not None:
        kind = "completed" if release.dataset.table.completed else "synthetic"
        console.print(f"Data     {escape(str(release.data_folder))}  ({release.dataset.rows} {kind} rows)")
    console.print(f"Check    understudy verify {escape(str(release.folder))}")


def _cells(result: MetricResult) -> tuple[str, str, str]:
    if result.estimate is None:
        return (result.outcome.value.replace("_", " "), "", "")
    cells = ["" if e is None else f"{e.value:.3f}" for e in (result.estimate, result.ceiling, result.floor)]
    own = result.estimate
    if own.low is not None and own.high is not None:
        cells[0] += f" ({own.low:.3f} to {own.high:.3f})"
    return cells[0], cells[1], cells[2]
