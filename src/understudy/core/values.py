"""What every value that travels between steps has: immutability, refusal of unknown fields, a digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable, JSON-serialisable value; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON of this value (64 hexadecimal digits)."""
        return digest(self.model_dump(mode="json"))


def digest(document: Any) -> str:
    """Return the SHA-256 (hexadecimal) of a JSON document, independent of the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
