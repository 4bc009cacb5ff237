"""Google docstrings as Markdown."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import Any

_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Reference|Yields):\s*$")
_ITEM = re.compile(r"^([\w, .]+): (.*)$")


@dataclass(frozen=True)
class Parsed:
    """A docstring in parts.

    Attributes:
        text: the paragraphs before the first section.
        items: by section, the named items with their meaning.
        prose: by section, the text of sections without items.
    """

    text: str = ""
    items: dict[str, dict[str, str]] = field(default_factory=dict)
    prose: dict[str, str] = field(default_factory=dict)

    @property
    def paragraphs(self) -> str:
        """The text with each paragraph on one line."""
        return "\n\n".join(_joined(part) for part in self.text.split("\n\n") if part.strip())


def parsed(thing: Any) -> Parsed:
    """Return the own docstring of a module, class or function in parts; empty if it has none."""
    doc = inspect.cleandoc(thing.__doc__ or "")
    name, sections = "", {"": [""][:0]}
    for line in doc.splitlines():
        if found := _SECTION.match(line):
            name = found[1]
            sections[name] = []
        else:
            sections[name].append(line)
    items, prose = {}, {}
    for section, lines in sections.items():
        if section in ("Args", "Attributes", "Raises"):
            items[section] = _items(lines)
        elif section:
            prose[section] = _joined(" ".join(lines))
    return Parsed("\n".join(sections[""]).strip(), items, prose)


def _items(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    last: tuple[str, ...] = ()
    for line in inspect.cleandoc("\n".join(["", *lines])).splitlines():
        item = _ITEM.match(line)
        if item and not line.startswith(" "):
            last = tuple(name.strip() for name in item[1].split(","))
            found |= dict.fromkeys(last, item[2].strip())
        else:
            found |= {name: f"{found[name]} {line.strip()}".strip() for name in last}
    return found


def _joined(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
