"""What a request can speak of: the observations of a population, or the columns of a person's own table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from understudy.agent.reading.vocabulary import Level, Sense, Vocabulary, common
from understudy.core.catalog import Choice
from understudy.core.contracts import Generator
from understudy.core.schema import Column, Kind, Schema
from understudy.core.seeds import Seed
from understudy.knowledge.columns import read_columns, told_by
from understudy.knowledge.conditions import conditions
from understudy.knowledge.levels import level_words
from understudy.knowledge.lexicon import folded, spellings
from understudy.knowledge.observations import Group, observations
from understudy.workflow.cohort_request import DEFAULT_POPULATION, population_of

_SHORTEST_LEVEL = 4
_DRAWN = 20_000
# How tables and people call the same outcome.
_OUTCOMES = (
    "death",
    "died",
    "dead",
    "deceased",
    "mortality",
    "in hospital mortality",
    "hospital mortality",
    "expired",
)
_SURVIVED = ("survivors", "survivor", "survived", "alive", "discharged alive", "who survived")
_QUALIFIERS = frozenset(("ever", "has", "is", "had", "history", "of", "hx", "dx", "diagnosed", "flag", "yn"))
_LETTERS = {"female": ("f",), "male": ("m",)}


@dataclass(frozen=True)
class Scope:
    """What can be spoken of.

    Attributes:
        columns: by name; ids of observations where patients come from a population.
        vocabulary: the words for them, and all others.
        held: column by id of the observation that it holds.
        rows: rows of the table; None for a population, or where it is not known.
        is_table: whether patients are learned from a table.
    """

    columns: Mapping[str, Column]
    vocabulary: Vocabulary
    held: Mapping[str, str]
    rows: int | None = None
    is_table: bool = False

    def column(self, name: str) -> Column | None:
        """Return the column that holds an observation, or has this name."""
        return self.columns.get(name) or self.columns.get(self.held.get(name, ""))

    def level_of(self, sense: Sense) -> Level | None:
        """Return the levels that a word means where it tells people apart; None where it does not."""
        if sense.tag == "level":
            found: Level = sense.value
            return found if found.column in self.columns else None
        name = told_by(sense.value) if sense.tag == "cond" else sense.value
        column = self.column(name) if sense.tag in ("cond", "obs") and name else None
        return Level(column.name, ("true",)) if column and column.kind is Kind.BOOLEAN else None

    def of_group(self, group: Group) -> tuple[str, ...]:
        """Return the columns that hold observations of one chapter."""
        return tuple(
            column for name, column in self.held.items()
            if name in observations() and observations()[name].group is group
        )  # fmt: skip


@cache
def population(name: str) -> Generator:
    """Return a population, built once: reading it takes longer than all the rest."""
    return population_of(Choice(name=name))


@cache
def prevalences(column: str) -> Mapping[str, float]:
    """Return how common the levels of an observation are among people of the population."""
    drawn = population(DEFAULT_POPULATION).only((column,)).sample(_DRAWN, Seed(0)).frame[column]  # type: ignore[attr-defined]
    return {str(value): count / _DRAWN for value, count in drawn.value_counts().iter_rows()}


@cache
def youngest() -> float:
    """Return the age of the youngest people of the population, in years."""
    drawn = population(DEFAULT_POPULATION).only(("age",)).sample(_DRAWN, Seed(0))  # type: ignore[attr-defined]
    return float(drawn.frame["age"].min())


@cache
def population_scope(name: str) -> Scope:
    """Return what a population holds."""
    columns = {c.name: c for c in population(name).schema.table.columns}
    return Scope(columns, common(), {n: n for n in columns})


@lru_cache(maxsize=8)
def table_scope(schema: Schema, rows: int | None) -> Scope:
    """Return what a table holds, by the names of its columns, their levels, and what medicine calls them."""
    columns = {c.name: c for c in schema.table.columns}
    held = {name: reading.column for name, reading in read_columns(tuple(columns.values())).items()}
    words = [*_of_levels(columns, held), *_of_columns(columns, held)]
    return Scope(columns, Vocabulary(words, common()), held, rows, is_table=True)


def _of_columns(columns: Mapping[str, Column], held: Mapping[str, str]) -> Iterator[tuple[str, Sense]]:
    for name, column in columns.items():
        yield name, Sense("obs", name)
        for word in _OUTCOMES if folded(name) in _OUTCOMES else ():
            yield word, Sense("obs", name)
        for word in _SURVIVED if folded(name) in _OUTCOMES and column.kind is Kind.BOOLEAN else ():
            yield word, Sense("level", Level(name, ("false",)))
        bare = [word for word in folded(name).split() if word not in _QUALIFIERS]
        if column.kind is Kind.BOOLEAN and bare:
            yield " ".join(bare), Sense("obs", name)
    conditions_told = {told: c for c in conditions() if (told := told_by(c))}
    for observation, name in held.items():
        for phrase in (*_phrases()[observation], *_phrases()[conditions_told.get(observation, "")]):
            yield phrase, Sense("obs", name)


@cache
def _phrases() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for phrase, meaning in spellings():
        found[meaning.id].append(phrase)
    return found


def _of_levels(columns: Mapping[str, Column], held: Mapping[str, str]) -> Iterator[tuple[str, Sense]]:
    everywhere = [folded(v) for c in columns.values() for v in c.values or ()]
    for column in columns.values():
        for value in column.values or ():
            word = folded(value)
            if everywhere.count(word) == 1 and len(word) >= _SHORTEST_LEVEL and value[0].isalnum():
                yield value, Sense("level", Level(column.name, (value,)))
    for entry in level_words().values():
        column_name = held.get(entry.observation)
        values = _values_of(columns[column_name], entry.values) if column_name else ()
        for word in entry.words if values else ():
            yield word, Sense("level", Level(str(column_name), values))


def _values_of(column: Column, wanted: tuple[str, ...]) -> tuple[str, ...]:
    if column.kind is Kind.BOOLEAN:
        return wanted if set(wanted) <= {"true", "false"} else ()
    words = {value: _called(value) for value in wanted}
    return tuple(v for v in column.values or () if any(folded(v) in called for called in words.values()))


def _called(value: str) -> set[str]:
    """Return what one level of an observation is called, in tables too."""
    words = [w for e in level_words().values() if e.values == (value,) for w in e.words]
    return {folded(w) for w in (value, *words, *_LETTERS.get(value, ()))}
