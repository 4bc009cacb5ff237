"""The run of a cohort: from its plan to a release, without any private record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from understudy.core.conditions import Feasibility
from understudy.core.contracts import Evidence, Generator
from understudy.core.dataset import Dataset
from understudy.core.errors import PlanError
from understudy.core.events import Notify, silent
from understudy.core.schema import Column
from understudy.core.seeds import Seed
from understudy.knowledge.conditions import conditions
from understudy.metrics.clinical import keeps_hard_rules
from understudy.metrics.reference import read_by_reference
from understudy.modalities.tabular import present, spelled
from understudy.modalities.wishes import resolve
from understudy.populations.calibration import Calibrated, calibrate
from understudy.populations.catalog import CATALOG as POPULATIONS
from understudy.populations.cohorts import Found, Wish, draw, feasibility, narrowed, replaced
from understudy.populations.definitions import Definition, define
from understudy.populations.gaps import GAPS_SAY, with_gaps
from understudy.populations.origins import citations, cited_by, origins, stated_by_steps
from understudy.populations.presentation import Measure, measures, present_as, resolve_observation
from understudy.populations.requests import given_own, target_own
from understudy.populations.targets import Target, columns_of, says
from understudy.populations.us_adults import NAME as US_ADULTS
from understudy.workflow.cohort_judgement import Judged, judge_cohort
from understudy.workflow.cohort_request import DEFAULT_ROWS, population_of
from understudy.workflow.plan import Plan
from understudy.workflow.release import Release, bundle, ensure_free, versions
from understudy.workflow.steps import PREVIEW_ROWS, Steps

_POOL = (8, 5_000, 200_000)
_BACKGROUND = 5_000


@dataclass(frozen=True)
class Drawn:
    """The patients of a cohort, and how they came about.

    Attributes:
        own: rows in the observations' own units, all columns of the population.
        shown: the columns of the release in its units.
        wish: what every row satisfies.
        hardness: how common such people are.
        calibrated: what calibration reached, None without targets.
    """

    own: Dataset
    shown: Dataset
    wish: Wish
    hardness: Feasibility
    calibrated: Calibrated | None


def run_cohort(
    plan: Plan,
    out: Path,
    *,
    generator: Generator | None = None,
    notify: Notify = silent,
    notes: Sequence[str] = (),
) -> Release:
    """Carry out the plan of a cohort and write its release to `out`.

    Args:
        plan: the approved plan; it names a population.
        out: the release folder; an earlier release there is replaced.
        generator: the population, where it is built already.
        notify: told about every step.
        notes: what was noticed while drafting, kept with the release.

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
        generator = generator or population_of(plan.population)
        held = {c.name: c for c in generator.schema.table.columns}
        defined = _definitions(plan, held)
        written = _written(plan, held)
    with steps.step("sample"):
        drawn = draw_cohort(plan, generator, defined, written, seed.child("sample"))
    with steps.step("evaluate"):
        compared = narrowed(generator, read_by_reference({d.condition: d.when for d in defined}))
        people = compared.sample(_BACKGROUND, seed.child("background"))
        judged = judge_cohort(plan, drawn.own, drawn.shown, drawn.wish, drawn.calibrated, people, defined)
    with steps.step("release", str(out)):
        evidence = _gather(plan, drawn, judged, defined, written, steps.seconds, notes)
        return bundle(out, plan, drawn.shown, evidence, judged.verdict)


def _definitions(plan: Plan, held: Mapping[str, Column]) -> list[Definition]:
    name = plan.population.name if plan.population else ""
    return [
        *(define(c, held, name) for c in plan.cohort.conditions),
        *(define(c, held, name, exclude=True) for c in plan.cohort.exclude),
    ]


def _written(plan: Plan, held: Mapping[str, Column]) -> dict[str, Measure]:
    shown = {c.name: c for c in plan.schema_.table.columns}
    for name in shown:
        resolve_observation(name, held, plan.population.name if plan.population else "")
    units = {n: c.unit for n, c in shown.items() if c.unit is not None and c.unit != held[n].unit}
    decimals = {n: c.decimals for n, c in shown.items() if c.decimals is not None}
    return measures(tuple(shown), held, units=units, decimals=decimals)


