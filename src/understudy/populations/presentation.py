"""How a cohort is shown: which observations, in which units, with how many decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from understudy.core.dataset import Dataset
from understudy.core.errors import RequestError, SettingsError, UnknownNameError
from understudy.core.schema import Column, Kind, Role, Schema, Storage, Table
from understudy.knowledge.conditions import conditions
from understudy.knowledge.lexicon import also_called, likest, lookup, suggest
from understudy.knowledge.observations import Group, Observation, observations
from understudy.knowledge.units import convert, unit

_SI = frozenset(
    ("mmol/L", "umol/L", "nmol/L", "pmol/L", "mmol/mol", "mg/mmol", "g/L", "L/L", "10*9/L", "10*12/L", "ng/L",
     "ug/L", "kPa")
)  # fmt: skip
SYSTEMS = ("conventional", "si")


@dataclass(frozen=True)
class Chosen:
    """The observations of a cohort.

    Attributes:
        names: their ids, in the order of the columns.
        lacking: ids that are ranked before the last chosen one, but that the population does not hold.
        notes: what a person should know of the choice.
    """

    names: tuple[str, ...]
    lacking: tuple[str, ...]
    notes: tuple[str, ...]


def resolve_observation(word: str, held: Mapping[str, Column], population: str) -> str:
    """Return the id of the observation that a person names.

    Raises:
        UnknownNameError: if nothing is called so; suggests the nearest.
        RequestError: if the observation is known, but the population does not hold it.
    """
    name = word.strip()
    if name in held:
        return name
    found = [m.id for m in lookup(name) if m.kind == "observation"]
    if not found:
        near = [m.id for text in suggest(name, 8) for m in lookup(text) if m.kind == "observation"]
        held_near = tuple(dict.fromkeys(n for n in near if n in held))
        if near and not held_near:
            shown = ", ".join(dict.fromkeys(observations()[n].name for n in near))
            raise RequestError(
                f"no observation is called {name!r}; the nearest known are {shown}, which {population} does not hold"
            )
        why = f"`understudy populations show {population}` lists the {len(held)} that it holds, among them these"
        raise UnknownNameError("observation", name, held_near or likest(name, tuple(held)), why=why)
    present = [n for n in found if n in held]
    if not present:
        about = observations()[found[0]]
        group = [n for n in held if n in observations() and observations()[n].group is about.group]
        near_text = f" It holds of the same kind: {', '.join(group[:8])}." if group else ""
        raise RequestError(f"{population} does not hold {about.id!r} ({about.name}).{near_text}")
    return present[0]


def read_as(word: str, held: Mapping[str, Column], population: str) -> str:
    """Return what to say of a short name that others of the same unit are called by, too; nothing otherwise."""
    name = resolve_observation(word, held, population)
    if word.strip() == name:
        return ""
    about = observations()[name]
    called = [*(m.id for m in lookup(word) if m.kind == "observation"), *also_called(word)]
    others = [n for n in dict.fromkeys(called) if n in held and n != name]
    others = [
        n for n in others if (observations()[n].group, observations()[n].unit) == (about.group, about.unit)
    ]
    if about.unit is None or not others:
        return ""
    return f"{word.strip()!r} was read as {name} ({about.name}); there is also {', '.join(others)}"


def choose(
    condition_ids: Sequence[str],
    count: int | None,
    held: Mapping[str, Column],
    *,
    always: Sequence[str] = (),
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Chosen:
    """Choose the observations that matter most in the conditions, among those that the population holds.

    Demographics of the ranking come on top of the count. Several conditions take turns; without a condition
    the ranking is how prominent an observation is over all conditions.

    Args:
        condition_ids: the conditions.
        count: how many; None for all that the population holds.
        held: the population's columns by observation id.
        always: ids that the request speaks of; they come on top.
        add: further ids.
        drop: ids to leave out.
    """
    ranking = _ranking(condition_ids)
    wanted = [n for n in ranking if n in held] if count is not None else list(held)
    demographics = [n for n in wanted if _group(n) is Group.DEMOGRAPHICS]
    others = [n for n in wanted if _group(n) is not Group.DEMOGRAPHICS]
    picked = others if count is None else others[:count]
    last = max((ranking.index(n) for n in picked if n in ranking), default=-1)
    lacking = tuple(n for n in ranking[: last + 1] if n not in held) if count is not None else ()
    notes = []
    if count is not None and len(others) < count:
        notes.append(
            f"{count} observations were asked for; of the ranked ones the population holds {len(others)} besides "
            "demographics. Add others with --add."
        )
        lacking = tuple(n for n in ranking if n not in held)
    names = [n for n in dict.fromkeys([*demographics, *picked, *always, *add]) if n not in drop]
    absent = [n for n in drop if n not in (*demographics, *picked, *always, *add)]
    notes += [f"{n} was to be dropped, but is not among the chosen observations" for n in absent]
    if not names:
        raise RequestError("no observation is left to show; drop fewer or ask for more (--observations)")
    return Chosen(tuple(names), lacking, tuple(notes))


def _group(name: str) -> Group | None:
    return observations()[name].group if name in observations() else None


def _ranking(condition_ids: Sequence[str]) -> list[str]:
    if not condition_ids:
        return list(_prominent())
    lists = [[ranked.id for ranked in conditions()[name].observations] for name in condition_ids]
    longest = max(map(len, lists))
    turns = [names[place] for place in range(longest) for names in lists if place < len(names)]
    return list(dict.fromkeys(turns))


@cache
def _prominent() -> tuple[str, ...]:
    score: dict[str, float] = {}
    for entry in conditions().values():
        for place, ranked in enumerate(entry.observations, start=1):
            score[ranked.id] = score.get(ranked.id, 0.0) + 1 / place
    return tuple(sorted(score, key=lambda name: (-score[name], name)))


@dataclass(frozen=True)
class Measure:
    """How one quantity is written: its unit and decimals, and the way from the observation's own unit."""

    unit: str | None
    decimals: int | None
    factor: float = 1.0
    offset: float = 0.0
    sources: tuple[str, ...] = ()

    def shown(self, value: float) -> float:
        """Return a value of the observation's own unit in this one."""
        return self.factor * value + self.offset

    def own(self, value: float) -> float:
        """Return a value of this unit in the observation's own one."""
        return (value - self.offset) / self.factor


