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
SCORE = "{score}"
SHOWN = 3
"""So many levels of an observation are named in a note."""
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
    which they are possible. A column named like sex, race, a yes-no question or a score whose values are none of
    the expected ones is left out.

    Args:
        frame: the rows, with the columns' canonical types.
        columns: the schema's columns.
    """
    aside = _left_aside(frame, columns)
    read = {r.column: r for r in read_columns([c for c in columns if c.name not in aside]).values()}
    kept, notes = [], list(aside.values())
    for column in columns:
        if column.name in aside:
            continue
        likelier = _likelier(frame, read[column.name]) if column.name in read else None
        if likelier is not None:
            usual = written(observations()[read[column.name].name].unit)
            notes.append(
                f"column {column.name!r} is read in {written(likelier)}: hardly any of its values is possible in "
                f"{usual}"
            )
        kept.append(column.model_copy(update={"unit": likelier}) if likelier else column)
    return Recognised(tuple(kept), tuple(notes))


def _left_aside(frame: pl.DataFrame, columns: Sequence[Column]) -> dict[str, str]:
    """Return, by column, why it is not asked about although its name is known.

    Where a column is left aside, another one may be read in its place, and is looked at in turn.
    """
    aside: dict[str, str] = {}
    while True:
        left = [column for column in columns if column.name not in aside]
        known = [r for r in read_columns(left).values() if r.name in observations()]
        strange = {r.column: _coded_otherwise(r) for r in known if not _is_understood(frame, r)}
        if not strange:
            return aside
        aside |= strange


def _is_understood(frame: pl.DataFrame, reading: Reading) -> bool:
    about = observations()[reading.name]
    if about.kind is Kind.NUMBER:
        # Scores of the same name are counted on many scales; other quantities are errors or in another unit.
        is_score = about.unit == SCORE and reading.is_assumed
        return not is_score or _possible(_values(frame, reading), about) >= UNDERSTOOD
    if about.kind not in (Kind.BOOLEAN, Kind.CATEGORY):
        return True
    share = frame.select(reading.understood().mean()).item()
    return share is None or float(share) >= UNDERSTOOD


def _coded_otherwise(reading: Reading) -> str:
    about = observations()[reading.name]
    levels = about.values or ("yes", "no")
    expected = f"none of {', '.join(levels[:SHOWN])}{' ...' if len(levels) > SHOWN else ''}"
    if about.kind is Kind.NUMBER and about.plausible:
        expected = f"outside {about.plausible.low:g} to {about.plausible.high:g}"
    return (
        f"column {reading.column!r} is named like {about.name!r}, but most of its values are {expected}: it is left "
        "aside; recode it to have it checked"
    )


def _values(frame: pl.DataFrame, reading: Reading) -> Floats:
    return frame[reading.column].cast(pl.Float64).drop_nulls().to_numpy()


def _likelier(frame: pl.DataFrame, reading: Reading) -> str | None:
    about = observations().get(reading.name)
    if about is None or about.kind is not Kind.NUMBER or about.unit is None or not reading.is_assumed:
        return None
    values = _values(frame, reading)
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
    if not len(values):
        return 1.0
    broken = pl.any_horizontal(sql(rule.statement).cast(pl.Boolean) for rule in asked)
    return 1.0 - float(pl.DataFrame({about.id: values}).select(broken.mean()).item())