def draw_cohort(
    plan: Plan,
    generator: Generator,
    defined: Sequence[Definition],
    written: Mapping[str, Measure],
    seed: Seed,
) -> Drawn:
    """Draw the patients of a cohort, and calibrate them where targets are stated.

    Raises:
        ConditionError: if nobody satisfies what is asked, or a target cannot be met.
    """
    given = resolve(given_own(plan.given, written), generator.schema)
    wish = Wish(
        where=tuple(dict.fromkeys([*given.where, *(w for d in defined for w in d.where)])),
        rest=tuple(dict.fromkeys(text for d in defined for text in d.rest)),
        shares=given.shares,
        names={text: d.says() for d in defined for text in d.rest},
    )
    rows = plan.rows or DEFAULT_ROWS
    targets = [target_own(t, written) for t in plan.cohort.targets]
    narrow = narrowed(generator, ["age", *plan.schema_.table.names, *wish.columns, *columns_of(targets)])
    calibrated = None
    names, title = plan.schema_.table.names, plan.schema_.table.name

    def is_sound(drawn: Dataset) -> npt.NDArray[np.bool_]:
        return keeps_hard_rules(present_as(drawn, names, written, title))

    if targets:
        found, calibrated = _calibrated(narrow, rows, wish, targets, is_sound, seed)
        own = calibrated.dataset
    else:
        found = draw(narrow, rows, wish, seed.child("rows"))
        own = replaced(narrow, found.rows, wish, is_sound, seed.child("replaced"))
    hardness = feasibility(generator, wish, found, seed.child("feasibility"))
    gappy = own
    if plan.cohort.missing == "realistic":
        gappy = with_gaps(own, seed.child("gaps"), complete=wish.columns)
    shown = present_as(gappy, names, written, title)
    return Drawn(own, shown, wish, hardness, calibrated)


def _calibrated(
    generator: Generator,
    rows: int,
    wish: Wish,
    targets: Sequence[Target],
    is_sound: Callable[[Dataset], npt.NDArray[np.bool_]],
    seed: Seed,
) -> tuple[Found, Calibrated]:
    factor, least, most = _POOL
    size = max(min(max(factor * rows, least), most), 2 * rows)
    pool = draw(generator, size, wish, seed.child("pool"))
    sound = pool.rows.with_frame(pool.rows.frame.filter(pl.Series(is_sound(pool.rows))))
    held = [
        Target(column=s.column, statistic="proportion", value=s.proportion, level=s.value)
        for s in wish.shares
        if s.want == "share"
    ]
    found = calibrate(sound, [*held, *targets], rows, seed.child("calibrate"))
    return pool, replace(found, reached=found.reached[len(held) :])


def _gather(
    plan: Plan,
    drawn: Drawn,
    judged: Judged,
    defined: Sequence[Definition],
    written: Mapping[str, Measure],
    seconds: Mapping[str, float],
    notes: Sequence[str],
) -> Evidence:
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
        "notes": [*notes, *([GAPS_SAY] if plan.cohort.missing == "realistic" else [])],
        "plan_digest": plan.digest(),
        "conditions": {"asked": asked_in_words(plan), **drawn.hardness.model_dump(mode="json")},
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
    names = [conditions()[c.partition(":")[0]].name for c in plan.cohort.conditions]
    return f"Synthetic patients: {' and '.join(names)}" if names else "Synthetic people of a population"


def asked_in_words(plan: Plan) -> str:
    """Return in words what a cohort asks of its patients."""
    parts = [conditions()[c.partition(":")[0]].name + (f" ({c.partition(':')[2]})" if ":" in c else "")
             for c in plan.cohort.conditions]  # fmt: skip
    parts += [f"without {conditions()[c.partition(':')[0]].name}" for c in plan.cohort.exclude]
    parts += [] if plan.given.is_empty else [plan.given.says()]
    parts += [says(t) for t in plan.cohort.targets]
    return "; ".join(parts) or "everyone"


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
