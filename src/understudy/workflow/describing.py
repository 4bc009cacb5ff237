"""What a population holds: its observations with their origin, and the conditions that it can represent."""

from __future__ import annotations

from typing import Any

from understudy.core.catalog import Choice
from understudy.core.contracts import Generator
from understudy.core.errors import ConditionError
from understudy.knowledge.conditions import conditions
from understudy.knowledge.observations import observations
from understudy.populations.catalog import CATALOG as POPULATIONS
from understudy.populations.definitions import define
from understudy.populations.origins import Origin, origins, stated_by_steps
from understudy.populations.us_adults import NAME as US_ADULTS
from understudy.workflow.cohort_request import population_of

MOST_INPUTS = 4


def describe_population(name: str, generator: Generator | None = None) -> dict[str, Any]:
    """Return as a JSON document what a population holds and can represent.

    Args:
        name: catalog name.
        generator: the population, where it is built already.

    Raises:
        UnknownNameError: if there is no such population.
    """
    built = generator or population_of(Choice(name=name))
    columns = {column.name: column for column in built.schema.table.columns}
    made = origins(tuple(columns), {}, name, stated_by_steps() if name == US_ADULTS else None)
    known, unknown = [], []
    for entry in conditions().values():
        try:
            definition = define(entry.id, columns, name)
        except ConditionError:
            unknown.append(entry.id)
            continue
        known.append({"id": entry.id, "name": entry.name, "when": definition.when, "basis": definition.basis})
    return {
        "name": name,
        "summary": POPULATIONS.entry(name).summary if name in POPULATIONS.names else "",
        "observations": [
            {
                "id": column.name,
                "name": observations()[column.name].name if column.name in observations() else column.name,
                "kind": column.kind.value,
                "unit": column.unit,
                "from": _briefly(made[column.name]),
                "method": made[column.name].method,
                "sources": list(made[column.name].sources),
            }
            for column in columns.values()
        ],
        "conditions": known,
        "not_represented": unknown,
    }


def _briefly(made: Origin) -> str:
    """Return in a few words what a column was made from: a variable of the survey, or other columns."""
    about = observations().get(made.name)
    if made.method.startswith("computed"):
        inputs = made.method.removeprefix("computed from ").partition(":")[0].split(", ")
        return ", ".join(inputs) if len(inputs) <= MOST_INPUTS else f"{len(inputs)} others"
    return f"{about.nhanes.variable} of {about.nhanes.file}" if about and about.nhanes else "the model"
