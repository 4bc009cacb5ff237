"""What a person's click sets off: only doors load this module, no tool and no model reaches it."""

from __future__ import annotations

from pathlib import Path

from understudy.agent.conversation import Conversation
from understudy.agent.reading.table_planning import wishes_of
from understudy.agent.values import Comparing, Judging
from understudy.core.blocks import Text
from understudy.core.catalog import Choice
from understudy.core.contest import Contest
from understudy.core.events import Notify
from understudy.reports.contest import at_a_glance, recommendation
from understudy.sources.reading import read_table
from understudy.workflow.advise import Wishes
from understudy.workflow.cohort import run_cohort
from understudy.workflow.compare import REPORT, compare
from understudy.workflow.judge import judge
from understudy.workflow.plan import Plan
from understudy.workflow.release import Release
from understudy.workflow.run import run


def approve(conversation: Conversation, out: Path, notify: Notify) -> Release | None:
    """Carry out what waits for the person's click.

    A comparison of synthesizers makes no release: what it found is said in the conversation.

    Args:
        conversation: it waits for a click.
        out: the release folder.
        notify: told about every step.

    Raises:
        LanguageModelError: if nothing waits for a click.
        UnderstudyError: if the run fails.
    """
    asked = conversation.approved(out)
    if isinstance(asked, Comparing):
        contest = _compared(conversation, asked, out, notify)
        where = Text(text=f"The whole comparison: {out / REPORT}")
        blocks = [*recommendation(contest), at_a_glance(contest), where]
        conversation.carried_out(f"{len(asked.names)} synthesizers were compared", blocks=blocks)
        return None
    if isinstance(asked, Judging):
        release = _judged(conversation, asked, out, notify)
    else:
        release = _run(conversation, asked, out, notify)
    told = f"the run made {release.evidence.evaluation.synthetic_rows} rows"
    conversation.carried_out(told, release=out)
    return release


def _run(conversation: Conversation, plan: Plan, out: Path, notify: Notify) -> Release:
    desk = conversation.desk
    if plan.population is not None:
        return run_cohort(plan, out, notify=notify, notes=desk.reading.notes if desk.reading else ())
    frames = {table.known.path: table.reading for table in desk.tables}
    return run(plan, out, frames=frames, notify=notify)


def _compared(conversation: Conversation, asked: Comparing, out: Path, notify: Notify) -> Contest:
    frames = {table.known.path: table.reading for table in conversation.desk.tables}
    choices = [Choice(name=name) for name in asked.names]
    return compare(asked.plan.table, choices, wishes_of(asked.plan), out, frames=frames, notify=notify)


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
