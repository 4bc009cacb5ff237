"""All that may be shown to a person: sections and tools return blocks, every front end renders them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from understudy.core.values import Value


class Heading(Value):
    """A title; level 1 opens a report, 2 a section, 3 a part of one."""

    block: Literal["heading"] = "heading"
    text: str
    level: int = Field(default=2, ge=1, le=4)


class Text(Value):
    """A paragraph of plain words; `**bold**` and `code` in backticks are the only markup."""

    block: Literal["text"] = "text"
    text: str


class Number(Value):
    """One figure with its label; `low` and `high` are its interval in the same unit, already formatted."""

    label: str
    value: str
    low: str | None = None
    high: str | None = None
    note: str = ""
    tone: Literal["good", "fair", "bad", "neutral"] = "neutral"


class Numbers(Value):
    """A row of figures that are read together."""

    block: Literal["numbers"] = "numbers"
    numbers: tuple[Number, ...]


class TableBlock(Value):
    """A table of formatted cells; `align` holds one of l, r, c per column; `note` stands below."""

    block: Literal["table"] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str = ""
    caption: str = ""
    note: str = ""
    collapsed: bool = False


class Chart(Value):
    """A Vega-Lite specification (data inside), and what it shows in words for those who cannot see it."""

    block: Literal["chart"] = "chart"
    spec: dict[str, Any]
    alt: str
    caption: str = ""
    width: Literal["third", "half", "full"] = "half"


class Callout(Value):
    """Words that must not be overlooked."""

    block: Literal["callout"] = "callout"
    tone: Literal["good", "note", "warning", "bad"]
    title: str
    text: str = ""
    points: tuple[str, ...] = ()


class Image(Value):
    """A picture, PNG bytes in base64."""

    block: Literal["image"] = "image"
    png_base64: str
    alt: str
    caption: str = ""


Block = Annotated[
    Heading | Text | Numbers | TableBlock | Chart | Callout | Image, Field(discriminator="block")
]
