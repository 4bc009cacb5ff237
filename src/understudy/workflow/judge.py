"""The judgement of a synthetic table that somebody else made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from understudy.core.catalog import Choice
from understudy.core.contracts import Comparison, Evidence
from understudy.core.errors import SchemaError
from understudy.core.events import Notify, silent
from understudy.core.schema import Role, Schema
from understudy.core.seeds import Seed
from understudy.sources.profile import propose
from understudy.store.artifacts import ArtifactStore
from understudy.workflow.advise import Wishes, with_wished_roles
from understudy.workflow.cleaning import clean_apart
from understudy.workflow.evaluate import evaluate
from understudy.workflow.inputs import as_schema_says, overlap
from understudy.workflow.making import copied_shares, identifiers_kept
from understudy.workflow.plan import DEFAULT_METRICS
from understudy.workflow.policy import decide, policy
from understudy.workflow.release import Release, bundle, ensure_free, versions
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
        synthetic: raw rows that it made; the columns that it shares with the real table are judged.
        holdout: raw real rows that it never saw, or None.
        wishes: target, protected columns, schema, policy and seed.
        out: the folder to write.
        work: where finished measurements are kept, `<out>.work` by default.
        notify: told about every step.

    Raises:
        SchemaError: if the synthetic table shares no column with the real one, or the holdout lacks some.
        SourceError: if the holdout holds the rows that were learned from.
        OutputError: if the folder cannot be written.
    """
    ensure_free(out)
    steps, store = Steps(notify), ArtifactStore(work or out.with_name(f"{out.name}.work"))
    with steps.step("read"):
        schema = with_wished_roles(wishes.schema or propose(real).schema, wishes, {})
        schema, notes = _shared(schema, synthetic.columns)
        known, unread = as_schema_says(real, schema, "real")
        held = None if holdout is None else as_schema_says(holdout, schema, "holdout")[0]
        learned, held, broken = clean_apart(known, held, "keep_rate")
        schema = learned.schema
        made, odd = as_schema_says(synthetic, schema, "synthetic")
        notes += overlap(learned, held)
    with steps.step("evaluate"):
        comparison = Comparison(learned, made, held, Seed(wishes.seed).child("evaluate"))
        choices = tuple(Choice(name=name) for name in DEFAULT_METRICS)
        evaluation = evaluate([lambda: comparison], choices, store, notify)
        kept = identifiers_kept(known, made, with_keys=False)
        verdict = decide(evaluation, policy(wishes.policy), kept, *copied_shares(known, made))
    with steps.step("release", str(out)):
        evidence = Evidence(
            title="Evaluation of a synthetic table",
            goal=wishes.goal,
            schema=schema,
            evaluation=evaluation,
            verdict=verdict,
            violations=tuple(str(v) for v in (*unread, *broken)),
            provenance={
                "versions": versions(),
                "seed": wishes.seed,
                "inputs": {
                    "real": known.digest(),
                    "synthetic": made.digest(),
                    "holdout": None if held is None else held.digest(),
                },
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


def _shared(schema: Schema, names: Sequence[str]) -> tuple[Schema, list[str]]:
    """Return the schema of the columns that both tables have, and what is told of the others."""
    table = schema.table
    kept = tuple(column for column in table.columns if column.name in names)
    if not kept:
        raise SchemaError(
            f"the synthetic table shares no column with the real one, which has {', '.join(table.names[:5])}: "
            "name the table that was made from it, or rename its columns"
        )
    lacking = [name for name in table.names if name not in names]
    extra = sorted(set(names) - set(table.names))
    notes = [f"column {name!r} is not in the synthetic table and was not judged" for name in lacking]
    notes += [f"column {name!r} is not in the real table and was left out" for name in extra]
    known = {column.name for column in kept}
    rules = tuple(rule for rule in schema.rules if set(rule.columns) <= known)
    shared = table.model_copy(update={"columns": kept})
    return schema.model_copy(update={"tables": (shared,), "rules": rules}), notes
