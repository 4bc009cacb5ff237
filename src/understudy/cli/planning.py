"""`understudy plan` and `understudy run`: the plan as a document, and its execution."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli import options

if TYPE_CHECKING:
    from understudy.workflow.advise import Draft

_AS_SAID = (
    "goal", "synthesizer", "target", "rows", "augment", "balance", "complete", "train_rows", "device",
    "with_generator", "seed",
)  # fmt: skip


def drafted(said: Mapping[str, Any]) -> Draft:
    """Turn what was said on the command line, by the names of its parameters, into a complete plan."""
    from understudy.core.conditions import conditions
    from understudy.workflow.advise import Wishes, draft

    wishes = Wishes(
        read=options.reading_of(said["read"]),
        schema=options.schema_of(said["schema"]),
        settings=options.settings_of(said["set_"]),
        given=conditions(said["where"] or (), said["share"] or ()),
        protected=options.names_of(said["protected"]),
        time_limit_s=said["time_limit"],
        holdout=options.holdout_of(said["holdout"]),
        export=said["format_"],
        violations=options.one_of(said["violations"], "--violations", ("drop", "repair", "keep_rate")),
        policy=options.one_of(said["policy"], "--policy", ("internal", "external")),
        **{name: said[name] for name in _AS_SAID},
    )
    return draft(said["table"], wishes)


def announce(draft: Draft, *, is_quiet: bool) -> None:
    """Say on stderr what was chosen and noticed before the work starts."""
    if is_quiet:
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    plan = draft.plan
    console.print(
        f"[bold]{escape(plan.table)}[/] → {escape(plan.synthesizer.name)} ({escape(plan.synthesizer.reason)})"
    )
    for field in ("target", "protected", "rows", "holdout"):
        if field in plan.reasons:
            console.print(f"  [dim]{field}:[/] {escape(plan.reasons[field])}")
    for note in draft.notes[:12]:
        console.print(f"  [yellow]note[/] {escape(note)}")
    if len(draft.notes) > 12:
        console.print(f"  ... and {len(draft.notes) - 12} more notes: see `understudy profile`")


def plan(
    context: typer.Context,
    table: options.Table,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; default: standard output.")
    ] = None,
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
    json_: options.Json = False,
) -> None:
    """Write the plan that `synthesize` would carry out: every choice with its reason, ready to edit and `run`.

    What it will cost, what the rows can support and what the review says go to stderr.
    """
    draft = drafted(context.params)
    text = draft.plan.model_dump_json(by_alias=True, indent=1) if json_ else draft.plan.to_yaml()
    announce_cost(draft, is_quiet=False)
    for note in draft.notes:
        print(f"# {note}", file=sys.stderr)
    if options.show(text, out):
        print(f"Plan written to {out}. Carry it out: understudy run {out} --out DIR", file=sys.stderr)


def announce_cost(draft: Draft, *, is_quiet: bool, with_errors: bool = True) -> None:
    """Say on stderr what the run will cost, what its rows support, and what real data and review object to.

    Args:
        draft: the plan.
        is_quiet: say nothing.
        with_errors: say the review's errors too; the run that follows says them anyway.
    """
    if is_quiet:
        return
    from understudy.workflow.advise import cost
    from understudy.workflow.inputs import read_inputs
    from understudy.workflow.review import review

    inputs = read_inputs(draft.plan, draft.frames)
    need = cost(draft.plan, inputs.train)
    lines = [
        f"about {need.seconds:.0f} s and {need.memory_bytes / 1e9:.1f} GB of memory; "
        f"{need.free_memory_bytes / 1e9:.1f} GB are free",
        *need.supports,
        *(
            f"{v.severity}: {v}"
            for v in review(draft.plan, inputs.train)
            if with_errors or v.severity != "error"
        ),
        *(str(v) for v in inputs.found),
        *(note for note in inputs.notes if note not in draft.notes),
    ]
    for line in lines:
        print(f"# {line}", file=sys.stderr)


def run(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan written by `understudy plan`.")],
    out: options.Out,
    work: options.Work = None,
    json_: options.Json = False,
) -> None:
    """Carry out a PLAN and write its release folder."""
    from understudy.cli.presenting import conclude
    from understudy.cli.progress import shown
    from understudy.core.errors import PlanError
    from understudy.workflow.cohort import run_cohort
    from understudy.workflow.plan import Plan
    from understudy.workflow.run import run as carry_out

    try:
        plan = Plan.from_yaml(plan_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, PlanError) as error:
        raise PlanError(f"cannot read the plan {str(plan_file)!r}: {error}") from error
    with shown() as notify:
        if plan.population is not None:
            release = run_cohort(plan, out, notify=notify)
        else:
            release = carry_out(plan, out, work=work, notify=notify)
    raise typer.Exit(conclude(release, as_json=json_))
