"""Who has a condition in a population: the definition of the knowledge base over the columns that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from understudy.core.conditions import OneOf, Where
from understudy.core.errors import ConditionError, UnknownNameError
from understudy.core.schema import Column
from understudy.knowledge.columns import told_by
from understudy.knowledge.conditions import Condition, conditions
from understudy.knowledge.guidelines import guidelines
from understudy.knowledge.lexicon import lookup, suggest
from understudy.knowledge.observations import observations
from understudy.populations.logic import Joined, Node, Not, as_where, conjuncts, names, parse, without


@dataclass(frozen=True)
class Definition:
    """Who belongs to a cohort on account of one condition.

    Attributes:
        condition: id of the condition.
        is_excluded: whether these people are left out instead.
        when: the definition as SQL over observation ids.
        where: the part that a generator honours as it draws.
        rest: SQL conditions that are checked on drawn rows.
        basis: what the definition rests on, in words.
        sources: ids of the sources behind it.
    """

    condition: str
    is_excluded: bool
    when: str
    where: tuple[Where, ...]
    rest: tuple[str, ...]
    basis: str
    sources: tuple[str, ...]

    def says(self) -> str:
        """Return the definition in words."""
        return f"{'not ' if self.is_excluded else ''}{conditions()[self.condition].name}: {self.when}"


def resolve_condition(word: str) -> tuple[str, str | None]:
    """Return the id of the condition that a person names, and of its stage where `condition:stage` is said.

    Raises:
        UnknownNameError: if the knowledge base knows no such condition or stage; nothing is invented.
    """
    name, _, stage = (part.strip() for part in word.partition(":"))
    found = next((m.id for m in lookup(name) if m.kind == "condition"), None)
    if found is None:
        near = [m.id for text in suggest(name, 8) for m in lookup(text) if m.kind == "condition"]
        known = tuple(dict.fromkeys([*near, *(conditions() if not near else ())]))
        raise UnknownNameError(
            "condition (it is outside the knowledge base, and none is invented)", name, known
        )
    if not stage:
        return found, None
    stages = {s.id.casefold(): s.id for s in conditions()[found].stages}
    if stage.casefold() not in stages:
        raise UnknownNameError(f"stage of {found!r}", stage, tuple(stages.values()))
    return found, stages[stage.casefold()]


def define(word: str, columns: Mapping[str, Column], population: str, *, exclude: bool = False) -> Definition:
    """Return who has (or, excluded, has not) the named condition in a population.

    The survey's definition comes first, then a question whether a doctor told it, then the criteria of a
    guideline, without those alternatives whose observations the population lacks.

    Args:
        word: the condition as a person names it, optionally with `:stage`.
        columns: the population's columns by observation id.
        population: the population's name, for messages.
        exclude: whether people with the condition are left out instead.

    Raises:
        UnknownNameError: if no such condition is known.
        ConditionError: if the population cannot represent it; says why.
    """
    name, stage = resolve_condition(word)
    entry = conditions()[name]
    when, basis, cited = _chosen(entry, columns, population)
    if stage is not None:
        step = next(s for s in entry.stages if s.id == stage)
        _refuse_absent(f"{entry.name}, stage {stage}", parse(step.when), columns, population)
        when = Joined("AND", (when, parse(step.when)))
        basis += f"; stage by {guidelines()[step.guideline].name}"
        cited = (*cited, *guidelines()[step.guideline].sources)
    where, rest = _taken_apart(when, columns, exclude=exclude)
    if entry.sex is not None and not exclude and "sex" in columns:
        where = (*where, OneOf(column="sex", values=(entry.sex,)))
    return Definition(name, exclude, when.sql(), where, rest, basis, tuple(dict.fromkeys(cited)))


def _taken_apart(
    when: Node, columns: Mapping[str, Column], *, exclude: bool
) -> tuple[tuple[Where, ...], tuple[str, ...]]:
    where, rest = [], []
    for part in conjuncts(when, is_denied=exclude):
        plain = as_where(part, columns)
        if plain is not None and not exclude:
            where.append(plain)
        elif exclude and isinstance(plain, OneOf) and plain.values == ("false",):
            # Left out are those known to have it; who does not know stays.
            where.append(OneOf(column=plain.column, values=("true",), exclude=True))
        else:
            inner = part.of if exclude and isinstance(part, Not) else part
            rest.append(f"NOT COALESCE({inner.sql()}, FALSE)" if exclude else part.sql())
    return tuple(where), tuple(rest)


def _chosen(
    entry: Condition, columns: Mapping[str, Column], population: str
) -> tuple[Node, str, tuple[str, ...]]:
    lacking: list[str] = []
    for when, basis, cited in _offered(entry):
        whole = parse(when)
        absent = [n for n in names(whole) if n not in columns]
        held = without(whole, lambda n: n in columns)
        if held is not None:
            short = f" (without {', '.join(absent)}, which {population} lacks)" if absent else ""
            return held, basis + short, cited
        lacking += absent
    raise ConditionError(_why_not(entry, tuple(dict.fromkeys(lacking)), population, columns))


def _offered(entry: Condition) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    survey = entry.nhanes_definition
    if survey is not None and survey.over == "observations":
        note = f": {survey.note}" if survey.note else ""
        yield survey.when, f"definition for the survey{note}", survey.sources
    told = told_by(entry.id)
    for name in dict.fromkeys([*([told] if told else []), f"history_{entry.id}", entry.id]):
        yield name, f"what the person was told or asked ({name})", entry.sources
    for criterion in entry.criteria:
        by = guidelines()[criterion.guideline]
        yield criterion.when, f"criterion of {by.name}", (*by.sources, *entry.sources)


def _refuse_absent(what: str, when: Node, columns: Mapping[str, Column], population: str) -> None:
    absent = [name for name in names(when) if name not in columns]
    if absent:
        raise ConditionError(
            f"{population} cannot represent {what}: it is told by {', '.join(absent)}, which it does not hold"
        )


def _why_not(
    entry: Condition, lacking: tuple[str, ...], population: str, columns: Mapping[str, Column]
) -> str:
    real = tuple(name for name in lacking if name in observations())
    if real:
        reason = f"it is told by {' or '.join(real)}, which {population} does not hold"
    else:
        reason = "the knowledge base has no definition of it over observations"
    shown = [name for name in entry.important(12) if name in columns]
    other = [
        c.name for c in conditions().values() if c.id in entry.complications or entry.id in c.complications
    ]
    near = f" Related conditions: {', '.join(other)}." if other else ""
    held = f" Of its observations {population} holds {', '.join(shown[:6])}." if shown else ""
    return f"{population} cannot represent {entry.name!r}: {reason}.{near}{held}"
