"""Values that name nobody: keys and identifiers made anew, unique, and never equal to a real one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
import polars as pl

from understudy.core.schema import Column, Kind

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_INTEGER = r"-?(?:0|[1-9][0-9]{0,17})"
_PRIME = np.uint64(0x100000001B3)
_FULLEST = 0.6
_FEWEST = 20
_KNOTS = 200
_DENSEST = 0.2
_TRIES = 40
_SYNTHETIC: dict[str, str] = {
    "account": "SYN-ACC-{:08d}",
    "address": "{} Example Street, Sampletown",
    "device": "SYN-DEV-{:08d}",
    "email": "synthetic-{:06d}@example.org",
    "ip": "2001:db8::{:x}",
    "licence": "SYN-LIC-{:08d}",
    "mrn": "SYN{:07d}",
    "name": "Patient {:06d}",
    "passport": "SYN-PAS-{:08d}",
    "phone": "phone",
    "ssn": "000-{:02d}-{:04d}",
    "url": "https://example.org/synthetic-{:06d}",
    "vehicle": "SYN-VEH-{:08d}",
}
_OTHERS = "synthetic-{:06d}"


@dataclass(frozen=True)
class Seen:
    """Which texts may be real: answers yes for every real one, and for about half of all others.

    So it says of no text that it is real, and synthetic keys that it denies are surely not.

    Attributes:
        bits: bool, shape (a power of two,).
        salt: start of the hash.

    Reference:
        Bloom, Space/time trade-offs in hash coding with allowable errors, Comm. ACM 13 (1970).
    """

    bits: np.ndarray
    salt: int

    @classmethod
    def of(cls, texts: np.ndarray, rng: np.random.Generator) -> Seen:
        """Remember texts, array of str of shape (rows,)."""
        salt = int(rng.integers(1, 2**62))
        hashes = _hashes(texts, salt)
        size = 8
        while True:
            bits = np.zeros(size, dtype=bool)
            bits[hashes & np.uint64(size - 1)] = True
            if bits.mean() <= _FULLEST:
                return cls(bits, salt)
            size *= 2

    def may_hold(self, texts: np.ndarray) -> np.ndarray:
        """Return for each text whether it may be a real one, bool of shape (rows,)."""
        return np.asarray(self.bits[_hashes(texts, self.salt) & np.uint64(len(self.bits) - 1)])


@dataclass(frozen=True)
class Fresh:
    """How the values of one column are made anew.

    Attributes:
        column: the column.
        style: `integer`, `mask`, `uuid`, `numbered`, or `none` for kinds that no made-up value suits.
        seen: the real values, as far as they must be avoided.
        pattern: mask (`#` digit, `@` capital, `&` small letter) or the words around a number.
        knots: smoothed positions of integer keys, each the mean of at least 20 of them; else empty.
        digits: number of digits that all integer keys share, 0 where they differ.
        missing: share of missing values.
        count: number of different real values.
    """

    column: Column
    style: str
    seen: Seen
    pattern: str = ""
    knots: np.ndarray | None = None
    digits: int = 0
    missing: float = 0.0
    count: int = 0

    @classmethod
    def fit(cls, cells: pl.Series, column: Column, rng: np.random.Generator) -> Fresh:
        """Note the form of a real column, not its values."""
        missing = cells.null_count() / len(cells) if len(cells) else 0.0
        texts = cells.drop_nulls().cast(pl.String).unique().sort().to_numpy().astype(np.str_)
        seen = Seen.of(texts, rng)
        if cells.dtype != pl.String or column.values is not None:
            return cls(column, "none", seen, missing=1.0)
        if column.identifier and (column.kind is Kind.TEXT or column.identifier in ("ssn", "mrn")):
            return cls(column, "numbered", seen, _SYNTHETIC.get(column.identifier, _OTHERS), missing=missing)
        if len(texts) and all(re.fullmatch(_INTEGER, t) for t in texts):
            numbers = np.sort(texts.astype(np.int64)).astype(np.float64)
            lengths = {len(t.lstrip("-")) for t in texts}
            digits = lengths.pop() if len(lengths) == 1 and numbers[0] >= 0 else 0
            return cls(column, "integer", seen, "", _positions(numbers), digits, missing, len(texts))
        if column.format == "uuid" or (len(texts) and all(re.fullmatch(_UUID, t) for t in texts)):
            return cls(column, "uuid", seen, missing=missing)
        pattern = _mask(texts)
        if pattern is None or column.kind is not Kind.KEY:
            return cls(
                column, "numbered", seen, _SYNTHETIC.get(column.identifier or "", _OTHERS), missing=missing
            )
        return cls(column, "mask", seen, pattern, missing=missing)

    def make(self, n: int, rng: np.random.Generator, near: np.ndarray | None = None) -> np.ndarray:
        """Return `n` different new values as text, shape (n,).

        Args:
            n: number of values.
            rng: source of randomness.
            near: for integer keys, where each shall lie, float of shape (n,).
        """
        if self.style == "integer":
            return self._integers(n, rng, near)
        if self.style == "uuid":
            return self._different(n, lambda k: _uuids(k, rng))
        if self.style == "mask":
            return self._different(n, lambda k: _filled(self.pattern, k, rng))
        start = [1]

        def numbered(k: int) -> np.ndarray:
            numbers = np.arange(start[0], start[0] + k)
            start[0] += k
            return _numbered(self.pattern, numbers)

        return self._different(n, numbered)

    def _integers(self, n: int, rng: np.random.Generator, near: np.ndarray | None) -> np.ndarray:
        knots = np.array([1.0]) if self.knots is None or not len(self.knots) else self.knots
        room = float(knots[-1] - knots[0]) + 1
        if near is None and room * _DENSEST < n + self.count:
            # Numbers that count rows leave no gaps to fill: count on, one digit longer.
            first = 10 ** len(str(int(max(knots[-1], 1)))) + 1
            return self._whole(n, lambda k, attempt: first + attempt * 3 * (n + 16) + np.arange(k)).astype(
                np.str_
            )
        gap = max(room / (n + self.count), 1.0)
        least = 10 ** (self.digits - 1) if self.digits > 1 else int(min(knots[0], 1))

        def around(k: int, attempt: int) -> np.ndarray:
            if near is None:
                target = np.interp(rng.random(k) * (len(knots) - 1), np.arange(len(knots)), knots)
            else:
                target = near[rng.permutation(n)[np.arange(k) % n]]
            # Wider, where there is no room nearby; beyond the real range only when that is full.
            reach = min(gap * 2.0 ** max(0, attempt - 6), room * 2.0 ** max(0, attempt - 25))
            numbers = np.round(target + reach * rng.uniform(-1, 1, k)).astype(np.int64)
            return np.asarray(np.maximum(numbers, least))

        made = self._whole(n, around)
        if near is not None:
            made = np.sort(made)[np.argsort(np.argsort(near, kind="stable"), kind="stable")]
        return made.astype(np.str_)

    def _whole(self, n: int, make: Callable[[int, int], np.ndarray]) -> np.ndarray:
        """Return `n` made integers without repetition and without those that may be real."""
        found = np.empty(0, dtype=np.int64)
        for attempt in count():
            made = make(2 * (n - len(found)) + 16, attempt)
            made = made[~self.seen.may_hold(made.astype(np.str_))]
            joined = np.concatenate([found, made])
            _, first = np.unique(joined, return_index=True)
            found = joined[np.sort(first)]
            if len(found) >= n:
                break
        return found[:n]

    def _different(self, n: int, make: Callable[[int], np.ndarray]) -> np.ndarray:
        """Return `n` made texts without repetition and without those that may be real."""
        found, suffix = np.empty(0, dtype=np.str_), 0
        for attempt in count(1):
            made = make(2 * (n - len(found)) + 16)
            if attempt > _TRIES:  # the form has no room for so many: lengthen it
                made = np.char.add(made, [f"-{suffix + k}" for k in range(len(made))])
                suffix += len(made)
            joined = np.concatenate([found, made[~self.seen.may_hold(made)]])
            _, first = np.unique(joined, return_index=True)
            found = joined[np.sort(first)]
            if len(found) >= n:
                break
        return found[:n]


def _hashes(texts: np.ndarray, salt: int) -> np.ndarray:
    """Return FNV-1a hashes of the characters, mixed, uint64 of shape (rows,)."""
    found = np.full(len(texts), salt, dtype=np.uint64)
    if not len(texts) or not texts.dtype.itemsize:
        return found
    signs = np.ascontiguousarray(texts).view(np.uint32).reshape(len(texts), -1)
    for place in range(signs.shape[1]):
        sign = signs[:, place]
        found = np.where(sign > 0, (found ^ sign) * _PRIME, found)
    found ^= found >> np.uint64(33)
    found *= np.uint64(0xFF51AFD7ED558CCD)
    return found ^ (found >> np.uint64(29))


def _positions(numbers: np.ndarray) -> np.ndarray:
    """Return smoothed positions of sorted numbers: means of at least 20 neighbours, and rounded ends."""
    if len(numbers) < 2 * _FEWEST:
        middle, reach = numbers.mean(), max(np.ptp(numbers), 1.0)
        return np.array([middle - reach / 2, middle + reach / 2])
    bins = np.array_split(numbers, min(_KNOTS, len(numbers) // _FEWEST))
    return np.array([part.mean() for part in bins])


def _mask(texts: np.ndarray) -> str | None:
    """Return the most frequent form of the texts, if at least 5 have it; letters that all share are kept."""
    forms = Counter("".join(_class_of(sign) for sign in text) for text in texts)
    if not forms:
        return None
    form, count = forms.most_common(1)[0]
    if count < 5:
        return None
    same = [t for t in texts if "".join(_class_of(sign) for sign in t) == form]
    signs = []
    for place, kind in enumerate(form):
        shared = {t[place] for t in same}
        signs.append(shared.pop() if len(shared) == 1 and kind in "@&" else kind)
    pattern = "".join(signs)
    return pattern if sum(sign in "#@&" for sign in pattern) >= 3 else None


def _class_of(sign: str) -> str:
    if sign.isdigit():
        return "#"
    if sign.isalpha() and sign.isascii():
        return "@" if sign.isupper() else "&"
    return sign if sign in "-_./: " else "&"


def _filled(pattern: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` random texts of the pattern."""
    signs = np.empty((n, len(pattern)), dtype=np.uint32)
    for place, kind in enumerate(pattern):
        if kind == "#":
            signs[:, place] = rng.integers(ord("0"), ord("9") + 1, n)
        elif kind in "@&":
            start = ord("A") if kind == "@" else ord("a")
            signs[:, place] = rng.integers(start, start + 26, n)
        else:
            signs[:, place] = ord(kind)
    return signs.view(f"U{len(pattern)}").reshape(n)


def _uuids(n: int, rng: np.random.Generator) -> np.ndarray:
    hexadecimal = rng.integers(0, 256, (n, 16), dtype=np.uint8)
    hexadecimal[:, 6] = hexadecimal[:, 6] & 0x0F | 0x40
    hexadecimal[:, 8] = hexadecimal[:, 8] & 0x3F | 0x80
    texts = [row.tobytes().hex() for row in hexadecimal]
    return np.array([f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in texts])


def _numbered(pattern: str, numbers: np.ndarray) -> np.ndarray:
    if pattern == "phone":
        # 555-0100 to 555-0199 are reserved for fiction in the North American numbering plan.
        texts = [
            f"{200 + i // 100 % 800}-555-01{i % 100:02d}" + (f" x{i // 80_000}" if i >= 80_000 else "")
            for i in numbers
        ]
    elif pattern.count("{") == 2:
        # No social security number begins with 000.
        texts = [pattern.format(i // 10_000, i % 10_000) for i in numbers]
    else:
        texts = [pattern.format(i) for i in numbers]
    return np.array(texts, dtype=np.str_)
