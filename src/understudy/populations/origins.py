"""Where each column of a cohort comes from: the method that gave it, and the sources behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from understudy.core.values import Value
from understudy.knowledge.derivations import EQUATIONS
from understudy.knowledge.drugs import drug_classes
from understudy.knowledge.observations import observations
from understudy.knowledge.sources import sources
from understudy.populations.definitions import Definition
from understudy.populations.presentation import Measure
from understudy.populations.structure import REDONE, STEPS
from understudy.populations.us_adults import NAME as US_ADULTS


class Origin(Value):
    """Where one column comes from."""

    name: str
    method: str
    unit: str | None = None
    sources: tuple[str, ...] = ()


def origins(
    names: Sequence[str],
    written: Mapping[str, Measure],
    population: str,
    stated: Mapping[str, Origin] | None = None,
) -> dict[str, Origin]:
    """Return the origin of each column.

    Args:
        names: observation ids.
        written: how quantities are written.
        population: name of the population that drew the rows.
        stated: what the population itself says of its columns, where it says it.
    """
    found = {}
    for name in names:
        told = (stated or {}).get(name)
        method, cited = (told.method, told.sources) if told else _known(name, population)
        measure = written.get(name)
        if measure is not None and (measure.factor, measure.offset) != (1.0, 0.0):
            own = observations()[name].unit
            offset = f" {measure.offset:+.4g}" if measure.offset else ""
            method += f"; written in {measure.unit} = {measure.factor:.5g} x {own}{offset}"
            cited = (*cited, *measure.sources)
        unit = measure.unit if measure is not None else None
        found[name] = Origin(name=name, method=method, unit=unit, sources=tuple(dict.fromkeys(cited)))
    return found


def stated_by_steps() -> dict[str, Origin]:
    """Return the origin of the observations that `us_adults` computes, whether or not they are drawn first."""
    found = {}
    for step in STEPS:
        equation = EQUATIONS.get(step.equation) if step.equation else None
        valid = f" ({equation.valid})" if equation is not None and equation.valid else ""
        method = f"computed from {', '.join(step.inputs)}: {step.says}{valid}"
        cited = (*step.sources, *observations()[step.output].sources)
        if step.output in REDONE:
            undone = next(s.output for s in STEPS if step.output in s.inputs and s.output in step.inputs)
            method = (
                f"drawn by the model of {US_ADULTS}, which was estimated with survey weights from NHANES 2017-March "
                f"2020; {undone} follows from the drawn value, and the value written is then {method}"
            )
            cited = ("nhanes_2017_2020", *cited)
        found[step.output] = Origin(name=step.output, method=method, sources=cited)
    return found


def _known(name: str, population: str) -> tuple[str, tuple[str, ...]]:
    about = observations().get(name)
    if about is None:
        return f"drawn by the model of {population}", ()
    if about.derived_by is not None:
        equation = EQUATIONS[about.derived_by]
        valid = f" ({equation.valid})" if equation.valid else ""
        method = f"computed from {', '.join(equation.inputs)} by {equation.name}{valid}"
        return method, (*equation.sources, *about.sources)
    if about.nhanes is not None:
        method = (
            f"drawn by the model of {population}, which was estimated with survey weights from variable "
            f"{about.nhanes.variable} of file {about.nhanes.file}, NHANES 2017-March 2020"
        )
        return method, ("nhanes_2017_2020", *about.sources)
    if name in drug_classes():
        return f"drawn by the model of {population} from published rates of use", (
            *drug_classes()[name].sources,
            *about.sources,
        )
    return f"drawn by the model of {population}", about.sources


def citations(named: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the reference, what was read of it and its terms, by source id; unknown ids are left out."""
    known = sources()
    return {
        name: {
            "reference": known[name].cite(),
            "what_was_read": known[name].what_was_read,
            "licence": known[name].licence,
        }
        for name in dict.fromkeys(named)
        if name in known
    }


def cited_by(columns: Mapping[str, Origin], definitions: Sequence[Definition]) -> list[str]:
    """Return the ids of all sources that columns and definitions name, without repetition."""
    by_column = [name for origin in columns.values() for name in origin.sources]
    return list(dict.fromkeys([*by_column, *(name for d in definitions for name in d.sources)]))
