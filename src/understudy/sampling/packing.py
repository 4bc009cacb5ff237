"""Trees of values as JSON and arrays, and back; reading them makes known values only and runs no code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from understudy.core.errors import ArtifactError

_TAG = "is"
_ARRAYS = "biuf"


def pack(value: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a value as a JSON document and the arrays that it refers to.

    Args:
        value: dataclasses, pydantic values, tuples, lists, dicts with keys of text or integers, arrays of
            numbers or booleans, texts, numbers, booleans and None, nested in any way.

    Raises:
        TypeError: if something else is in it.
    """
    packer = _Packer()
    return {"root": packer.node(value, "root")}, packer.arrays


def unpack(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray], known: Mapping[str, type]) -> Any:
    """Return the value that `pack` made the document and arrays of.

    Args:
        document: what `pack` returned, through JSON or not.
        arrays: the arrays.
        known: the classes that may be made, by name; no other class is ever made.

    Raises:
        ArtifactError: if the document is damaged or names an unknown class.
    """
    try:
        return _Unpacker(arrays, known).value(document["root"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = "a value in it is not valid" if isinstance(error, ValidationError) else repr(error)[:200]
        raise ArtifactError(
            f"the stored document is damaged: {reason}. Take an intact copy, or fit again."
        ) from error


@dataclass
class _Packer:
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def node(self, value: Any, path: str) -> Any:
        """Return the JSON of one value; `path` says where it is, for messages."""
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            return {_TAG: "float", "text": str(value)}
        if value is None or type(value) in (str, bool, int, float):
            return value
        if isinstance(value, np.ndarray):
            return self._array(value, path)
        if isinstance(value, tuple | list):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return {_TAG: kind, "items": [self.node(v, f"{path}[{i}]") for i, v in enumerate(value)]}
        if isinstance(value, Mapping):
            return self._mapping(value, path)
        return self._object(value, path)

    def _array(self, array: np.ndarray, path: str) -> dict[str, Any]:
        if array.dtype.kind not in _ARRAYS:
            raise TypeError(f"{path}: arrays of {array.dtype} are not stored; keep texts in tuples")
        name = f"a{len(self.arrays)}"
        self.arrays[name] = array
        return {_TAG: "array", "name": name}

    def _mapping(self, mapping: Mapping[Any, Any], path: str) -> dict[str, Any]:
        odd = [key for key in mapping if type(key) not in (str, int)]
        if odd:
            raise TypeError(f"{path}: the key {odd[0]!r} is neither text nor an integer")
        return {_TAG: "dict", "items": [[k, self.node(v, f"{path}[{k!r}]")] for k, v in mapping.items()]}

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        name = type(value).__name__
        if isinstance(value, BaseModel):
            return {_TAG: "value", "of": name, "json": value.model_dump(mode="json", by_alias=True)}
        if is_dataclass(value) and not isinstance(value, type | Enum):
            parts = {
                f.name: self.node(getattr(value, f.name), f"{path}.{f.name}") for f in fields(value) if f.init
            }
            return {_TAG: "object", "of": name, "fields": parts}
        raise TypeError(f"{path}: a {name} cannot be stored")


@dataclass(frozen=True)
class _Unpacker:
    arrays: Mapping[str, np.ndarray]
    known: Mapping[str, type]

    def value(self, node: Any) -> Any:
        """Return the value of one node."""
        if not isinstance(node, dict):
            return node
        match node[_TAG]:
            case "float":
                return float(node["text"])
            case "array":
                return self.arrays[node["name"]]
            case "tuple":
                return tuple(self.value(item) for item in node["items"])
            case "list":
                return [self.value(item) for item in node["items"]]
            case "dict":
                return {key: self.value(item) for key, item in node["items"]}
            case _:
                return self._object(node)

    def _object(self, node: Mapping[str, Any]) -> Any:
        made = self.known.get(node["of"])
        if made is None:
            raise ArtifactError(
                f"the stored document names {node['of']!r}, which is not stored in this kind of file"
            )
        if issubclass(made, BaseModel):
            return made.model_validate(node["json"])
        return made(**{name: self.value(part) for name, part in node["fields"].items()})
