"""`understudy evaluate`: the judgement of any synthetic table, also one that another tool made."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from understudy.cli import options


def evaluate(
    real: Annotated[str, typer.Option("--real", help="The real table that the other tool learned from.")],
    synthetic: Annotated[str, typer.Option("--synthetic", help="The synthetic table.")],
    out: options.Out,
    holdout: Annotated[
        str | None,
        typer.Option("--holdout", help="Real rows that it never saw; needed for utility and privacy."),
    ] = None,
    read: Annotated[
        list[str] | None,
        typer.Option(
            "--read",
            help="How the real tables are read, NAME=VALUE: sheet, delimiter, encoding, missing.",
        ),
    ] = None,
    target: options.Target = None,
    protected: options.Protected = None,
    schema: options.SchemaFile = None,
    policy: options.PolicyName = "internal",
    seed: options.SeedValue = 0,
    work: options.Work = None,
    json_: options.Json = False,
) -> None:
    """Judge a synthetic table against the real one, and write report, card and evaluation."""
    from understudy.cli.presenting import conclude
    from understudy.cli.progress import shown
    from understudy.sources.reading import read_table
    from understudy.workflow.advise import Wishes
    from understudy.workflow.judge import judge
    from understudy.workflow.release import ensure_free

    wishes = Wishes(
        schema=options.schema_of(schema),
        target=target,
        protected=options.names_of(protected),
        policy=options.one_of(policy, "--policy", ("internal", "external")),
        seed=seed,
    )
    ensure_free(out)
    settings = options.reading_of(read)
    tables = {name: read_table(name, settings=settings) for name in (real, holdout) if name is not None}
    if synthetic not in tables:
        tables[synthetic] = read_table(synthetic)
    for name, reading in tables.items():
        for note in reading.notes:
            print(f"# {name}: {note}", file=sys.stderr)
    held = None if holdout is None else tables[holdout].frame
    with shown() as notify:
        release = judge(
            tables[real].frame, tables[synthetic].frame, held, wishes, out, work=work, notify=notify
        )
    raise typer.Exit(conclude(release, as_json=json_))
