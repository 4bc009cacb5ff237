"""The Python front door: from a table to a judged synthetic one in three lines."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import polars as pl

from understudy.core.catalog import Choice
from understudy.core.conditions import conditions
from understudy.core.contest import Contest
from understudy.core.errors import RequestError
from understudy.core.events import Notify, silent
from understudy.core.results import Evaluation, Verdict
from understudy.core.rules import Handling
from understudy.core.schema import Schema
from understudy.modalities.tabular import present
from understudy.reports.compose import compose, render
from understudy.sources.files import Reading
from understudy.sources.frame import like, read_frame
from understudy.sources.profile import Proposal, propose
from understudy.sources.reading import read_table
from understudy.workflow.advise import Wishes, draft
from understudy.workflow.cohort import run_cohort
from understudy.workflow.cohort_request import CohortWishes, draft_cohort
from understudy.workflow.compare import DEFAULT_ENTRANTS
from understudy.workflow.compare import compare as carry_out
from understudy.workflow.judge import judge
from understudy.workflow.plan import DEFAULT_METRICS, MEMORY, Holdout, Plan
from understudy.workflow.release import Release
from understudy.workflow.run import run
from understudy.workflow.sample import sample as draw

HOLDOUT_MEMORY = "<holdout in memory>"
PARTIAL_MEMORY = "<rows to complete in memory>"
Made = TypeVar("Made")


@dataclass(frozen=True)
class Synthesis:
    """A synthetic table and what is known about it.

    Attributes:
        data: the synthetic rows, in the library of the table that was handed in (polars for a path).
        plan: what was done, with reasons.
        release: the written release; its folder is gone when no `out` was named.
    """

    data: Any
    plan: Plan
    release: Release

    @property
    def evaluation(self) -> Evaluation:
        """The results of all metrics."""
        return self.release.evidence.evaluation

    @property
    def verdict(self) -> Verdict:
        """Released, or withheld with reasons."""
        return self.release.verdict

    def report(self) -> str:
        """Return the report as one self-contained HTML page."""
        evidence = self.release.evidence
        return render(evidence.title, compose(evidence, self.plan.sections), "html").decode()


def profile(table: Any) -> Proposal:
    """Propose what a table means: kinds, roles, units, rules, each with confidence and reason.

    Args:
        table: a path, or a pandas, polars or pyarrow table.

    Raises:
        SourceError: if the table cannot be read.
    """
    return propose(_opened(table, MEMORY)[0].frame)


def synthesize(
    table: Any,
    *,
    target: str | None = None,
    protected: Sequence[str] | None = None,
    rows: int | None = None,
    augment: int | None = None,
    balance: str | None = None,
    where: Sequence[str] = (),
    share: Sequence[str] = (),
    complete: Any | None = None,
    synthesizer: str | None = None,
    settings: Mapping[str, Any] | None = None,
    schema: Schema | None = None,
    holdout: float | Any | None = 0.2,
    train_rows: int | None = None,
    time_limit_s: float | None = None,
    device: str = "cpu",
    violations: Handling | None = None,
    policy: Literal["internal", "external"] = "internal",
    seed: int = 0,
    out: str | Path | None = None,
    export: str = "csv",
    with_generator: bool = False,
    goal: str = "",
    notify: Notify = silent,
) -> Synthesis:
    """Make a synthetic stand-in for a table of patients, and judge it.

    Args:
        table: a path, or a pandas, polars or pyarrow table; one row per patient or record.
        target: the column that is predicted when usefulness is measured.
        protected: columns whose groups are compared.
        rows: synthetic rows; as many as were learned from if left out.
        augment: draw so many rows to be added to the real ones, and measure whether that helps a model.
        balance: draw rows of the rarer levels of this column, so that real and synthetic together are balanced.
        where: conditions that every row satisfies, such as `"age>=65"` or `"sex=female"`.
        share: proportions, such as `"sex=female:0.6"` or `"outcome:balanced"`.
        complete: partial rows, a path or a table: their cells are kept, open ones are drawn to go with them.
        synthesizer: name from the catalog (`understudy list synthesizers`), or `auto`: the best of two or three on
            rows set aside from those to learn from.
        settings: settings of the synthesizer.
        schema: the table's meaning; proposed by `profile` if left out.
        holdout: share of patients kept from fitting for the judgement, a table of such patients, or None.
        train_rows: learn from at most this many rows.
        time_limit_s: seconds that learning should stay within.
        device: where neural synthesizers learn, `cpu`, `cuda` or `mps`.
        violations: what to do with real rows that break rules or bounds.
        policy: release policy, `internal` or `external`.
        seed: the same seed gives the same data.
        out: folder for the release; without it nothing stays on disk.
        export: format of the tables in the release.
        with_generator: keep the trained generator in `out`, for `sample`: as sensitive as the real data.
        goal: the request in your words, kept with the release.
        notify: told about progress.

    Raises:
        RequestError: if the table, the conditions or the settings do not allow it; says what to do.
    """
    if with_generator and out is None:
        raise RequestError("with_generator keeps the generator in the release; name its folder with `out`")
    opened, name = _opened(table, MEMORY)
    frames: dict[str, pl.DataFrame | Reading] = {name: opened}
    wishes = Wishes(
        goal=goal,
        schema=schema,
        synthesizer=synthesizer,
        settings=settings or {},
        given=conditions(where, share),
        target=target,
        protected=protected,
        rows=rows,
        augment=augment,
        balance=balance,
        complete=_partial(complete, frames),
        train_rows=train_rows,
        time_limit_s=time_limit_s,
        device=device,
        with_generator=with_generator,
        holdout=_holdout(holdout, frames),
        export=export,
        violations=violations,
        policy=policy,
        seed=seed,
    )
    plan = draft(name, wishes, frames).plan
    release = _made(out, lambda folder: run(plan, folder, frames=frames, notify=notify))
    if release.dataset is None:
        raise RequestError("the run made no dataset")
    data = present(release.dataset)
    return Synthesis(data if isinstance(table, str | Path) else like(table, data), plan, release)


def cohort(
    *conditions: str,
    population: str = "us_adults",
    rows: int = 1_000,
    observations: int | None = 20,
    exclude: Sequence[str] = (),
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
    where: Sequence[str] = (),
    share: Sequence[str] = (),
    targets: Sequence[str] = (),
    system: Literal["conventional", "si"] = "conventional",
    units: Mapping[str, str] | None = None,
    decimals: Mapping[str, int] | None = None,
    missing: Literal["none", "realistic"] = "none",
    settings: Mapping[str, Any] | None = None,
    policy: Literal["internal", "external"] = "internal",
    seed: int = 0,
    out: str | Path | None = None,
    export: str = "csv",
    goal: str = "",
    notify: Notify = silent,
) -> Synthesis:
    """Draw patients with the wished conditions from published knowledge; no private record is read.

    Args:
        conditions: conditions that everyone has, by any name: `"type 2 diabetes"`, `"CKD:G3a"`.
        population: whom they are drawn from (`understudy populations list`).
        rows: how many patients.
        observations: how many of the observations that matter most in these conditions; None for all.
        exclude: conditions that nobody is known to have.
        add: further observations, by any name.
        drop: observations to leave out.
        where: limits that everyone keeps, in the units of the release or in the unit that follows the number.
        share: exact proportions, such as `"sex=female:0.6"`.
        targets: aggregates to meet, such as `"bmi:mean=31"` or `"bmi~systolic_bp:corr=0.5"`.
        system: units of the release.
        units: other units for single observations, such as `{"hba1c": "mmol/mol"}`.
        decimals: other digits after the point for single observations, at most those that they are known to.
        missing: `realistic` for values missing as often as in the survey.
        settings: settings of the population.
        policy: release policy, `internal` or `external`.
        seed: the same seed gives the same patients.
        out: folder for the release; without it nothing stays on disk.
        export: format of the table in the release.
        goal: the request in your words, kept with the release.
        notify: told about progress.

    Raises:
        RequestError: if a name is unknown, or nobody is as asked; says what is nearest.
    """
    wishes = CohortWishes(
        population=population,
        settings=settings or {},
        conditions=conditions,
        exclude=exclude,
        rows=rows,
        observations=observations,
        add=add,
        drop=drop,
        where=where,
        share=share,
        targets=targets,
        system=system,
        units=units or {},
        decimals=decimals or {},
        missing=missing,
        export=export,
        policy=policy,
        seed=seed,
        goal=goal,
    )
    found = draft_cohort(wishes)
    release = _made(
        out,
        lambda folder: run_cohort(
            found.plan, folder, generator=found.generator, notify=notify, notes=found.notes
        ),
    )
    if release.dataset is None:
        raise RequestError("the run made no dataset")
    return Synthesis(present(release.dataset), found.plan, release)


def evaluate(
    real: Any,
    synthetic: Any,
    holdout: Any | None = None,
    *,
    target: str | None = None,
    protected: Sequence[str] | None = None,
    schema: Schema | None = None,
    policy: Literal["internal", "external"] = "internal",
    seed: int = 0,
    out: str | Path | None = None,
    notify: Notify = silent,
) -> Release:
    """Judge any synthetic table, also one that another tool made.

    Args:
        real: the rows that the other tool learned from: a path or a table.
        synthetic: the rows that it made.
        holdout: real rows that it never saw; without them utility and privacy cannot be measured.
        target: the column that is predicted when usefulness is measured.
        protected: columns whose groups are compared.
        schema: the meaning of the real table; proposed if left out.
        policy: release policy to judge by.
        seed: seed of the judgement.
        out: folder for report and evaluation; without it nothing stays on disk.
        notify: told about progress.

    Raises:
        RequestError: if a table cannot be read, or the tables share no column.
    """
    tables = [_opened(real, "<real>")[0].frame, _opened(synthetic, "<synthetic>")[0].frame]
    held = None if holdout is None else _opened(holdout, HOLDOUT_MEMORY)[0].frame
    wishes = Wishes(schema=schema, target=target, protected=protected, policy=policy, seed=seed)
    return _made(out, lambda folder: judge(tables[0], tables[1], held, wishes, folder, notify=notify))


def compare(
    table: Any,
    synthesizers: Sequence[str | Choice] = DEFAULT_ENTRANTS,
    *,
    seeds: int = 3,
    metrics: Sequence[str | Choice] = DEFAULT_METRICS,
    target: str | None = None,
    protected: Sequence[str] | None = None,
    schema: Schema | None = None,
    holdout: float | Any = 0.2,
    train_rows: int | None = None,
    time_limit_s: float | None = None,
    device: str = "cpu",
    policy: Literal["internal", "external"] = "internal",
    seed: int = 0,
    out: str | Path | None = None,
    goal: str = "",
    notify: Notify = silent,
) -> Contest:
    """Fit several synthesizers with several seeds, judge them alike, and say which to use and why.

    Args:
        table: a path, or a pandas, polars or pyarrow table.
        synthesizers: names, or choices with settings.
        seeds: train/holdout splits; more of them tell smaller differences apart.
        metrics: what is asked of each: names (`understudy list metrics`) or choices with settings.
        target: the column that is predicted when usefulness is measured.
        protected: columns whose groups are compared.
        schema: the table's meaning; proposed if left out.
        holdout: share of patients kept from fitting, or a table of such patients.
        train_rows: learn from at most this many rows.
        time_limit_s: seconds that each fit should stay within.
        device: where neural synthesizers learn, `cpu`, `cuda` or `mps`.
        policy: release policy by which rows count as refused.
        seed: the first seed.
        out: folder for report and `contest.json`; without it nothing stays on disk.
        goal: the request in your words, kept with the comparison.
        notify: told about progress.

    Raises:
        RequestError: if the table or a name is at fault, or no synthesizer finishes.
    """
    opened, name = _opened(table, MEMORY)
    frames: dict[str, pl.DataFrame | Reading] = {name: opened}
    wishes = Wishes(
        goal=goal,
        schema=schema,
        target=target,
        protected=protected,
        train_rows=train_rows,
        time_limit_s=time_limit_s,
        device=device,
        holdout=_holdout(holdout, frames),
        policy=policy,
        seed=seed,
    )
    choices, asked = (
        [Choice(name=one) if isinstance(one, str) else one for one in several]
        for several in (synthesizers, metrics)
    )
    return _made(
        out,
        lambda folder: carry_out(
            name, choices, wishes, folder, seeds=seeds, metrics=asked, frames=frames, notify=notify
        ),
    )


def sample(
    generator: str | Path,
    *,
    rows: int | None = None,
    where: Sequence[str] = (),
    share: Sequence[str] = (),
    complete: Any | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Draw rows from a generator that a release kept (`synthesize(..., with_generator=True)`); they are not judged.

    Args:
        generator: the release, or the folder of the generator.
        rows: how many; as many as were learned from, or as are completed, if left out.
        where: conditions that every row satisfies, such as `"age>=65"`.
        share: proportions, such as `"sex=female:0.6"`.
        complete: partial rows, a path or a table: their cells are kept, open ones are drawn to go with them.
        seed: the same seed gives the same rows.

    Raises:
        RequestError: if there is no generator, or the rows or conditions cannot be met.
    """
    frames: dict[str, pl.DataFrame | Reading] = {}
    completed = _partial(complete, frames)
    wished = conditions(where, share)
    made = draw(Path(generator), wished, rows=rows, complete=completed, seed=seed, frames=frames)
    return present(made.dataset)


