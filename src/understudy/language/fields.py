"""One field at a time: for models that cannot spell JSON, each field is a question with a held form of answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NOTHING = "none"
_WORDS = r"[A-Za-z0-9][A-Za-z0-9 .,:=/%+()~_-]{0,60}"


def question(name: str, form: Mapping[str, Any]) -> str:
    """Return the question for a field."""
    about = str(form.get("description", name.replace("_", " ")))
    several = " Several answers are separated by semicolons." if _kind(form) == "array" else ""
    return f"\nQuestion: {about}{several} If the request does not say it, answer {NOTHING}.\nAnswer:"


def answer_form(form: Mapping[str, Any]) -> str:
    """Return the regular expression that the answer is held to."""
    if options := _options(form):
        return "|".join([*map(re.escape, options), NOTHING])
    if _kind(form) in ("integer", "number"):
        return rf"[0-9]{{1,9}}|{NOTHING}"
    if _kind(form) == "boolean":
        return f"yes|no|{NOTHING}"
    return rf"{_WORDS}(; {_WORDS}){{0,9}}" if _kind(form) == "array" else _WORDS


def value(text: str, form: Mapping[str, Any]) -> Any:
    """Return the value that an answer stands for; None where the request does not say it."""
    text = text.strip()
    if text.casefold() in (NOTHING, ""):
        return None
    match _kind(form):
        case "integer" | "number":
            return int(text)
        case "boolean":
            return text == "yes"
        case "array":
            return [part.strip() for part in text.split(";") if part.strip().casefold() not in (NOTHING, "")]
    return text


def _kind(form: Mapping[str, Any]) -> str:
    forms = form.get("anyOf", [form])
    return next((f["type"] for f in forms if f.get("type") not in (None, "null")), "string")


def _options(form: Mapping[str, Any]) -> list[str]:
    forms = form.get("anyOf", [form])
    return [str(o) for f in forms for o in f.get("enum", [f["const"]] if "const" in f else [])]
