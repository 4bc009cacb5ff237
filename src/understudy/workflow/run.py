"""A run: from an approved plan to a release, each step stored, so that a restart goes on where it stopped."""

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

from understudy.core.conditions import Conditions, Feasibility
from understudy.core.contracts import Comparison, Evidence, Fitting, Generator, Synthesizer
from understudy.core.dataset import Dataset, Violation
from understudy.core.errors import PlanError
from understudy.core.events import Notify, silent
from understudy.core.results import Evaluation, Verdict
from understudy.core.schema import Kind, Role
from understudy.core.seeds import Seed
from understudy.core.values import digest
from understudy.modalities.tabular import present, spelled
from understudy.store.artifacts import ArtifactStore, code_digest
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.synthesizers.saved import load
from understudy.workflow.asked import as_asked
from understudy.workflow.evaluate import evaluate
from understudy.workflow.inputs import Frames, Inputs, further_splits, read_inputs
from understudy.workflow.plan import Plan
from understudy.workflow.policy import decide, policy
from understudy.workflow.release import Release, bundle, ensure_free, versions
from understudy.workflow.review import review
from understudy.workflow.steps import PREVIEW_ROWS, Steps

COST = "cost.json"


def run(
    plan: Plan, out: Path, *, work: Path | None = None, frames: Frames | None = None, notify: Notify = silent
) -> Release:
    """Carry out a plan and write its release to `out`.

    Args:
        plan: the approved plan.
        out: the release folder; an earlier release there is replaced.
        work: where finished steps are kept (the trained generator is in there: keep it as safe as the real
            data); `<out>.work` by default.
        frames: tables in memory, by the names that the plan uses for them.
        notify: told about every step.

    Raises:
        PlanError: if the plan's review finds errors.
        RequestError: if the data or the folder do not allow the run.
    """
    steps, store = Steps(notify), ArtifactStore(work or out.with_name(f"{out.name}.work"))
    ensure_free(out)
    with steps.step("read", plan.table):
        inputs = read_inputs(plan, frames or {})
        refuse(review(plan, inputs.train, out))
    with steps.step("fit", plan.synthesizer.name) as reused:
        generator, key = fit(plan, inputs.train, Seed(plan.seed).child("fit"), store, steps.notify, reused)
    with steps.step("sample") as reused:
        asked = completing(plan, inputs.partial)
        synthetic, hardness = sample(asked, generator, key, inputs.train.rows, store, reused)
    with steps.step("evaluate"):
        everyone = Comparison(inputs.train, synthetic, inputs.holdout, Seed(plan.seed).child("everyone"))
        makers = comparisons(plan, inputs, synthetic, store)
        evaluation = evaluate(makers, plan.metrics, store, notify, None if plan.given.is_empty else everyone)
        kept, copied = identifiers_kept(inputs.train, synthetic), copied_shares(inputs.train, synthetic)
        verdict = decide(evaluation, policy(plan.policy), kept, *copied)
    with steps.step("release", str(out)):
        facts: dict[str, Any] = {"seconds": dict(steps.seconds), "generator": dict(generator.facts)}
        if hardness is not None:
            facts["conditions"] = {"asked": asked.given.says(), **hardness.model_dump(mode="json")}
        evidence = gather(plan, inputs, synthetic, evaluation, verdict, facts)
        return bundle(out, plan, synthetic, evidence, verdict, generator if plan.with_generator else None)


def completing(plan: Plan, partial: pl.DataFrame | None) -> Plan:
    """Return the plan with the rows that it completes, once these are read; as many as they are, if not said."""
    if partial is None:
        return plan
    given = plan.given.model_copy(update={"partial": partial})
    return plan.model_copy(update={"given": given, "rows": plan.rows or partial.height})


def refuse(violations: list[Violation]) -> None:
    """Raise a PlanError that lists every error of a review, if there is one."""
    errors = [str(v) for v in violations if v.severity == "error"]
    if errors:
        raise PlanError("the plan cannot run:\n" + "\n".join(f"- {e}" for e in errors))


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
    fitting = Fitting(
        seed=seed,
        time_budget_s=plan.time_limit_s,
        device=plan.device,
        notify=notify,
        checkpoint=unfinished,
    )

    def make(folder: Path) -> None:
        began, cpu_began = time.perf_counter(), time.process_time()
        with threadpool_limits(1):
            recipe.fit(train, fitting).save(folder)
        took = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu_began}
        (folder / COST).write_text(json.dumps(took), encoding="utf-8")

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


