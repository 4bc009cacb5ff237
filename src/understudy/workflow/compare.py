"""Synthesizers side by side on one table: the same splits, the same questions, one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from understudy.core.catalog import Choice
from understudy.core.contest import Contest, Entrant, Trial
from understudy.core.errors import PlanError, RequestError, UnderstudyError
from understudy.core.events import Event, Notify, Progressed, silent
from understudy.core.schema import Role
from understudy.core.values import digest
from understudy.reports.compose import render
from understudy.reports.contest import contest_blocks
from understudy.store.artifacts import ArtifactStore, writing
from understudy.synthesizers.catalog import CATALOG as SYNTHESIZERS
from understudy.workflow.advise import Wishes, draft
from understudy.workflow.inputs import Frames, Inputs, read_inputs
from understudy.workflow.plan import DEFAULT_METRICS, Plan
from understudy.workflow.recommend import HEADLINES, leader_of, recommend
from understudy.workflow.release import ensure_free, seal, versions
from understudy.workflow.review import review
from understudy.workflow.run import refuse
from understudy.workflow.significance import differences, gap_changes
from understudy.workflow.steps import Steps
from understudy.workflow.trial import entrant, trial

CONTEST, REPORT = "contest.json", "report.html"
DEFAULT_CHOICES = tuple(Choice(name=name) for name in DEFAULT_METRICS)
DEFAULT_ENTRANTS = ("sequential_trees", "gaussian_copula", "bayes_net", "adversarial_forest", "marginals")


def compare(
    table: str,
    synthesizers: Sequence[Choice],
    wishes: Wishes,
    out: Path,
    *,
    seeds: int = 3,
    metrics: Sequence[Choice] = DEFAULT_CHOICES,
    frames: Frames | None = None,
    work: Path | None = None,
    notify: Notify = silent,
) -> Contest:
    """Fit and judge every synthesizer with every seed, and write one report to `out`.

    A seed decides the train/holdout split, the fit and the rows; all synthesizers share the splits. No
    synthetic row is written: this is evidence for a choice, not a release.

    Args:
        table: path of the table, or the name of one of `frames`.
        synthesizers: who takes part.
        wishes: what the person said of the table; its synthesizer, settings and rows are not used.
        out: the folder to write; an earlier comparison there is replaced.
        seeds: how many splits.
        metrics: what is asked of each.
        frames: tables in memory.
        work: where finished steps are kept, `<out>.work` by default.
        notify: told about every step.

    Raises:
        RequestError: if the table or a name is at fault, no row is held out, or nobody finishes.
    """
    ensure_free(out)
    _check(synthesizers, wishes, seeds)
    steps, store = Steps(notify), ArtifactStore(work or out.with_name(f"{out.name}.work"))
    with steps.step("read", table):
        drafted = draft(table, wishes, frames)
        fixed = {"splits": 1, "metrics": tuple(metrics)}
        plans = [drafted.plan.model_copy(update={"seed": wishes.seed + k, **fixed}) for k in range(seeds)]
        inputs = {plan.seed: read_inputs(plan, drafted.frames) for plan in plans}
    with steps.step("compare"):
        entrants = _entrants(synthesizers, plans, inputs, store, notify)
    with steps.step("release", str(out)):
        contest = _contest(table, drafted.plan, inputs[wishes.seed], entrants, drafted.notes)
        _write(contest, out)
    return contest


def _check(synthesizers: Sequence[Choice], wishes: Wishes, seeds: int) -> None:
    names = [choice.name for choice in synthesizers]
    for choice in synthesizers:
        SYNTHESIZERS.create(choice)
    if len(names) < 2 or len(set(names)) < len(names):
        raise RequestError(
            f"a comparison needs at least two different synthesizers, got {', '.join(names) or 'none'}"
        )
    if not 1 <= seeds <= 20:
        raise RequestError(f"{seeds} seeds asked; expected 1 to 20")
    if wishes.holdout.fraction is None and wishes.holdout.table is None:
        raise RequestError(
            "a comparison needs real rows that no synthesizer saw; name a share or a table to hold out"
        )


def _entrants(
    synthesizers: Sequence[Choice],
    plans: Sequence[Plan],
    inputs: Mapping[int, Inputs],
    store: ArtifactStore,
    notify: Notify,
) -> list[Entrant]:
    trials: dict[str, list[Trial]] = {choice.name: [] for choice in synthesizers}
    failures: dict[str, str] = {}
    total, done = len(plans) * len(synthesizers), 0
    # Seed by seed, so that what an interrupted comparison has finished is fair to all.
    for plan in plans:
        for choice in synthesizers:
            told = _part(notify, done / total, 1 / total, f"{choice.name}, seed {plan.seed}")
            told(Progressed(step="evaluate", fraction=0.0))
            done += 1
            if choice.name in failures:
                continue
            try:
                own = plan.model_copy(update={"synthesizer": choice})
                split = inputs[plan.seed]
                refuse(review(own, split.train))
                trials[choice.name].append(trial(own, split.train, split.holdout, store, told))
            except UnderstudyError as error:
                failures[choice.name] = str(error)
    is_one_holdout = plans[0].holdout.table is not None
    return [
        entrant(choice, trials[choice.name], failures.get(choice.name, ""), is_one_holdout=is_one_holdout)
        for choice in synthesizers
    ]


def _part(notify: Notify, start: float, size: float, who: str) -> Notify:
    """Return a listener that tells the progress of one trial as a part of the whole comparison."""

    def tell(event: Event) -> None:
        if event.event == "progressed":
            notify(Progressed(step="compare", fraction=min(start + size * event.fraction, 1.0), detail=who))

    return tell


def _contest(
    table: str, plan: Plan, inputs: Inputs, entrants: Sequence[Entrant], notes: Sequence[str]
) -> Contest:
    finished = [entrant for entrant in entrants if entrant.pooled is not None]
    if not finished:
        reasons = "; ".join(f"{e.name}: {e.failure}" for e in entrants)
        raise PlanError(f"no synthesizer could be fitted to this table: {reasons}")
    leader = leader_of(finished)
    found = differences(leader, finished, HEADLINES)
    schema = inputs.train.schema
    return Contest(
        title=f"Synthesizers for {Path(table).stem.strip('<>')}",
        table=Path(table).name,
        goal=plan.goal,
        rows=(inputs.train.rows, 0 if inputs.holdout is None else inputs.holdout.rows),
        seeds=tuple(trial.seed for trial in finished[0].trials),
        policy=plan.policy,
        targets=schema.table.having(Role.TARGET),
        protected=schema.table.having(Role.PROTECTED),
        entrants=tuple(entrants),
        differences=tuple(found),
        gaps=tuple(gap_changes(finished, is_one_holdout=plan.holdout.table is not None)),
        is_one_holdout=plan.holdout.table is not None,
        advice=recommend(leader, finished, found),
        provenance={
            "versions": versions(),
            "train_digest": inputs.train.digest(),
            "schema_digest": digest(schema.model_dump(mode="json")),
            "notes": [*notes, *inputs.notes],
        },
    )


def _write(contest: Contest, out: Path) -> None:
    with writing(out) as partial:
        (partial / CONTEST).write_text(contest.model_dump_json(indent=1), encoding="utf-8")
        (partial / REPORT).write_bytes(render(contest.title, contest_blocks(contest), "html"))
        facts = {"label": "COMPARISON of synthesizers; holds no rows", "seeds": list(contest.seeds)}
        seal(partial, {**facts, "advice": contest.advice.model_dump(mode="json")})
