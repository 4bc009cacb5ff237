"""What a person asks of a cohort, in words: conditions, limits with units, shares and targets, made precise."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from understudy.core.conditions import (
    Balanced,
    Between,
    Conditions,
    OneOf,
    Proportion,
    Share,
    Where,
    parse_share,
    parse_where,
)
from understudy.core.errors import ConditionError, UnknownNameError
from understudy.core.schema import Column, Kind
from understudy.knowledge.levels import level_words
from understudy.knowledge.lexicon import folded
from understudy.knowledge.observations import observations
from understudy.knowledge.units import convert, unit
from understudy.populations.presentation import Measure, resolve_observation
from understudy.populations.targets import Target, says

_ENDS_IN_NUMBER = re.compile(r"\d\s*$")


def split_unit(text: str) -> tuple[str, str | None]:
    """Take the unit off the end of a condition: `hba1c>=53 mmol/mol` is `hba1c>=53` in mmol/mol."""
    for found in re.finditer(r"(?<=[\d.])\s*(?=[^\d\s.,\-])", text):
        head, tail = text[: found.start()], text[found.end() :].strip()
        if not _ENDS_IN_NUMBER.search(head):
            continue
        try:
            return head, unit(tail).code
        except UnknownNameError:
            continue
    return text, None


def read_where(text: str, held: Mapping[str, Column], population: str) -> tuple[Where, str | None]:
    """Read one condition over observations, and the unit that it states, if it states one.

    Raises:
        ConditionError: if it cannot be read, or speaks of what the population does not hold.
    """
    head, stated = split_unit(text)
    where = parse_where(head)
    name = resolve_observation(where.column, held, population)
    changes: dict[str, object] = {"column": name}
    if isinstance(where, OneOf):
        changes["values"] = tuple(level for v in where.values for level in _called(held[name], v))
    return where.model_copy(update=changes), stated


def _called(column: Column, word: str | None) -> tuple[str | None, ...]:
    """Return the levels that a word for people or an initial means: Black, smoker, F; any other word as it is."""
    if word is None or word.casefold() in {value.casefold() for value in column.values or ()}:
        return (word,)
    for level in level_words().values():
        if level.observation == column.name and folded(word) in map(folded, level.words):
            return level.values
    initial = [value for value in column.values or () if value[0].casefold() == word.casefold()]
    return tuple(initial) if len(initial) == 1 else (word,)


def words_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return what the observations are called in conditions, as they were written."""
    return tuple(dict.fromkeys(parse_where(split_unit(text)[0]).column for text in texts))


def read_shares(texts: Sequence[str], held: Mapping[str, Column], population: str) -> tuple[Proportion, ...]:
    """Read proportions over observations; see `core.conditions.parse_share`."""
    shares = [share for text in texts for share in parse_share(text)]
    return tuple(_named(share, held, population) for share in shares)


def _named(share: Share | Balanced, held: Mapping[str, Column], population: str) -> Share | Balanced:
    column = held[resolve_observation(share.column, held, population)]
    changes: dict[str, object] = {"column": column.name}
    if isinstance(share, Share):
        changes["value"] = _one_level(column, share.value)
    return share.model_copy(update=changes)


def _one_level(column: Column, word: str) -> str:
    levels = _called(column, word)
    if len(levels) > 1:
        shown = ", ".join(map(str, levels))
        raise ConditionError(
            f"{word!r} is several levels of {column.name!r} ({shown}); state a share of each"
        )
    return str(levels[0])


def in_unit(where: Where, stated: str | None, measure: Measure | None) -> Where:
    """Return a condition with its limits in the unit of the release, whatever unit it was stated in.

    Raises:
        UnitError: if the stated unit does not measure the observation.
        ConditionError: if a limit is beyond what any patient can have, most likely for its unit.
    """
    if measure is None or not isinstance(where, Between):
        if measure is not None and isinstance(where, OneOf) and len(where.values) == 1 and where.values[0]:
            return _equal(where, stated, measure)
        return where
    limits = {"low": where.low, "high": where.high}
    if stated is not None and measure.unit is not None and stated != measure.unit:
        limits = {
            end: None if v is None else float(convert(v, stated, measure.unit, of=where.column))
            for end, v in limits.items()
        }
    for value in limits.values():
        if value is not None:
            refuse_implausible(where.column, value, measure, where.says())
    return where.model_copy(update=limits)


def _equal(where: OneOf, stated: str | None, measure: Measure) -> Where:
    try:
        number = float(str(where.values[0]))
    except ValueError:
        return where
    exact = Between(column=where.column, low=number, high=number)
    return where if where.exclude else in_unit(exact, stated, measure)


