"""The clock and the voice of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from understudy.core.errors import UnderstudyError
from understudy.core.events import Failed, Finished, Notify, Started

PREVIEW_ROWS = 8


@dataclass
class Steps:
    """The clock and the voice of a run: tells of each step and notes how long it took."""

    notify: Notify
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, detail: str = "") -> Iterator[Callable[[bool], None]]:
        """Tell that a step starts, finishes or fails; the block calls what it is given to say `reused`."""
        self.notify(Started(step=name, detail=detail))
        began, reused = time.perf_counter(), [False]
        try:
            yield lambda is_reused: reused.__setitem__(0, is_reused)
        except (UnderstudyError, OSError, KeyboardInterrupt, MemoryError) as error:
            self.notify(Failed(step=name, reason=str(error) or type(error).__name__))
            raise
        self.seconds[name] = round(time.perf_counter() - began, 3)
        self.notify(Finished(step=name, seconds=self.seconds[name], reused=reused[0]))
