"""Misspelled words: which known word is meant, and when that cannot be told."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

# Prefixes that make the opposite, or another thing, of a word: a correction never crosses them.
_OPPOSITES = ("hypo", "hyper", "pre", "anti", "non", "intra", "inter", "macro", "micro", "brady", "tachy")
_SHORT, _LONG = 6, 8


@lru_cache(maxsize=4096)
def nearest(word: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the known words that a misspelled one may mean, all at the same distance; none where none is near.

    One letter of a word may be wrong, left out, doubled or swapped with its neighbour; two of six or more.
    """
    most = 1 if len(word) < _SHORT else 2
    found = process.extract(word, known, scorer=OSA.distance, score_cutoff=most, limit=8)
    near = [(k, d) for k, d, _ in found if k[0] == word[0] and _is_same_side(word, k) and _is_close(word, k)]
    return tuple(k for k, d in near if d == near[0][1])[:3]


def is_far(word: str, known: str) -> bool:
    """Say whether two letters of a word shorter than eight were put right: not enough to name a disease."""
    return len(word) < _LONG and OSA.distance(word, known) > 1


def _is_close(word: str, known: str) -> bool:
    # A short word is corrected only where letters are swapped, doubled or left out, never one for another.
    return len(word) >= _SHORT or len(word) != len(known) or sorted(word) == sorted(known)


def _is_same_side(word: str, known: str) -> bool:
    """Say whether a correction leaves hypo and hyper apart, also where the prefix itself is misspelled."""
    mine, other = _side(word), _side(known)
    if mine == other:
        return True
    if mine or other not in ("hypo", "hyper"):
        return False
    swapped = ("hyper" if other == "hypo" else "hypo") + known[len(other) :]
    return bool(OSA.distance(word, known) < OSA.distance(word, swapped))


def _side(word: str) -> str:
    return next((side for side in _OPPOSITES if word.startswith(side)), "")
