"""What runs and conversations tell: one union of events for the command line, the service and the chat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from understudy.core.blocks import Block
from understudy.core.values import Value


class Started(Value):
    """A step began."""

    event: Literal["started"] = "started"
    step: str
    detail: str = ""


class Progressed(Value):
    """A step advanced to `fraction` (0 to 1) of its work; `values` are figures of it, such as losses by name."""

    event: Literal["progressed"] = "progressed"
    step: str
    fraction: float = Field(ge=0, le=1)
    detail: str = ""
    values: Mapping[str, float] = Field(default_factory=dict)


class Finished(Value):
    """A step ended well; `reused` says that a stored result was taken instead of working again."""

    event: Literal["finished"] = "finished"
    step: str
    seconds: float
    reused: bool = False
    detail: str = ""


class Failed(Value):
    """A step ended badly, for the stated reason."""

    event: Literal["failed"] = "failed"
    step: str
    reason: str


class Said(Value):
    """Something for the person to read: an answer, a plan on one card, a note."""

    event: Literal["said"] = "said"
    blocks: tuple[Block, ...]


class Asked(Value):
    """A click is waited for: `tool` would spend time or budget, or release data, as `blocks` say."""

    event: Literal["asked"] = "asked"
    tool: str
    question: str
    blocks: tuple[Block, ...] = ()


Event = Annotated[Started | Progressed | Finished | Failed | Said | Asked, Field(discriminator="event")]
Notify = Callable[[Event], None]


def silent(event: Event) -> None:
    """Ignore an event: the listener of those who do not listen."""
