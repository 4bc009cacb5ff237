"""Adults of the United States, as the National Health and Nutrition Examination Survey of 2017-March 2020 saw them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pydantic import Field

from understudy.core.contracts import Population
from understudy.populations.generator import PopulationGenerator, generator_of
from understudy.populations.parameters import read_parameters

NAME = "us_adults"


class UsAdults(Population):
    """US residents aged 20 and over: 132 observations, complete records.

    Margins and dependence are weighted aggregates of at least 11 of 8,544 examined people of a public-use survey;
    observations that follow from others are computed by published equations.
    """

    observations: tuple[str, ...] | None = Field(
        default=None, description="Ids of the observations to draw; left out, all. Fewer are drawn faster."
    )

    def build(self) -> PopulationGenerator:
        """Return the generator; reads the parameters that ship with the package."""
        return _whole() if self.observations is None else _whole().only(self.observations)


@cache
def _whole() -> PopulationGenerator:
    return generator_of(read_parameters(files("understudy.populations").joinpath("data"), NAME))
