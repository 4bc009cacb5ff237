"""Where a synthetic table comes from and what it must not be used for, in words and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from understudy.core.blocks import Callout
from understudy.core.contracts import Evidence
from understudy.core.results import Outcome
from understudy.core.schema import Column, Kind, Role
from understudy.reports.wording import code, count, listing

INTENDED = (
    "Exploring the structure of the data, teaching, and writing and testing analysis code before access to real rows.",
    "Developing hypotheses and prediction models that are confirmed on real patients afterwards.",
    "Testing software with rows that look like patients.",
)
UNSUPPORTED = (
    "Decisions about any person: no row describes one.",
    "Clinical, regulatory or policy conclusions that are not confirmed on real rows.",
    "Statements about groups too rare to be seen in the tables of this report, or about single extreme values.",
    "Linking with other data in order to find persons; publication as “anonymous” data.",
)
LIMITS = (
    "No formal guarantee of privacy is claimed. The attacks of this report are the evidence; stronger ones may exist.",
    "Synthetic rows repeat the gaps and biases of the real ones, and may add errors of their own.",
    "More synthetic rows are not more evidence: what can be learned is bounded by the real rows.",
)
BUILT_LIMITS = (
    "Rows follow published knowledge: relations that nobody published, or that the model leaves out, are not in them.",
    "They repeat the gaps and biases of the survey and of the publications behind them.",
    "More rows are not more evidence: what can be learned is bounded by the knowledge that they were built from.",
)
_MOST_LETTERS = 300
_OWN_SECTION = ("columns", "citations", "definitions", "calibration", "conditions", "population")


def is_built(evidence: Evidence) -> bool:
    """Say whether the rows were built from knowledge rather than learned from private rows."""
    return isinstance(evidence.provenance.get("population"), Mapping)


def is_completed(evidence: Evidence) -> bool:
    """Say whether rows hold cells that were handed in."""
    return any(table.completed for table in evidence.schema_.tables)


def what_rows_are(evidence: Evidence) -> Callout:
    """Return the label of the rows: synthetic, or completed ones that hold cells as they were handed in."""
    if is_completed(evidence):
        text = (
            "These rows hold cells that were handed in, as they were; a computer drew the others. They are as "
            "sensitive as the table that the given cells come from."
        )
        return Callout(tone="warning", title="COMPLETED DATA", text=text)
    text = "These rows were made by a computer. No row describes a person."
    return Callout(tone="warning", title="SYNTHETIC DATA", text=text)


def limits(evidence: Evidence) -> tuple[str, ...]:
    """Return what must be borne in mind, for rows that were learned or built."""
    return BUILT_LIMITS if is_built(evidence) else LIMITS


def facts(evidence: Evidence) -> Mapping[str, Any]:
    """Return the provenance without what the section on sources shows."""
    if not is_built(evidence):
        return evidence.provenance
    return {name: value for name, value in evidence.provenance.items() if name not in _OWN_SECTION}


def synthesizer(evidence: Evidence) -> str:
    """Return the synthesizer's name with its settings, or nothing where the plan names none."""
    return _choice(evidence.plan.get("synthesizer"))


def identifiers(evidence: Evidence) -> str:
    """Say what was done to keys and direct identifiers."""
    if is_built(evidence):
        return "No private record was read, so there is no identifier that could appear."
    columns = [c for table in evidence.schema_.tables for c in table.columns if not c.is_learned]
    if not columns:
        return "The schema names no key and no direct identifier; every column was open to learning."
    said = listing([f"{code(c.name)} ({_why(c)})" for c in columns], 20)
    return f"Never learned, and made anew or left out: {said}."


def _why(column: Column) -> str:
    if column.has(Role.IDENTIFIER):
        return column.identifier or "direct identifier"
    return "key" if column.kind is Kind.KEY else column.kind.value


def open_questions(evidence: Evidence) -> list[str]:
    """Name what was asked and has no answer: inconclusive, failed, not applicable."""
    words = {
        Outcome.INCONCLUSIVE: "is inconclusive",
        Outcome.FAILED: "could not be measured",
        Outcome.NOT_APPLICABLE: "does not apply",
    }
    results = [r for r in evidence.evaluation.results if r.outcome in words]
    return [f"{r.title} {words[r.outcome]}: {r.reason or 'no reason given'}" for r in results]


def sizes(evidence: Evidence) -> str:
    """Say how many rows were learned from, made and held out."""
    sizes = evidence.evaluation
    if is_built(evidence):
        name = evidence.provenance["population"].get("name", "")
        return f"**{count(sizes.synthetic_rows, 'synthetic patient')}** of the population {code(str(name))}"
    said = (
        f"**{count(sizes.synthetic_rows, 'synthetic row')}**, learned from {count(sizes.real_rows, 'real row')}, "
        f"judged against {count(sizes.holdout_rows, 'real row')} held out"
    )
    made = synthesizer(evidence)
    said += f", made by {code(made)}" if made else ""
    return said + (f"; {count(sizes.splits, 'repeated split')}" if sizes.splits > 1 else "")


def plan_rows(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the plan as rows of setting and value; the schema has its own place, paths keep their last part."""
    reasons = plan.get("reasons")
    reasons = reasons if isinstance(reasons, Mapping) else {}
    rows = []
    for name, value in plan.items():
        if name in ("schema", "schema_", "reasons", "version") or value in (None, "", {}, []):
            continue
        shown = PurePath(str(value)).name if name == "table" else spelled(value)
        why = reasons.get(name) or (value.get("reason") if isinstance(value, Mapping) else "")
        reason = f" — {why}" if why else ""
        rows.append((name.replace("_", " "), _cut(shown) + reason))
    return rows


def fact_rows(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested facts as rows of path and value."""
    rows = []
    for name, value in facts.items():
        path = prefix + (name if {".", "/"} & set(name) else name.replace("_", " "))
        if isinstance(value, Mapping):
            rows += fact_rows(value, f"{path} · ")
        else:
            rows.append((path, _cut(spelled(value))))
    return rows


def spelled(value: Any) -> str:
    """Return any JSON value in words."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        if "name" in value and set(value) <= {"name", "settings", "reason"}:
            return _choice(value)
        return ", ".join(f"{k}: {spelled(v)}" for k, v in value.items() if v not in (None, "", {}, []))
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [spelled(v) for v in value]
        return ("; " if any(" " in part for part in parts) else ", ").join(parts) or "none"
    return str(value)


def _choice(value: Any) -> str:
    if not isinstance(value, Mapping):
        return "" if value is None else str(value)
    settings = value.get("settings") or {}
    inner = (
        ", ".join(f"{k}={spelled(v)}" for k, v in settings.items()) if isinstance(settings, Mapping) else ""
    )
    return f"{value.get('name', '')}({inner})" if inner else str(value.get("name", ""))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else text[:_MOST_LETTERS] + " …"
