"""Reads the package's knowledge files: YAML lists of entries and CSV tables, validated where they are read."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import Field, ValidationError

from understudy.core.errors import KnowledgeError, UnknownNameError
from understudy.core.schema import explain
from understudy.core.values import Value

# libyaml reads ten times faster; it is absent from some builds of PyYAML.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Entry(Value):
    """One entry of a knowledge file."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$", description="Name by which other entries refer to it.")


E = TypeVar("E", bound=Entry)


def load(place: str, model: type[E]) -> Mapping[str, E]:
    """Read the entries of a knowledge file, or of all files of a folder, in the order of their writing.

    Args:
        place: path inside the package's `data` folder: `units.yaml` or a folder such as `observations`.
        model: the value that each entry must be.

    Raises:
        KnowledgeError: if a file is no list of valid entries or an id occurs twice; names file and entry.
    """
    found: dict[str, E] = {}
    for file in _files(place):
        for number, document in enumerate(_entries(file), start=1):
            entry = _validated(file, number, document, model)
            if entry.id in found:
                raise KnowledgeError(f"{place}/{file.name}: the id {entry.id!r} is given twice; rename one")
            found[entry.id] = entry
    return MappingProxyType(found)


def find(kind: str, entries: Mapping[str, E], name: str) -> E:
    """Return the entry with this id.

    Raises:
        UnknownNameError: if there is none; suggests the nearest.
    """
    if name not in entries:
        raise UnknownNameError(kind, name, tuple(entries))
    return entries[name]


def read_table(place: str) -> tuple[dict[str, str], ...]:
    """Read a CSV file of the package's `data` folder: one mapping from column name to text a row.

    Raises:
        KnowledgeError: if the file is absent, has no rows, or a row is shorter or longer than the header.
    """
    (file,) = _files(place)
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = list(csv.reader(lines))
    if len(rows) < 2:
        raise KnowledgeError(f"{place} has no rows below its header")
    header = rows[0]
    odd = [number for number, row in enumerate(rows[1:], start=1) if len(row) != len(header)]
    if odd:
        raise KnowledgeError(f"{place}: row {odd[0]} has not the {len(header)} cells of the header")
    return tuple(dict(zip(header, row, strict=True)) for row in rows[1:])


def _files(place: str) -> list[Traversable]:
    path = files("understudy.knowledge").joinpath("data", *place.split("/"))
    if path.is_file():
        return [path]
    if path.is_dir():
        return sorted((f for f in path.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    raise KnowledgeError(f"the package has no knowledge file or folder {place!r}; install it again")


def _entries(file: Traversable) -> list[object]:
    try:
        document = _parsed(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise KnowledgeError(f"{file.name} is not valid YAML: {error}") from error
    if not isinstance(document, list):
        raise KnowledgeError(f"{file.name} must be a list of entries, each starting with '- id:'")
    return document


def _parsed(text: str) -> object:
    """Do what `yaml.safe_load` does, with the fast one of the two safe loaders."""
    loader = _LOADER(text)
    try:
        document: object = loader.get_single_data()
    finally:
        loader.dispose()
    return document


def _validated(file: Traversable, number: int, document: object, model: type[E]) -> E:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        name = document.get("id") if isinstance(document, dict) else None
        raise KnowledgeError(f"{file.name}, entry {number} ({name!r}): {explain(error)}") from error