def measures(
    names: Sequence[str],
    columns: Mapping[str, Column],
    system: str = "conventional",
    units: Mapping[str, str] | None = None,
    decimals: Mapping[str, int] | None = None,
) -> dict[str, Measure]:
    """Return how each quantity among the columns is written.

    Args:
        names: observation ids.
        columns: the population's columns.
        system: `conventional` or `si`; quantities without a usual SI unit stay as they are.
        units: other units for single observations.
        decimals: other decimals for single observations.

    Raises:
        UnknownNameError: if the system or a unit is unknown.
        UnitError: if a unit does not measure the observation.
        SettingsError: if an observation of `units` or `decimals` is no quantity among the columns.
    """
    if system not in SYSTEMS:
        raise UnknownNameError("system of units", system, SYSTEMS)
    for option, given in (("units", units or {}), ("decimals", decimals or {})):
        odd = [name for name in given if name not in names or columns[name].kind is not Kind.NUMBER]
        if odd:
            raise SettingsError(f"{option}: {odd[0]!r} is no quantity among the chosen observations")
    found = {}
    for name in names:
        if columns[name].kind is Kind.NUMBER:
            measure = _measure(name, columns[name], (units or {}).get(name), system)
            chosen = (decimals or {}).get(name, measure.decimals)
            _refuse_decimals(name, chosen, measure)
            found[name] = Measure(measure.unit, chosen, measure.factor, measure.offset, measure.sources)
    return found


