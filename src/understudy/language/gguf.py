"""A GGUF file run by llama.cpp in this process; its grammar sampler holds the answer to the schema."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import xllamacpp
from pydantic import Field

from understudy.core.errors import LanguageModelError
from understudy.core.language import LanguageModel, Prompt


class Gguf(LanguageModel):
    """A model in one file, as llama.cpp reads it."""

    file: Path = Field(description="The .gguf file; nothing is ever downloaded.")
    context: int = Field(
        default=8_192, ge=512, le=131_072, description="Tokens of request and answer together."
    )
    gpu_layers: int = Field(default=0, ge=0, description="Layers that run on a graphics processor.")

    def write(self, prompt: Prompt) -> str | None:
        """Return what the model writes within the schema.

        Raises:
            LanguageModelError: if the file cannot be read, or the answer is not complete.
        """
        form = {"name": "answer", "strict": True, "schema": dict(prompt.schema_)}
        answer = _server(self.file, self.context, self.gpu_layers).handle_chat_completions(
            {
                "messages": [{"role": m.role, "content": m.text} for m in prompt.messages],
                "max_tokens": prompt.most_tokens,
                "temperature": 0,
                "response_format": {"type": "json_schema", "json_schema": form},
            }
        )
        document: dict[str, Any] = json.loads(answer) if isinstance(answer, str) else dict(answer)
        if "choices" not in document:
            raise LanguageModelError(f"{self.file.name!r} gave no answer")
        choice = document["choices"][0]
        text = choice["message"].get("content")
        if not isinstance(text, str) or choice.get("finish_reason") == "length":
            raise LanguageModelError(f"{self.file.name!r} wrote no complete answer")
        return text


@cache
def _server(file: Path, context: int, gpu_layers: int) -> Any:
    if not file.is_file():
        raise LanguageModelError(f"there is no file {str(file)!r}; name a .gguf file")
    settings = xllamacpp.CommonParams()
    settings.model.path = str(file)
    settings.n_ctx = context
    settings.n_gpu_layers = gpu_layers
    settings.n_parallel = 1
    settings.verbosity = -1
    settings.warmup = False
    settings.offline = True
    try:
        return xllamacpp.Server(settings)
    except (RuntimeError, OSError, ValueError) as error:
        raise LanguageModelError(f"{str(file)!r} cannot be read as a language model: {error}") from error
