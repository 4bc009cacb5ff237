"""`understudy synthesize`: from a table of patients to a judged synthetic one."""

from __future__ import annotations

import typer

from understudy.cli import options


def synthesize(
    context: typer.Context,
    table: options.Table,
    out: options.Out,
    rows: options.Rows = None,
    augment: options.Augment = None,
    balance: options.Balance = None,
    synthesizer: options.Synthesizer = None,
    set_: options.Settings = None,
    read: options.Read = None,
    schema: options.SchemaFile = None,
    where: options.Where = None,
    share: options.Share = None,
    target: options.Target = None,
    protected: options.Protected = None,
    complete: options.Complete = "",
    train_rows: options.TrainRows = None,
    time_limit: options.TimeLimit = None,
    device: options.Device = "cpu",
    with_generator: options.WithGenerator = False,
    holdout: options.HoldoutText = "0.2",
    violations: options.Violations = None,
    policy: options.PolicyName = "internal",
    seed: options.SeedValue = 0,
    format_: options.Format = "csv",
    goal: options.Goal = "",
    work: options.Work = None,
    json_: options.Json = False,
) -> None:
    """Make a synthetic stand-in for TABLE, judge it, and write a release folder.

    Example: understudy synthesize patients.csv --target readmitted --out release
    """
    from understudy.cli.planning import announce, announce_cost, drafted
    from understudy.cli.presenting import conclude
    from understudy.cli.progress import shown
    from understudy.workflow.release import ensure_free
    from understudy.workflow.run import run

    ensure_free(out)
    draft = drafted(context.params)
    announce(draft, is_quiet=json_)
    announce_cost(draft, is_quiet=json_, with_errors=False)
    with shown() as notify:
        release = run(draft.plan, out, work=work, frames=draft.frames, notify=notify)
    raise typer.Exit(conclude(release, as_json=json_))
