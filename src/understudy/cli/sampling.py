"""`understudy sample`: more rows from a generator that a release kept."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli import options
from understudy.cli.presenting import WITHHELD


def sample(
    generator: Annotated[
        Path, typer.Argument(help="A release made with --with-generator, or the folder of a generator.")
    ],
    out: options.Out,
    rows: options.Rows = None,
    where: options.Where = None,
    share: options.Share = None,
    complete: options.Complete = "",
    seed: options.SeedValue = 0,
    format_: options.Format = "csv",
    json_: options.Json = False,
) -> None:
    """Draw rows from a kept generator, under conditions if you wish. They are labelled, but not judged.

    Example: understudy sample release --rows 500 --where 'age>=65' --out older
    """
    import json

    from understudy.core.conditions import conditions
    from understudy.exports.catalog import CATALOG as EXPORTS
    from understudy.workflow.release import DATA, ensure_free
    from understudy.workflow.release import WITHHELD as HELD_BACK
    from understudy.workflow.sample import sample as draw
    from understudy.workflow.sample import write_sample

    ensure_free(out)
    EXPORTS.entry(format_)
    given = conditions(where or (), share or ())
    made = draw(generator, given, rows=rows, complete=complete, seed=seed)
    write_sample(made, generator, out, given, format_, seed)
    data = out / (HELD_BACK if made.is_withheld else DATA)
    for note in made.notes:
        print(f"# {note}", file=sys.stderr)
    hardness = None if made.hardness is None else made.hardness.model_dump(mode="json")
    document = {"out": str(out), "data": str(data), "rows": made.dataset.rows, "conditions": hardness}
    print(json.dumps(document | {"notes": made.notes}, indent=1) if json_ else data)
    raise typer.Exit(WITHHELD if made.is_withheld else 0)
