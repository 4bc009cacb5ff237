"""The review of a plan: every problem at once, before any work."""

from __future__ import annotations

import shutil
from pathlib import Path

from understudy.core.catalog import Catalog, Choice
from understudy.core.contracts import Recipe
from understudy.core.dataset import Dataset, Violation
from understudy.core.errors import RequestError
from understudy.core.schema import Kind, Role
from understudy.exports.catalog import CATALOG as EXPORTS
from understudy.metrics.catalog import CATALOG as METRICS
from understudy.modalities.wishes import resolve
from understudy.reports.catalog import CATALOG as SECTIONS
from understudy.sources.limits import in_words
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.synthesizers.catalog import DEEP
from understudy.synthesizers.training import lacking
from understudy.workflow.advise import cost
from understudy.workflow.candidates import AUTO
from understudy.workflow.plan import Plan

MOST_ROWS = 100_000_000
# Below, the strongest attack finds members of the public test tables at an AUC of 0.55 and more (benchmarks/README.md).
_ROWS_PER_COLUMN = 20


def review(plan: Plan, real: Dataset, out: Path = Path()) -> list[Violation]:
    """Return every problem of a plan for these real rows; errors stop it, warnings are shown.

    Args:
        plan: the plan.
        real: the rows to learn from.
        out: where the release is to be written, whose disk must have room.
    """
    return [
        *_choices(plan),
        *_sizes(plan, real),
        *_sensitive(plan),
        *_without_effect(plan),
        *_conditions(plan, real),
        *_columns(plan, real),
        *_resources(plan, real, out),
    ]


def _choices(plan: Plan) -> list[Violation]:
    found = []
    families: list[tuple[str, Catalog[Recipe], tuple[Choice, ...]]] = [
        ("synthesizer", SYNTHESIZERS, () if plan.synthesizer.name == AUTO else (plan.synthesizer,)),
        ("metrics", METRICS, plan.metrics),
        ("sections", SECTIONS, plan.sections),
        ("exports", EXPORTS, plan.exports),
    ]
    for where, catalog, choices in families:
        for choice in choices:
            try:
                catalog.create(choice)
            except RequestError as error:
                found.append(Violation(where, str(error)))
    name = plan.synthesizer.name
    if name in SYNTHESIZERS.names and DEEP in SYNTHESIZERS.entry(name).handles and (lack := lacking()):
        found.append(Violation("synthesizer", lack))
    return found


def _sizes(plan: Plan, real: Dataset) -> list[Violation]:
    found = []
    if plan.rows is not None and not 1 <= plan.rows <= MOST_ROWS:
        found.append(Violation("rows", f"{plan.rows} rows asked; expected 1 to {MOST_ROWS:,}"))
    if plan.train_rows is not None and plan.train_rows < 2:
        found.append(Violation("train_rows", f"{plan.train_rows} rows to learn from; expected at least 2"))
    if plan.rows is not None and plan.rows > real.rows:
        found.append(
            Violation(
                "rows",
                f"{plan.rows} rows asked of a generator that learned from {real.rows}: more rows hold no more "
                "information, and they sharpen some attacks",
                severity="warning",
            )
        )
    return found


def _sensitive(plan: Plan) -> list[Violation]:
    """Refuse what no external release may hold, and say of it elsewhere how sensitive it is."""
    found = []
    severity = "error" if plan.policy == "external" else "warning"
    if plan.with_generator:
        message = (
            "a trained generator is as sensitive as the real data: whoever has it can draw and attack without end. "
            "Keep it where the real data are; no release for others may hold it (policy `external`)"
        )
        found.append(Violation("with_generator", message, severity=severity))
    if plan.complete:
        message = (
            "completed rows hold the given cells as they are: they are as sensitive as the table that was handed in, "
            "and no release for others (policy `external`)"
        )
        found.append(Violation("complete", message, severity=severity))
    return found


def _without_effect(plan: Plan) -> list[Violation]:
    """Say which settings of training change nothing for a synthesizer that is not trained step by step."""
    name = plan.synthesizer.name
    if name == AUTO or name not in SYNTHESIZERS.names or DEEP in SYNTHESIZERS.entry(name).handles:
        return []
    found = []
    if plan.device != "cpu":
        message = f"{name} learns on the processor; the device {plan.device!r} has no effect"
        found.append(Violation("device", message, severity="warning"))
    if plan.time_limit_s is not None:
        message = (
            f"{name} does not learn step by step and cannot stop half-way; the limit has no effect. Learn from fewer "
            "rows (`--train-rows`), or let `--synthesizer auto` choose within the limit"
        )
        found.append(Violation("time_limit_s", message, severity="warning"))
    return found


def _conditions(plan: Plan, real: Dataset) -> list[Violation]:
    try:
        resolve(plan.given, real.schema)
    except RequestError as error:
        return [Violation("conditions", str(error))]
    return []


def _columns(plan: Plan, real: Dataset) -> list[Violation]:
    found = []
    learned = sum(c.is_learned for c in real.columns)
    if not learned:
        found.append(Violation("schema", "no column is left to learn from: all are keys or identifiers"))
    if 0 < real.rows < _ROWS_PER_COLUMN * learned:
        found.append(
            Violation(
                "schema",
                f"{learned} columns of {real.rows:,} people: with fewer than {_ROWS_PER_COLUMN} people to a column, "
                "any faithful copy tells who was among them, and the release may be withheld. Leave columns out of "
                "the table that nobody needs",
                severity="warning",
            )
        )
    for name in real.table.having(Role.TARGET):
        column = real.table.column(name)
        levels = real.frame[name].drop_nulls().n_unique()
        if levels < 2:
            found.append(
                Violation(
                    f"target {name!r}",
                    f"holds {levels} distinct value{'' if levels == 1 else 's'}; prediction cannot be measured",
                    severity="warning",
                )
            )
        elif column.kind in (Kind.TEXT, Kind.KEY):
            found.append(Violation(f"target {name!r}", f"is a {column.kind.value}; it cannot be predicted"))
    return found


def _resources(plan: Plan, real: Dataset, out: Path) -> list[Violation]:
    need = cost(plan, real)
    found = []
    if plan.time_limit_s is not None and need.fit_seconds > plan.time_limit_s:
        found.append(
            Violation(
                "time_limit_s",
                f"learning is expected to take {need.fit_seconds:.0f} s, longer than the {plan.time_limit_s:g} s "
                "allowed. What learns step by step stops in time; what does not, learns from fewer rows in less time "
                "(`--train-rows`)",
                severity="warning",
            )
        )
    if need.memory_bytes > need.free_memory_bytes:
        found.append(
            Violation(
                "memory",
                f"about {in_words(need.memory_bytes)} are needed, {in_words(need.free_memory_bytes)} are free. "
                "Learn from fewer rows (`--train-rows`) or ask for fewer (`--rows`).",
            )
        )
    there = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    disk = shutil.disk_usage(there).free
    if need.disk_bytes > disk:
        found.append(
            Violation(
                "disk",
                f"about {in_words(need.disk_bytes)} are needed, {in_words(disk)} are free in {str(there)!r}. Ask for "
                "fewer rows, or name a folder on another disk.",
            )
        )
    return found
