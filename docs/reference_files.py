"""The reference pages of the files: schema, plan and release."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel

from docs.docstrings import parsed
from docs.settings import fields_table
from docs.tables import code, table
from understudy.core.catalog import Choice
from understudy.core.conditions import Balanced, Between, Conditions, OneOf, Share
from understudy.core.contracts import Evidence
from understudy.core.results import Detail, Estimate, Evaluation, Finding, MetricResult, Verdict
from understudy.core.rules import Handling, Rule
from understudy.core.schema import Column, Kind, Link, Role, Schema, Storage, Table
from understudy.workflow.plan import Holdout, Plan

KINDS = {
    Kind.NUMBER: "A quantity: integers and decimals.",
    Kind.CATEGORY: "One of some levels, ordered or not.",
    Kind.BOOLEAN: "True or false, in any spelling.",
    Kind.DATETIME: "A date or a point in time.",
    Kind.CODE: "A code of a vocabulary, such as ICD-9-CM; may have thousands of levels.",
    Kind.TEXT: "Free text. It is not learned: synthetic cells say that it was withheld.",
    Kind.KEY: "Tells rows or patients apart. Never learned, made anew.",
    Kind.SIGNAL: "A waveform beside the table. Reserved: nothing of this version makes one.",
    Kind.IMAGE: "An image beside the table. Reserved: nothing of this version makes one.",
}
ROLES = {
    Role.KEY: "Identifies a row; made anew.",
    Role.PATIENT: "Identifies a patient; rows of one patient stay together in every split.",
    Role.TIME: "When the row was recorded.",
    Role.TARGET: "What is predicted when utility is measured.",
    Role.PROTECTED: "Its groups are compared by the fairness metrics.",
    Role.QUASI_IDENTIFIER: "May single out a person together with others, such as age and postcode.",
    Role.IDENTIFIER: "A direct identifier, such as a name or phone number: never learned, made anew.",
    Role.FEATURE: "Nothing special.",
}
_CHOICES = (
    "Metrics, sections and exports may be written as bare names where they keep their default settings."
)


def schema_file() -> str:
    """Return the page of the schema file."""
    parts = [
        "# The schema file",
        "YAML, written by `understudy profile TABLE > schema.yaml`, edited by you, handed back with "
        "`--schema schema.yaml`. Fields at their default are left out; unknown fields are refused. "
        "How to work with it: [edit the schema](../how-to/edit-the-schema.md).",
        _part("The document", Schema),
        _part("Table", Table),
        _part("Column", Column),
        "### Kinds\n\n" + table(("Kind", "Means"), [(code(k.value), KINDS[k]) for k in Kind]),
        "### Roles\n\n" + table(("Role", "Means"), [(code(r.value), ROLES[r]) for r in Role]),
        "### Storage\n\nHow cells were written and are written again: "
        + ", ".join(code(s.value) for s in Storage)
        + ".",
        "## Rules\n\nRules hold in every synthetic row by construction. What is done with real rows that break one is "
        f"said by `on_violation`: {', '.join(map(code, get_args(Handling)))}.",
        *(_part(rule.model_fields["rule"].default, rule, level=3) for rule in get_args(get_args(Rule)[0])),
        _part("Link", Link),
    ]
    return "\n\n".join(parts)


def plan_file() -> str:
    """Return the page of the plan file."""
    parts = [
        "# The plan file",
        "YAML, written by `understudy plan TABLE --out plan.yaml`, carried out by "
        "`understudy run plan.yaml --out DIR`, and kept in every release as `plan.yaml`. "
        "It says everything about a run, each choice with its reason. "
        "Unknown fields are refused. " + _CHOICES,
        _part("The document", Plan),
        _part("Choice", Choice),
        _part("Holdout", Holdout),
        _part("Conditions", Conditions),
        *(_part(c.model_fields["want"].default, c, level=3) for c in (OneOf, Between, Share, Balanced)),
        "## Spellings on the command line\n\n"
        + table(
            ("`--where`", "`--share`"),
            [
                ("`'age>=65'`, `'age<18'`, `'hba1c > 9'`", "`'sex=female:0.6'`, `'sex=female:60%'`"),
                ("`'age 65-80'`, `'age between 65 and 80'`", "`'outcome:balanced'`"),
                ("`'sex=female'`, `'sex!=female'`", ""),
                ("`'site in (A, B)'`, `'site not in (A, B)'`", ""),
                ("`'bmi is missing'`, `'bmi is not missing'`", ""),
            ],
        ),
    ]
    return "\n\n".join(parts)


def release_folder() -> str:
    """Return the page of the release folder."""
    files = [
        ("`data/`", "The synthetic tables, when the policy released them."),
        ("`withheld/`", "The same, when it did not. They are not for use."),
        ("`schema.yaml`", "What the columns mean; see [the schema file](schema-file.md)."),
        ("`plan.yaml`", "What was done, with reasons; see [the plan file](plan-file.md)."),
        ("`evaluation.json`", "All results, below; `understudy report` composes reports from it."),
        (
            "`report.html`",
            "The report: one self-contained page without script that loads nothing from elsewhere.",
        ),
        ("`card.md`", "The dataset card: what it is, intended and unsupported uses, key figures, limits."),
        ("`manifest.json`", "SHA-256 of every file, versions, seed, synthesizer, verdict; see below."),
    ]
    parts = [
        "# The release folder",
        "What `understudy synthesize` and `understudy run` write. It appears complete or not at all. "
        "`understudy evaluate` writes the same without tables and plan.",
        table(("File", "Holds"), files),
        "`<DIR>.work`, beside it, keeps finished steps so that an interrupted run goes on where it stopped. The "
        "trained generator and scores of real rows lie there: keep it as safe as the real data, or delete it.",
        "## manifest.json\n\nCanonical JSON (sorted keys). `files` holds SHA-256 and size of each file; `digest` is "
        "the SHA-256 of the manifest's own content without that entry. `understudy verify DIR` compares every byte; "
        "files that are missing, changed or added are named, with exit code 4.",
        "## evaluation.json",
        _part("The document", Evidence, level=3),
        _part("Evaluation", Evaluation, level=3),
        _part("MetricResult", MetricResult, level=3),
        _part("Detail", Detail, level=3),
        _part("Estimate", Estimate, level=3),
        _part("Verdict", Verdict, level=3),
        _part("Finding", Finding, level=3),
    ]
    return "\n\n".join(parts)


def _part(title: str, model: type[BaseModel], level: int = 2) -> str:
    return f"{'#' * level} {title}\n\n{parsed(model).paragraphs}\n\n{fields_table(model)}"