def _made(out: str | Path | None, make: Callable[[Path], Made]) -> Made:
    """Make a release or a comparison in `out`, or in a folder that is gone afterwards."""
    if out is not None:
        return make(Path(out))
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
        return make(Path(folder) / "release")


def _partial(complete: Any | None, frames: dict[str, pl.DataFrame | Reading]) -> str:
    if complete is None:
        return ""
    opened, name = _opened(complete, PARTIAL_MEMORY)
    frames[name] = opened
    return name


def _opened(table: Any, name: str) -> tuple[Reading, str]:
    if isinstance(table, str | Path):
        return read_table(table), str(table)
    return read_frame(table, name), name


def _holdout(holdout: float | Any | None, frames: dict[str, pl.DataFrame | Reading]) -> Holdout:
    if holdout is None:
        return Holdout()
    if isinstance(holdout, float | int):
        if not 0 < holdout < 1:
            raise RequestError(f"holdout is {holdout:g}; expected a share between 0 and 1, a table, or None")
        return Holdout(fraction=float(holdout))
    opened, name = _opened(holdout, HOLDOUT_MEMORY)
    frames[name] = opened
    return Holdout(table=name)


__all__ = [
    "Choice",
    "Contest",
    "Proposal",
    "Synthesis",
    "cohort",
    "compare",
    "evaluate",
    "profile",
    "sample",
    "synthesize",
]
