"""The columns of a population: observations of the knowledge base with their units, bounds and meaning."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.schema import Column, Kind, Role, Schema, Storage, Table
from understudy.knowledge.observations import Observation, observations
from understudy.populations.structure import LIFE_SHARES, OLDEST, YOUNGEST

_PROTECTED = ("age", "sex", "race_ethnicity")
_STORAGE = {Kind.BOOLEAN: Storage.BOOLEAN, Kind.CATEGORY: Storage.TEXT}


def column_of(name: str) -> Column:
    """Return the column of an observation, or of a share of life that is drawn for one."""
    if name in LIFE_SHARES:
        return Column(name=name, kind=Kind.NUMBER, storage=Storage.FLOAT, low=0, high=1, decimals=3, unit="1")
    return _of(observations()[name])


def _of(entry: Observation) -> Column:
    limits = entry.plausible
    low, high = (limits.low, limits.high) if limits else (None, None)
    if entry.id == "age":
        low, high = YOUNGEST, OLDEST
    integer = Storage.INTEGER if entry.decimals == 0 else Storage.FLOAT
    return Column(
        name=entry.id,
        kind=entry.kind,
        roles=(Role.PROTECTED,) if entry.id in _PROTECTED else (),
        storage=_STORAGE.get(entry.kind, integer),
        unit=entry.unit,
        low=low,
        high=high,
        decimals=entry.decimals,
        values=entry.values,
        ordered=entry.ordered,
        confidence=1.0,
        reason=entry.meaning,
    )


def schema_of(population: str, names: Sequence[str]) -> Schema:
    """Return the schema of a population whose columns are the named observations, in this order."""
    return Schema(tables=(Table(name=population, columns=tuple(column_of(name) for name in names)),))
