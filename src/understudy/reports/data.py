"""The first synthetic rows, and what each column means."""

from __future__ import annotations

from pydantic import Field

from understudy.core.blocks import Block, Heading, TableBlock, Text
from understudy.core.contracts import Evidence, Section
from understudy.core.schema import Column, Role
from understudy.knowledge.units import written
from understudy.reports.origin import is_completed
from understudy.reports.wording import ABSENT, count, listing, number

_ROLES = {
    Role.KEY: "key",
    Role.PATIENT: "patient key",
    Role.TIME: "time",
    Role.TARGET: "target",
    Role.PROTECTED: "protected",
    Role.QUASI_IDENTIFIER: "quasi-identifier",
    Role.IDENTIFIER: "direct identifier",
    Role.FEATURE: "feature",
}


class Data(Section):
    """A preview, labelled synthetic, and the columns."""

    rows: int = Field(default=8, ge=0, le=50, description="Synthetic rows shown.")

    def compose(self, evidence: Evidence) -> list[Block]:
        """Return the preview and the table of columns."""
        blocks: list[Block] = [Heading(text="The data"), *self._preview(evidence)]
        for table in evidence.schema_.tables:
            rows = tuple(column_row(column) for column in table.columns)
            caption = f"Table “{table.name}”: {count(len(rows), 'column')}"
            blocks.append(
                TableBlock(
                    columns=("Column", "Kind", "Role", "Unit", "Allowed values"),
                    rows=rows,
                    caption=caption,
                    collapsed=len(rows) > 16,
                )
            )
        return blocks

    def _preview(self, evidence: Evidence) -> list[Block]:
        preview = {name: cells[: self.rows] for name, cells in evidence.preview.items()}
        length = min((len(cells) for cells in preview.values()), default=0)
        if not length:
            withheld = evidence.verdict is not None and not evidence.verdict.is_released
            why = ": the data are withheld" if withheld else ""
            if is_completed(evidence):
                why = ": rows that were completed hold cells as they were handed in"
            return [Text(text=f"No synthetic rows are shown{why}.")]
        rows = tuple(zip(*(cells[:length] for cells in preview.values()), strict=True))
        caption = (
            f"SYNTHETIC: the first {count(length, 'row')} of {count(evidence.evaluation.synthetic_rows)}"
        )
        note = "No row describes a person."
        return [TableBlock(columns=tuple(preview), rows=rows, caption=caption, note=note)]


def column_row(column: Column) -> tuple[str, str, str, str, str]:
    """Return a column as name, kind, role, unit and allowed values, in words."""
    roles = ", ".join(_ROLES.get(role, role.value) for role in column.roles) or ABSENT
    roles += "" if column.is_learned else "; made anew"
    kind = column.kind.value + (f" ({column.vocabulary})" if column.vocabulary else "")
    return (column.name, kind, roles, written(column.unit), _allowed(column))


def _allowed(column: Column) -> str:
    if column.values is not None:
        return listing(column.values, 8)
    if column.low is not None and column.high is not None:
        return f"{number(column.low)} to {number(column.high)}"
    if column.low is not None:
        return f"{number(column.low)} or more"
    return f"{number(column.high)} or less" if column.high is not None else ""
