"""Everything that the agent can do. A tool without a verb of its own happens only after a person's click."""

from __future__ import annotations

from typing import Any

from understudy.agent.state import NoArguments, Tool
from understudy.agent.tools.data import WhichTable, describe_data, list_data
from understudy.agent.tools.explaining import (
    Subject,
    define_term,
    explain_choice,
    explain_metric,
    look_up_guideline,
    trace_sources,
)
from understudy.agent.tools.judging import (
    compare_runs,
    follow_run,
    is_safe_to_share,
    rate_quality,
    recommend_next_step,
    what_is_wrong,
)
from understudy.agent.tools.planning import (
    ProposePlan,
    explain_violation,
    plan_judgement,
    propose_plan,
    revise_plan,
    suggest_words,
    undo,
)
from understudy.agent.values import Topic

_VERBS: tuple[tuple[Any, Any], ...] = (
    (compare_runs, NoArguments),
    (define_term, Subject),
    (describe_data, WhichTable),
    (explain_choice, Subject),
    (explain_metric, Subject),
    (explain_violation, NoArguments),
    (follow_run, NoArguments),
    (is_safe_to_share, NoArguments),
    (list_data, NoArguments),
    (look_up_guideline, Subject),
    (plan_judgement, NoArguments),
    (propose_plan, ProposePlan),
    (rate_quality, NoArguments),
    (recommend_next_step, Subject),
    (revise_plan, ProposePlan),
    (suggest_words, NoArguments),
    (trace_sources, Subject),
    (undo, NoArguments),
    (what_is_wrong, NoArguments),
)
START_RUN: Tool[Any] = Tool(
    "start_run",
    "Carry out the current plan and write its release, once the person approves.",
    NoArguments,
    None,
)
TOOLS: dict[str, Tool[Any]] = {
    **{
        verb.__name__: Tool(verb.__name__, (verb.__doc__ or "").strip(), arguments, verb)
        for verb, arguments in _VERBS
    },
    START_RUN.name: START_RUN,
}

# Which tool answers a question of the person.
ANSWERS: dict[Topic, str] = {
    "sources": "trace_sources",
    "guideline": "look_up_guideline",
    "define": "define_term",
    "explain_metric": "explain_metric",
    "why": "explain_choice",
    "safe_to_share": "is_safe_to_share",
    "what_is_wrong": "what_is_wrong",
    "improve": "recommend_next_step",
    "quality": "rate_quality",
    "undo": "undo",
    "evaluate": "plan_judgement",
    "compare_runs": "compare_runs",
    "describe": "describe_data",
    "help": "suggest_words",
    "language": "suggest_words",
}
