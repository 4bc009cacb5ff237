"""The words in a column's name: `BloodPressure`, `blood_pressure` and `BLOOD.PRESSURE` say the same."""

from __future__ import annotations

import re
from functools import lru_cache

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_GAP = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """Return the lower-case words of a column name.

    >>> words("BloodPressure"), words("weight (kg)"), words("DEATH_EVENT"), words("hba1c_pct")
    (('blood', 'pressure'), ('weight', 'kg'), ('death', 'event'), ('hba1c', 'pct'))
    """
    spaced = _HUMP.sub(" ", name) if not name.isupper() else name
    return tuple(word for word in _GAP.split(spaced.lower()) if word)


def says(name: str, *phrases: str) -> bool:
    """Say whether the name holds one of the phrases as whole words.

    A phrase is a regular expression over the words joined by `_`; the name with its words run together
    counts as well, so that `HeartRate`, `heart_rate` and `heartrate` all hold `heart_?rate`.
    """
    parts = words(name)
    joined = "_".join(parts)
    pattern = re.compile(rf"(?:^|_)(?:{'|'.join(phrases)})(?:_|$)")
    return bool(pattern.search(joined) or pattern.fullmatch("".join(parts)))


def is_called(name: str, *phrases: str) -> bool:
    """Say whether one of the phrases is the whole name, apart from a number at its end."""
    joined = re.sub(r"_?\d+$", "", "_".join(words(name)))
    pattern = re.compile("|".join(phrases))
    return bool(pattern.fullmatch(joined) or pattern.fullmatch(joined.replace("_", "")))
