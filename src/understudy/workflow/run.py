"""A run: from an approved plan to a release, each step stored, so that a restart goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from understudy.core.conditions import Conditions
from understudy.core.contracts import Comparison, Evidence
from understudy.core.dataset import Dataset, Violation
from understudy.core.errors import PlanError
from understudy.core.events import Notify, silent
from understudy.core.results import Evaluation, Verdict
from understudy.core.schema import Kind, Role
from understudy.core.seeds import Seed
from understudy.core.values import digest
from understudy.modalities.tabular import present, spelled
from understudy.store.artifacts import ArtifactStore
from understudy.workflow.asked import as_asked
from understudy.workflow.candidates import AUTO
from understudy.workflow.choose import chosen
from understudy.workflow.evaluate import evaluate
from understudy.workflow.inputs import Frames, Inputs, further_splits, read_inputs
from understudy.workflow.making import copied_shares, fit, identifiers_kept, sample, training_curve
from understudy.workflow.plan import Plan
from understudy.workflow.policy import decide, policy
from understudy.workflow.release import Release, bundle, ensure_free, versions
from understudy.workflow.review import review
from understudy.workflow.steps import PREVIEW_ROWS, Steps


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
    if plan.synthesizer.name == AUTO:
        with steps.step("choose"):
            plan = chosen(plan, inputs.train, store, notify)
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
        if curve := training_curve(store, key):
            facts["training"] = curve
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