def fitting_cost(store: ArtifactStore, key: str) -> FittingCost:
    """Return what the fit of this key took when it was done."""
    folder = store.folder / "fit" / key
    took = json.loads((folder / COST).read_text(encoding="utf-8"))
    kept = [path for path in folder.rglob("*") if path.is_file() and path.name not in (COST, "inputs.json")]
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


def comparisons(
    plan: Plan, inputs: Inputs, synthetic: Dataset, store: ArtifactStore
) -> list[Callable[[], Comparison]]:
    """Return makers of what is compared: the released rows, then further splits of a small table.

    Rows that were asked for under conditions are compared with the real rows that are as asked, where these
    are enough to compare with (see `as_asked`).

    Each further split fits the same synthesizer on its own training rows and samples unconditioned, so that
    the pooled figures judge the method on this table, and the holdout of each split stays unseen by its fit.
    """
    seed = Seed(plan.seed).child("evaluate")

    def released() -> Comparison:
        real = as_asked(inputs.train, inputs.holdout, plan.given, Seed(plan.seed).child("asked"))
        return Comparison(real.train, synthetic, real.holdout, seed.child("split-0"))

    def resplit(number: int, train: Dataset, holdout: Dataset) -> Callable[[], Comparison]:
        def make() -> Comparison:
            own = Seed(plan.seed).child(f"fit-{number}")
            generator, key = fit(plan, train, own, store, silent, lambda _: None)
            bare = plan.model_copy(update={"rows": None, "given": Conditions()})
            drawn, _ = sample(bare, generator, key, train.rows, store, lambda _: None)
            return Comparison(train, drawn, holdout, seed.child(f"split-{number}"))

        return make

    splits = further_splits(plan, inputs)
    return [released, *(resplit(k, train, held) for k, (train, held) in enumerate(splits, start=1))]


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


def gather(
    plan: Plan,
    inputs: Inputs,
    synthetic: Dataset,
    evaluation: Evaluation,
    verdict: Verdict,
    facts: Mapping[str, Any],
) -> Evidence:
    """Return all that the report may speak of; `facts` join its provenance."""
    compared = as_asked(inputs.train, inputs.holdout, plan.given, Seed(plan.seed).child("asked")).note
    made_anew = [c.name for c in inputs.train.columns if c.kind is Kind.KEY or c.has(Role.IDENTIFIER)]
    provenance: dict[str, Any] = {
        "versions": versions(),
        "seed": plan.seed,
        "table": Path(plan.table).name,
        "learned_rows": inputs.train.rows,
        "holdout_rows": 0 if inputs.holdout is None else inputs.holdout.rows,
        "synthetic_rows": synthetic.rows,
        "splits": evaluation.splits,
        **facts,
        "made_anew": made_anew,
        "notes": [*inputs.notes, *([compared] if compared else [])],
        "plan_digest": plan.digest(),
        "real_digest": digest([inputs.train.digest(), inputs.holdout.digest() if inputs.holdout else None]),
    }
    is_shown = verdict.is_released and not synthetic.table.completed
    shown = present(synthetic.with_frame(synthetic.frame.head(PREVIEW_ROWS))) if is_shown else None
    preview = {} if shown is None else {c: tuple(spelled(shown[c]).fill_null("")) for c in shown.columns}
    return Evidence(
        title=f"{'Completed' if synthetic.table.completed else 'Synthetic'} {synthetic.table.name}",
        goal=plan.goal,
        schema=synthetic.schema,
        plan=plan.model_dump(mode="json", by_alias=True, exclude={"schema_"}),
        evaluation=evaluation,
        verdict=verdict,
        preview=preview,
        violations=tuple(str(v) for v in inputs.found),
        provenance=provenance,
    )


def _path(seed: Seed) -> list[Any]:
    return [seed.value, *seed.path]
