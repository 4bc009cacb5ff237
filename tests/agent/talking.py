"""Conversations for tests: what was said, what a language model was asked, and an obedient one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import PrivateAttr

from understudy.agent.conversation import Conversation
from understudy.core.blocks import Block
from understudy.core.events import Event
from understudy.core.language import LanguageModel, Prompt

HEADLINE = (
    "generate 2000 Type 2 diabetes patients EHR data with 20 important diabetes observations "
    "based on the US population"
)


class Listener:
    """Keeps every event of a conversation."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def blocks(self) -> list[Block]:
        return [block for event in self.events if event.event == "said" for block in event.blocks]

    @property
    def text(self) -> str:
        return " ".join(block.model_dump_json() for block in self.blocks)


class Obedient(LanguageModel):
    """Chooses what a function says, and keeps everything that it was shown."""

    _prompts: list[Prompt] = PrivateAttr(default_factory=list)
    _obeys: Callable[[Prompt], dict[str, Any]] = PrivateAttr()

    @classmethod
    def to(cls, obeys: Callable[[Prompt], dict[str, Any]]) -> Obedient:
        model = cls()
        model._obeys = obeys
        return model

    @property
    def seen(self) -> str:
        return "\n".join(message.text for prompt in self._prompts for message in prompt.messages)

    def write(self, prompt: Prompt) -> str | None:
        self._prompts.append(prompt)
        return json.dumps(self._obeys(prompt))


def is_asked_for(prompt: Prompt, name: str) -> bool:
    """Say whether a prompt asks for this field."""
    return name in prompt.schema_.get("properties", {})


def talked(*words: str, model: LanguageModel | None = None) -> tuple[Conversation, Listener]:
    """Return a conversation in which these words were said."""
    listener = Listener()
    conversation = Conversation(model=model, notify=listener)
    for text in words:
        conversation.say(text)
    return conversation, listener
