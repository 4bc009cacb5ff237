"""How a text table is laid out: where its header begins, what separates its cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from understudy.core.errors import SourceError

CANDIDATES = ",;\t|^~\x1f\x01"
_MOST_RECORDS = 200
_SAMPLE = 256_000
_DECLARED = re.compile(r'(?:"?)sep=([\x01-\x7f])(?:"?)\r?\n', re.IGNORECASE)
_BINARY = re.compile(r"[\x02-\x08\x0e-\x1a\x1c-\x1e\x7f]")
_MOST_BINARY = 0.1


@dataclass(frozen=True)
class Layout:
    """Delimiter, the header's cells, and how many characters precede the header."""

    delimiter: str
    names: tuple[str, ...]
    skip: int


def layout_of(path: Path, head: str, is_whole: bool, delimiter: str | None, quote: str) -> Layout:
    """Find the layout of a text table from its first characters.

    Args:
        path: the file, for messages.
        head: the first characters, without byte-order mark.
        is_whole: whether `head` is the whole text; else its last record may be cut.
        delimiter: the delimiter where the person states it.
        quote: the quotation mark.

    Raises:
        SourceError: if there is nothing but blanks, if it is binary, or if the header is not complete.
    """
    if len(_BINARY.findall(head[:_SAMPLE])) > _MOST_BINARY * len(head[:_SAMPLE]):
        raise SourceError(f"{str(path)!r} is a binary file, expected a text table: convert it first")
    blank = len(head) - len(head.lstrip("\r\n"))
    declared = _DECLARED.match(head, blank)
    skip = declared.end() if declared else blank
    text = head[skip:]
    if not text.strip():
        raise SourceError(f"{str(path)!r} holds only blank lines, expected a header and rows")
    if delimiter is None:
        delimiter = declared.group(1) if declared else sniff_delimiter(text[:_SAMPLE], quote)
    header = _records(text, delimiter, quote, 2)
    if not header or (len(header) == 1 and not is_whole and not re.search(r"[\r\n]", text)):
        raise SourceError(
            f"{str(path)!r}: no header ends within its first {len(head):,} characters, expected one row of "
            "column names: check the quotation marks and that the file is a table"
        )
    return Layout(delimiter, tuple(header[0]), skip)


def sniff_delimiter(text: str, quote: str) -> str:
    """Return the delimiter that cuts the header and most records into the same number of cells, at least two.

    Of several, the one that most records agree with, then the one that gives most cells; a comma where the
    table has one column.
    """
    best, best_rank = ",", (0.0, 0)
    for candidate in CANDIDATES:
        counts = [len(record) for record in _records(text, candidate, quote, _MOST_RECORDS)]
        # The last record may be cut by the end of the sample.
        counts = counts[:-1] if len(counts) > 2 else counts
        if not counts or counts[0] < 2:
            continue
        agreement = Counter(counts)[counts[0]] / len(counts)
        rank = (round(agreement, 1), counts[0])
        if agreement > 0.5 and rank > best_rank:
            best, best_rank = candidate, rank
    return best


def _records(text: str, delimiter: str, quote: str, most: int) -> list[list[str]]:
    """The first records that are not blank lines; stops at what the parser cannot read."""
    found: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote):
            if record:
                found.append(record)
            if len(found) >= most:
                break
    except csv.Error:
        # A cell longer than the parser's limit: what came before it is enough to judge.
        return found
    return found
