"""Blocks as one self-contained page: no script, no request, light and dark, wide and narrow, on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from understudy.core.blocks import Block, Chart, Heading, TableBlock
from understudy.core.contracts import Renderer
from understudy.reports.charts.theme import PALETTE
from understudy.reports.drawing import draw, natural_width
from understudy.reports.judgement import SIGNS
from understudy.reports.markup import spans

_LONGEST_CELL = 70  # characters that a cell of a table beside others still holds on a narrow screen
_LONGEST_WORD = (
    32  # characters of a first cell that stays on one line: a tick, a number, the name of a column
)
_LONG_NAME = re.compile(r"\w{20}")


@dataclass(frozen=True)
class Part:
    """A section of the page: its heading, its anchor, and its blocks, charts gathered into rows."""

    title: str
    anchor: str
    items: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Drawing:
    """A chart as it stands in the page."""

    svg: str
    alt: str
    caption: str
    natural: float


@dataclass(frozen=True)
class Row:
    """Charts that follow each other, with one legend for all of them."""

    width: str
    drawings: list[Drawing]
    legend: list[tuple[str, str]]
    block: str = "charts"


class Html(Renderer):
    """Renders one page with inline drawings."""

    suffix: ClassVar[str] = ".html"

    def render(self, title: str, blocks: list[Block]) -> bytes:
        """Return the page as UTF-8."""
        lead, parts = _parts(blocks)
        page = _environment().get_template("report.html.j2")
        return page.render(title=title, lead=lead, parts=parts, palette=PALETTE, signs=SIGNS).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("understudy.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["spans"] = spans
    environment.filters["alignment"] = _alignment
    environment.filters["pieces"] = _pieces
    environment.tests["prose"] = _is_prose
    environment.tests["word"] = _is_word
    return environment


def _is_prose(table: TableBlock) -> bool:
    """Say whether cells are sentences, which narrow screens show one below the other."""
    return any(len(cell) > _LONGEST_CELL for row in table.rows for cell in row)


def _is_word(cell: str) -> bool:
    return len(cell) <= _LONGEST_WORD


def _pieces(cell: str) -> list[str]:
    """Return the parts between which a line may break: long names break behind an underscore, not anywhere."""
    if _is_word(cell) or not _LONG_NAME.search(cell):
        return [cell]
    return re.split(r"(?<=_)(?=\w)", cell)


def _alignment(align: str, index: int) -> str:
    return {"r": "right", "c": "center"}.get(align[index : index + 1], "left")


def _parts(blocks: Sequence[Block]) -> tuple[list[Any], list[Part]]:
    lead: list[Any] = []
    parts: list[Part] = []
    anchors: set[str] = set()
    items = lead
    for item in _gathered(blocks):
        if isinstance(item, Heading) and item.level <= 2:
            parts.append(Part(item.text, _anchor(item.text, anchors)))
            items = parts[-1].items
        else:
            items.append(item)
    return lead, parts


def _anchor(text: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
    anchor, i = base, 2
    while anchor in taken:
        anchor, i = f"{base}-{i}", i + 1
    taken.add(anchor)
    return anchor


def _gathered(blocks: Sequence[Block]) -> Iterator[Any]:
    """Yield the blocks with charts of one width that follow each other as one row."""
    waiting: list[Chart] = []
    drawn = 0
    for block in [*blocks, None]:
        if waiting and not (isinstance(block, Chart) and block.width == waiting[0].width):
            yield _row(waiting, drawn)
            drawn += len(waiting)
            waiting = []
        if isinstance(block, Chart):
            waiting.append(block)
        elif block is not None:
            yield block


def _row(charts: Sequence[Chart], drawn: int) -> Row:
    drawings, legend = [], dict[str, str]()
    for number, chart in enumerate(charts, start=drawn):
        svg = draw(chart.spec, number)
        drawings.append(Drawing(svg, chart.alt, chart.caption, natural_width(svg)))
        legend |= {
            str(label): str(colour) for label, colour in chart.spec.get("usermeta", {}).get("legend", ())
        }
    return Row(charts[0].width, drawings, _named(legend))


def _named(legend: dict[str, str]) -> list[tuple[str, str]]:
    """Return labels with the palette names of their colours; others are left out."""
    names = {colour.light: name for name, colour in PALETTE.items()}
    return [(label, names[colour]) for label, colour in legend.items() if colour in names]
