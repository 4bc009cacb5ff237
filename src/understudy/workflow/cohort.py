"""The run of a cohort: from its plan to a release, without any private record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from understudy.core.conditions import Feasibility
from understudy.core.contracts import Evidence, Generator
from understudy.core.errors import PlanError
from understudy.core.events import Notify, silent
from understudy.core.seeds import Seed
from understudy.knowledge.conditions import conditions
from understudy.metrics.reference import read_by_reference
from understudy.modalities.tabular import present, spelled
from understudy.populations.calibration import Calibrated
from understudy.populations.catalog import CATALOG as POPULATIONS
from understudy.populations.cohorts import narrowed
from understudy.populations.definitions import in_words
from understudy.populations.gaps import GAPS_SAY
from understudy.populations.origins import citations, cited_by, origins, stated_by_steps
from understudy.populations.presentation import Measure
from understudy.populations.targets import Target, says
from understudy.populations.us_adults import NAME as US_ADULTS
from understudy.workflow.cohort_drawing import Drawing, Drawn, draw_cohort, room_for
from understudy.workflow.cohort_judgement import JUDGED, Judged, judge_cohort
from understudy.workflow.cohort_request import asked_in_words, population_of
from understudy.workflow.plan import Plan
from understudy.workflow.release import Release, bundle, ensure_free, versions
from understudy.workflow.steps import PREVIEW_ROWS, Steps

_BACKGROUND = 5_000
_JUDGED_SAYS = (
    f"metrics looked at {JUDGED:,} of the rows; conditions and hard rules were checked on every row"
)


def run_cohort(
    plan: Plan,
    out: Path,
    *,
    generator: Generator | None = None,
    notify: Notify = silent,
    notes: Sequence[str] = (),
    processes: int = 1,
) -> Release:
    """Carry out the plan of a cohort and write its release to `out`.

    Args:
        plan: the approved plan; it names a population.
        out: the release folder; an earlier release there is replaced.
        generator: the population, where it is built already.
        notify: told about every step.
        notes: what was noticed while drafting, kept with the release.
        processes: how many processes draw blocks of a large cohort; the patients are the same for any number. A
            program that asks for several must start in a block `if __name__ == "__main__":`.

    Raises:
        PlanError: if the plan names no population.
        ConditionError: if nobody satisfies what is asked, or a target cannot be met.
        OutputError: if the folder cannot be written.
    """
    if plan.population is None:
        raise PlanError("the plan names no population; carry it out with `understudy run`")
    ensure_free(out)
    steps, seed = Steps(notify), Seed(plan.seed).child("cohort")
    with steps.step("build", plan.population.name):
        drawing = Drawing.of(plan, generator or population_of(plan.population))
    with room_for(drawing, out) as folder:
        with steps.step("sample"):
            drawn = draw_cohort(drawing, folder, processes)
            hardness = drawing.hardness(drawn.share)
        with steps.step("evaluate"):
            defined = drawing.defined
            compared = narrowed(drawing.generator, read_by_reference({d.condition: d.when for d in defined}))
            people = compared.sample(_BACKGROUND, seed.child("background"))
            judged = judge_cohort(plan, drawn, drawing.wish, people, defined)
        with steps.step("release", str(out)):
            evidence = _gather(drawing, drawn, hardness, judged, steps.seconds, notes)
            return bundle(out, plan, drawn.shown, evidence, judged.verdict)


def _gather(
    drawing: Drawing,
    drawn: Drawn,
    hardness: Feasibility,
    judged: Judged,
    seconds: Mapping[str, float],
    notes: Sequence[str],
) -> Evidence:
    plan, defined, written = drawing.plan, drawing.defined, drawing.written
    assert plan.population is not None
    name = plan.population.name
    stated = stated_by_steps() if name == US_ADULTS else {}
    columns = origins(plan.schema_.table.names, written, name, stated)
    cited = ["nhanes_2017_2020", *cited_by(columns, defined)]
    provenance: dict[str, Any] = {
        "versions": versions(),
        "seed": plan.seed,
        "population": {"name": name, "summary": POPULATIONS.entry(name).summary if name in POPULATIONS.names else ""},
        "synthetic_rows": drawn.shown.rows,
        "seconds": dict(seconds),
        "notes": [*notes, *([GAPS_SAY] if plan.cohort.missing == "realistic" else []),
                  *([_JUDGED_SAYS] if drawn.shown.rows > JUDGED else [])],
        "plan_digest": plan.digest(),
        "conditions": {"asked": asked_in_words(plan), **hardness.model_dump(mode="json")},
        "definitions": [
            {"condition": conditions()[d.condition].name, "is_excluded": d.is_excluded, "when": d.when,
             "basis": d.basis, "sources": list(d.sources)}
            for d in defined
        ],
        "columns": {n: o.model_dump(mode="json") for n, o in columns.items()},
        "citations": citations(cited),
    }  # fmt: skip
    if drawn.calibrated is not None:
        provenance["calibration"] = _calibration(drawn.calibrated, written)
    shown = present(drawn.shown.with_frame(drawn.shown.frame.head(PREVIEW_ROWS)))
    is_out = judged.verdict.is_released
    return Evidence(
        title=_title(plan),
        goal=plan.goal,
        schema=drawn.shown.schema,
        plan=plan.model_dump(
            mode="json", by_alias=True, exclude={"schema_", "table", "synthesizer", "holdout"}
        ),
        evaluation=judged.evaluation,
        verdict=judged.verdict,
        preview={c: tuple(spelled(shown[c]).fill_null("")) for c in shown.columns} if is_out else {},
        provenance=provenance,
    )


def _title(plan: Plan) -> str:
    names = [in_words(c) for c in plan.cohort.conditions]
    return f"Synthetic patients: {' and '.join(names)}" if names else "Synthetic people of a population"


def _calibration(found: Calibrated, written: Mapping[str, Measure]) -> dict[str, Any]:
    return {
        "targets": [
            {"asked": says(target_shown(r.target, written)), "without": _shown(r.target, r.before, written),
             "reached": _shown(r.target, r.reached, written)}
            for r in found.reached
        ],
        "pool_rows": found.pool_rows,
        "effective_rows": round(found.effective_rows, 1),
        "shifts": [
            {"column": s.column, "shift_sd": round(s.shift_sd, 4)} for s in found.shifts
        ],
        "notes": list(found.notes),
    }  # fmt: skip


def target_shown(target: Target, written: Mapping[str, Measure]) -> Target:
    """Return a target of the observation's own unit in the unit of the release."""
    measure = written.get(target.column)
    if measure is None or target.statistic in ("proportion", "correlation"):
        return target
    return target.model_copy(update={"value": _shown(target, target.value, written), "unit": measure.unit})


def _shown(target: Target, value: float, written: Mapping[str, Measure]) -> float:
    measure = written.get(target.column)
    if measure is None or target.statistic in ("proportion", "correlation"):
        return float(f"{value:.6g}")
    shown = value * abs(measure.factor) if target.statistic == "sd" else measure.shown(value)
    return float(f"{shown:.6g}")
