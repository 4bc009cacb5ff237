"""Content-addressed step results: a step that was finished with the same inputs is never done again."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from understudy.core.errors import OutputError
from understudy.core.values import digest

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Artifact:
    """A finished step's folder; `is_reused` says that it was there already."""

    folder: Path
    key: str
    is_reused: bool


@dataclass(frozen=True)
class ArtifactStore:
    """A folder of step results, readable by its owner only.

    The key of a result is the digest of the step's name, its inputs and the code of the package, so a
    result is found again exactly when the same work would be done again. A result appears by an atomic
    rename: what can be seen is complete.
    """

    folder: Path

    def once(self, step: str, inputs: Mapping[str, Any], make: Callable[[Path], None]) -> Artifact:
        """Return the result of a step, making it only if it is not there.

        Args:
            step: name of the step.
            inputs: JSON document that determines the result: settings and digests.
            make: fills the empty folder that it is given.

        Raises:
            OutputError: if the store cannot be written.
        """
        key = digest({"step": step, "inputs": inputs, "code": code_digest()})[:32]
        target = self.folder / step / key
        if target.is_dir():
            return Artifact(target, key, is_reused=True)
        with writing(target) as partial:
            make(partial)
            inputs_text = json.dumps({"step": step, "inputs": inputs}, indent=1, default=str)
            (partial / "inputs.json").write_text(inputs_text, encoding="utf-8")
        return Artifact(target, key, is_reused=False)


@contextmanager
def writing(target: Path) -> Iterator[Path]:
    """Give an empty folder beside `target` that becomes `target` when the block ends well.

    What was at `target` is replaced; on any error the partial folder is removed and `target` untouched.

    Raises:
        OutputError: if the folder cannot be made or written, or the disk is full.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=target.parent))
    except OSError as error:
        raise unwritable(target, error) from error
    try:
        yield partial
        _synchronise(partial)
        _swap(partial, target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def unwritable(target: Path, error: OSError) -> OutputError:
    """Return the error that says why `target` cannot be written and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(
            f"cannot write {str(target)!r}: the disk is full. Free space or choose another folder."
        )
    reason = error.strerror or str(error)
    return OutputError(f"cannot write {str(target)!r}: {reason}. Choose a folder that you may write to.")


def _swap(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old-", dir=target.parent))
    target.rename(old / "replaced")
    partial.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _synchronise(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@cache
def code_digest() -> str:
    """Return the SHA-256 (hexadecimal) of the package's own source files, so that new code redoes old work."""
    hasher = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        hasher.update(str(path.relative_to(_PACKAGE)).encode())
        hasher.update(path.read_bytes())
    return hasher.hexdigest()
