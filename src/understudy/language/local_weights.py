"""Weights from a folder of this machine, run by transformers in this process; its answers cannot leave the form.

A decoder writes one JSON document, each token held to the schema by llguidance. An encoder-decoder such as
FLAN-T5, whose vocabulary lacks braces, is asked for one field after the other, each held to the field's form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from pydantic import Field
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
)
from transformers.utils.logging import disable_progress_bar

from understudy.core.errors import LanguageModelError
from understudy.core.language import LanguageModel, Message, Prompt
from understudy.language.fields import answer_form, question, value

_FIELD_TOKENS = 48


class LocalWeights(LanguageModel):
    """A model in a folder: `config.json`, a fast tokenizer, and weights in safetensors."""

    folder: Path = Field(description="Folder of the model; nothing is ever downloaded.")
    device: str = Field(default="cpu", description="Where it runs, such as cpu or cuda.")
    timeout_s: float = Field(default=120, gt=0, le=3_600, description="Longest time for one answer.")

    def write(self, prompt: Prompt) -> str | None:
        """Return what the model writes within the schema.

        Raises:
            LanguageModelError: if the folder cannot be read, or the answer is not complete in time.
        """
        loaded = _loaded(self.folder, self.device)
        if not loaded.asks_fields:
            # Blanks between the parts say nothing, and a weak model may write them without end.
            grammar = LLMatcher.grammar_from_json_schema(
                dict(prompt.schema_), overrides={"whitespace_flexible": False}
            )
            return loaded.written(_conversation(loaded, prompt), grammar, prompt.most_tokens, self.timeout_s)
        found = {}
        properties: Mapping[str, Any] = prompt.schema_.get("properties", {})
        for name, form in properties.items():
            text = "\n".join(m.text for m in prompt.messages) + question(name, form)
            grammar = LLMatcher.grammar_from_regex(answer_form(form))
            read = value(loaded.written(text, grammar, _FIELD_TOKENS, self.timeout_s / len(properties)), form)
            if read is not None:
                found[name] = read
        return json.dumps(found)


@dataclass(frozen=True)
class _Loaded:
    """A model with its tokenizer, in the two forms that writing needs."""

    model: Any
    tokenizer: Any
    bounded: LLTokenizer
    asks_fields: bool

    def written(self, text: str, grammar: str, most_tokens: int, timeout_s: float) -> str:
        """Return the text that the model adds to `text`, token by token within the grammar."""
        ids = self.tokenizer(text, return_tensors="pt", add_special_tokens=self.asks_fields)
        ids = {name: ids[name].to(self.model.device) for name in ("input_ids", "attention_mask")}
        holding = _Holding(
            LLMatcher(self.bounded, grammar), 1 if self.asks_fields else ids["input_ids"].shape[1]
        )
        with torch.inference_mode():
            out = self.model.generate(
                **ids,
                do_sample=False,
                num_beams=1,
                max_new_tokens=most_tokens,
                max_time=timeout_s,
                pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id,
                eos_token_id=self.tokenizer.eos_token_id,
                logits_processor=LogitsProcessorList([holding]),
            )
        added = out[0, holding.start :].tolist()
        if not holding.is_complete(added):
            raise LanguageModelError(
                f"the language model wrote no complete answer within {most_tokens} tokens and {timeout_s:g} s"
            )
        return str(self.tokenizer.decode(added, skip_special_tokens=True))


class _Holding(LogitsProcessor):
    """Rules out every token that would leave the grammar."""

    def __init__(self, matcher: LLMatcher, start: int) -> None:
        self.matcher = matcher
        self.start = start
        self._seen = start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self._follow(input_ids[0].tolist())
        bits = np.unpackbits(np.frombuffer(self.matcher.compute_bitmask(), np.uint8), bitorder="little")
        allowed = torch.zeros(scores.shape[-1], dtype=torch.bool, device=scores.device)
        known = min(len(bits), scores.shape[-1])
        allowed[:known] = torch.from_numpy(bits[:known].astype(bool)).to(scores.device)
        return scores.masked_fill(~allowed, float("-inf"))

    def _follow(self, tokens: list[int]) -> None:
        for token in tokens[self._seen :]:
            if not self.matcher.is_stopped():
                self.matcher.consume_token(token)
        self._seen = len(tokens)
        if self.matcher.is_error():
            raise LanguageModelError(
                "the language model's vocabulary cannot spell an answer of the asked form"
            )

    def is_complete(self, added: list[int]) -> bool:
        """Say whether the answer is whole once all its tokens are taken in."""
        self._follow([0] * self.start + added)
        return bool(self.matcher.is_accepting() or self.matcher.is_stopped())


def _conversation(loaded: _Loaded, prompt: Prompt) -> str:
    turns = [{"role": m.role, "content": m.text} for m in prompt.messages]
    if loaded.tokenizer.chat_template:
        return str(loaded.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    return "\n\n".join([*map(_plain, prompt.messages), "assistant:"])


def _plain(message: Message) -> str:
    return f"{message.role}: {message.text}"


@cache
def _loaded(folder: Path, device: str) -> _Loaded:
    disable_progress_bar()  # type: ignore[no-untyped-call]
    # No code of the folder is run, nothing is fetched, and only safetensors are read.
    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(folder, **safe)
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, **safe)
        kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        model = kind.from_pretrained(folder, use_safetensors=True, **safe)
        bounded = from_tokenizer(tokenizer, n_vocab=config.vocab_size)
    except (OSError, ValueError, ImportError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise LanguageModelError(f"no language model can be read from {str(folder)!r}: {reason}") from error
    return _Loaded(model.eval().to(device), tokenizer, bounded, bool(config.is_encoder_decoder))
