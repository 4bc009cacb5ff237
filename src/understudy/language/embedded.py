"""No language model at all: every answer is left to the built-in interpreter."""

from __future__ import annotations

from understudy.core.language import LanguageModel, Prompt


class Embedded(LanguageModel):
    """The interpreter alone: no weights, no network, the same answer every time."""

    def write(self, prompt: Prompt) -> str | None:
        """Leave the answer to the interpreter."""
        return None
