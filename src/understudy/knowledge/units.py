"""Units of measurement: their spellings, and conversion within a dimension or by an observation's own factors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt
from pydantic import Field

from understudy.core.errors import RequestError, UnknownNameError
from understudy.knowledge.loading import Entry, load
from understudy.knowledge.observations import Observation, observation


class UnitError(RequestError):
    """Two units cannot be converted into each other."""


class Unit(Entry):
    """One unit; value in the dimension's base unit = factor * value + offset."""

    code: str = Field(description="UCUM spelling.")
    written: str | None = Field(default=None, description="What people write, where that differs.")
    name: str
    spellings: tuple[str, ...] = Field(default=(), description="Other spellings in tables and reports.")
    dimension: str = Field(description="Units of one dimension convert without knowing the substance.")
    factor: float = Field(gt=0)
    offset: float = 0.0


@cache
def units() -> Mapping[str, Unit]:
    """Return all units by id."""
    return load("units.yaml", Unit)


def unit(spelling: str) -> Unit:
    """Return the unit of this UCUM code or other spelling; case is ignored where that is unambiguous.

    Raises:
        UnknownNameError: if there is none; suggests the nearest.
    """
    exact, folded = _spellings()
    found = exact.get(spelling.strip()) or folded.get(_folded(spelling))
    if found is None:
        raise UnknownNameError("unit", spelling, tuple(entry.code for entry in units().values()))
    return units()[found]


def written(code: str | None) -> str:
    """Return a unit as people write it: mmHg, years, 10³/µL; nothing for a bare ratio, an unknown unit as it is."""
    return _written().get(code, code) if code else ""


def convert(
    values: npt.ArrayLike, from_unit: str, to_unit: str, of: str | None = None
) -> npt.NDArray[np.float64]:
    """Convert values between two units.

    Args:
        values: numbers or an array of any shape; NaN stays NaN.
        from_unit: UCUM code or other spelling.
        to_unit: UCUM code or other spelling.
        of: id of the observation; needed between mass and amount of substance (mg/dL and mmol/L), and for
            HbA1c between % and mmol/mol.

    Raises:
        UnknownNameError: if a unit or the observation is unknown.
        UnitError: if no conversion is known.
    """
    numbers = np.asarray(values, dtype=np.float64)
    start, end = unit(from_unit), unit(to_unit)
    if start.code == end.code:
        return numbers.copy()
    if of is not None:
        own = _via_observation(numbers, start, end, observation(of))
        if own is not None:
            return own
    if start.dimension != end.dimension:
        hint = (
            f"; {of!r} can be in {_accepted(of)}" if of else "; name the observation: the factor is its own"
        )
        raise UnitError(f"{written(start.code)} is not a unit that becomes {written(end.code)}{hint}")
    return (start.factor * numbers + start.offset - end.offset) / end.factor


def _accepted(name: str) -> str:
    about = observation(name)
    codes = (about.unit, *(c.unit for c in about.conversions))
    return ", ".join(written(code) for code in codes if code) or "no unit"


def _via_observation(
    numbers: npt.NDArray[np.float64], start: Unit, end: Unit, chosen: Observation
) -> npt.NDArray[np.float64] | None:
    """Convert by way of the observation's own unit and its stated conversions; None if that is no way."""
    own = unit(chosen.unit) if chosen.unit else None
    if own is None:
        return None
    ways = {own.code: (1.0, 0.0)} | {c.unit: (c.factor, c.offset) for c in chosen.conversions}
    enter = _nearest(start, tuple(ways))
    leave = _nearest(end, tuple(ways))
    if enter is None or leave is None or enter.code == leave.code:
        return None
    factor, offset = ways[enter.code]
    inner = (convert(numbers, start.code, enter.code) - offset) / factor
    factor, offset = ways[leave.code]
    return convert(inner * factor + offset, leave.code, end.code)


def _nearest(wanted: Unit, codes: tuple[str, ...]) -> Unit | None:
    if wanted.code in codes:
        return wanted
    return next((unit(code) for code in codes if unit(code).dimension == wanted.dimension), None)


@cache
def _written() -> Mapping[str, str]:
    return {entry.code: entry.code if entry.written is None else entry.written for entry in units().values()}


@cache
def _spellings() -> tuple[Mapping[str, str], Mapping[str, str]]:
    exact: dict[str, str] = {}
    folded: dict[str, str | None] = {}
    for entry in units().values():
        for spelling in (entry.code, *entry.spellings):
            exact.setdefault(spelling, entry.id)
            key = _folded(spelling)
            folded[key] = entry.id if folded.get(key, entry.id) == entry.id else None
    return exact, {key: name for key, name in folded.items() if name}


def _folded(spelling: str) -> str:
    text = spelling.strip().casefold().replace("µ", "u").replace("μ", "u").replace("mcg", "ug")
    return text.replace(" ", "").replace("^", "*")
