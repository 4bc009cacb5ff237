"""The reference page of the knowledge base: what it holds, in tables."""

from __future__ import annotations

from collections import Counter

from docs.tables import code, table
from understudy.knowledge.conditions import conditions, nothing_held_on
from understudy.knowledge.derivations import EQUATIONS
from understudy.knowledge.observations import Group, Observation, observations
from understudy.knowledge.rules import Severity, Template, rules
from understudy.knowledge.units import written
from understudy.workflow.describing import describe_population

LOINC = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright © 1995-2020, Regenstrief "
    "Institute, Inc. and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no "
    "cost under the license at http://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief "
    "Institute, Inc."
)


def knowledge() -> str:
    """Return the page of the knowledge base."""
    intro = (
        f"{len(conditions())} conditions, {len(observations())} observations, {len(EQUATIONS)} equations, "
        f"{len(rules())} plausibility rules. Every entry names its source, and every source says what of it was read: "
        "`understudy knowledge show NAME` prints both, for any id, name, abbreviation or everyday word."
    )
    return "\n\n".join(
        ["# Knowledge", intro, *_conditions(), *_observations(), *_equations(), *_rules(), "## Notice", LOINC]
    )


def _conditions() -> list[str]:
    held = {entry["id"] for entry in describe_population("us_adults")["conditions"]}
    rows = [
        (
            code(entry.id),
            entry.name,
            "yes" if entry.id in held else "",
            ", ".join(nothing_held_on(entry)),
            ", ".join(c.code for c in entry.icd10cm[:4]) + (" ..." if len(entry.icd10cm) > 4 else ""),
        )
        for entry in sorted(conditions().values(), key=lambda entry: entry.id)
    ]
    columns = ("Condition", "Name", "In `us_adults`", "Nothing is held on", "ICD-10-CM")
    return ["## Conditions", table(columns, rows)]


def _observations() -> list[str]:
    parts = ["## Observations"]
    for group in Group:
        rows = [
            (code(o.id), o.name, o.loinc or "", code(o.derived_by) if o.derived_by else "", _units(o))
            for o in observations().values()
            if o.group is group
        ]
        heading = f"### {group.value.replace('_', ' ').capitalize()}"
        parts += [heading, table(("Observation", "Name", "LOINC", "Computed by", "In"), rows)]
    return parts


def _units(entry: Observation) -> str:
    if entry.unit is None:
        return ", ".join(entry.values or ()) if entry.values and len(entry.values) <= 4 else entry.kind.value
    shown = filter(None, (written(entry.unit), *(written(c.unit) for c in entry.conversions)))
    return "; ".join(shown) or "a ratio"


def _equations() -> list[str]:
    rows = [
        (code(entry.id), entry.name, entry.valid, ", ".join(map(code, entry.inputs)))
        for entry in EQUATIONS.values()
    ]
    return ["## Equations", table(("Equation", "Name", "For", "From"), rows)]


def _rules() -> list[str]:
    forms = Counter((rule.template, rule.severity) for rule in rules().values())
    rows = [
        (template.name.lower(), str(forms[template, Severity.HARD]), str(forms[template, Severity.SOFT]))
        for template in Template
    ]
    intro = (
        "What no patient can be (hard), or hardly any (soft). Each has a row that obeys it and a row that breaks it, "
        "tested both. [Audit a table](../how-to/audit-a-table.md) by them; all: `understudy knowledge list rules`."
    )
    return ["## Plausibility rules", intro, table(("Form", "Hard", "Soft"), rows)]
