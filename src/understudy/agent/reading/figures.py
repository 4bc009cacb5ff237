"""Aggregates to meet: means, medians, spreads, percentiles and correlations."""

from __future__ import annotations

from understudy.agent.reading.sheet import Item, Match, Sheet
from understudy.core.schema import Kind

_V = "(num|part)"
_LINK = "(colon|eq|important|wherecue|change|split)*"
# "and SD 1.4", "(SD 1.4)": a second figure of the same observation.
_MORE = f"((and|comma|paren)* t=stat {_LINK} b={_V} v=unit? paren?)?"


def read_figures(sheet: Sheet) -> None:
    """Read aggregates such as "mean A1c 7.8 and SD 1.4" or "correlation between BMI and SBP of 0.4"."""
    for match in list(sheet.matches(f"corr (between|colon)* x=obs (and|with|to|comma) y=obs {_LINK} a=num")):
        _correlation(sheet, match)
    for match in list(sheet.matches(f"x=obs (and|with|to|comma) y=obs corr {_LINK} a=num")):
        _correlation(sheet, match)
    for match in list(sheet.matches(f"q=num s=stat o=obs {_LINK} a={_V} u=unit?")):
        if match["s"].value == "percentile":
            _figure(sheet, match, f"p{match['q'].value:g}", match["o"])
    for match in list(sheet.matches(f"s=stat o=obs {_LINK} a={_V} u=unit? {_MORE}")):
        _figure(sheet, match, match["s"].value, match["o"])
    for match in list(
        sheet.matches(f"o=obs (comma|colon|paren|with|split)* s=stat {_LINK} a={_V} u=unit? {_MORE}")
    ):
        _figure(sheet, match, match["s"].value, match["o"])


def _correlation(sheet: Sheet, match: Match) -> None:
    names = [_name(sheet, match[key]) for key in ("x", "y")]
    if all(names):
        text = f"{names[0]}~{names[1]}:corr={match['a'].value:g}"
        sheet.claim(match, "targets", (text,), f"{names[0]} and {names[1]} correlated {match['a'].value:g}")


def _figure(sheet: Sheet, match: Match, statistic: str, item: Item) -> None:
    name = _name(sheet, item)
    if name is None or statistic == "percentile":
        return
    pairs = [(statistic, match["a"], match.value("u"))]
    if "t" in match:
        pairs.append((match["t"].value, match["b"], match.value("v")))
    texts = tuple(f"{name}:{s}={_number(i)}{_spelled(unit)}" for s, i, unit in pairs)
    sheet.claim(match, "targets", texts, " and ".join(texts))


def _number(item: Item) -> str:
    return f"{item.value * 100 if item.tag == 'part' else item.value:g}"


def _spelled(unit: str | None) -> str:
    return f" {unit}" if unit and unit != "a" else ""


def _name(sheet: Sheet, item: Item) -> str | None:
    names = (s.value for s in item.senses if s.tag == "obs")
    columns = (sheet.scope.column(name) for name in names)
    return next((c.name for c in columns if c is not None and c.kind is Kind.NUMBER), None)
