"""The release: data, report, card and evaluation, with a manifest that lets anyone verify every byte."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from understudy import __version__
from understudy.core.contracts import Evidence, Generator
from understudy.core.dataset import Dataset
from understudy.core.errors import ArtifactError, OutputError
from understudy.core.results import Verdict
from understudy.core.schema import Schema, explain
from understudy.core.values import digest
from understudy.exports.catalog import CATALOG as EXPORTS
from understudy.reports.card import card
from understudy.reports.compose import compose, render
from understudy.store.artifacts import unwritable, writing
from understudy.workflow.plan import Plan

MANIFEST = "manifest.json"
EVALUATION = "evaluation.json"
DATA, WITHHELD, GENERATOR = "data", "withheld", "generator"
FORMAT = 1
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "polars", "pyarrow", "pydantic")


@dataclass(frozen=True)
class Release:
    """A finished run.

    Attributes:
        folder: where it lies.
        dataset: the synthetic rows; None for the evaluation of somebody else's table.
        evidence: what the report says.
        verdict: released, or withheld with reasons.
    """

    folder: Path
    dataset: Dataset | None
    evidence: Evidence
    verdict: Verdict

    @property
    def data_folder(self) -> Path:
        """Where the tables lie: `data`, or `withheld` when the policy holds them back."""
        return self.folder / (DATA if self.verdict.is_released else WITHHELD)


def versions() -> dict[str, str]:
    """Return the versions of everything that decides the numbers, by name."""
    found = {"understudy": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def ensure_free(folder: Path) -> None:
    """Refuse a folder that holds anything but an earlier release of ours, before any work is done.

    Raises:
        OutputError: if the folder is a file, cannot be written, or holds other things.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"cannot write a release to {str(folder)!r}: it is a file. Name a folder.")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
            raise OutputError(
                f"{str(folder)!r} exists and holds other files; nothing was written. Name a new folder, or an "
                "earlier release to replace."
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def bundle(
    folder: Path,
    plan: Plan | None,
    dataset: Dataset | None,
    evidence: Evidence,
    verdict: Verdict,
    generator: Generator | None = None,
) -> Release:
    """Write the release folder; it appears complete or not at all.

    Args:
        folder: where.
        plan: what was carried out; None for the evaluation of somebody else's table.
        dataset: the synthetic rows, or None likewise.
        evidence: what the report says.
        verdict: released, or withheld with reasons.
        generator: the trained generator, where it is to be kept.

    Raises:
        OutputError: if the folder cannot be written.
    """
    ensure_free(folder)
    with writing(folder) as partial:
        if dataset is not None and plan is not None:
            data = partial / (DATA if verdict.is_released else WITHHELD)
            data.mkdir()
            for choice in plan.exports:
                EXPORTS.create(choice).write(dataset, data)
        if generator is not None:
            place = partial if verdict.is_released else partial / WITHHELD
            generator.save(place / GENERATOR)
        if plan is not None:
            _write(partial / "plan.yaml", plan.to_yaml())
        _write(partial / "schema.yaml", evidence.schema_.to_yaml())
        _write(partial / EVALUATION, evidence.model_dump_json(by_alias=True, indent=1))
        sections = None if plan is None else plan.sections
        (partial / "report.html").write_bytes(render(evidence.title, compose(evidence, sections), "html"))
        (partial / "card.md").write_bytes(render(evidence.title, card(evidence), "markdown"))
        seal(partial, _facts(plan, dataset, evidence, verdict))
    return Release(folder, dataset, evidence, verdict)


def _facts(
    plan: Plan | None, dataset: Dataset | None, evidence: Evidence, verdict: Verdict
) -> dict[str, Any]:
    return {
        "label": "EVALUATION of a synthetic table" if dataset is None else label(dataset.schema),
        "seed": evidence.provenance.get("seed") if plan is None else plan.seed,
        "synthesizer": None
        if plan is None or plan.population is not None
        else plan.synthesizer.model_dump(mode="json"),
        "population": None
        if plan is None or plan.population is None
        else plan.population.model_dump(mode="json"),
        "plan_digest": None if plan is None else plan.digest(),
        "rows": None if dataset is None else {t: f.height for t, f in dataset.tables.items()},
        "verdict": verdict.model_dump(mode="json"),
        "provenance": dict(evidence.provenance),
    }


def label(schema: Schema) -> str:
    """Say what kind of rows a table holds, as its manifest does."""
    if schema.table.completed:
        return "COMPLETED DATA: cells that were handed in are as they were, all others are synthetic"
    return "SYNTHETIC DATA: no row describes a real person"


def seal(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the manifest of a finished folder: the facts, the digest of every file, and its own digest."""
    files = {
        str(path.relative_to(folder)): {"sha256": _sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    created = datetime.now(UTC).isoformat(timespec="seconds")
    document = {"format": FORMAT, "created": created, "versions": versions(), **facts, "files": files}
    _write(folder / MANIFEST, _canonical(document | {"digest": digest(document)}))


def verify(folder: Path) -> list[str]:
    """Return every way in which a release differs from its manifest; empty when all is as it was written.

    Raises:
        ArtifactError: if the folder holds no manifest that can be read, or one of a newer format.
    """
    document, text = _read_manifest(folder)
    problems = []
    content = {key: value for key, value in document.items() if key != "digest"}
    if document.get("digest") != digest(content) or text != _canonical(document):
        problems.append(f"{MANIFEST} was changed: its content does not match its own digest")
    files: Mapping[str, Mapping[str, Any]] = document.get("files", {})
    for name, entry in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            problems.append(f"{name} points outside the release")
        elif not path.is_file():
            problems.append(f"{name} is missing")
        elif _sha256(path) != entry.get("sha256"):
            problems.append(f"{name} was changed: its SHA-256 differs from the manifest's")
    present = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() or p.is_symlink()}
    problems += [f"{name} is not in the manifest" for name in sorted(present - set(files) - {MANIFEST})]
    return problems


def read_evidence(path: Path) -> Evidence:
    """Read the evidence of a release folder, or an `evaluation.json`, to report it anew.

    Raises:
        ArtifactError: if there is none, or it cannot be read.
    """
    file = path / EVALUATION if path.is_dir() else path
    try:
        return Evidence.model_validate_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(
            f"no evaluation at {str(file)!r}: name a release folder or an {EVALUATION}"
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        reason = explain(error) if isinstance(error, ValidationError) else str(error)
        raise ArtifactError(f"{str(file)!r} is no evaluation of this version: {reason}") from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a release.

    Raises:
        ArtifactError: if there is none that can be read, or it is of a newer format.
    """
    return _read_manifest(folder)[0]


def _read_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    path = folder / MANIFEST
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ArtifactError(f"{str(folder)!r} is no release: it has no {MANIFEST}") from error
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{str(path)!r} is damaged: it is no text") from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ArtifactError(f"{str(path)!r} is damaged: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("files"), dict):
        raise ArtifactError(f"{str(path)!r} is damaged: it lists no files")
    if isinstance(document.get("format"), int) and document["format"] > FORMAT:
        raise ArtifactError(
            f"{str(path)!r} has format {document['format']}; this version reads up to {FORMAT}"
        )
    return document, text


def _canonical(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
