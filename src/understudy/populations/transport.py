"""SAS transport files, version 5: the format in which public-use surveys are published."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import polars as pl

from understudy.core.errors import SourceError

_RECORD = 80
_NAMESTR = 140
_LIBRARY = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_NAMESTRS = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
_OBSERVATIONS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
_MISSING = tuple(b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def read_transport(path: Path) -> pl.DataFrame:
    """Read the only member of a transport file, gzipped or not; missing codes become null.

    Numbers whose size is below 1e-70 are zeros: that is how zero comes out of some writers.

    Raises:
        SourceError: if it is no such file, or holds several members.

    Reference:
        SAS Institute, TS-140, Record layout of a SAS version 5 or 6 data set in SAS transport format.
    """
    content = path.read_bytes()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    if not content.startswith(_LIBRARY):
        raise SourceError(
            f"{path.name} is no SAS transport file of version 5; expected one as the CDC publishes"
        )
    start = content.find(_NAMESTRS)
    if start < 0 or content.find(_NAMESTRS, start + 1) >= 0:
        raise SourceError(f"{path.name} must hold exactly one table; split it, or take the original file")
    count = int(content[start + 54 : start + 58])
    names = content[start + _RECORD : start + _RECORD + count * _NAMESTR]
    data = content.find(_OBSERVATIONS, start) + _RECORD
    return _columns(names, count, content[data:])


def _columns(names: bytes, count: int, data: bytes) -> pl.DataFrame:
    fields = []
    for place in range(0, count * _NAMESTR, _NAMESTR):
        kind, _, length, _ = struct.unpack(">hhhh", names[place : place + 8])
        name = names[place + 8 : place + 16].decode("ascii").strip()
        (position,) = struct.unpack(">l", names[place + 84 : place + 88])
        fields.append((name, kind == 1, length, position))
    width = sum(length for _, _, length, _ in fields)
    rows = len(data) // width
    # Short rows leave room for whole rows of blanks in the last record.
    while rows and not data[(rows - 1) * width : rows * width].strip(b" "):
        rows -= 1
    table = np.frombuffer(data, dtype=np.uint8, count=rows * width).reshape(rows, width)
    columns = [
        pl.Series(
            name, _numbers(table[:, at : at + length]) if is_number else _texts(table[:, at : at + length])
        )
        for name, is_number, length, at in fields
    ]
    return pl.DataFrame(columns).with_columns(pl.selectors.float().fill_nan(None))


def _numbers(raw: np.ndarray) -> np.ndarray:
    """Return IBM hexadecimal floats of 2 to 8 bytes, shape (rows, bytes), as doubles; NaN where missing."""
    padded = np.zeros((len(raw), 8), dtype=np.uint8)
    padded[:, : raw.shape[1]] = raw
    is_missing = np.isin(padded[:, 0], _MISSING) & ~padded[:, 1:].any(axis=1)
    fraction = np.ascontiguousarray(padded).view(">u8").ravel() & np.uint64(0x00FFFFFFFFFFFFFF)
    exponent = (padded[:, 0] & 0x7F).astype(np.int64) - 64
    size = np.ldexp(fraction.astype(np.float64) / 2.0**56, 4 * exponent)
    size = np.where(size < 1e-70, 0.0, size)
    return np.where(is_missing, np.nan, np.where(padded[:, 0] & 0x80, -size, size))


def _texts(raw: np.ndarray) -> list[str | None]:
    texts = (bytes(row).decode("latin-1").rstrip() for row in raw)
    return [text or None for text in texts]
