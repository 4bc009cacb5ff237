"""The reference pages of what can be chosen, one for each catalog."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from docs.docstrings import parsed
from docs.settings import settings_table
from docs.tables import code, table
from understudy.core.catalog import Catalog, Entry
from understudy.exports.catalog import CATALOG as EXPORTS
from understudy.language.catalog import CATALOG as LANGUAGE_MODELS
from understudy.metrics.catalog import CATALOG as METRICS
from understudy.populations.catalog import CATALOG as POPULATIONS
from understudy.reports.catalog import CATALOG as SECTIONS
from understudy.reports.catalog import RENDERERS
from understudy.reports.compose import DEFAULT_SECTIONS
from understudy.sources.catalog import CATALOG as SOURCES
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.plan import DEFAULT_METRICS
from understudy.workflow.policy import POLICIES


def synthesizers() -> str:
    """Return the page of the synthesizers."""
    return _page(
        "Synthesizers",
        "What learns from a private table. Choose one with `--synthesizer NAME`, in Python with "
        '`synthesize(table, synthesizer="NAME")`; set its settings with `--set NAME=VALUE` or `settings={...}`. '
        "How the default works: [sequential trees](../explanation/sequential-trees.md).",
        SYNTHESIZERS,
    )


def populations() -> str:
    """Return the page of the populations."""
    return _page(
        "Populations",
        "Whom cohorts are drawn from, without any private table: `understudy cohort NAME --out DIR`. "
        "`understudy populations show NAME` tells what a population holds and from which sources.",
        POPULATIONS,
    )


def language_models() -> str:
    """Return the page of the language models."""
    return _page(
        "Language models",
        "What may help to read a request: `understudy ask`, `chat`, with `--model NAME` and `--model-set NAME=VALUE`. "
        "None is needed. How to: [use a local language model](../how-to/use-a-local-language-model.md).",
        LANGUAGE_MODELS,
    )


def metrics() -> str:
    """Return the page of the metrics."""
    intro = (
        "One metric is one question. Each answer has a 95 % interval and stands between a *ceiling* (real holdout "
        "rows in the place of the synthetic ones, or models learned from real rows) and a *floor* (columns shuffled "
        "independently); see [what metrics ask](../explanation/metrics.md). Settings of metrics go into a "
        f"[plan file](plan-file.md). Asked by default: {', '.join(map(code, DEFAULT_METRICS))}."
    )
    parts = [_head("Metrics", intro, METRICS.entries)]
    for entry in METRICS.entries:
        question = getattr(import_module(entry.target.partition(":")[0]), "QUESTION", None)
        parts.append(_entry(METRICS, entry, "" if question is None else _scale(question)))
    return "\n\n".join(parts)


def _scale(question: Any) -> str:
    rows = [
        ("Question", question.text),
        ("Title in reports", question.title),
        ("Axis", question.axis.value),
        ("Best, worst", f"{question.best:g}, {question.worst:g}"),
        ("When it is bad", question.advice),
    ]
    return table(("", ""), rows)


def sections() -> str:
    """Return the page of the report sections."""
    intro = (
        "Parts of a report. A plan lists them in order; `understudy report RELEASE --sections summary,privacy` "
        f"composes a stored evaluation anew. By default: {', '.join(code(c.name) for c in DEFAULT_SECTIONS)}."
    )
    return _page("Report sections", intro, SECTIONS)


def renderers() -> str:
    """Return the page of the renderers."""
    return _page(
        "Renderers",
        "What a report can be written as: `understudy report RELEASE --renderer NAME`.",
        RENDERERS,
    )


def sources() -> str:
    """Return the page of the sources."""
    intro = (
        "What tables are read from. The format is recognised by a file's content, not by its name; Python also takes "
        "pandas, polars and pyarrow tables. Settings are for Python: "
        "`understudy.sources.reading.read_table(path, settings={...})` returns the raw table."
    )
    return _page("Sources", intro, SOURCES)


def exports() -> str:
    """Return the page of the exports."""
    return _page(
        "Exports",
        "What the tables of a release are written as: `--format NAME`; settings go into a [plan file](plan-file.md).",
        EXPORTS,
    )


def policies() -> str:
    """Return the page of the release policies."""
    rows = [
        (
            code(p.name),
            p.summary,
            f"{p.tpr_limit:.2f}",
            f"{p.single_limit:.2f}",
            f"{p.copy_limit:g}",
            f"{p.broken_limit:g}",
            f"{p.settled_from:,}" if p.settled_from else "all",
        )
        for p in POLICIES
    ]
    limits = ("TPR at 10 % FPR", "One-of-a-kind numbers", "Copies", "Broken rules", "Settled from (rows)")
    return _POLICIES.format(table=table(("Policy", "For whom", *limits), rows))


_POLICIES = """# Release policies

A policy decides from the evaluation whether tables are released (folder `data/`) or withheld (folder
`withheld/`, exit code 3). Choose with `--policy NAME`. Why these limits:
[release policies](../explanation/release-policies.md).

{table}

*TPR at 10 % FPR*: largest upper 95 % bound of the share of training patients that the strongest attack finds while
it wrongly accuses one outsider in ten; guessing gives 0.10. *One-of-a-kind numbers*: largest upper bound of the share
of them that returns beyond what the holdout shows. *Copies*: largest share of synthetic rows that equal a training row
beyond what the holdout shows and that may be put down to chance; beyond doubt, none may. *Broken rules*: largest share
of synthetic rows that break a rule or bound. *Settled from*: real rows from which on every requirement must be met;
smaller tables go out with open points, marked as not shown to be safe. Distances to the closest record are no input.
"""


def _page(title: str, intro: str, catalog: Catalog[Any]) -> str:
    parts = [_head(title, intro, catalog.entries)]
    return "\n\n".join([*parts, *(_entry(catalog, entry) for entry in catalog.entries)])


def _head(title: str, intro: str, entries: Sequence[Entry]) -> str:
    rows = [(f"[`{e.name}`](#{e.name})", e.summary) for e in entries]
    return f"# {title}\n\n{intro}\n\n{table(('Name', 'What it is'), rows)}"


def _entry(catalog: Catalog[Any], entry: Entry, scale: str = "") -> str:
    recipe = catalog.recipe(entry.name)
    doc = parsed(recipe)
    reference = doc.prose.get("Reference", "")
    handles = f"Needs or handles: {', '.join(sorted(entry.handles))}." if entry.handles else ""
    parts = [
        f"## {entry.name}",
        scale,
        doc.paragraphs,
        handles,
        f"Reference: {reference}" if reference else "",
        settings_table(recipe),
    ]
    return "\n\n".join(part for part in parts if part)
