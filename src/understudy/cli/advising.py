"""`understudy advise`: what to change after a run, and what it should gain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli import options


def advise(
    release: Annotated[Path, typer.Argument(help="A release folder, or an evaluation.json.")],
    json_: options.Json = False,
) -> None:
    """Say what to change after a run and what it should gain, from its training curves and figures."""
    from dataclasses import asdict

    from rich.console import Console

    from understudy.cli.showing import show
    from understudy.core.blocks import Callout
    from understudy.workflow.release import read_evidence
    from understudy.workflow.training_advice import training_advice

    found = training_advice(read_evidence(release))
    if json_:
        print(json.dumps([asdict(one) for one in found], indent=1))
        return
    console = Console()
    for one in found:
        title = one.finding.replace("_", " ").capitalize()
        tone = "good" if one.finding == "enough" else "note"
        points = (f"**Change.** {one.change}", f"**Gain.** {one.gain}")
        show(console, Callout(tone=tone, title=title, text=one.says, points=points))  # type: ignore[arg-type]
