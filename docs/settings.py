"""The settings of a recipe, and the fields of a document, as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from docs.docstrings import parsed
from docs.meanings import MEANINGS
from docs.tables import code, table

_LIMITS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} long",
    "maxLength": "at most {} long",
    "minItems": "at least {} items",
    "pattern": "matches {}",
}


def settings_table(recipe: type[BaseModel]) -> str:
    """Return the settings of a recipe as a table, or a sentence where it has none."""
    fields = recipe.model_json_schema(by_alias=True).get("properties", {})
    if not fields:
        return "No settings."
    return fields_table(recipe, "Setting")


def fields_table(model: type[BaseModel], word: str = "Field") -> str:
    """Return the fields of a document as a table: name, type and limits, default, meaning."""
    document = model.model_json_schema(by_alias=True)
    described = parsed(model).items.get("Attributes", {})
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    rows = []
    for name, schema in document.get("properties", {}).items():
        own = schema.get("description") or described.get(names[name])
        meaning = own or MEANINGS.get(f"{model.__name__}.{name}", "")
        rows.append((code(name), _type(schema), _default(name, schema, document), _sentence(meaning)))
    return table((word, "Type", "Default", "Meaning"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return " or ".join(code(value) for value in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema or "oneOf" in schema:
        parts = [_type(part) for part in (schema.get("anyOf") or schema["oneOf"])]
        return " or ".join(dict.fromkeys(parts))
    words = {"array": "list", "object": "mapping", "null": "nothing", "": "any"}
    kind = schema.get("type", "")
    name = words.get(kind, kind)
    if kind == "array" and isinstance(schema.get("items"), Mapping):
        name = f"list of {_type(schema['items'])}"
    limits = [words.format(_plain(schema[key])) for key, words in _LIMITS.items() if key in schema]
    return ", ".join([name, *limits])


def _plain(value: object) -> str:
    return (
        code(value) if isinstance(value, str) else f"{value:,g}" if isinstance(value, float) else str(value)
    )


def _default(name: str, schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    if "default" not in schema:
        return "required" if name in document.get("required", ()) else "empty"
    value = schema["default"]
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        return ", ".join(code(item["name"]) for item in value)
    return "none" if value is None else code(json.dumps(value, ensure_ascii=False))


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith((".", "!", "?")) else ".")
