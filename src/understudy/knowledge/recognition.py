"""What the values of a table's columns say of them: another unit than the usual one, another coding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from understudy.core.rules import sql
from understudy.core.schema import Column, Kind
from understudy.knowledge.columns import Reading, read_columns
from understudy.knowledge.observations import Observation, observations
from understudy.knowledge.rules import Template, rules
from understudy.knowledge.units import convert, unit, units, written

IMPOSSIBLE = 0.5
"""The usual unit is doubted where fewer values than this share are possible in it."""
FITS = 0.95
"""Another unit is believed where at least this share of the values is possible in it."""
UNDERSTOOD = 0.5
"""A column with a smaller share of readable values is coded in another way, not full of errors."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recognised:
    """The columns of a table that knowledge may be asked about.

    Attributes:
        columns: those whose values are understood, each with the unit that it seems to be in.
        notes: what was taken otherwise than the names say, in words.
    """

    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def recognise(frame: pl.DataFrame, columns: Sequence[Column]) -> Recognised:
    """Return the columns as their values ask for them to be read; no value is changed.

    A column without a stated unit, most of whose values are impossible in the usual one, is read in the unit in
    which they are possible. A column named like sex, race or a yes-no question whose values are none of the
    expected ones is left out.

    Args:
        frame: the rows, with the columns' canonical types.
        columns: the schema's columns.
    """
    read = {reading.column: reading for reading in read_columns(columns).values()}
    kept, notes = [], []
    for column in columns:
        reading = read.get(column.name)
        about = observations().get(reading.name) if reading else None
        if reading is None or about is None:
            kept.append(column)
            continue
        if about.kind in (Kind.BOOLEAN, Kind.CATEGORY) and not _is_understood(frame, reading):
            notes.append(_coded_otherwise(reading, about))
            continue
        likelier = _likelier(frame, reading, about)
        if likelier is not None:
            notes.append(
                f"column {column.name!r} is read in {written(likelier)}: hardly any of its values is possible "
                f"in {written(about.unit)}"
            )
        kept.append(column.model_copy(update={"unit": likelier}) if likelier else column)
    return Recognised(tuple(kept), tuple(notes))


def _is_understood(frame: pl.DataFrame, reading: Reading) -> bool:
    share = frame.select(reading.understood().mean()).item()
    return share is None or float(share) >= UNDERSTOOD


def _coded_otherwise(reading: Reading, about: Observation) -> str:
    return (
        f"column {reading.column!r} is named like {about.name!r}, but most of its values are none of "
        f"{', '.join(about.values or ('yes', 'no'))}: it is left aside; recode it to have it checked"
    )


def _likelier(frame: pl.DataFrame, reading: Reading, about: Observation) -> str | None:
    if about.kind is not Kind.NUMBER or about.unit is None or not reading.is_assumed:
        return None
    values = frame[reading.column].cast(pl.Float64).drop_nulls().to_numpy()
    if not len(values) or _possible(values, about) >= IMPOSSIBLE:
        return None
    stated = [conversion.unit for conversion in about.conversions]
    own = unit(about.unit).dimension
    alike = [other.code for other in units().values() if other.dimension == own and other.code != about.unit]
    for code in dict.fromkeys((*stated, *alike)):
        if _possible(convert(values, code, about.unit, of=about.id), about) >= FITS:
            return code
    return None


def _possible(values: Floats, about: Observation) -> float:
    """Return the share of values that neither leave the plausible range nor look like another unit."""
    asked = [
        rule
        for rule in rules().values()
        if rule.template in (Template.RANGE, Template.UNIT) and rule.inputs == (about.id,)
    ]
    if not asked:
        return 1.0
    broken = pl.any_horizontal(sql(rule.statement).cast(pl.Boolean) for rule in asked)
    return 1.0 - float(pl.DataFrame({about.id: values}).select(broken.mean()).item())
