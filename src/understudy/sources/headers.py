"""Column names: what is cleaned, what is made up, and what is refused."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from understudy.core.errors import SourceError

LONGEST_NAME = 500
_BLANKS = "\ufeff \t\r\n\u00a0"
# Joiners change the meaning of words in Persian and Indic scripts; the other format characters only hide.
_JOINERS = "\u200c\u200d"


def clean_names(where: str, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return column names without byte-order mark and outer blanks, in Unicode normal form C, with notes.

    Line breaks and tabs inside a name become a space; an empty name becomes `column_3` after its place.

    Args:
        where: the table, for messages.
        names: the names as they stand.

    Raises:
        SourceError: if a name holds control or direction characters, is longer than `LONGEST_NAME`
            characters, or if two columns have the same name.
    """
    cleaned, notes = [], []
    for place, name in enumerate(names, start=1):
        neat = unicodedata.normalize("NFC", name.strip(_BLANKS))
        if any(c in neat for c in "\t\r\n"):
            neat = " ".join(neat.split())
            notes.append(f"The name of column {place} has a line break or tab; it is read as {neat!r}.")
        _refuse_hidden(where, place, neat)
        cleaned.append(neat)
    _refuse_duplicates(where, [name for name in cleaned if name])
    return _with_made_up(cleaned, notes), notes


def _with_made_up(names: list[str], notes: list[str]) -> list[str]:
    taken = set(names)
    result, made_up = [], []
    for place, name in enumerate(names, start=1):
        new, suffix = name or f"column_{place}", 1
        while not name and new in taken:
            suffix += 1
            new = f"column_{place}_{suffix}"
        if not name:
            made_up.append(new)
        taken.add(new)
        result.append(new)
    if made_up:
        more = f" and {len(made_up) - 5} more" if len(made_up) > 5 else ""
        shown = ", ".join(map(repr, made_up[:5]))
        notes.append(f"{len(made_up)} columns without a name are called {shown}{more}.")
    return result


def _refuse_hidden(where: str, place: int, name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise SourceError(
            f"{where}: the name of column {place} has {len(name):,} characters, expected at most "
            f"{LONGEST_NAME}: check that the first row holds the names and that the delimiter is right"
        )
    for character in name:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in _JOINERS:
            raise SourceError(
                f"{where}: the name of column {place} ({name[:40]!a}) holds the invisible character "
                f"U+{ord(character):04X}, expected visible text: rename the column"
            )


def _refuse_duplicates(where: str, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        more = f" and {len(twice) - 5} more" if len(twice) > 5 else ""
        shown = ", ".join(repr(name[:60]) for name in twice[:5])
        raise SourceError(
            f"{where}: several columns are called {shown}{more}, expected different names: rename or drop "
            "them; if the first row holds data, add a row of names"
        )
