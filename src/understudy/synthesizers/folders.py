"""A generator's folder: one JSON document, one npz, digests of both; written whole, read without running code."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from understudy.core.errors import ArtifactError
from understudy.core.values import digest
from understudy.sampling.packing import pack, unpack

FORMAT = 1
DOCUMENT, ARRAYS = "generator.json", "arrays.npz"


def write_folder(folder: Path, synthesizer: str, value: Any) -> None:
    """Write a tree of values (see `sampling.packing`) into a folder, which is made where it is missing."""
    document, arrays = pack(value)
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    whole = {
        "format": FORMAT,
        "synthesizer": synthesizer,
        "document": document,
        "digest": digest(document),
        "arrays_digest": hashlib.sha256(stream.getvalue()).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARRAYS).write_bytes(stream.getvalue())
    (folder / DOCUMENT).write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")


def read_header(folder: Path) -> dict[str, Any]:
    """Return what the folder's document says, its format checked.

    Raises:
        ArtifactError: if there is no generator, if it is damaged, or if a newer release wrote it.
    """
    path = folder / DOCUMENT
    if not path.is_file():
        raise ArtifactError(
            f"no generator in {str(folder)!r}: {DOCUMENT} is missing. Give the folder of one."
        )
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise ArtifactError(f"{str(path)!r} is damaged: it is no JSON. Take an intact copy.") from error
    if not isinstance(whole, dict) or type(whole.get("format")) is not int:
        raise ArtifactError(f"{str(path)!r} is damaged: it names no format. Take an intact copy.")
    if whole["format"] > FORMAT:
        raise ArtifactError(
            f"the generator in {str(folder)!r} has format {whole['format']}; this release reads up to "
            f"{FORMAT}: upgrade understudy"
        )
    if not isinstance(whole.get("synthesizer"), str):
        raise ArtifactError(f"{str(path)!r} is damaged: it names no synthesizer. Take an intact copy.")
    return whole


def read_folder(folder: Path, known: Mapping[str, type]) -> Any:
    """Return the tree of values of a folder.

    Args:
        folder: what `write_folder` wrote.
        known: the classes that may be made, by name.

    Raises:
        ArtifactError: as `read_header`; also if a digest does not fit.
    """
    whole, path = read_header(folder), folder / ARRAYS
    if not path.is_file():
        raise ArtifactError(f"the generator in {str(folder)!r} is incomplete: {ARRAYS} is missing")
    content = path.read_bytes()
    fits = hashlib.sha256(content).hexdigest() == whole.get("arrays_digest")
    if not fits or digest(whole.get("document")) != whole.get("digest"):
        raise ArtifactError(
            f"the generator in {str(folder)!r} is damaged: its digests do not fit. Take an intact copy."
        )
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (ValueError, OSError, zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ArtifactError(f"{str(path)!r} is damaged: {error}. Take an intact copy.") from error
    return unpack(whole["document"], arrays, known)
