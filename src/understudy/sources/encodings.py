"""Which encoding a text is in, guessed from its first bytes."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from understudy.core.errors import SourceError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Beyond Western Europe; Latin guesses among themselves are unsure, and cp1252 is by far the most frequent.
_OTHER_SCRIPTS = (
    "big5", "cp1250", "cp1251", "cp1253", "cp1255", "cp1256", "cp932", "cp949", "gb18030", "koi8_r",
)  # fmt: skip
_MOST_BYTES = 16_000


def guess_encoding(head: bytes) -> str:
    """Return a Python encoding name for these first bytes of a text, which may end inside a character."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if is_utf8(head):
        wide = _wide(head)
        return wide or "utf-8"
    return _wide(head) or guess_legacy(head)


def guess_legacy(sample: bytes) -> str:
    """Return the encoding of a text that is not Unicode: another script's where it shows, else cp1252."""
    lines = [line for line in re.split(rb"[\r\n]+", sample) if not line.isascii()]
    telling = b"\n".join(lines)[:_MOST_BYTES]
    best = from_bytes(telling, cp_isolation=[*_OTHER_SCRIPTS, "cp1252"]).best() if telling else None
    if best is not None and best.encoding in _OTHER_SCRIPTS and best.encoding != "cp1250":
        return best.encoding
    return "cp1252" if _decodes(sample, "cp1252") else "latin-1"


def is_utf8(head: bytes) -> bool:
    """Say whether the bytes are UTF-8; the last character may be cut."""
    return _decodes(head, "utf-8")


def require_encoding(name: str) -> str:
    """Return the name of a text encoding that exists.

    Raises:
        SourceError: if there is none of this name.
    """
    try:
        "a".encode(name)
    except LookupError as error:
        raise SourceError(
            f"no text encoding is called {name!r}, expected one such as 'utf-8', 'utf-16' or 'cp1252'"
        ) from error
    return name


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of mostly Latin text is zero."""
    sample = head[:4000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    most = len(sample) // 2
    if most and odd > 0.4 * most and even < 0.05 * most:
        return "utf-16-le"
    if most and even > 0.4 * most and odd < 0.05 * most:
        return "utf-16-be"
    return None
