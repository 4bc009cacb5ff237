"""Numbers and names as people read them; every number in a report's prose is written here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from understudy.core.results import Estimate

ABSENT = "–"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number(value: float | None, decimals: int | None = None) -> str:
    """Write a number, by default with three significant digits.

    >>> number(0.51284), number(12345.6), number(3.2e-7), number(0.0, 3), number(None)
    ('0.513', '12,346', '3.2e-07', '0', '–')
    """
    if value is None or math.isnan(value):
        return ABSENT
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if decimals is None:
        if abs(value) < 1e-4:
            return f"{value:.1e}"
        decimals = min(max(2 - math.floor(math.log10(abs(value))), 0), 4)
    written = f"{value:,.{decimals}f}"
    return written.removeprefix("-") if float(written.replace(",", "")) == 0 else written


def bounds(estimate: Estimate) -> tuple[str, str, str]:
    """Write value, low and high alike; low and high are empty where there is no interval.

    The interval's half width decides the digits: its first significant digit is the last one written.
    """
    low, high = estimate.low, estimate.high
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return number(estimate.value), "", ""
    half = (high - low) / 2
    fewest = 2 if abs(estimate.value) < 10 else 0
    decimals = (
        max(fewest, min(3 if half >= 5e-4 else 4, -math.floor(math.log10(half))))
        if half > 0
        else max(fewest, 2)
    )
    return number(estimate.value, decimals), number(low, decimals), number(high, decimals)


def interval(estimate: Estimate | None) -> str:
    """Write an estimate with its interval.

    >>> interval(Estimate(value=0.5123, low=0.4711, high=0.5523))
    '0.51 (0.47 to 0.55)'
    """
    if estimate is None:
        return ABSENT
    value, low, high = bounds(estimate)
    return f"{value} ({low} to {high})" if low else value


def exact(value: float) -> str:
    """Write a number that is a definition, not a measurement, without idle digits.

    >>> exact(0.5), exact(1.0)
    ('0.5', '1')
    """
    return f"{value:g}" if math.isfinite(value) else number(value)


def percent(share: float | None) -> str:
    """Write a share as a percentage.

    >>> percent(0.034), percent(0.34), percent(0.00042)
    ('3.4 %', '34 %', '0.04 %')
    """
    if share is None or math.isnan(share):
        return ABSENT
    size = abs(share) * 100
    return f"{share * 100:.{0 if size >= 10 or size == 0 else 1 if size >= 1 else 2}f} %"


def count(value: int, noun: str = "", plural: str = "") -> str:
    """Write a count, with its noun in the right number.

    >>> count(1, "row"), count(1200, "row"), count(2, "category", "categories")
    ('1 row', '1,200 rows', '2 categories')
    """
    if not noun:
        return f"{value:,}"
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Write a time span.

    >>> duration(0.41), duration(75), duration(4000)
    ('0.4 s', '1 min 15 s', '1 h 6 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds) // 60
    return (
        f"{minutes} min {round(seconds) % 60} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
    )


def date(seconds: float) -> str:
    """Write seconds since 1970 as a day; a number that is no date stays a number."""
    try:
        return (_EPOCH + timedelta(seconds=seconds)).date().isoformat()
    except (OverflowError, ValueError):
        return number(seconds)


def code(name: str) -> str:
    """Mark a name as code in the markup of text blocks."""
    return "`" + " ".join(name.replace("`", "'").split()) + "`"


def short(name: str, most: int = 30) -> str:
    """Cut a name in its middle to at most `most` characters.

    >>> short("fractal_dimension_of_the_worst_nucleus", 20)
    'fractal_di…t_nucleus'
    """
    name = " ".join(name.split())
    if len(name) <= most:
        return name
    return f"{name[: most // 2]}…{name[-(most - most // 2 - 1) :]}"


def listing(items: Sequence[str], most: int = 6) -> str:
    """Write names as a list in words, at most `most` of them.

    >>> listing(["a", "b", "c"]), listing(["a", "b", "c"], 2), listing(["a"])
    ('a, b and c', 'a, b and 1 more', 'a')
    """
    shown = list(items[:most])
    if len(items) > most:
        return f"{', '.join(shown)} and {count(len(items) - most)} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def sentence(text: str) -> str:
    """Return the text as a sentence: a capital first, a stop last.

    >>> sentence("no holdout was given")
    'No holdout was given.'
    """
    text = text.strip()
    if not text:
        return ""
    ended = text if text[-1] in ".!?:" else text + "."
    return ended[0].upper() + ended[1:]
