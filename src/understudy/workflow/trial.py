"""One synthesizer on one split, fitted, drawn from and judged; and what several splits say together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from understudy.core.catalog import Choice
from understudy.core.contest import Entrant, Trial
from understudy.core.contracts import Comparison
from understudy.core.dataset import Dataset
from understudy.core.events import Event, Notify, silent
from understudy.core.results import Evaluation, pool
from understudy.core.seeds import Seed
from understudy.metrics.catalog import CATALOG as METRICS
from understudy.store.artifacts import ArtifactStore
from understudy.workflow.evaluate import evaluate
from understudy.workflow.making import copied_shares, fit, fitting_cost, identifiers_kept, sample
from understudy.workflow.plan import Plan
from understudy.workflow.policy import decide, policy
from understudy.workflow.significance import holdout_share
from understudy.workflow.steps import Steps

TRIAL = "trial.json"


def trial(plan: Plan, train: Dataset, holdout: Dataset | None, store: ArtifactStore, notify: Notify) -> Trial:
    """Fit, draw and judge once; taken from the store where it was done before."""

    def make(folder: Path) -> None:
        (folder / TRIAL).write_text(
            _tried(plan, train, holdout, store, notify).model_dump_json(), encoding="utf-8"
        )

    held = None if holdout is None else holdout.digest()
    document = plan.model_dump(mode="json", by_alias=True, exclude={"reasons", "goal", "table", "sections"})
    key = {"plan": document, "train": train.digest(), "holdout": held}
    artifact = store.once("trial", key, make)
    return Trial.model_validate_json((artifact.folder / TRIAL).read_text(encoding="utf-8"))


def _tried(
    plan: Plan, train: Dataset, holdout: Dataset | None, store: ArtifactStore, notify: Notify
) -> Trial:
    steps = Steps(silent)
    generator, key = fit(plan, train, Seed(plan.seed).child("fit"), store, _half(notify, 0.0), _ignore)
    with steps.step("sample"):
        synthetic, _ = sample(plan, generator, key, train.rows, store, _ignore)
    comparison = Comparison(train, synthetic, holdout, Seed(plan.seed).child("evaluate"))
    evaluation = evaluate([lambda: comparison], plan.metrics, store, _half(notify, 0.5))
    shares = copied_shares(train, synthetic)
    cost = fitting_cost(store, key)
    return Trial(
        seed=plan.seed,
        evaluation=_without_figures(evaluation),
        verdict=decide(evaluation, policy(plan.policy), identifiers_kept(train, synthetic), *shares),
        fit_seconds=cost.seconds,
        fit_cpu_seconds=cost.cpu_seconds,
        sample_seconds=steps.seconds["sample"],
        generator_bytes=cost.generator_bytes,
    )


def _half(notify: Notify, start: float) -> Notify:
    def tell(event: Event) -> None:
        if event.event == "progressed":
            notify(event.model_copy(update={"fraction": start + event.fraction / 2}))

    return tell


def _ignore(is_reused: bool) -> None:
    """Take note of nothing: a comparison tells of itself as one step."""


def _without_figures(evaluation: Evaluation) -> Evaluation:
    results = tuple(result.model_copy(update={"figures": ()}) for result in evaluation.results)
    return evaluation.model_copy(update={"results": results})


def entrant(
    choice: Choice, trials: Sequence[Trial], failure: str, *, is_one_holdout: bool = False
) -> Entrant:
    """Return what the trials of one synthesizer say together, or why there are none.

    Args:
        choice: the synthesizer.
        trials: one per seed.
        failure: why there are none.
        is_one_holdout: whether all were judged on the same holdout rows.
    """
    if failure or not trials:
        return Entrant(choice=choice, failure=failure or "no seed was tried")
    alone = Entrant(choice=choice, trials=tuple(trials))
    if len(trials) == 1:
        return alone.model_copy(update={"pooled": trials[0].evaluation})
    share = holdout_share(alone)
    answers = zip(*(trial.evaluation.results for trial in trials), strict=True)
    results = tuple(
        METRICS.create(same[0].metric).explain(pool(same, share, is_one_holdout=is_one_holdout))
        for same in answers
    )
    first = trials[0].evaluation
    pooled = first.model_copy(update={"results": results, "splits": len(trials)})
    return alone.model_copy(update={"pooled": pooled})
