"""Limits and shares as the wishes of the command line state them: `age>=65`, `sex=female:0.6`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from understudy.agent.reading.limits import Limit
from understudy.core.conditions import Between, OneOf, Proportion, Share

_SIGNS = {"low": (">=", ">"), "high": ("<=", "<")}


def where_texts(value: Any) -> list[str]:
    """Return one limit, or several, as texts."""
    limits = value if isinstance(value, tuple) else (value,)
    return [text for limit in limits for text in texts_of(limit)]


def texts_of(limit: Limit | Between | OneOf) -> list[str]:
    """Return a limit as texts, one for each of its ends."""
    if isinstance(limit, OneOf):
        return _listed(limit)
    where, unit = (limit.where, limit.unit) if isinstance(limit, Limit) else (limit, None)
    found = []
    for side, number, is_open in (("low", where.low, where.low_open), ("high", where.high, where.high_open)):
        if number is not None:
            found.append(f"{where.column}{_SIGNS[side][is_open]}{number:.10g}{f' {unit}' if unit else ''}")
    return found


def _listed(where: OneOf) -> list[str]:
    if len(where.values) == 1:
        return [f"{where.column}{'!=' if where.exclude else '='}{where.values[0]}"]
    return [f"{where.column} {'not in' if where.exclude else 'in'} ({', '.join(map(str, where.values))})"]


def share_texts(shares: Sequence[Proportion]) -> list[str]:
    """Return proportions as texts."""
    return [
        f"{s.column}={s.value}:{s.proportion:g}" if isinstance(s, Share) else f"{s.column}:balanced"
        for s in shares
    ]
