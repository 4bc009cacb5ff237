"""Parameter files of populations: one JSON document and one npz, small numbers kept small, digests of both."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from understudy.core.errors import ArtifactError
from understudy.core.schema import Column
from understudy.core.values import digest
from understudy.sampling.dependence import Features, Tree, VariableModel
from understudy.sampling.leaves import LevelLeaves, NormalLeaves
from understudy.sampling.margins import Margin
from understudy.sampling.packing import pack, unpack
from understudy.sampling.variables import ColumnModel, Variable, Variables

FORMAT = 1
_KNOWN: tuple[type, ...] = (
    Column,
    ColumnModel,
    Features,
    LevelLeaves,
    Margin,
    NormalLeaves,
    Tree,
    Variable,
    VariableModel,
    Variables,
)


def write_parameters(value: Mapping[str, Any], folder: Path, name: str) -> tuple[Path, Path]:
    """Write values as `<name>.json` and `<name>.npz` and return both paths.

    The same values give the same bytes.
    """
    document, arrays = pack(value)
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **{key: _small(array) for key, array in arrays.items()})
    whole = {
        "format": FORMAT,
        "document": document,
        "digest": digest(document),
        "arrays_digest": hashlib.sha256(stream.getvalue()).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}.json", folder / f"{name}.npz"
    paths[0].write_text(json.dumps(whole, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    paths[1].write_bytes(stream.getvalue())
    return paths


def read_parameters(folder: Traversable, name: str) -> dict[str, Any]:
    """Read what `write_parameters` wrote.

    Raises:
        ArtifactError: if a file is missing or damaged, or if a newer release wrote it.
    """
    try:
        text = folder.joinpath(f"{name}.json").read_text(encoding="utf-8")
        content = folder.joinpath(f"{name}.npz").read_bytes()
        whole = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"the parameters of {name!r} are missing or damaged: {error}") from error
    if not isinstance(whole, dict) or not isinstance(whole.get("format"), int):
        raise ArtifactError(f"the parameters of {name!r} are damaged: they name no format")
    if whole["format"] > FORMAT:
        raise ArtifactError(
            f"the parameters of {name!r} have format {whole['format']}; this release reads up to {FORMAT}: "
            "upgrade understudy"
        )
    fits = hashlib.sha256(content).hexdigest() == whole.get("arrays_digest")
    if not fits or digest(whole.get("document")) != whole.get("digest"):
        raise ArtifactError(
            f"the parameters of {name!r} are damaged: digests do not fit. Install or build again."
        )
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {key: _wide(stored[key]) for key in stored.files}
    except (ValueError, OSError, zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ArtifactError(f"the parameters of {name!r} are damaged: {error}") from error
    found: dict[str, Any] = unpack(whole["document"], arrays, {made.__name__: made for made in _KNOWN})
    return found


def _small(array: np.ndarray) -> np.ndarray:
    """Return integers in the smallest type that holds them, and floats in single precision."""
    if array.dtype.kind in "iu":
        least, most = (int(array.min()), int(array.max())) if array.size else (0, 0)
        return array.astype(np.result_type(np.min_scalar_type(least), np.min_scalar_type(most)))
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _wide(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    return array.astype(np.float32) if array.dtype == np.float16 else array.astype(np.float64)
