"""What a person's click sets off: only doors load this module, no tool and no model reaches it."""

from __future__ import annotations

from pathlib import Path

from understudy.agent.conversation import Conversation
from understudy.agent.values import Judging
from understudy.core.events import Notify
from understudy.sources.reading import read_table
from understudy.workflow.advise import Wishes
from understudy.workflow.cohort import run_cohort
from understudy.workflow.judge import judge
from understudy.workflow.plan import Plan
from understudy.workflow.release import Release
from understudy.workflow.run import run


def approve(conversation: Conversation, out: Path, notify: Notify) -> Release:
    """Carry out what waits for the person's click.

    Args:
        conversation: it waits for a click.
        out: the release folder.
        notify: told about every step.

    Raises:
        LanguageModelError: if nothing waits for a click.
        UnderstudyError: if the run fails.
    """
    asked = conversation.approved(out)
    if isinstance(asked, Judging):
        release = _judged(conversation, asked, out, notify)
    else:
        release = _run(conversation, asked, out, notify)
    conversation.carried_out(out, f"the run made {release.evidence.evaluation.synthetic_rows} rows")
    return release


def _run(conversation: Conversation, plan: Plan, out: Path, notify: Notify) -> Release:
    desk = conversation.desk
    if plan.population is not None:
        return run_cohort(plan, out, notify=notify, notes=desk.reading.notes if desk.reading else ())
    frames = {table.known.path: table.reading for table in desk.tables}
    return run(plan, out, frames=frames, notify=notify)


def _judged(conversation: Conversation, asked: Judging, out: Path, notify: Notify) -> Release:
    brought = {table.known.path: table.reading for table in conversation.desk.tables}
    real, synthetic, holdout = (
        None if not path else (brought.get(path) or read_table(path)).frame
        for path in (asked.real, asked.synthetic, asked.holdout)
    )
    assert real is not None
    assert synthetic is not None  # a judging names both
    wishes = Wishes(
        goal=conversation.desk.state.said,
        target=asked.target or None,
        protected=asked.protected or None,
        policy=asked.policy,
        seed=asked.seed,
    )
    return judge(real, synthetic, holdout, wishes, out, notify=notify)
