"""Loading what was trained: by the name in the folder, through the catalog; no code of the folder is run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from understudy.core.contracts import Generator
from understudy.core.errors import ArtifactError, UnknownNameError
from understudy.core.schema import Column, Schema
from understudy.sampling.chain import Chain
from understudy.sampling.leaves import LevelLeaves, NormalLeaves
from understudy.sampling.margins import Margin
from understudy.sampling.rules import RowRules
from understudy.sampling.trees import Features, Tree, VariableModel
from understudy.sampling.variables import ColumnModel, Variable, Variables
from understudy.synthesizers.catalog import CATALOG
from understudy.synthesizers.folders import read_folder, read_header
from understudy.synthesizers.fresh import Fresh, Seen
from understudy.synthesizers.generator import RowGenerator
from understudy.synthesizers.identifiers import Identifiers, Sizes

_KNOWN: tuple[type, ...] = (
    Chain,
    Column,
    ColumnModel,
    Features,
    Fresh,
    Identifiers,
    LevelLeaves,
    Margin,
    NormalLeaves,
    RowGenerator,
    RowRules,
    Schema,
    Seen,
    Sizes,
    Tree,
    Variable,
    VariableModel,
    Variables,
)


def load(folder: Path) -> Generator:
    """Load a generator that any synthesizer of the catalog saved.

    Raises:
        ArtifactError: if there is none, if it is damaged, or if a newer release wrote it.
    """
    name = read_header(folder)["synthesizer"]
    try:
        recipe = CATALOG.recipe(name)
    except UnknownNameError as error:
        raise ArtifactError(
            f"the generator in {str(folder)!r} is of an unknown synthesizer: {error}"
        ) from error
    found: Generator = sys.modules[recipe.__module__].load(folder)
    return found


def load_row_model(folder: Path, *further: type[Any]) -> Generator:
    """Load a generator around a model of rows.

    Args:
        folder: what its `save` wrote.
        further: classes of the model beyond chains of trees.

    Raises:
        ArtifactError: as `load`.
    """
    loaded = read_folder(folder, {made.__name__: made for made in (*_KNOWN, *further)})
    if not isinstance(loaded, RowGenerator):
        raise ArtifactError(f"{str(folder)!r} holds no generator of rows")
    return loaded
