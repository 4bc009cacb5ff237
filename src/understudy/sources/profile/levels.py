"""Levels of categories: bands, grades and scales in their natural order, and which of them may be listed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from understudy.modalities.tabular import spelled
from understudy.sources.profile.cells import Cells
from understudy.sources.profile.words import says

# A level held by fewer people than this may point at one of them, and is left out of the schema.
FEWEST = 5
MOST_LISTED = 100

_NUMBER = r"[-+]?\$?€?£?\s*(\d+(?:[.,]\d+)?)\s*(k|m)?"
_ROMAN = {"0": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8}
_SCALES: tuple[tuple[str, ...], ...] = (
    (
        "very low", "low", "borderline low", "medium|moderate|normal|mid|average|intermediate",
        "borderline high", "high", "very high|extreme",
    ),
    (
        "none|no|absent|normal", "trace|minimal|borderline", "mild|slight", "moderate", "marked|severe",
        "very severe|critical", "life[- ]threatening",
    ),
    (
        "no|never|none", "rarely|seldom", "sometimes|occasionally", "frequently|often", "usually|mostly",
        "always|daily",
    ),
    ("very poor|very bad", "poor|bad", "fair", "good", "very good", "excellent"),
    ("strongly disagree", "disagree", "neutral|neither.*", "agree", "strongly agree"),
    ("not at all", "several days", "more than half( the days)?", "nearly every day"),
    ("very unlikely", "unlikely", "possible", "probable|likely", "very likely|certain|definite"),
    (
        "underweight|insufficient[_ ]weight|thin", "normal([_ ]weight)?|healthy( weight)?",
        "overweight|overweight[_ ]level[_ ]i|pre-?obese", "overweight[_ ]level[_ ]ii",
        "obese|obesity|obesity[_ ]type[_ ]i", "obesity[_ ]type[_ ]ii",
        "obesity[_ ]type[_ ]iii|severely obese",
    ),
    (
        "infant|newborn|neonate", "toddler", "child(ren)?|paediatric|pediatric",
        "adolescent|teen(ager)?", "young adult", "adult", "middle[- ]aged",
        "senior|elderly|older adult|old",
    ),
    ("extra small", "small", "medium", "large", "extra large"),
    ("benign", "in situ", "malignant", "metastatic"),
    ("no|none", "prediabetes|pre-?diabetic|borderline", "yes|diabetes|diabetic"),
    (
        "no( formal)? (schooling|education)|none", "<\\s*9th.*|less than 9.*|primary.*|elementary.*",
        "9-1[12]th.*|some high school.*|middle school|lower secondary",
        "high school.*|ged|secondary.*|12th grade", "some college.*|associate.*|vocational.*",
        "college graduate.*|bachelor.*|university.*|undergraduate",
        "master.*|graduate( degree)?|postgraduate", "ph\\.?d.*|doctora.*",
    ),
)  # fmt: skip
_RANKED_NAMES = (
    "stage", "grade", "severity", "level", "rank", "tertile", "quartile", "quintile", "decile",
    "nyha\\w*", "asa", "ecog", "killip", "class_nyha", "gcs", "score", "difficulty", "extent", "differ",
    "differentiation", "histologic", "cholesterol", "gluc", "glucose", "education", "edu", "frequency",
    "degree", "performance", "child_?pugh", "ca", "num", "satisfaction", "t_?stage", "n_?stage",
    "m_?stage", "mrs", "rankin", "burden", "tier", "health", "general_?health", "parity",
)  # fmt: skip


def is_ranked_name(name: str) -> bool:
    """Say whether the name is of levels that have an order, such as a stage or a grade."""
    return says(name, *_RANKED_NAMES)


def in_order(levels: Sequence[str]) -> tuple[tuple[str, ...], str] | None:
    """Return the levels in their natural order with a word for what they are, or None where there is none.

    >>> in_order(["[70-80)", "[0-10)", "[10-20)"])
    (('[0-10)', '[10-20)', '[70-80)'), 'bands')
    >>> in_order(["high", "low", "medium"])
    (('low', 'medium', 'high'), 'a scale')
    """
    if len(levels) < 2:
        return None
    for ranks, word in (
        (_bands, "bands"),
        (_stages, "stages"),
        (_scale, "a scale"),
        (_tests, "a reading in bands"),
    ):
        found = ranks(levels)
        if found is not None and len(set(found)) == len(levels):
            pairs = sorted(zip(found, levels, strict=True))
            return tuple(level for _, level in pairs), word
    return None


def _amount(number: str, unit: str | None) -> float:
    scale = {"k": 1e3, "m": 1e6}.get((unit or "").lower(), 1.0)
    return (
        float(number.replace(",", "") if re.fullmatch(r"\d{1,3},\d{3}", number) else number.replace(",", "."))
        * scale
    )


_BAND = re.compile(
    rf"[\[(]?\s*{_NUMBER}\s*(?:-|–|to|,|;|\.\.|and)\s*{_NUMBER}\s*(?:years?|yrs?|y)?\s*[\])]?", re.I
)
_BELOW = re.compile(
    rf"(?:<=?|≤|under|below|less than|up to|younger than)\s*{_NUMBER}\s*(?:years?|yrs?|y)?", re.I
)
_ABOVE = re.compile(rf"(?:>=?|≥|over|above|more than|older than)\s*{_NUMBER}\s*(?:years?|yrs?|y)?", re.I)
_ABOVE_AFTER = re.compile(
    rf"{_NUMBER}\s*(?:\+|and (?:over|above|older)|or (?:more|older|over)|plus)\s*(?:years?)?", re.I
)


def _band(level: str) -> tuple[float, float] | None:
    if found := _BAND.fullmatch(level):
        # In "$25-$50k" the thousand counts for both ends.
        return (_amount(found[1], found[2] or found[4]), 0.0)
    if found := _BELOW.fullmatch(level):
        return (_amount(found[1], found[2]), -1.0)
    if found := _ABOVE.fullmatch(level) or _ABOVE_AFTER.fullmatch(level):
        return (_amount(found[1], found[2]), 1.0)
    return None


def _bands(levels: Sequence[str]) -> list[tuple[float, float]] | None:
    found = [_band(level.strip()) for level in levels]
    return [band for band in found if band is not None] if all(found) else None


def _tests(levels: Sequence[str]) -> list[tuple[float, float]] | None:
    """Rank a laboratory result kept as `Norm`, `>7`, `>8` (or `normal`, `low`...)."""
    ranks: list[tuple[float, float]] = []
    for level in levels:
        band = _band(level.strip())
        if level.lower() in ("norm", "normal"):
            ranks.append((float("-inf"), 0.0))
        elif band is not None and band[1] > 0:
            ranks.append(band)
        else:
            return None
    return ranks if len(ranks) > 2 else None


_STAGE = re.compile(
    r"(?P<stem>.*?[\s_-]?)(?P<rank>viii|vii|vi|iv|v|iii|ii|i|\d{1,2})(?P<sub>[a-d]?\d?)", re.I
)


def _stages(levels: Sequence[str]) -> list[tuple[float, str]] | None:
    """Rank `Stage IIA`, `Grade 3`, `T2`, `Q1`: one common stem, then a Roman or Arabic number."""
    ranks, stems = [], set()
    for level in levels:
        found = _STAGE.fullmatch(level.strip())
        if found is None:
            return None
        rank = found["rank"].lower()
        stems.add(found["stem"].strip(" _-").lower())
        ranks.append((float(_ROMAN.get(rank, 0) if not rank.isdigit() else int(rank)), found["sub"].lower()))
    stem = next(iter(stems))
    word = re.fullmatch(
        r"|stage|grade|class|type|level|nyha|nyha class|t|n|m|q|g|category|killip|asa|ecog|tier|g\d?", stem
    )
    return ranks if len(stems) == 1 and word else None


def _scale(levels: Sequence[str]) -> list[int] | None:
    lower = [re.sub(r"^\d+\s*[=.:)]\s*", "", level.strip().lower()) for level in levels]
    for scale in _SCALES:
        ranks = [
            next((r for r, word in enumerate(scale) if re.fullmatch(word, text)), None) for text in lower
        ]
        known = [rank for rank in ranks if rank is not None]
        # Two levels make a scale only if they are not plain yes and no.
        if len(known) == len(levels) and len(levels) > (2 if scale[0].startswith("no") else 1):
            return known
    return None


def listed(cells: Cells, people: pl.Series | None) -> tuple[tuple[str, ...], int]:
    """Return the levels that may be listed, most frequent first, and how many are left out as too rare.

    Args:
        cells: the column.
        people: the patient of each row, shape (rows,), where one has several rows; None: a row is a patient.
    """
    counts = cells.levels
    if people is not None:
        pairs = pl.DataFrame({"text": spelled(cells.raw), "who": people}).drop_nulls()
        held = pairs.group_by("text").agg(pl.col("who").n_unique().alias("people"))
        counts = counts.join(held, on="text", how="left", maintain_order="left")
        counts = counts.with_columns(count=pl.col("people").fill_null(0))
    kept = counts.filter(pl.col("count") >= FEWEST)["text"]
    return tuple(kept), counts.height - len(kept)


def sorted_numbers(levels: Sequence[str]) -> tuple[str, ...] | None:
    """Return levels that are all numbers in numeric order, or None."""
    try:
        return tuple(sorted(levels, key=float))
    except ValueError:
        return None
