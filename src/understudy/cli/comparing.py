"""`understudy compare`: synthesizers side by side on one table, and which to use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli import options

if TYPE_CHECKING:
    from understudy.core.catalog import Choice
    from understudy.core.contest import Contest

Synthesizers = Annotated[
    str | None,
    typer.Option(
        "--synthesizers",
        "-s",
        help="Names separated by commas, see `understudy list synthesizers`; default: all that need no extra.",
    ),
]
Seeds = Annotated[
    int, typer.Option("--seeds", help="Train/holdout splits; more of them tell smaller differences apart.")
]
Metrics = Annotated[
    str | None,
    typer.Option("--metrics", help="What is asked of each, separated by commas; default: all."),
]
EntrantSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="A setting of a synthesizer or a metric that takes part, ITS_NAME.SETTING=VALUE."
    ),
]


def compare(
    table: options.Table,
    out: options.Out,
    synthesizers: Synthesizers = None,
    seeds: Seeds = 3,
    metrics: Metrics = None,
    set_: EntrantSettings = None,
    read: options.Read = None,
    schema: options.SchemaFile = None,
    target: options.Target = None,
    protected: options.Protected = None,
    train_rows: options.TrainRows = None,
    time_limit: options.TimeLimit = None,
    device: options.Device = "cpu",
    holdout: options.HoldoutText = "0.2",
    policy: options.PolicyName = "internal",
    seed: options.SeedValue = 0,
    goal: options.Goal = "",
    work: options.Work = None,
    json_: options.Json = False,
) -> None:
    """Fit several synthesizers to TABLE with several seeds, judge them alike, and say which to use and why.

    Writes a report and contest.json, and no synthetic rows. Interrupted, the same command goes on where it stopped.

    Example: understudy compare patients.csv --synthesizers sequential_trees,gaussian_copula --target y --out compared
    """
    from understudy.cli.progress import shown
    from understudy.workflow.advise import Wishes
    from understudy.workflow.compare import DEFAULT_ENTRANTS
    from understudy.workflow.compare import compare as carry_out
    from understudy.workflow.plan import DEFAULT_METRICS

    names = options.names_of(synthesizers) or DEFAULT_ENTRANTS
    wishes = Wishes(
        goal=goal,
        read=options.reading_of(read),
        schema=options.schema_of(schema),
        target=target,
        protected=options.names_of(protected),
        train_rows=train_rows,
        time_limit_s=time_limit,
        device=device,
        holdout=options.holdout_of(holdout),
        policy=options.one_of(policy, "--policy", ("internal", "external")),
        seed=seed,
    )
    asked = options.names_of(metrics) or list(DEFAULT_METRICS)
    choices = choices_of([*names, *asked], options.settings_of(set_))
    with shown() as notify:
        contest = carry_out(
            table,
            choices[: len(names)],
            wishes,
            out,
            seeds=seeds,
            metrics=choices[len(names) :],
            work=work,
            notify=notify,
        )
    if json_:
        print(_document(contest, out))
    else:
        _print_for_people(contest, out)


def choices_of(names: Sequence[str], settings: dict[str, Any]) -> list[Choice]:
    """Return synthesizers or metrics with the settings that were said of each.

    Raises:
        SettingsError: if a setting does not say whose it is.
    """
    from understudy.core.catalog import Choice
    from understudy.core.errors import SettingsError

    own: dict[str, dict[str, Any]] = {name: {} for name in names}
    for place, value in settings.items():
        name, dot, setting = place.partition(".")
        if not dot or name not in own:
            raise SettingsError(
                f"cannot tell whose setting {place!r} is; write it like --set {names[0]}.NAME=VALUE, for one of "
                f"{', '.join(names)}"
            )
        own[name][setting] = value
    return [Choice(name=name, settings=own[name]) for name in names]


def _document(contest: Contest, out: Path) -> str:
    import json

    return json.dumps(
        {
            "out": str(out),
            "report": str(out / "report.html"),
            "contest": str(out / "contest.json"),
            "advice": contest.advice.model_dump(mode="json"),
            "seeds": contest.seeds,
            "results": {
                e.name: {
                    r.metric: None if r.estimate is None else r.estimate.model_dump(mode="json")
                    for r in (() if e.pooled is None else e.pooled.results)
                }
                for e in contest.entrants
            },
            "failures": {e.name: e.failure for e in contest.entrants if e.failure},
            "differences": [d.model_dump(mode="json") for d in contest.differences],
            "gaps": [g.model_dump(mode="json") for g in contest.gaps],
        },
        indent=1,
    )


def _print_for_people(contest: Contest, out: Path) -> None:
    from rich.console import Console
    from rich.markup import escape

    from understudy.cli.showing import show
    from understudy.reports.contest import at_a_glance, recommendation

    console = Console()
    for block in recommendation(contest):
        show(console, block)
    show(console, at_a_glance(contest))
    console.print(f"\nReport   {escape(str(out / 'report.html'))}")
