"""What comes with the patients and how it is written: files, linked data, missing values, who may have it."""

from __future__ import annotations

from understudy.agent.reading.sheet import Sheet
from understudy.exports.catalog import CATALOG as EXPORTS

_LINKED = "(with|and|num|every)* c=companion (companion|people|cmp num unit|num unit)*|(with|and)* every num c2=unit"
_COMPANIONS = {
    "glucose": "CGM (glucose traces)",
    "ecg": "ECG",
    "eeg": "other signals",
    "visits": "longitudinal data (visits over time)",
    "notes": "clinical notes",
    "images": "images",
    "genomics": "genomic and wearable data",
}


def read_delivery(sheet: Sheet) -> None:
    """Read exports, companions, missing values and the release policy."""
    for match in list(
        sheet.matches("(fileverb|with|make|eq|colon)* (export ((and|comma|or) export)*) fileverb*")
    ):
        for item in match.tagged("export"):
            name = item.value
            is_kept = name in EXPORTS.names
            known = ", ".join(EXPORTS.names)
            says = f"written as {name}" if is_kept else f"{name} is not available yet; available: {known}"
            place = match.first + match.items.index(item)
            if sheet.items[place].tag == "export":
                sheet.take(place, place + 1, "export", name, says, is_kept=is_kept)
    for match in list(sheet.matches(_LINKED)):
        kinds = dict.fromkeys(item.value for item in match.tagged("companion")) or {"visits": None}
        place = match.first
        while sheet.items[place].tag in ("with", "and"):
            place += 1
        says = f"{', '.join(_COMPANIONS[kind] for kind in kinds)}: not available yet"
        sheet.take(place, match.last, "companion", tuple(kinds), says, is_kept=False)
    for match in list(sheet.matches("with? m=missing")):
        sheet.claim(match, "missing", match["m"].value, f"missing values: {match['m'].value}")
    for match in list(sheet.matches("not (people|with|who|make|every|table)* identify")):
        sheet.claim(match, "policy", "external", "judged by the external release policy")
    for match in list(sheet.matches("(make|with|not|people|and)? p=policy (people|policy)*")):
        policy = match["p"].value
        sheet.claim(match, "policy", policy, f"judged by the {policy} release policy")
