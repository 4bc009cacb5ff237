"""`understudy cohort` and `understudy populations`: patients from published knowledge, without private data."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli import options

if TYPE_CHECKING:
    from understudy.workflow.cohort_request import CohortDraft
    from understudy.workflow.release import Release

Words = list[str] | None
Population = Annotated[str, typer.Argument(help="See `understudy populations list`.")]
Condition = Annotated[
    Words,
    typer.Option(
        "--condition", "-c", help="A condition that everyone has, by any name; several: all of them."
    ),
]
Exclude = Annotated[Words, typer.Option("--exclude", help="A condition that nobody is known to have.")]
Rows = Annotated[int, typer.Option("--rows", "-n", help="How many patients.")]
Observations = Annotated[
    str, typer.Option("--observations", help="How many of the most important observations, or 'all'.")
]
Add = Annotated[Words, typer.Option("--add", help="Further observations, by any name.")]
Drop = Annotated[Words, typer.Option("--drop", help="Observations to leave out.")]
Target = Annotated[
    Words,
    typer.Option(
        "--target",
        help="An aggregate to meet: 'bmi:mean=31', 'sbp:median=140', 'sex=female:0.6', 'bmi~sbp:corr=0.5', or a "
        "CSV with the columns observation, statistic, value.",
    ),
]
Units = Annotated[
    Words, typer.Option("--units", help="si, conventional, or for one observation: hba1c=mmol/mol.")
]
Decimals = Annotated[
    Words,
    typer.Option(
        "--decimals",
        help="Digits after the point of an observation: bmi=0; at most those that it is known to.",
    ),
]
Missing = Annotated[
    str, typer.Option("--missing", help="none, or realistic: values missing as often as in the survey.")
]

app = typer.Typer(
    help="People who can be drawn from knowledge alone.", no_args_is_help=True, rich_markup_mode="markdown"
)


def cohort(
    out: options.Out,
    population: Population = "us_adults",
    condition: Condition = None,
    exclude: Exclude = None,
    rows: Rows = 1000,
    observations: Observations = "20",
    add: Add = None,
    drop: Drop = None,
    where: options.Where = None,
    share: options.Share = None,
    target: Target = None,
    units: Units = None,
    decimals: Decimals = None,
    missing: Missing = "none",
    policy: options.PolicyName = "internal",
    seed: options.SeedValue = 0,
    format_: options.Format = "csv",
    goal: options.Goal = "",
    json_: options.Json = False,
) -> None:
    """Draw patients with the wished conditions from published knowledge, and write a release with its sources.

    Limits and targets are read in the units of the release (--units), or in the unit that follows the number.

    Example: understudy cohort us_adults --condition "type 2 diabetes" --rows 2000 --out release
    """
    from understudy.cli.presenting import conclude
    from understudy.workflow.cohort_request import CohortWishes, draft_cohort
    from understudy.workflow.release import ensure_free

    ensure_free(out)
    system, single = _units(units or [])
    texts, tables = _targets(target or [])
    wishes = CohortWishes(
        population=population,
        conditions=condition or (),
        exclude=exclude or (),
        rows=rows,
        observations=_count(observations),
        add=_names(add),
        drop=_names(drop),
        where=where or (),
        share=share or (),
        targets=texts,
        target_tables=tables,
        system=system,
        units=single,
        decimals=_digits(decimals or []),
        missing=options.one_of(missing, "--missing", ("none", "realistic")),
        export=format_,
        policy=options.one_of(policy, "--policy", ("internal", "external")),
        seed=seed,
        goal=goal,
    )
    draft = draft_cohort(wishes)
    if not json_:
        _announce(draft)
    release = _drawn(draft, out)
    if not json_:
        _say_calibration(release)
    raise typer.Exit(conclude(release, as_json=json_))


def _drawn(draft: CohortDraft, out: Path) -> Release:
    from understudy.cli.progress import shown
    from understudy.workflow.cohort import run_cohort

    with shown() as notify:
        return run_cohort(
            draft.plan,
            out,
            generator=draft.generator,
            notify=notify,
            notes=draft.notes,
            processes=os.cpu_count() or 1,
        )


def _count(text: str) -> int | None:
    from understudy.core.errors import RequestError

    if text.strip().casefold() == "all":
        return None
    try:
        return int(text)
    except ValueError as error:
        raise RequestError(f"--observations {text}: expected a number or 'all'") from error


def _names(texts: Words) -> list[str]:
    return [name for text in texts or [] for name in options.names_of(text) or []]


def _units(texts: list[str]) -> tuple[str, dict[str, str]]:
    system, single = "conventional", {}
    for text in texts:
        name, sign, unit = (part.strip() for part in text.partition("="))
        if sign:
            single[name] = unit
        else:
            system = name.casefold()
    return system, single


def _digits(texts: list[str]) -> dict[str, int]:
    from understudy.core.errors import SettingsError

    found = {}
    for text in texts:
        name, sign, digits = (part.strip() for part in text.partition("="))
        if not sign or not digits.isdigit():
            raise SettingsError(f"cannot read --decimals {text!r}; write it like bmi=1")
        found[name] = int(digits)
    return found


def _targets(texts: list[str]) -> tuple[list[str], list[Path]]:
    tables = [Path(text) for text in texts if text.lower().endswith(".csv")]
    return [text for text in texts if not text.lower().endswith(".csv")], tables


def _announce(draft: CohortDraft) -> None:
    from rich.console import Console
    from rich.markup import escape

    from understudy.workflow.cohort_request import asked_in_words

    console = Console(stderr=True)
    plan = draft.plan
    assert plan.population is not None
    console.print(f"[bold]{escape(plan.population.name)}[/] → {escape(asked_in_words(plan))}")
    console.print(f"  [dim]columns:[/] {escape(plan.reasons.get('schema', ''))}")
    for note in draft.notes:
        console.print(f"  [yellow]note[/] {escape(note)}")


def _say_calibration(release: Release) -> None:
    from rich.console import Console
    from rich.markup import escape

    found = release.evidence.provenance.get("calibration")
    if not found:
        return
    console = Console()
    console.print("\n[bold]Targets[/]")
    for entry in found["targets"]:
        console.print(
            f"  {escape(entry['asked'])}: reached {entry['reached']:.4g} [dim]({entry['without']:.4g} without)[/]"
        )
    console.print(
        f"  [dim]{found['pool_rows']} patients drawn, worth {found['effective_rows']:.0f} unweighted ones (Kish)[/]"
    )
    for note in found["notes"]:
        console.print(f"  [yellow]note[/] {escape(note)}")


@app.command("list")
def list_populations(json_: options.Json = False) -> None:
    """List the populations."""
    from understudy.populations.catalog import CATALOG

    lines = {entry.name: entry.summary for entry in CATALOG.entries}
    width = max(map(len, lines), default=0)
    text = "\n".join(f"{name:<{width}}  {summary}" for name, summary in lines.items())
    print(json.dumps(lines, indent=1) if json_ else text)


@app.command("show")
def show_population(
    name: Population,
    json_: options.Json = False,
) -> None:
    """Show what a population holds: observations with units and origin, and the conditions it can represent."""
    from understudy.workflow.describing import describe_population

    found = describe_population(name)
    if json_:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    _print_population(found)


def _print_population(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from understudy.knowledge.units import written

    console = Console()
    console.print(f"[bold]{escape(found['name'])}[/]: {escape(found['summary'])}")
    observations, conditions = found["observations"], found["conditions"]
    columns = Table(box=None, pad_edge=False, title_justify="left", title_style="bold", header_style="dim")
    columns.title = f"\nObservations ({len(observations)})"
    for title in ("id", "name", "in", "from"):
        columns.add_column(title)
    for entry in observations:
        unit = written(entry["unit"]) if entry["unit"] else entry["kind"]
        columns.add_row(entry["id"], escape(entry["name"]), escape(unit), escape(entry["from"]))
    console.print(columns)
    known = Table(box=None, pad_edge=False, title_justify="left", title_style="bold", show_header=False)
    known.title = f"\nConditions that it can represent ({len(conditions)})"
    for entry in conditions:
        known.add_row(entry["id"], escape(entry["when"]))
    console.print(known)
    absent = ", ".join(found["not_represented"])
    console.print(f"\n[dim]Known, but not to be told from what it holds:[/] {absent or 'none'}")


@app.command("build")
def build_population(
    name: Population,
    from_: Annotated[
        Path, typer.Option("--from", help="Folder of the raw survey files: SAS transport, gzipped or not.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the parameters.")] = Path("population"),
) -> None:
    """Estimate a population anew from raw survey files; the same files give the same parameters, byte for byte.

    Only aggregates are written, none of fewer than 11 people; no person's row is.
    """
    from understudy.workflow.rebuilding import rebuild_population

    for path in rebuild_population(name, from_, out):
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")
