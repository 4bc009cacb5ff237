"""`auto`: candidates are tried on rows set aside from those to learn from, and the best of them learns from all.

The holdout takes no part: it judges what was chosen, as it judges everything else.
"""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.catalog import Choice
from understudy.core.contest import Entrant, Trial
from understudy.core.dataset import Dataset
from understudy.core.errors import PlanError, UnderstudyError
from understudy.core.events import Event, Notify, Progressed
from understudy.core.seeds import Seed
from understudy.store.artifacts import ArtifactStore
from understudy.workflow.candidates import AUTO, DEFAULT_SYNTHESIZER, TUNE_SHARE, candidates, tune_splits
from understudy.workflow.plan import Plan
from understudy.workflow.recommend import distance, is_refused
from understudy.workflow.trial import entrant, trial

QUESTIONS = ("detection", "pairs", "prediction", "copies", "single_values", "membership", "plausibility")
# Another has to come this much nearer to real rows than the default, and nearer on every split: less is noise of the
# tune splits, by which a worse one would be taken on tables of a few hundred rows.
MARGIN = 0.1
FEWEST_TUNE = 20


def chosen(plan: Plan, train: Dataset, store: ArtifactStore, notify: Notify) -> Plan:
    """Return the plan with `auto` replaced by the synthesizer that does best on rows set aside, with the reason.

    Args:
        plan: a plan whose synthesizer is `auto`; any other is returned as it is.
        train: rows to learn from; the tune splits are made of them.
        store: keeps every trial.
        notify: told about progress.

    Raises:
        PlanError: if no candidate can be fitted.
    """
    if plan.synthesizer.name != AUTO:
        return plan
    offered = candidates(train.rows, train.columns, plan.policy, plan.time_limit_s)
    if len(offered) == 1 or TUNE_SHARE * train.rows < FEWEST_TUNE:
        why = "the default: time or rows are too few to try others"
        return plan.model_copy(
            update={"synthesizer": Choice(name=DEFAULT_SYNTHESIZER, reason=f"auto: {why}")}
        )
    entrants = [
        _tried(plan, choice, train, store, _part(notify, k, len(offered))) for k, choice in enumerate(offered)
    ]
    finished = [one for one in entrants if one.pooled is not None]
    if not finished:
        reasons = "; ".join(f"{one.name}: {one.failure}" for one in entrants)
        raise PlanError(f"no candidate of `auto` could be fitted to this table: {reasons}")
    best = best_of(finished)
    reason = f"auto: {_why(best, finished, tune_splits(train.rows), plan.time_limit_s)}"
    return plan.model_copy(update={"synthesizer": best.choice.model_copy(update={"reason": reason})})


def _share(time_limit_s: float | None, fits: int) -> float | None:
    """Return the seconds of one trial, so that all of them and the last fit stay within the limit."""
    return None if time_limit_s is None else time_limit_s / (fits + 1)


def best_of(entrants: Sequence[Entrant]) -> Entrant:
    """Return the nearest to real rows of those not refused; the first, unless another clearly beats it."""
    first = entrants[0]
    best = min(entrants, key=lambda one: (is_refused(one), distance(one)))
    is_nearer = distance(first) - distance(best) > MARGIN and _always_nearer(best, first)
    return best if is_refused(first) != is_refused(best) or is_nearer else first


def _always_nearer(one: Entrant, other: Entrant) -> bool:
    """Say whether one is nearer to real rows on every split."""
    return all(
        distance(entrant(one.choice, (own,), "")) < distance(entrant(other.choice, (its,), ""))
        for own, its in zip(one.trials, other.trials, strict=True)
    )


def _tried(plan: Plan, choice: Choice, train: Dataset, store: ArtifactStore, notify: Notify) -> Entrant:
    asked = tuple(Choice(name=name) for name in QUESTIONS)
    trials: list[Trial] = []
    bare = Choice(name=choice.name)
    try:
        for number in range(tune_splits(train.rows)):
            seed = Seed(plan.seed).child(f"tune-{number}")
            learning, tune = train.split(TUNE_SHARE, seed)
            own = plan.model_copy(
                update={"synthesizer": bare, "seed": seed.integer(), "metrics": asked, "splits": 1}
            )
            trials.append(trial(own, learning, tune, store, notify))
    except UnderstudyError as error:
        return entrant(choice, (), str(error))
    return entrant(choice, trials, "")


def _part(notify: Notify, place: int, count: int) -> Notify:
    def tell(event: Event) -> None:
        if event.event == "progressed":
            notify(Progressed(step="choose", fraction=(place + event.fraction) / count, detail=event.detail))

    return tell


def _why(best: Entrant, entrants: Sequence[Entrant], splits: int, time_limit_s: float | None) -> str:
    """Return why this one was chosen, with the figures of all that were tried."""
    said = "; ".join(f"{one.name} {_figures(one)} ({one.choice.reason})" for one in entrants)
    first = entrants[0]
    if best is first:
        verdict = f"no other comes nearer to real rows by more than {MARGIN:g}"
    elif is_refused(first):
        verdict = f"the policy finds something against the rows of {first.name}, and this one is nearest of the others"
    else:
        verdict = f"nearer to real rows than {first.name} on every split, by more than {MARGIN:g} on average"
    limit = "" if time_limit_s is None else f" within {time_limit_s:g} s"
    return f"{verdict}. Tried{limit} on {splits} split{'s' if splits > 1 else ''} of the rows to learn from: {said}"


def _figures(one: Entrant) -> str:
    parts = [
        f"{metric} {result.estimate.value:.3f}"
        for metric in ("detection", "pairs", "prediction")
        if (result := one.result(metric)) is not None and result.estimate is not None
    ]
    refused = f", refused on {one.refusals}" if one.refusals else ""
    return f"{', '.join(parts)}{refused}"
