"""The generator of a population: conditional sampling around its model, saved as a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from understudy.core.conditions import Conditions, Feasibility
from understudy.core.dataset import Dataset
from understudy.core.errors import ArtifactError, ConditionError
from understudy.core.schema import Kind, Schema
from understudy.core.seeds import Seed
from understudy.populations.columns import schema_of
from understudy.populations.model import PopulationModel
from understudy.populations.parameters import read_parameters, write_parameters
from understudy.sampling.conditioning import Sampler
from understudy.sampling.rules import RowRules

FILES = "population"
_FIELDS = ("variables", "models", "places", "people", "fewest")


@dataclass(frozen=True)
class PopulationGenerator:
    """Draws people of a population; implements `core.contracts.Generator`.

    Attributes:
        name: catalog name of the population.
        model: draws its people.
    """

    name: str
    model: PopulationModel

    @property
    def schema(self) -> Schema:
        """The schema that every sample obeys: observations by id, in their own units."""
        return self.model.schema

    @property
    def facts(self) -> dict[str, object]:
        """How many people of the survey are behind it."""
        return {"people": self.model.people}

    def sample(self, n: int, seed: Seed, given: Conditions | None = None) -> Dataset:
        """Draw exactly `n` people who satisfy `given`; see `Generator.sample`.

        Raises:
            ConditionError: if the conditions cannot be met, or if rows are to be completed.
        """
        if given is not None and given.partial is not None:
            raise ConditionError(
                f"{self.name} draws whole people and completes no given rows; state what is known as conditions"
            )
        return Dataset.of(self.schema, self._sampler.sample(n, seed.child("rows"), given))

    def feasibility(self, given: Conditions, seed: Seed) -> Feasibility:
        """Say how hard the conditions are; see `Generator.feasibility`."""
        return self._sampler.feasibility(given, seed)

    def save(self, folder: Path) -> None:
        """Write the generator as JSON and npz; `load` reads it."""
        save_model(self.name, self.model, folder, FILES)

    def only(self, names: Sequence[str]) -> PopulationGenerator:
        """Return the generator of fewer columns, which is faster.

        Raises:
            UnknownNameError: if the population holds no such observation; suggests the nearest.
        """
        held = [self.schema.table.column(name).name for name in names]
        return PopulationGenerator(self.name, self.model.only(tuple(dict.fromkeys(held))))

    @cached_property
    def _sampler(self) -> Sampler:
        levels = {
            column.name: ("false", "true") if column.kind is Kind.BOOLEAN else column.values or ()
            for column in self.schema.table.columns
            if column.is_discrete
        }
        return Sampler(self.model, RowRules(), levels, self.model.people)


def save_model(name: str, model: PopulationModel, folder: Path, stem: str) -> None:
    """Write a population as `<stem>.json` and `<stem>.npz`."""
    value = {
        "population": name,
        "people": model.people,
        "fewest": model.fewest,
        "columns": model.schema.table.names,
        "variables": model.variables,
        "models": model.models,
        "places": model.places,
    }
    write_parameters(value, folder, stem)


def load(folder: Path) -> PopulationGenerator:
    """Load a generator that `save` wrote.

    Raises:
        ArtifactError: if there is none, if it is damaged, or if a newer release wrote it.
    """
    value = read_parameters(folder, FILES)
    return generator_of(value)


def generator_of(value: dict[str, object]) -> PopulationGenerator:
    """Return the generator of what a parameter file holds.

    Raises:
        ArtifactError: if an older release wrote it, with other groups of people.
    """
    name, names = str(value["population"]), value["columns"]
    assert isinstance(names, tuple)
    if not value.keys() >= set(_FIELDS):
        raise ArtifactError(f"the parameters of {name!r} were written by an older release; build them again")
    variables, models, places, people, fewest = (value[key] for key in _FIELDS)
    model = PopulationModel(schema_of(name, names), variables, models, places, people, fewest)  # type: ignore[arg-type]
    return PopulationGenerator(name, model)