def refuse_implausible(name: str, value: float, measure: Measure, asked: str) -> None:
    """Refuse a value that no patient can have in the unit it is read in.

    Raises:
        ConditionError: names the plausible range, and the other units in which the value would make sense.
    """
    about = observations().get(name)
    if about is None or about.plausible is None:
        return
    low, high = (measure.shown(end) for end in (about.plausible.low, about.plausible.high))
    if min(low, high) <= value <= max(low, high):
        return
    others = []
    for way in (c.unit for c in about.conversions if c.unit != measure.unit):
        own = float(convert(value, way, str(about.unit), of=name))
        others += [way] if about.plausible.low <= own <= about.plausible.high else []
    if about.unit != measure.unit and about.plausible.low <= value <= about.plausible.high:
        others.append(str(about.unit))
    hint = f" Did you mean {' or '.join(f'{value:g} {u}' for u in others)}? State the unit." if others else ""
    raise ConditionError(
        f"{asked!r} speaks of {value:g} {measure.unit}, but {name} lies between {min(low, high):g} and "
        f"{max(low, high):g} {measure.unit} in any patient.{hint}"
    )


def named_target(target: Target, held: Mapping[str, Column], population: str) -> Target:
    """Return a target with the ids of its observations and the spelling of its level.

    Raises:
        UnknownNameError: if an observation or level is unknown; suggests the nearest.
        ConditionError: if the statistic does not suit the observation.
    """
    name = resolve_observation(target.column, held, population)
    column = held[name]
    changes: dict[str, object] = {"column": name}
    if target.statistic == "proportion":
        changes["level"] = _level(column, str(target.level))
    elif column.kind is not Kind.NUMBER:
        raise ConditionError(
            f"the target {says(target)!r} asks for a {target.statistic} of {name!r}, which holds levels; ask for "
            f"a share, such as '{name}={(column.values or ('true',))[0]}:0.5'"
        )
    if target.other is not None:
        changes["other"] = resolve_observation(target.other, held, population)
        if held[str(changes["other"])].kind is not Kind.NUMBER or changes["other"] == name:
            raise ConditionError(f"the target {says(target)!r} needs two different quantities")
    return target.model_copy(update=changes)


def _level(column: Column, asked: str) -> str:
    spelled = _one_level(column, asked)
    if column.kind is Kind.BOOLEAN:
        word = spelled.casefold()
        if word in ("true", "yes", "1", "y"):
            return "true"
        if word in ("false", "no", "0", "n"):
            return "false"
        raise UnknownNameError(f"level of {column.name!r}", spelled, ("yes", "no"))
    if column.kind is Kind.NUMBER:
        raise ConditionError(
            f"{column.name!r} is a quantity: a share needs levels. State a mean, median or quantile instead."
        )
    same = [v for v in column.values or () if v.casefold() == spelled.casefold()]
    if not same:
        raise UnknownNameError(f"level of {column.name!r}", spelled, column.values or ())
    return same[0]


def target_in_unit(target: Target, written: Mapping[str, Measure]) -> Target:
    """Return a target in the unit of the release, whatever unit it was stated in.

    Raises:
        UnitError: if the stated unit does not measure the observation.
        ConditionError: if the value is beyond what any patient can have.
    """
    measure = written.get(target.column)
    if measure is None or target.statistic in ("proportion", "correlation"):
        return target.model_copy(update={"unit": None})
    value = target.value
    if target.unit is not None and measure.unit is not None and unit(target.unit).code != measure.unit:
        both = convert([value, 0.0], target.unit, measure.unit, of=target.column)
        value = float(both[0] - both[1]) if target.statistic == "sd" else float(both[0])
    if target.statistic != "sd":
        refuse_implausible(target.column, value, measure, says(target))
    return target.model_copy(update={"value": value, "unit": measure.unit})


def target_own(target: Target, written: Mapping[str, Measure]) -> Target:
    """Return a target of the release in the observation's own unit."""
    measure = written.get(target.column)
    if measure is None or target.statistic in ("proportion", "correlation"):
        return target
    value = target.value / abs(measure.factor) if target.statistic == "sd" else measure.own(target.value)
    return target.model_copy(update={"value": value, "unit": None})


def given_own(given: Conditions, written: Mapping[str, Measure]) -> Conditions:
    """Return conditions of the release in the observations' own units."""
    return given.model_copy(update={"where": tuple(_own(w, written.get(w.column)) for w in given.where)})


def _own(where: Where, measure: Measure | None) -> Where:
    if measure is None or not isinstance(where, Between) or (measure.factor, measure.offset) == (1.0, 0.0):
        return where
    low, high = where.low, where.high
    changes: dict[str, object] = {}
    if low is not None and low == high and measure.decimals is not None:
        # One value of the release stands for all that are rounded to it.
        half = 0.5 * 10.0**-measure.decimals
        low, high, changes = low - half, low + half, {"low_open": True, "high_open": True}
    ends = [None if end is None else measure.own(end) for end in (low, high)]
    return where.model_copy(update={**changes, "low": ends[0], "high": ends[1]})
