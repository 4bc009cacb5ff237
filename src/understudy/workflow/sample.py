"""Rows drawn later from a generator that a release kept: labelled, sealed, and not judged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.core.catalog import Choice
from understudy.core.conditions import Conditions, Feasibility
from understudy.core.dataset import Dataset
from understudy.core.errors import ArtifactError, RequestError
from understudy.core.schema import Schema
from understudy.core.seeds import Seed
from understudy.exports.catalog import CATALOG as EXPORTS
from understudy.store.artifacts import writing
from understudy.synthesizers.folders import DOCUMENT
from understudy.synthesizers.saved import load
from understudy.workflow.inputs import Frames, partial_rows
from understudy.workflow.release import (
    DATA,
    GENERATOR,
    MANIFEST,
    WITHHELD,
    ensure_free,
    label,
    read_manifest,
    seal,
)
from understudy.workflow.review import MOST_ROWS

UNJUDGED = "these rows were not judged: what a release says of its rows says nothing of rows drawn later"


@dataclass(frozen=True)
class Sample:
    """Rows drawn from a kept generator.

    Attributes:
        dataset: the rows.
        hardness: how hard the conditions were, or None without any.
        is_withheld: whether the policy withheld the release that the generator was kept in.
        notes: what a person should know of these rows.
    """

    dataset: Dataset
    hardness: Feasibility | None
    is_withheld: bool
    notes: tuple[str, ...]


def sample(
    kept: Path,
    given: Conditions,
    *,
    rows: int | None = None,
    complete: str = "",
    seed: int = 0,
    frames: Frames | None = None,
) -> Sample:
    """Draw rows from a generator that a release kept.

    Args:
        kept: the release, or the folder of the generator itself.
        given: conditions and proportions.
        rows: how many; as many as were learned from, or as are completed, if left out.
        complete: path of partial rows to complete, or the name of one of `frames`.
        seed: the same seed gives the same rows.
        frames: tables in memory.

    Raises:
        ArtifactError: if there is no generator, or it is damaged or of a newer release.
        RequestError: if the rows or conditions cannot be met.
    """
    folder = generator_folder(kept)
    generator = load(folder)
    learned = int(generator.facts.get("learned_rows", 0))
    said: tuple[str, ...] = ()
    if complete:
        partial, said = partial_rows(complete, generator.schema, frames or {})
        given = given.model_copy(update={"partial": partial})
        rows = partial.height if rows is None else rows
    wanted = learned if rows is None else rows
    if not 1 <= wanted <= MOST_ROWS:
        raise RequestError(f"{wanted} rows asked; expected 1 to {MOST_ROWS:,}")
    is_withheld = _is_withheld(folder)
    stream = Seed(seed).child("sample")
    hardness = None if given.is_empty else generator.feasibility(given, stream.child("feasibility"))
    drawn = generator.sample(wanted, stream, None if given.is_empty else given)
    if complete:
        drawn = drawn.with_schema(drawn.schema.with_completed())
    notes = (*said, *_warnings(drawn.schema, wanted, learned, is_withheld))
    return Sample(drawn, hardness, is_withheld, notes)


def generator_folder(kept: Path) -> Path:
    """Return the folder of the generator in a release, or of the generator itself.

    Raises:
        ArtifactError: if there is none.
    """
    for folder in (kept / GENERATOR, kept / WITHHELD / GENERATOR, kept):
        if (folder / DOCUMENT).is_file():
            return folder
    raise ArtifactError(
        f"no generator in {str(kept)!r}. Name a release that was made with `--with-generator`, or the folder of "
        "a generator."
    )


def write_sample(made: Sample, kept: Path, out: Path, given: Conditions, export: str, seed: int) -> None:
    """Write drawn rows into a folder that `verify` can check; it appears complete or not at all.

    Raises:
        OutputError: if the folder holds other things or cannot be written.
    """
    ensure_free(out)
    header = json.loads((generator_folder(kept) / DOCUMENT).read_text(encoding="utf-8"))
    facts: dict[str, Any] = {
        "label": label(made.dataset.schema),
        "generator": {"synthesizer": header["synthesizer"], "digest": header["digest"]},
        "seed": seed,
        "rows": {made.dataset.table.name: made.dataset.rows},
        "given": given.model_dump(mode="json"),
        "conditions": None if made.hardness is None else made.hardness.model_dump(mode="json"),
        "verdict": None,
        "notes": list(made.notes),
    }
    with writing(out) as partial:
        data = partial / (WITHHELD if made.is_withheld else DATA)
        data.mkdir()
        EXPORTS.create(Choice(name=export)).write(made.dataset, data)
        (partial / "schema.yaml").write_text(made.dataset.schema.to_yaml(), encoding="utf-8")
        seal(partial, facts)


def _is_withheld(folder: Path) -> bool:
    for release in folder.parents[:2]:
        if (release / MANIFEST).is_file():
            verdict = read_manifest(release).get("verdict") or {}
            return not verdict.get("is_released", True)
    return False


def _warnings(schema: Schema, rows: int, learned: int, is_withheld: bool) -> list[str]:
    notes = [UNJUDGED]
    if is_withheld:
        notes.append("the policy withheld the release that this generator learned for; so are its rows")
    if rows > learned:
        notes.append(
            f"{rows} rows of a generator that learned from {learned}: more rows hold no more information, and "
            "they sharpen some attacks"
        )
    if schema.table.completed:
        notes.append("given cells are as they were handed in: as sensitive as the table that they come from")
    return notes