def _refuse_decimals(name: str, chosen: int | None, measure: Measure) -> None:
    # In its own unit a value has the digits that it was measured with; more would be zeros or made up.
    is_own = (measure.factor, measure.offset) == (1.0, 0.0)
    most = measure.decimals if is_own and measure.decimals is not None else 6
    if chosen is not None and not 0 <= chosen <= most:
        why = (
            f"; in {measure.unit} it is known to {most}, and further digits would be made up"
            if is_own
            else ""
        )
        raise SettingsError(f"decimals of {name!r}: {chosen}{why}; ask for 0 to {most}")


def _measure(name: str, column: Column, asked: str | None, system: str) -> Measure:
    about = observations().get(name)
    plain = Measure(column.unit, column.decimals)
    if about is None or about.unit is None:
        return plain
    wanted = asked and unit(asked).code
    if wanted is None and system == "si":
        wanted = next((c.unit for c in about.conversions if c.unit in _SI), None)
    if wanted is None or wanted == about.unit:
        return plain
    zero, one = (float(v) for v in convert([0.0, 1.0], about.unit, wanted, of=name))
    listed = about.conversion(wanted)
    decimals = listed.decimals if listed else column.decimals
    return Measure(wanted, decimals, one - zero, zero, listed.sources if listed else ("unit_arithmetic",))


def present_as(
    rows: Dataset, names: Sequence[str], written: Mapping[str, Measure], title: str = "patients"
) -> Dataset:
    """Return the chosen columns of a cohort in their units, rounded, under a schema that says what they mean."""
    columns = [_column(rows.table.column(name), written.get(name)) for name in names]
    series = []
    for column in columns:
        values = rows.frame[column.name]
        if column.name in written:
            measure = written[column.name]
            values = (
                values * measure.factor + measure.offset if measure.factor != 1 or measure.offset else values
            )
            values = values if measure.decimals is None else values.round(measure.decimals)
        series.append(values.alias(column.name))
    return Dataset.of(Schema(tables=(Table(name=title, columns=tuple(columns)),)), pl.DataFrame(series))


def schema_as(
    columns: Mapping[str, Column],
    names: Sequence[str],
    written: Mapping[str, Measure],
    title: str = "patients",
) -> Schema:
    """Return the schema of a cohort's release."""
    shown = tuple(_column(columns[name], written.get(name)) for name in names)
    return Schema(tables=(Table(name=title, columns=shown),))


def _column(own: Column, measure: Measure | None) -> Column:
    about = observations().get(own.name)
    changes: dict[str, object] = {"reason": _meaning(about, own), "confidence": None}
    if own.name in ("sex", "race_ethnicity"):
        changes["roles"] = tuple(dict.fromkeys((*own.roles, Role.PROTECTED)))
    if own.kind is Kind.BOOLEAN:
        changes |= {"spelling": own.spelling or ("no", "yes"), "storage": Storage.TEXT}
    if measure is not None:
        ends = [None if end is None else measure.shown(end) for end in (own.low, own.high)]
        low, high = (ends[1], ends[0]) if measure.factor < 0 else (ends[0], ends[1])
        decimals = measure.decimals
        changes |= {
            "unit": measure.unit,
            "decimals": decimals,
            "low": _outward(low, decimals, -1),
            "high": _outward(high, decimals, 1),
            "storage": Storage.INTEGER if decimals == 0 else Storage.FLOAT,
        }
    return own.model_copy(update=changes)


def _outward(limit: float | None, decimals: int | None, side: int) -> float | None:
    """Round a limit away from the values, so that a value at the limit stays inside when it is rounded."""
    if limit is None or decimals is None:
        return limit
    rounded = round(limit, decimals)
    step = 10.0**-decimals
    return round(rounded + side * step, decimals) if side * (rounded - limit) < -1e-9 else rounded


def _meaning(about: Observation | None, own: Column) -> str:
    if about is None:
        return own.reason
    code = f" LOINC {about.loinc}." if about.loinc else ""
    return f"{about.name}: {about.meaning.rstrip('.')}.{code}"
