"""A language model whose answers were written beforehand; it keeps what it was asked."""

from __future__ import annotations

from pydantic import Field, PrivateAttr

from understudy.core.errors import LanguageModelError
from understudy.core.language import LanguageModel, Prompt


class Scripted(LanguageModel):
    """Gives its answers in order, whatever it is asked."""

    answers: tuple[str, ...] = Field(default=(), description="The answers, JSON text, in order.")
    _prompts: list[Prompt] = PrivateAttr(default_factory=list)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Everything that was asked so far."""
        return tuple(self._prompts)

    def write(self, prompt: Prompt) -> str | None:
        """Return the next answer.

        Raises:
            LanguageModelError: when all were given.
        """
        self._prompts.append(prompt)
        if len(self._prompts) > len(self.answers):
            raise LanguageModelError(f"the script holds {len(self.answers)} answers, and all were given")
        return self.answers[len(self._prompts) - 1]
