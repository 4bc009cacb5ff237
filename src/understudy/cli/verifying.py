"""`understudy verify`: whether a release is, byte for byte, what its manifest says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

CHANGED = 4


def verify(
    release: Annotated[Path, typer.Argument(help="The release folder.")],
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check every byte of a release against its manifest; exit code 4 if anything differs."""
    from understudy.workflow.release import verify as problems_of

    problems = problems_of(release)
    if json_:
        print(
            json.dumps({"release": str(release), "is_intact": not problems, "problems": problems}, indent=1)
        )
    elif problems:
        print("\n".join(problems))
    else:
        print(f"{release} is intact: every file is as its manifest says.")
    raise typer.Exit(CHANGED if problems else 0)
