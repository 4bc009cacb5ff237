"""The corpus of requests: what each asks for, and where an interpretation falls short of it.

A third of the requests is held back, chosen by a digest of the text: it is scored, and was not looked at while the
readers were written. An entry names what its plan must hold; what it does not name must be as it is by default.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from understudy.agent.interpret import Interpretation, KnownTable, interpret
from understudy.agent.reading.scope import population_scope
from understudy.core.conditions import Balanced, Between, Conditions, OneOf, conditions
from understudy.core.schema import Column, Kind, Role, Schema, Table
from understudy.exports.catalog import CATALOG as EXPORTS
from understudy.knowledge.units import convert
from understudy.populations.targets import says as says_target
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.plan import Plan

FOLDER = Path(__file__).parent / "requests"
OPEN = "wards"  # written later, and looked at whole


@dataclass(frozen=True)
class Request:
    """One request, and what it asks for."""

    part: str
    text: str
    expected: Mapping[str, Any]

    @property
    def is_held_back(self) -> bool:
        return self.part != OPEN and int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 3 == 0


@cache
def requests() -> tuple[Request, ...]:
    found = []
    for file in sorted(FOLDER.glob("*.yaml")):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8")):
            found.append(Request(file.stem, entry["t"], {k: v for k, v in entry.items() if k != "t"}))
    return tuple(found)


@cache
def table(name: str) -> KnownTable:
    entry = yaml.safe_load((Path(__file__).parent / "tables.yaml").read_text(encoding="utf-8"))[name]
    columns = tuple(Column.model_validate(column) for column in entry["columns"])
    return KnownTable(path=entry["path"], schema=Schema(tables=(Table(columns=columns),)), rows=entry["rows"])


def read(request: Request) -> Interpretation:
    known = table(request.expected["table"]) if "table" in request.expected else None
    plans: list[Plan] = []
    for before in request.expected.get("after", ()):
        made = interpret(before, table=known, previous=plans).plan
        assert made is not None, f"{before!r} makes no plan"
        plans.append(made)
    return interpret(request.text, table=known, previous=plans)


def shortcomings(request: Request, found: Interpretation) -> list[str]:
    """Return in words where an interpretation differs from what the request asks for."""
    want = request.expected
    told = " ".join(
        [*found.notes, *(c.became for c in found.clauses), *(c.words for c in found.clauses if not c.is_kept)]
    )
    wrong = [
        f"not told: {word}" for word in want.get("told", ()) if str(word).casefold() not in told.casefold()
    ]
    if "question" in want:
        wrong += list(_question(want, found))
        if "rows" not in want:
            return wrong
    elif found.question is not None:
        return [*wrong, f"taken for a question: {found.question.topic}"]
    if want.get("plan") == "none":
        return [*wrong, *(["a plan that is not what was asked for"] if found.plan else [])]
    # What depends on a synthesizer or a promise that may not be there yet: the nearest plan does the rest.
    if found.plan is None and (
        want.get("promise") or want.get("synthesizer", "marginals") not in SYNTHESIZERS.names
    ):
        found = found.model_copy(update={"plan": found.nearest})
    if found.plan is None:
        return [*wrong, f"no plan: {'; '.join(found.notes)}"]
    return [*wrong, *(_cohort(want, found) if found.plan.population else _table(want, found, told))]


def _question(want: Mapping[str, Any], found: Interpretation) -> Iterator[str]:
    if found.question is None or found.question.topic != want["question"]:
        yield f"question: {found.question and found.question.topic}"
    elif "subject" in want and str(want["subject"]).casefold() != found.question.subject.casefold():
        yield f"subject: {found.question.subject}"


def _cohort(want: Mapping[str, Any], found: Interpretation) -> Iterator[str]:
    plan = found.plan
    assert plan is not None
    names = plan.schema_.table.names
    yield from _same("rows", want.get("rows", 1000), plan.rows)
    yield from _same("conditions", sorted(want.get("conditions", [])), sorted(plan.cohort.conditions))
    if "exclude_has" in want:
        yield from _within("exclude", want["exclude_has"], plan.cohort.exclude)
    else:
        yield from _same("exclude", sorted(want.get("exclude", [])), sorted(plan.cohort.exclude))
        yield from _limits(want.get("where", []), plan)
    yield from _shares(want.get("shares", []), plan)
    yield from _same(
        "targets",
        sorted(want.get("targets", [])),
        sorted(says_target(t).removesuffix(f" {t.unit}") for t in plan.cohort.targets),
    )
    yield from _within("columns", want.get("has", []), names)
    yield from (f"column {name} is shown" for name in want.get("lacks", []) if name in names)
    if "only" in want:
        yield from _same("columns", sorted(want["only"]), sorted(names))
    if "observations" in want:
        said = plan.reasons["schema"]
        many = "all that" if want["observations"] == "all" else f"the {want['observations']} highest"
        yield from () if many in said else (f"observations: {said}",)
    yield from _units(want, plan)
    yield from _delivery(want, plan, found)
    yield from _same("missing", want.get("missing", "none"), plan.cohort.missing)


def _table(want: Mapping[str, Any], found: Interpretation, told: str) -> Iterator[str]:
    plan = found.plan
    assert plan is not None
    schema = table(want["table"]).schema_
    before = schema.table.having
    yield from _same("rows", want.get("rows"), plan.rows)
    yield from _limits(want.get("where", []), plan)
    if "told_or_share" not in want:
        yield from _shares(want.get("shares", []), plan)
    yield from _same(
        "target",
        [want["target"]] if "target" in want else list(before(Role.TARGET)),
        list(plan.schema_.table.having(Role.TARGET)),
    )
    yield from _same(
        "protected",
        sorted(want.get("protected", before(Role.PROTECTED))),
        sorted(plan.schema_.table.having(Role.PROTECTED)),
    )
    for field in ("train_rows", "splits", "violations"):
        yield from _same(field, want.get(field), getattr(plan, field)) if want.get("told") is None else ()
    yield from _same("holdout", want.get("holdout", 0.2), plan.holdout.fraction)
    name = want.get("synthesizer")
    if name is not None and name not in SYNTHESIZERS.names:
        yield from () if name in told else (f"not told: {name}",)
    elif "told" not in want and "compared" not in want and "compared_or_told" not in want:
        yield from _same("synthesizer", name or "sequential_trees", plan.synthesizer.name)
    if "compared" in want:
        yield from _same(
            "compared",
            sorted(want["compared"]),
            sorted([plan.synthesizer.name, *(p.synthesizer.name for p in found.compared)]),
        )
    for setting, value in want.get("settings", {}).items():
        kept = plan.synthesizer.settings.get(setting) == value
        yield from (
            () if kept or setting.replace("_", " ") in told.replace("_", " ") else (f"setting {setting}",)
        )
    yield from _delivery(want, plan, found)


def _delivery(want: Mapping[str, Any], plan: Plan, found: Interpretation) -> Iterator[str]:
    wanted = want.get("exports", [want.get("export", "csv")])
    able = [name for name in wanted if name in EXPORTS.names] or ["csv"]
    yield from _same("exports", able, [choice.name for choice in plan.exports])
    said = " ".join(found.notes).casefold()
    yield from (f"not told: {n}" for n in wanted if n not in EXPORTS.names and n not in said)
    yield from _same("policy", want.get("policy", "internal"), plan.policy)
    yield from _same("seed", want.get("seed", 0), plan.seed)


def _units(want: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    columns = {column.name: column for column in plan.schema_.table.columns}
    for name, unit in want.get("units", {}).items():
        yield from _same(f"unit of {name}", unit, columns[name].unit if name in columns else None)
    for name in want.get("si_of", []):
        yield from _same(f"unit of {name}", "mmol/L", columns[name].unit)
    own = population_scope("us_adults").columns
    is_si = any(column.unit != own[name].unit for name, column in columns.items())
    if not want.get("units") and not want.get("si_of"):
        yield from _same("SI units", want.get("system") == "si", is_si)


def _limits(wanted: list[str], plan: Plan) -> Iterator[str]:
    """Compare limits as one range or set for each column, in the unit of the plan."""
    got = _ranges(plan.given, plan)
    rough = [text.removesuffix(" ~") for text in wanted if text.endswith(" ~")]
    exact = _ranges(conditions([_plain(t, plan) for t in wanted if not t.endswith("~")]), plan)
    for text in rough:
        column, low, high = text.split()[0], *text.split()[1].split("-")
        found = got.pop(column, None)
        ends = (found[0], found[2]) if found else (None, None)
        for end, limit in zip(ends, (low, high), strict=True):
            if limit and (end is None or abs(end - float(limit)) > 0.02 * float(limit)):
                yield f"limit {text}: {found}"
    yield from _same("where", exact, got)


def _plain(text: str, plan: Plan) -> str:
    """Put a limit with a unit into the unit of the plan."""
    for sign in (">", "<"):
        if sign in text and " " in text and not text.startswith(" "):
            head, _, unit = text.partition(" ")
            name, value = head.split(sign)
            own = plan.schema_.table.column(name).unit
            return f"{name}{sign}{float(convert(float(value), unit, str(own), of=name)):.10g}"
    return text


def _ranges(given: Conditions, plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for where in given.where:
        column = plan.schema_.table.column(where.column)
        if isinstance(where, OneOf):
            levels = {"true", "false"} if column.kind is Kind.BOOLEAN else set(column.values or ())
            truth = (
                {"yes": "true", "no": "false", "1": "true", "0": "false"}
                if column.kind is Kind.BOOLEAN
                else {}
            )
            if column.kind is Kind.NUMBER:
                where = Between(
                    column=where.column, low=float(str(where.values[0])), high=float(str(where.values[0]))
                )
            else:
                named = {truth.get(str(v).casefold(), str(v)) for v in where.values}
                kept = levels - named if where.exclude else named
                found[where.column] = sorted(kept & set(found.get(where.column, kept)))
                continue
        low, low_open, high, high_open = found.get(where.column, (None, False, None, False))
        if where.low is not None:
            low, low_open = round(where.low, 4), where.low_open
        if where.high is not None:
            high, high_open = round(where.high, 4), where.high_open
        found[where.column] = (low, low_open, high, high_open)
    return found


def _shares(wanted: list[str], plan: Plan) -> Iterator[str]:
    yield from _same("shares", _parts(conditions([], wanted), plan), _parts(plan.given, plan))


def _parts(given: Conditions, plan: Plan) -> dict[str, Any]:
    found: dict[str, dict[str, float]] = {}
    for share in given.shares:
        column = plan.schema_.table.column(share.column)
        levels = ("false", "true") if column.kind is Kind.BOOLEAN else column.values or ()
        parts = found.setdefault(share.column, {})
        if isinstance(share, Balanced):
            parts |= {level: round(1 / len(levels), 3) for level in levels}
        else:
            parts[share.value] = round(share.proportion, 3)
        if len(levels) == 2 and len(parts) == 1:
            other = next(level for level in levels if level not in parts)
            parts[other] = round(1 - next(iter(parts.values())), 3)
    return found


def _same(what: str, wanted: Any, got: Any) -> Iterator[str]:
    if wanted != got:
        yield f"{what}: {got} instead of {wanted}"


def _within(what: str, wanted: list[str], got: Any) -> Iterator[str]:
    missing = [name for name in wanted if name not in got]
    if missing:
        yield f"{what} without {', '.join(missing)}"
