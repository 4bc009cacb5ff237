"""Where the numbers come from: for each column the method and the sources, and what that proves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from understudy.core.blocks import Block, Callout, Heading, TableBlock, Text
from understudy.core.contracts import Evidence, Section
from understudy.core.rules import Derived
from understudy.core.schema import Column, Kind, Role
from understudy.knowledge.units import written
from understudy.reports.origin import is_built
from understudy.reports.wording import ABSENT, code, count, number, percent, sentence

USED = (
    "Made without any private record: from aggregates of a public-use survey and from published figures. No row of "
    "any person was read when these rows were drawn, and none can be recognised in them."
)
PROVES = (
    "Agreement with the published figures shows that single columns, and the relations that the population was "
    "estimated from, are as in the people of the survey.",
    "It does not show that relations nobody measured are right, nor anything about people outside the survey: "
    "residents of institutions, other countries, later years.",
    "Rows from published knowledge cannot show anything that is not known already. Use them to plan, to teach and to "
    "test; confirm every finding on real patients.",
)


class Sources(Section):
    """The answer to “where does this come from?” for every column, threshold and target."""

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return what was used, who was drawn, what was calibrated, and the origin of every column."""
        blocks: list[Block] = [Heading(text="Where these numbers come from")]
        if is_built(evidence):
            blocks.append(Text(text=USED))
            blocks.append(Callout(tone="note", title="What that proves, and what not", points=PROVES))
            blocks += [*_people(evidence), *_definitions(evidence), *_calibration(evidence)]
        blocks.append(_columns(evidence))
        return [*blocks, *_references(evidence)]


def column_origins(evidence: Evidence) -> dict[str, dict[str, Any]]:
    """Return by column its method and the ids of its sources; of a learned release, what the schema tells."""
    stated = evidence.provenance.get("columns")
    if isinstance(stated, Mapping) and stated:
        return {name: dict(entry) for name, entry in stated.items() if isinstance(entry, Mapping)}
    rules = [rule for rule in evidence.schema_.rules if isinstance(rule, Derived)]
    formulas = {rule.column: rule.formula for rule in rules}
    columns = [column for table in evidence.schema_.tables for column in table.columns]
    return {c.name: {"method": _learned(c, formulas.get(c.name), evidence), "sources": []} for c in columns}


def _learned(column: Column, formula: str | None, evidence: Evidence) -> str:
    if column.kind is Kind.KEY or column.has(Role.IDENTIFIER):
        return "made anew: no value comes from a real row"
    if formula is not None:
        return f"computed in every row as {formula}"
    table = str(evidence.provenance.get("table", "") or "the real table")
    by = evidence.plan.get("synthesizer")
    made = f" by {by['name']}" if isinstance(by, Mapping) and by.get("name") else ""
    return f"learned{made} from {count(evidence.evaluation.real_rows, 'real row')} of {table}"


def _people(evidence: Evidence) -> list[Block]:
    asked = evidence.provenance.get("conditions")
    population = evidence.provenance.get("population")
    if not isinstance(asked, Mapping) or not isinstance(population, Mapping):
        return []
    text = f"**Who.** {asked.get('asked', '')}. Such people are {percent(asked.get('support'))} of the population "
    text += f"{code(str(population.get('name', '')))}"
    text += f" ({population['summary']})." if population.get("summary") else "."
    notes = [str(note) for note in asked.get("notes", ())]
    return [Text(text=text + "".join(f" {sentence(note)}" for note in notes))]


def _definitions(evidence: Evidence) -> list[Block]:
    rows = tuple(
        (
            f"{'without ' if d.get('is_excluded') else ''}{d.get('condition', '')}",
            str(d.get("when", "")),
            _numbered(evidence, d.get("sources", ())),
            str(d.get("basis", "")),
        )
        for d in evidence.provenance.get("definitions", ())
    )
    if not rows:
        return []
    columns = ("Condition", "Who has it", "Sources", "Basis")
    return [TableBlock(columns=columns, rows=rows, caption="How the conditions are defined")]


def _calibration(evidence: Evidence) -> list[Block]:
    found = evidence.provenance.get("calibration")
    if not isinstance(found, Mapping):
        return []
    rows = tuple(
        (str(t["asked"]), number(t["without"]), number(t["reached"])) for t in found.get("targets", ())
    )
    note = (
        f"Chosen from {count(int(found.get('pool_rows', 0)))} drawn patients; the weights are worth "
        f"{number(found.get('effective_rows'))} unweighted ones (Kish). No patient was used twice."
    )
    blocks: list[Block] = [
        TableBlock(
            columns=("Target", "Without targets", "Reached"),
            rows=rows,
            align="lrr",
            caption="Calibration to aggregates",
            note=note,
        )
    ]
    shifts = tuple((str(s["column"]), f"{s['shift_sd']:+.2f}") for s in found.get("shifts", ()))
    if shifts:
        caption = "What the targets moved besides: largest shifts of other means, in standard deviations"
        blocks.append(
            TableBlock(
                columns=("Column", "Shift (SD)"), rows=shifts, align="lr", caption=caption, collapsed=True
            )
        )
    return blocks


def _columns(evidence: Evidence) -> TableBlock:
    rows = tuple(
        (
            name,
            written(entry.get("unit")),
            _numbered(evidence, entry.get("sources", ())),
            str(entry.get("method", "")),
        )
        for name, entry in column_origins(evidence).items()
    )
    columns = ("Column", "Unit", "Sources", "How it was made")
    return TableBlock(
        columns=columns, rows=rows, align="lrll", caption="Every column", collapsed=len(rows) > 40
    )


def _numbered(evidence: Evidence, names: Sequence[str]) -> str:
    """Return the numbers under which the report lists these sources; an id that it does not list stays."""
    places = {
        name: str(place) for place, name in enumerate(evidence.provenance.get("citations", ()), start=1)
    }
    return ", ".join(sorted((places.get(name, name) for name in names), key=lambda p: (len(p), p))) or ABSENT


def _references(evidence: Evidence) -> list[Block]:
    cited = evidence.provenance.get("citations")
    if not isinstance(cited, Mapping) or not cited:
        return [
            Text(text="No publication stands behind these columns: they were learned from the real table.")
        ]
    rows = tuple(
        (str(place), str(entry.get("reference", "")), str(entry.get("what_was_read", "")))
        for place, entry in enumerate(cited.values(), start=1)
    )
    columns = ("Source", "Reference", "What of it was read")
    note = "`understudy sources` prints the same for the release or for one of its columns."
    return [TableBlock(columns=columns, rows=rows, caption="Sources", note=note, collapsed=len(rows) > 12)]
