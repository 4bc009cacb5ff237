"""Building a population's parameters anew from public-use survey files."""

from __future__ import annotations

from pathlib import Path

from understudy.core.seeds import Seed
from understudy.populations.aligning import aligned
from understudy.populations.columns import schema_of
from understudy.populations.fitting import FittingSettings, fit
from understudy.populations.generator import save_model
from understudy.populations.model import PopulationModel
from understudy.populations.nhanes import read_adults
from understudy.populations.structure import published
from understudy.populations.us_adults import NAME


def build(folder: Path, out: Path, settings: FittingSettings | None = None) -> tuple[Path, Path]:
    """Build the parameters of `us_adults` from the survey's files; the same files give the same bytes.

    Args:
        folder: the public-use files of NHANES 2017-March 2020; see `nhanes.read_adults`.
        out: folder to write `us_adults.json` and `us_adults.npz` into.
        settings: how closely to follow the survey.

    Raises:
        SourceError: if a file is missing or cannot be read.
    """
    people = read_adults(folder)
    rng = Seed().child("populations").child(NAME).rng()
    variables, models, places, fewest = fit(people, settings or FittingSettings(), rng)
    model = PopulationModel(schema_of(NAME, published()), variables, models, places, people.height, fewest)
    save_model(NAME, aligned(model, rng), out, NAME)
    return out / f"{NAME}.json", out / f"{NAME}.npz"
