"""Fitting and drawing, each done once and stored, and what of the real rows came through."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from threadpoolctl import threadpool_limits

from understudy.core.conditions import Feasibility
from understudy.core.contracts import Fitting, Generator, Synthesizer
from understudy.core.dataset import Dataset
from understudy.core.events import Event, Notify
from understudy.core.schema import Kind, Role
from understudy.core.seeds import Seed
from understudy.core.values import digest
from understudy.store.artifacts import ArtifactStore, code_digest
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.synthesizers.saved import load
from understudy.workflow.plan import Plan

COST, CURVE = "cost.json", "curve.json"


def fit(
    plan: Plan,
    train: Dataset,
    seed: Seed,
    store: ArtifactStore,
    notify: Notify,
    reused: Callable[[bool], None],
) -> tuple[Generator, str]:
    """Return the trained generator and the key of its artifact, fitting only if it was not fitted before."""
    recipe: Synthesizer = SYNTHESIZERS.create(plan.synthesizer)
    inputs = {
        "synthesizer": {"name": plan.synthesizer.name, "settings": recipe.model_dump(mode="json")},
        "train": train.digest(),
        "seed": _path(seed),
        "device": plan.device,
        "time_limit_s": plan.time_limit_s,
    }
    unfinished = store.folder / "training" / digest({"inputs": inputs, "code": code_digest()})[:32]
    curve: list[Mapping[str, float]] = []

    def listen(event: Event) -> None:
        if event.event == "progressed" and event.values:
            curve.append(event.values)
        notify(event)

    fitting = Fitting(
        seed=seed,
        time_budget_s=plan.time_limit_s,
        device=plan.device,
        notify=listen,
        checkpoint=unfinished,
    )

    def make(folder: Path) -> None:
        began, cpu_began = time.perf_counter(), time.process_time()
        with threadpool_limits(1):
            recipe.fit(train, fitting).save(folder)
        took = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu_began}
        (folder / COST).write_text(json.dumps(took), encoding="utf-8")
        (folder / CURVE).write_text(json.dumps(curve), encoding="utf-8")

    artifact = store.once("fit", inputs, make)
    shutil.rmtree(unfinished, ignore_errors=True)
    reused(artifact.is_reused)
    return load(artifact.folder), artifact.key


@dataclass(frozen=True)
class FittingCost:
    """What a fit took: wall-clock and processor seconds, and the bytes of its generator on disk."""

    seconds: float
    cpu_seconds: float
    generator_bytes: int


def training_curve(store: ArtifactStore, key: str) -> list[dict[str, float]]:
    """Return what a network told of its training at each look, oldest first; empty for what is not trained so."""
    found: list[dict[str, float]] = json.loads(
        (store.folder / "fit" / key / CURVE).read_text(encoding="utf-8")
    )
    return found


def fitting_cost(store: ArtifactStore, key: str) -> FittingCost:
    """Return what the fit of this key took when it was done."""
    folder = store.folder / "fit" / key
    took = json.loads((folder / COST).read_text(encoding="utf-8"))
    kept = [
        path for path in folder.rglob("*") if path.is_file() and path.name not in (COST, CURVE, "inputs.json")
    ]
    return FittingCost(took["seconds"], took["cpu_seconds"], sum(path.stat().st_size for path in kept))


def sample(
    plan: Plan,
    generator: Generator,
    key: str,
    learned: int,
    store: ArtifactStore,
    reused: Callable[[bool], None],
) -> tuple[Dataset, Feasibility | None]:
    """Return the synthetic rows that the plan asks for, and how hard its conditions were (None without any)."""
    seed, rows = Seed(plan.seed).child("sample"), plan.rows or learned

    def make(folder: Path) -> None:
        if not plan.given.is_empty:
            hardness = generator.feasibility(plan.given, seed.child("feasibility"))
            (folder / "feasibility.json").write_text(hardness.model_dump_json(), encoding="utf-8")
        drawn = generator.sample(rows, seed, None if plan.given.is_empty else plan.given)
        drawn.frame.write_parquet(folder / "table.parquet")

    inputs = {
        "generator": key,
        "given": plan.given.model_dump(mode="json"),
        "partial": None if plan.given.partial is None else plan.given.partial.hash_rows(seed=7).to_list(),
        "rows": rows,
        "seed": _path(seed),
    }
    artifact = store.once("sample", inputs, make)
    reused(artifact.is_reused)
    schema = generator.schema if plan.given.partial is None else generator.schema.with_completed()
    drawn = Dataset.of(schema, pl.read_parquet(artifact.folder / "table.parquet"))
    stated = artifact.folder / "feasibility.json"
    hardness = (
        Feasibility.model_validate_json(stated.read_text(encoding="utf-8")) if stated.is_file() else None
    )
    return drawn, hardness


def identifiers_kept(real: Dataset, synthetic: Dataset, *, with_keys: bool = True) -> int:
    """Count synthetic direct identifiers (and keys) that equal one of a real patient; it must be none."""
    kept = 0
    for column in real.columns:
        if column.has(Role.IDENTIFIER) or (with_keys and column.kind is Kind.KEY):
            known = real.frame[column.name].drop_nulls().unique()
            kept += int(synthetic.frame[column.name].is_in(known.implode()).sum())
    return kept


def copied_shares(real: Dataset, synthetic: Dataset) -> tuple[float, float]:
    """Return the share of synthetic rows that equal a real one in all learned columns, and what chance explains.

    The latter is the share of real rows that equal another real row. Both are 0 for fewer than 3 columns.
    """
    names = [c.name for c in real.columns if c.is_learned]
    if len(names) < 3 or not synthetic.rows:
        return 0.0, 0.0
    rows = real.frame.select(names)
    equal = synthetic.frame.select(names).join(rows.unique(), on=names, how="semi", nulls_equal=True).height
    return equal / synthetic.rows, int(rows.is_duplicated().sum()) / max(rows.height, 1)


def _path(seed: Seed) -> list[Any]:
    return [seed.value, *seed.path]
