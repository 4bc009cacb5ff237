"""Numbers with a name: seed, splits, epochs, batch size, epsilon, time, rows to learn from, holdout."""

from __future__ import annotations

from understudy.agent.reading.sheet import Match, Sheet

_V = "(num|part)"
_LINK = "(colon|eq|cmp|to|paren|comma|rows|with|change)*"
_IN_PLAN = ("seed", "splits")
_PROMISES = ("epsilon", "delta")


def read_settings(sheet: Sheet) -> None:
    """Read all named numbers."""
    for match in list(sheet.matches("synthcue w=synthesizer n=num (rows|people)")):
        sheet.take(
            match.last - 2, match.last, "train_rows", int(match["n"].value), _learned(match["n"].value)
        )
    for match in list(sheet.matches(f"traincue {_LINK} n={_V} (cmp|rows|people|table|every)*")):
        _train(sheet, match)
    for match in list(sheet.matches(f"n={_V} (rows|people)? traincue")):
        _train(sheet, match)
    for match in list(
        sheet.matches(
            f"holdout (colon|eq|cmp|to|paren|rows|with|change)* n={_V} (rows|people|table|holdout|with|every)*"
        )
    ):
        _hold_out(sheet, match)
    for match in list(sheet.matches("n=part (rows|people|table|dataset|every|with|and)* holdout")):
        _hold_out(sheet, match)
    for match in list(sheet.matches("(timecue|cmp|only)* n=num u=unit (timecue|synthcue)*")):
        _time(sheet, match)
    for match in list(
        sheet.matches("(dp|with|colon|comma)* setting? s=setting (colon|eq|cmp|to|comma|change)* n=num")
    ):
        _setting(sheet, match)
    for match in list(sheet.matches("n=num s=setting")):
        _setting(sheet, match)
    for match in list(sheet.matches("d=dp")):
        sheet.claim(match, "privacy", ("epsilon", None), "differential privacy")


def _train(sheet: Sheet, match: Match) -> None:
    number = match["n"]
    if number.tag == "part":
        rows = sheet.scope.rows
        if rows is None:
            says = (
                f"learned from {100 * number.value:g} % of the rows: how many the table has is not known here"
            )
            sheet.claim(match, "train_rows", None, says, is_kept=False)
            return
        count = round(number.value * rows)
        words = "half" if number.value == 0.5 else f"{100 * number.value:g} %"
        sheet.claim(match, "train_rows", count, f"learned from {words} of the rows: {count:,}")
        return
    sheet.claim(match, "train_rows", int(number.value), _learned(number.value))


def _learned(rows: float) -> str:
    return f"learned from at most {rows:,.0f} rows"


def _hold_out(sheet: Sheet, match: Match) -> None:
    value = match["n"].value
    if match["n"].tag == "part" and 0 < value < 1:
        sheet.claim(match, "holdout", round(value, 6), f"{100 * value:g} % of the rows held out")
    elif sheet.scope.rows and 0 < value < sheet.scope.rows:
        sheet.claim(match, "holdout", round(value / sheet.scope.rows, 6), f"{value:,.0f} rows held out")


def _time(sheet: Sheet, match: Match) -> None:
    seconds = {"min": 60.0, "h": 3600.0, "s": 1.0}.get(match["u"].value)
    cued = match.tagged("timecue") or (sheet.scope.is_table and not _of_column(sheet, match))
    if seconds is not None and cued:
        says = f"a time limit of {match['n'].value:g} {sheet.text[match['u'].start : match['u'].end]}"
        sheet.claim(match, "time_s", seconds * match["n"].value, says)


def _of_column(sheet: Sheet, match: Match) -> bool:
    return match.first > 0 and sheet.items[match.first - 1].tag == "obs"


def _setting(sheet: Sheet, match: Match) -> None:
    name, value = match["s"].value, match["n"].value
    if name in _IN_PLAN:
        sheet.claim(match, name, int(value), f"{name} {value:g}")
        return
    field = "privacy" if name in _PROMISES else "settings"
    sheet.claim(match, field, (name, value), f"{name.replace('_', ' ')} {value:g}")
