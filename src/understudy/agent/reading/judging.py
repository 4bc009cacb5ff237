"""The judgement of a synthetic table that is there already: which file is synthetic, and which real."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from understudy.agent.reading.sheet import Sheet
from understudy.agent.reading.tokens import tokenize
from understudy.agent.values import Judging, KnownTable

# What a table is called, and what its file's name tells.
_CALLED: Mapping[str, str] = {
    "holdout": r"\b(?:hold[ -]?out|held[ -]?out|unseen|never (?:saw|seen)|test(?= (?:set|data|rows|file|table)))\b",
    "real": r"\b(?:real|original|source|true)\b",
    "synthetic": r"\b(?:synthetic|fake|generated|simulated|artificial)\b",
}
_NAMED: Mapping[str, str] = {
    "synthetic": r"syn|fake|generated|simulated|artificial",
    "holdout": r"hold|held|test|unseen",
    "real": r"real|orig|train",
}
_AGAINST = re.compile(r"\b(?:against|versus|vs|compared (?:to|with)|made from|than)\b")
_FIELDS = ("target", "protected", "policy", "seed")


def read_judging(sheet: Sheet, tables: Sequence[KnownTable]) -> tuple[Judging | None, str]:
    """Return the judgement that is asked for, or None and what is lacking.

    Args:
        sheet: the request, read for its target, protected columns, policy and seed.
        tables: the tables that the person brought.
    """
    files = _files(sheet, [table.path for table in tables])
    lacking = [name for name in ("synthetic", "real") if name not in files]
    if lacking:
        return None, (
            f"which table is the {' and which the '.join(lacking)} one? Say, for example, "
            '"evaluate synthetic.csv against real.csv, holdout unseen.csv"'
        )
    changes = {f.field: f.value for f in sheet.findings if f.is_kept and f.field in _FIELDS}
    return Judging.model_validate({**files, **changes}), ""


def answered_for(sheet: Sheet) -> None:
    """Claim the words that ask for the judgement itself, and refuse what a judgement has no place for."""
    for match in list(sheet.matches("f=file")):
        sheet.claim(match, "table", match["f"].value, "a table of the judgement")
    for match in list(sheet.matches("(evaluate|fileother|synthcue|compare|holdout|table)")):
        sheet.claim(match, "background", None, "the judgement")
    for place, item in enumerate(sheet.items):
        words = sheet.text[item.start : item.end].casefold()
        says_which = _AGAINST.search(words) or _first(_CALLED, words) or words in ("one", "ones")
        if item.tag in ("word", "num") and says_which:
            sheet.take(place, place + 1, "background", None, "which table is which")
    kept = (*_FIELDS, "table", "background")
    sheet.findings = [
        f if f.field in kept or not f.is_kept else replace(
            f, is_kept=False, says=f"{f.says}: a judgement of rows that are there changes nothing in them"
        )
        for f in sheet.findings
    ]  # fmt: skip


def _files(sheet: Sheet, brought: Sequence[str]) -> dict[str, str]:
    """Return the files by what they are: named in the words, else brought."""
    text = sheet.text.casefold()
    found: dict[str, str] = {}
    end = 0
    for item in (token for token in tokenize(sheet.text) if token.kind == "file"):
        path = _as_brought(item.text, brought)
        role = _role(text[end : item.start], text[item.end :], path)
        if role in found:
            role = next((name for name in ("synthetic", "real", "holdout") if name not in found), role)
        found.setdefault(role, path)
        end = item.end
    for path in (path for path in brought if path not in found.values()):
        role = _first(_NAMED, path.rpartition("/")[2].casefold()) or "real"
        found.setdefault("real" if role in found else role, path)
    return found


def _as_brought(name: str, brought: Sequence[str]) -> str:
    """Return the path of a brought table that is called by its name alone."""
    return next((path for path in brought if path == name or path.endswith(f"/{name}")), name)


def _role(before: str, after: str, path: str) -> str:
    """Return what a file is: as it is called, as its name says, or by the words that lead to it."""
    says = re.match(r"^[\s,]*(?:is|are|being|was|=|as)\s+(?:the |my |our |a )?(\w+)", after)
    if says and (role := _first(_CALLED, says[1])):
        return role
    parts = _AGAINST.split(before)
    called = {name: [m.end() for m in re.finditer(cue, parts[-1])] for name, cue in _CALLED.items()}
    if any(called.values()):
        return max(called, key=lambda name: max(called[name], default=-1))
    is_compared = len(parts) > 1
    return _first(_NAMED, path.rpartition("/")[2].casefold()) or ("real" if is_compared else "synthetic")


def _first(cues: Mapping[str, str], text: str) -> str | None:
    return next((name for name, cue in cues.items() if re.search(cue, text)), None)
