"""`understudy report`: the report of a stored evaluation, composed anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    release: Annotated[Path, typer.Argument(help="A release folder, or an evaluation.json.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")] = Path("report.html"),
    renderer: Annotated[str, typer.Option("--renderer", help="See `understudy list renderers`.")] = "html",
    sections: Annotated[
        str | None,
        typer.Option("--sections", help="Sections in order, separated by commas; default: as planned."),
    ] = None,
) -> None:
    """Compose the report of a release anew, without measuring anything again."""
    from understudy.cli.options import names_of
    from understudy.core.catalog import Choice
    from understudy.reports.compose import compose, render
    from understudy.store.artifacts import unwritable
    from understudy.workflow.release import read_evidence

    evidence = read_evidence(release)
    chosen = names_of(sections)
    blocks = compose(evidence, None if chosen is None else [Choice(name=name) for name in chosen])
    try:
        out.write_bytes(render(evidence.title, blocks, renderer))
    except OSError as error:
        raise unwritable(out, error) from error
    print(out)
