"""How much may be read: memory that is there, and sizes that only a decompression bomb has."""

from __future__ import annotations

from pathlib import Path

import psutil

from understudy.core.errors import SourceError

MOST_COLUMNS = 20_000
GIGABYTE = 1_000_000_000
_CONTROL_GROUP = Path("/sys/fs/cgroup")


def memory_budget(memory_mb: int | None) -> int:
    """Return the bytes that a table may take: as stated, or half of the memory that is free now."""
    return memory_mb * 1_000_000 if memory_mb is not None else available_memory() // 2


def available_memory() -> int:
    """Return the bytes of memory that are free for this process, inside its container if there is one."""
    free = int(psutil.virtual_memory().available)
    try:
        limit = (_CONTROL_GROUP / "memory.max").read_text().strip()
        used = (_CONTROL_GROUP / "memory.current").read_text().strip()
    except OSError:
        return free
    return max(min(free, int(limit) - int(used)), 0) if limit.isdigit() and used.isdigit() else free


def refuse_bomb(path: Path, packed: int, unpacked: int, most_ratio: int, from_bytes: int) -> None:
    """Refuse content that swells beyond what a table does.

    Args:
        path: the file, for the message.
        packed: bytes in the file.
        unpacked: bytes that they declare, or have already given.
        most_ratio: the largest ratio that a real table reaches.
        from_bytes: below this many unpacked bytes any ratio is harmless.

    Raises:
        SourceError: if it swells too much.
    """
    if unpacked > from_bytes and unpacked > most_ratio * max(packed, 1):
        raise SourceError(
            f"{str(path)!r} looks like a decompression bomb: {in_words(packed)} swell to at least "
            f"{in_words(unpacked)}, expected at most {most_ratio}:1. "
            "If you trust it, unpack it or rewrite it uncompressed and read that"
        )


def refuse_too_many_columns(path: Path, columns: int) -> None:
    """Refuse a table wider than `MOST_COLUMNS`."""
    if columns > MOST_COLUMNS:
        raise SourceError(
            f"{str(path)!r} has {columns:,} columns, expected at most {MOST_COLUMNS:,}: select those that "
            "matter, or check that rows and columns are not swapped"
        )


def in_words(size: float) -> str:
    """Return a number of bytes as a person says it."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
