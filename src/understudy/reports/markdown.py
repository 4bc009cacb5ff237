"""Blocks as Markdown, for the card that travels with the data; whatever the data say stays text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from understudy.core.blocks import Block, Callout, Chart, Heading, Image, Number, Numbers, TableBlock, Text
from understudy.core.contracts import Renderer
from understudy.reports.markup import spans

_MARKS = re.compile(r"([\\`*\[\]<>|~$]|(?<![^\W_])_|_(?![^\W_]))")
_LINKS = re.compile(r"(?i)\b(https?|ftp|mailto|javascript|data):|\b(www)\.")
_LINE_STARTS = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_TONES = {"good": "✓", "note": "i", "warning": "!", "bad": "✕"}


class Markdown(Renderer):
    """Renders GitHub-flavoured Markdown; charts become their words."""

    suffix: ClassVar[str] = ".md"

    def render(self, title: str, blocks: list[Block]) -> bytes:
        """Return the document as UTF-8."""
        parts = [f"# {escape(title)}", *(_block(block) for block in blocks)]
        return ("\n\n".join(part for part in parts if part) + "\n").encode()


def escape(text: str) -> str:
    r"""Return text in one line that Markdown shows as it is: no marks, no HTML, no links.

    >>> escape("<b>a|b</b> [x](http://y) mean_radius _z_")
    '&lt;b\\>a\\|b&lt;/b\\> \\[x\\](http\\://y) mean_radius \\_z\\_'
    """
    text = " ".join(text.split())
    text = _ENTITY.sub("&amp;", text)
    text = _MARKS.sub(r"\\\1", text).replace("\\<", "&lt;")
    text = _LINKS.sub(lambda m: f"{m[1]}\\:" if m[1] else f"{m[2]}\\.", text)
    return _LINE_STARTS.sub(_line_start, text)


def _line_start(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}\\" if match[2].isdigit() else f"{match[1]}\\{match[2]}"


def _styled(text: str) -> str:
    written = []
    for i, span in enumerate(spans(" ".join(text.split()))):
        if span.style == "code":
            written.append(f"`{span.text.replace('|', '¦')}`")
            continue
        body = escape(span.text) if i == 0 else escape("x" + span.text)[1:]
        lead = " " if span.text[:1] == " " and i == 0 else ""
        tail = " " if span.text[-1:] == " " and not body.endswith(" ") else ""
        written.append(f"**{body.strip()}**" if span.style == "bold" else f"{lead}{body}{tail}")
    return "".join(written)


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * max(block.level, 2)} {escape(block.text)}"
        case Text():
            return _styled(block.text)
        case Numbers():
            return "\n".join(_number(number) for number in block.numbers)
        case TableBlock():
            return _table(block)
        case Callout():
            return _callout(block)
        case Chart() | Image():
            caption = f" {escape(block.caption)}" if block.caption else ""
            return f"*Figure:* {escape('x ' + block.alt)[2:]}{caption}"


def _number(number: Number) -> str:
    interval = f" ({number.low} to {number.high})" if number.low is not None else ""
    note = f" · {number.note}" if number.note else ""
    return f"- {escape(number.label)}: **{escape(number.value)}**{escape(interval).rjust(1)}{escape('x' + note)[1:]}"


def _table(block: TableBlock) -> str:
    align = block.align.ljust(len(block.columns), "l")
    rules = {"l": ":--", "r": "--:", "c": ":-:"}
    lines = [_row(block.columns), "| " + " | ".join(rules.get(a, ":--") for a in align) + " |"]
    lines += [_row(row) for row in block.rows]
    caption = [f"**{escape(block.caption)}**", ""] if block.caption else []
    note = ["", f"*{escape(block.note)}*"] if block.note else []
    return "\n".join([*caption, *lines, *note])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escape("x" + cell)[1:] for cell in cells) + " |"


def _callout(block: Callout) -> str:
    lines = [f"> **{_TONES[block.tone]} {escape('x' + block.title)[1:]}**"]
    lines += [">", f"> {_styled(block.text)}"] if block.text else []
    lines += [">", *(f"> - {_styled(point)}" for point in block.points)] if block.points else []
    return "\n".join(lines)
