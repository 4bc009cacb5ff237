"""The judgement of a synthetic table that somebody else made."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from understudy.core.catalog import Choice
from understudy.core.contracts import Comparison, Evidence
from understudy.core.errors import SchemaError
from understudy.core.events import Notify, silent
from understudy.core.schema import Role
from understudy.core.seeds import Seed
from understudy.sources.profile import propose
from understudy.store.artifacts import ArtifactStore
from understudy.workflow.advise import Wishes, with_wished_roles
from understudy.workflow.cleaning import clean
from understudy.workflow.evaluate import evaluate
from understudy.workflow.inputs import as_schema_says
from understudy.workflow.plan import DEFAULT_METRICS
from understudy.workflow.policy import decide, policy
from understudy.workflow.release import Release, bundle, ensure_free, versions
from understudy.workflow.run import identifiers_kept
from understudy.workflow.steps import Steps


def judge(
    real: pl.DataFrame,
    synthetic: pl.DataFrame,
    holdout: pl.DataFrame | None,
    wishes: Wishes,
    out: Path,
    *,
    work: Path | None = None,
    notify: Notify = silent,
) -> Release:
    """Measure a synthetic table against the real one and write report, card and evaluation to `out`.

    Args:
        real: raw rows that the synthesizer learned from.
        synthetic: raw rows that it made; must hold the columns of the real table.
        holdout: raw real rows that it never saw, or None.
        wishes: target, protected columns, schema, policy and seed.
        out: the folder to write.
        work: where finished measurements are kept, `<out>.work` by default.
        notify: told about every step.

    Raises:
        SchemaError: if a table lacks columns of the real one.
        OutputError: if the folder cannot be written.
    """
    ensure_free(out)
    steps, store = Steps(notify), ArtifactStore(work or out.with_name(f"{out.name}.work"))
    with steps.step("read"):
        schema = with_wished_roles(wishes.schema or propose(real).schema, wishes, {})
        known, unread = as_schema_says(real, schema, "real")
        cleaned = clean(known, "keep_rate")
        schema = cleaned.dataset.schema
        extra = sorted(set(synthetic.columns) - set(schema.table.names))
        if set(schema.table.names) - set(synthetic.columns):
            lacking = sorted(set(schema.table.names) - set(synthetic.columns))[:5]
            raise SchemaError(
                f"the synthetic table lacks columns of the real one: {', '.join(map(repr, lacking))}"
            )
        made, odd = as_schema_says(synthetic, schema, "synthetic")
        held = None if holdout is None else as_schema_says(holdout, schema, "holdout")[0]
    with steps.step("evaluate"):
        comparison = Comparison(cleaned.dataset, made, held, Seed(wishes.seed).child("evaluate"))
        choices = tuple(Choice(name=name) for name in DEFAULT_METRICS)
        evaluation = evaluate([lambda: comparison], choices, store, notify)
        verdict = decide(evaluation, policy(wishes.policy), identifiers_kept(known, made, with_keys=False))
    notes = [f"column {name!r} is not in the real table and was left out" for name in extra]
    with steps.step("release", str(out)):
        evidence = Evidence(
            title="Evaluation of a synthetic table",
            goal=wishes.goal,
            schema=schema,
            evaluation=evaluation,
            verdict=verdict,
            violations=tuple(str(v) for v in (*unread, *cleaned.found)),
            provenance={
                "versions": versions(),
                "seed": wishes.seed,
                "target": list(schema.table.having(Role.TARGET)),
                "learned_rows": known.rows,
                "synthetic_rows": made.rows,
                "holdout_rows": 0 if held is None else held.rows,
                "splits": 1,
                "seconds": dict(steps.seconds),
                "notes": [*notes, *(str(v) for v in odd)],
            },
        )
        return bundle(out, None, None, evidence, verdict)
