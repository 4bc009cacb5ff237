"""Transcripts of conversations: one JSON line a turn, readable by their owner only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.core.errors import ArtifactError
from understudy.store.artifacts import unwritable


@dataclass(frozen=True)
class Transcript:
    """A file that turns are added to; what was written is never changed."""

    path: Path

    def add(self, turn: Mapping[str, Any]) -> None:
        """Add a turn.

        Raises:
            OutputError: if the file cannot be written.
        """
        line = json.dumps(dict(turn), ensure_ascii=False) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def turns(self) -> list[dict[str, Any]]:
        """Return all turns, oldest first.

        Raises:
            ArtifactError: if the file is damaged.
        """
        if not self.path.is_file():
            return []
        try:
            return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise ArtifactError(f"the transcript {str(self.path)!r} is damaged: {error}") from error
