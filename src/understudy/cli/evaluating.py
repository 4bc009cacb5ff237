"""`understudy evaluate`: the judgement of any synthetic table, also one that another tool made."""

from __future__ import annotations

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

    wishes = Wishes(
        schema=options.schema_of(schema),
        target=target,
        protected=options.names_of(protected),
        policy=options.one_of(policy, "--policy", ("internal", "external")),
        seed=seed,
    )
    held = None if holdout is None else read_table(holdout).frame
    with shown() as notify:
        release = judge(
            read_table(real).frame, read_table(synthetic).frame, held, wishes, out, work=work, notify=notify
        )
    raise typer.Exit(conclude(release, as_json=json_))
