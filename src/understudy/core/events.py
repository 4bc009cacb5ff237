"""What a run tells while it works: one union of events for the command line, the service and the chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from understudy.core.values import Value


class Started(Value):
    """A step began."""

    event: Literal["started"] = "started"
    step: str
    detail: str = ""


class Progressed(Value):
    """A step advanced to `fraction` (0 to 1) of its work."""

    event: Literal["progressed"] = "progressed"
    step: str
    fraction: float = Field(ge=0, le=1)
    detail: str = ""


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


Event = Annotated[Started | Progressed | Finished | Failed, Field(discriminator="event")]
Notify = Callable[[Started | Progressed | Finished | Failed], None]


def silent(event: Started | Progressed | Finished | Failed) -> None:
    """Ignore an event: the listener of those who do not listen."""
