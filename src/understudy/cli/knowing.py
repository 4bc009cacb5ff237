"""`understudy knowledge`: what the knowledge base says of a condition, observation, drug or rule, and whence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli import options

if TYPE_CHECKING:
    from rich.console import Console

    from understudy.knowledge.conditions import Condition, Prevalence
    from understudy.knowledge.entries import Found
    from understudy.knowledge.observations import Observation, ReferenceRange

app = typer.Typer(
    help="What medicine knows, as data with sources.", no_args_is_help=True, rich_markup_mode="markdown"
)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="Any name, synonym or id: 'heart failure', A1c, HTN, statin.")],
    json_: options.Json = False,
) -> None:
    """Show all that is known under NAME, with the sources behind it.

    Example: understudy knowledge show "heart failure"
    """
    from rich.console import Console

    from understudy.knowledge.entries import look_up

    found = look_up(name)
    if json_:
        print(json.dumps([_document(entry) for entry in found], indent=1, ensure_ascii=False))
        return
    console = Console()
    for entry in found:
        _print_entry(console, entry)


@app.command("list")
def list_chapter(
    chapter: Annotated[
        str,
        typer.Argument(help="conditions, drugs, equations, guidelines, observations, rules, sources ..."),
    ],
    json_: options.Json = False,
) -> None:
    """List the entries of a chapter: id and name."""
    from understudy.knowledge.entries import CHAPTERS, titles

    chosen = options.one_of(chapter, "knowledge list", CHAPTERS)
    lines = titles(chosen)
    if json_:
        print(json.dumps(lines, indent=1, ensure_ascii=False))
        return
    width = max(map(len, lines), default=0)
    print("\n".join(f"{name:<{width}}  {title}" for name, title in lines.items()))


def _document(found: Found) -> dict[str, Any]:
    return {
        "chapter": found.chapter,
        "id": found.id,
        "entry": found.document(),
        "citations": {source.id: source.cite() for source in found.sources()},
    }


def _print_entry(console: Console, found: Found) -> None:
    from rich.markup import escape

    from understudy.knowledge.conditions import Condition
    from understudy.knowledge.observations import Observation

    title = found.document().get("name") or found.document().get("says") or found.id
    console.print(f"\n[bold]{escape(str(title))}[/]  [dim]{found.chapter} · {found.id}[/]")
    if isinstance(found.entry, Condition):
        _print_condition(console, found.entry)
    elif isinstance(found.entry, Observation):
        _print_observation(console, found.entry)
    else:
        _print_plainly(console, found)
    if found.sources():
        console.print("\n[bold]Sources[/]")
        for source in found.sources():
            console.print(
                f"  {escape(source.cite())}\n    [dim]read: {escape(source.what_was_read)}[/]", soft_wrap=True
            )


def _print_plainly(console: Console, found: Found) -> None:
    import yaml
    from rich.markup import escape

    skipped = ("id", "name", "says", "sources")
    document = {key: value for key, value in found.document().items() if key not in skipped}
    text = yaml.safe_dump(
        json.loads(json.dumps(document, default=str)), sort_keys=False, allow_unicode=True, width=100
    )
    console.print(escape(text.rstrip()), highlight=False)


def _print_observation(console: Console, entry: Observation) -> None:
    from rich.markup import escape

    from understudy.knowledge.units import written

    unit = written(entry.unit)
    console.print(escape(entry.meaning))
    also = [*entry.synonyms, *entry.members]
    lines = {"also": ", ".join(also), "in": unit}
    lines |= {
        "or in": "; ".join(
            f"{written(c.unit)} = {c.factor:g} x {unit}" + (f" {c.offset:+g}" if c.offset else "")
            for c in entry.conversions
        ),
        "levels": ", ".join(entry.values or ()),
        "possible": f"{entry.plausible.low:g} to {entry.plausible.high:g} {unit}" if entry.plausible else "",
        "usual": "; ".join(f"{_usual(range_)} {unit}".rstrip() for range_ in entry.reference),
        "computed by": entry.derived_by or "",
        "LOINC": entry.loinc or "",
        "NHANES": f"{entry.nhanes.variable} of {entry.nhanes.file}" if entry.nhanes else "",
    }
    for label, text in lines.items():
        if text:
            console.print(f"[dim]{label}:[/] {escape(text)}", highlight=False)


def _usual(range_: ReferenceRange) -> str:
    low, high = range_.low, range_.high
    span = f"{low:g} to {high:g}" if low is not None and high is not None else ""
    span = span or (f"below {high:g}" if low is None else f"at least {low:g}")
    return f"{range_.sex}: {span}" if range_.sex else span


def _print_condition(console: Console, entry: Condition) -> None:
    from rich.markup import escape

    from understudy.knowledge.conditions import conditions, nothing_held_on
    from understudy.knowledge.guidelines import guidelines
    from understudy.knowledge.observations import observations
    from understudy.knowledge.units import written

    console.print(escape(entry.summary))
    if entry.synonyms:
        console.print(f"[dim]also:[/] {escape(', '.join(entry.synonyms))}")
    console.print(f"[dim]ICD-10-CM:[/] {escape('; '.join(f'{c.code} {c.title}' for c in entry.icd10cm))}")
    for criterion in entry.criteria:
        by = guidelines()[criterion.guideline].name
        note = f" {criterion.note}" if criterion.note else ""
        console.print(f"[dim]criterion:[/] {escape(criterion.when)}  [dim]({escape(by)}.{escape(note)})[/]")
    for stage in entry.stages:
        console.print(f"[dim]stage:[/] {escape(stage.name)}: {escape(stage.when)}")
    if entry.nhanes_definition:
        told = entry.nhanes_definition
        console.print(f"[dim]in the survey:[/] {escape(told.when)} {escape(told.note)}")
    console.print("\n[bold]Observations, the most important first[/]")
    for number, ranked in enumerate(entry.observations, start=1):
        about = observations()[ranked.id]
        unit = f" {written(about.unit)}".rstrip()
        console.print(f"{number:>3}. {escape(about.name)}[dim]{escape(unit)}[/]: {escape(ranked.why)}")
    for prevalence in _prevalences(entry):
        console.print(f"\n[bold]How common[/]  {escape(_about(prevalence))}")
        for figure in prevalence.figures:
            console.print(f"  {escape(_figure(figure.model_dump()))}")
    console.print()
    named = {
        "complications": [conditions()[name].name for name in entry.complications],
        "treatments": [observations()[name].name for name in entry.treatments],
    }
    for label, names in named.items():
        if names:
            console.print(f"[dim]{label}:[/] {escape(', '.join(names))}")
    if silent := nothing_held_on(entry):
        console.print(f"[yellow]nothing is held on:[/] {', '.join(silent)}")
    for gap in entry.missing:
        console.print(f"[yellow]not known here:[/] {escape(gap)}")


def _prevalences(entry: Condition) -> list[Prevalence]:
    from understudy.knowledge.conditions import survey_prevalence

    computed = survey_prevalence().get(entry.id)
    return [*entry.prevalence, *([computed] if computed else [])]


def _about(prevalence: Prevalence) -> str:
    adjusted = ", adjusted for age" if prevalence.adjusted else ""
    return (
        f"{prevalence.what}; {prevalence.population}, {prevalence.period}{adjusted} "
        f"({prevalence.basis}, {prevalence.source})"
    )


def _figure(figure: dict[str, Any]) -> str:
    spread = f" ({figure['low']:g} to {figure['high']:g})" if figure["low"] is not None else ""
    ages = ""
    if figure["age_low"] is not None or figure["age_high"] is not None:
        low, high = figure["age_low"], figure["age_high"]
        ages = (
            f"{low:g} and over" if high is None else f"up to {high:g}" if low is None else f"{low:g}-{high:g}"
        )
    who = ", ".join(part for part in (figure["sex"], figure["race"], f"aged {ages}" if ages else "") if part)
    return f"{figure['percent']:g} %{spread}  {who or 'all'}"
