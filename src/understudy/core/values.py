"""What every value that travels between steps has: immutability, refusal of unknown fields, a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, get_args, get_origin

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


def digest(document: Any) -> str:
    """Return the SHA-256 (hexadecimal) of a JSON document, independent of the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
