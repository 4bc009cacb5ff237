"""What a language model is asked, and the contract of everything that answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from understudy.core.contracts import Recipe
from understudy.core.values import Value


class Message(Value):
    """One turn of what a language model reads."""

    role: Literal["system", "user", "assistant"]
    text: str


class Prompt(Value):
    """A question to a language model, with the form of its answer.

    Attributes:
        messages: what it reads, oldest first.
        schema_: JSON schema of a flat object; the answer is one JSON document that obeys it.
        most_tokens: the answer is cut off, and refused, when it is longer.
    """

    messages: tuple[Message, ...]
    schema_: Mapping[str, Any] = Field(alias="schema")
    most_tokens: int = Field(default=1_000, ge=1)


class LanguageModel(Recipe):
    """Writes an answer of a stated form; it holds no tool, opens no file and sees nothing but the prompt."""

    @abstractmethod
    def write(self, prompt: Prompt) -> str | None:
        """Return JSON text that answers the prompt, or None to leave the answer to the interpreter.

        Raises:
            LanguageModelError: if there is no answer: not reachable, too slow, too long, broken off.
        """
