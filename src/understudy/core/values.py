"""What every value that travels between steps has: immutability, refusal of unknown fields, a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable, JSON-serialisable value; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON of this value (64 hexadecimal digits)."""
        return digest(self.model_dump(mode="json"))


def sparse(value: Any) -> Any:
    """Return a value as a JSON document without the fields that are at their default, for people to read.

    The words that tell the members of a union apart (fields of one literal) always stay.
    """
    if isinstance(value, BaseModel):
        shown = {}
        for name, field in type(value).model_fields.items():
            if field.exclude:
                continue
            item = getattr(value, name)
            tells_apart = get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1
            if tells_apart or item != field.get_default(call_default_factory=True, validated_data={}):
                shown[field.alias or name] = sparse(item)
        return shown
    if isinstance(value, Mapping):
        return {key: sparse(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [sparse(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def read_document(text: str, what: str, newest: int, command: str, error: type[Exception]) -> dict[str, Any]:
    """Read a YAML mapping that a person may have edited.

    Args:
        text: the YAML.
        what: what it is, for messages, such as `plan`.
        newest: the newest version that can be read.
        command: the command that writes one.
        error: what is raised.

    Raises:
        error: if it is no YAML, no mapping, or of a newer version.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as found:
        raise error(f"the {what} is not valid YAML: {found}") from found
    if not isinstance(document, dict):
        raise error(f"the {what} is empty or not a mapping; write one with `{command}`")
    version = document.get("version", newest)
    if isinstance(version, int) and version > newest:
        raise error(f"the {what} has version {version}; this release reads up to {newest}: upgrade")
    return document


def digest(document: Any) -> str:
    """Return the SHA-256 (hexadecimal) of a JSON document, independent of the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
