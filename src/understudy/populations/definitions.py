"""Who has a condition in a population: the definition of the knowledge base over the columns that it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from understudy.core.conditions import OneOf, Where
from understudy.core.errors import ConditionError, UnknownNameError
from understudy.core.schema import Column
from understudy.knowledge.columns import told_by
from understudy.knowledge.conditions import Condition, Stage, conditions
from understudy.knowledge.guidelines import guidelines
from understudy.knowledge.lexicon import likest, lookup, suggest
from understudy.knowledge.observations import observations
from understudy.populations.logic import Joined, Node, Not, as_where, conjuncts, names, parse, without


@dataclass(frozen=True)
class Definition:
    """Who belongs to a cohort on account of one condition.

    Attributes:
        condition: id of the condition.
        stage: its stage as a plan says it; nothing where the whole condition is meant.
        is_excluded: whether these people are left out instead.
        when: the definition as SQL over observation ids.
        where: the part that a generator honours as it draws.
        rest: SQL conditions that are checked on drawn rows.
        basis: what the definition rests on, in words.
        sources: ids of the sources behind it.
    """

    condition: str
    stage: str
    is_excluded: bool
    when: str
    where: tuple[Where, ...]
    rest: tuple[str, ...]
    basis: str
    sources: tuple[str, ...]

    def says(self) -> str:
        """Return the definition in words."""
        return f"{'not ' if self.is_excluded else ''}{conditions()[self.condition].name}: {self.when}"


def resolve_condition(word: str) -> tuple[str, tuple[Stage, ...]]:
    """Return the id of the condition that a person names, and its stages where some are said.

    Stages are said as in `CKD stage 3`, `class II obesity` or `ckd:g3b`; any of them is meant.

    Raises:
        UnknownNameError: if the knowledge base knows no such condition or stage; nothing is invented.
    """
    name, _, label = (part.strip() for part in word.partition(":"))
    found = _named(name)
    if found is None and not label:
        return _with_stage(name)
    if found is None:
        raise _unknown(name)
    # A plan joins the stages that one word stood for by a plus.
    stages = tuple(s for part in label.split("+") for s in conditions()[found].staged(part))
    if label and not stages:
        raise UnknownNameError(f"stage of {found!r}", label, tuple(s.id for s in conditions()[found].stages))
    return found, stages


def in_words(word: str) -> str:
    """Return a condition of a plan as people call it, with its stage."""
    name, stages = resolve_condition(word)
    return ", ".join([conditions()[name].name, *([" or ".join(s.name for s in stages)] if stages else [])])


def _named(text: str) -> str | None:
    return next((m.id for m in lookup(text) if m.kind == "condition"), None)


def _with_stage(text: str) -> tuple[str, tuple[Stage, ...]]:
    """Read a condition whose name stands before or after its stage."""
    words = text.split()
    for cut in range(len(words) - 1, 0, -1):
        for named, rest in ((words[:cut], words[cut:]), (words[-cut:], words[:-cut])):
            found = _named(" ".join(named))
            stages = conditions()[found].staged(" ".join(rest)) if found else ()
            if found and stages:
                return found, stages
    raise _unknown(text)


def _unknown(name: str) -> UnknownNameError:
    """Return the refusal of a condition: with those spelled alike or named within it, or else the likest names."""
    words = name.split()
    within = [" ".join(words[i:j]) for i in range(len(words)) for j in range(len(words), i, -1)]
    near = [m.id for text in (*within, *suggest(name, 8)) for m in lookup(text) if m.kind == "condition"]
    shown = tuple(dict.fromkeys(near)) or likest(name, tuple(conditions()))
    why = (
        "it is outside the knowledge base, and none is invented; `understudy knowledge list conditions` lists the "
        f"{len(conditions())} that are known, among them these"
    )
    # Names of diseases are long and alike: what merely shares letters with an unknown one is no suggestion.
    return UnknownNameError("condition", name, shown, why=why, likeness=0.75)


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
    name, stages = resolve_condition(word)
    entry = conditions()[name]
    when, basis, cited = _chosen(entry, columns, population)
    if stages:
        part = _staged(entry, stages, columns, population)
        when = Joined("AND", (when, part))
        basis += f"; stage by {' and '.join(dict.fromkeys(guidelines()[s.guideline].name for s in stages))}"
        cited = (*cited, *(source for s in stages for source in guidelines()[s.guideline].sources))
    where, rest = _taken_apart(when, columns, exclude=exclude)
    if entry.sex is not None and not exclude and "sex" in columns:
        where = (*where, OneOf(column="sex", values=(entry.sex,)))
    stage = "+".join(s.id for s in stages)
    return Definition(name, stage, exclude, when.sql(), where, rest, basis, tuple(dict.fromkeys(cited)))


def _staged(
    entry: Condition, stages: tuple[Stage, ...], columns: Mapping[str, Column], population: str
) -> Node:
    parts = tuple(parse(stage.when) for stage in stages)
    for stage, part in zip(stages, parts, strict=True):
        _refuse_absent(f"{entry.name}, {stage.name}", part, columns, population)
    return parts[0] if len(parts) == 1 else Joined("OR", parts)


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
