"""The agent's loop, on pydantic-ai, which is known to this module alone.

One turn is one agent run: an action is decided, its tool is used with checked arguments, and so on until there is
nothing more to do. A tool that needs a person's click is never used here: the run ends, and the door that asks the
person goes on with the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic_ai
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, RunContext, Tool, ToolDefinition
from pydantic_ai.exceptions import UsageLimitExceeded
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.toolsets import ExternalToolset
from pydantic_ai.usage import UsageLimits

from understudy.agent.deciding import Call, Done, Reply
from understudy.agent.tools.catalog import TOOLS
from understudy.core.errors import LanguageModelError

MOST_STEPS = 10
# Its banner would stand in the middle of the conversation.
pydantic_ai.BANNER_ENABLED = False
Decide = Callable[[Sequence[Done]], Call | Reply]
Use = Callable[[str, Mapping[str, Any]], str]


@dataclass(frozen=True)
class Stop:
    """Where a turn ended.

    Attributes:
        text: what a language model says at the end.
        waits_for: the tool that a person must approve, or empty.
        history: the messages of the turn, to go on from.
        call: id of the call that waits.
    """

    text: str
    waits_for: str = ""
    history: tuple[ModelMessage, ...] = ()
    call: str = ""


def turn(said: str, decide: Decide, use: Use, paused: Stop | None = None, answer: str = "") -> Stop:
    """Run one turn until nothing is left to do, or a person's click is needed.

    Args:
        said: the person's words.
        decide: the next action, given the tools used so far in this turn.
        use: uses a tool and returns what it told.
        paused: where the turn waited for a click.
        answer: what became of the call that waited.

    Raises:
        LanguageModelError: if the turn does not end within ten steps.
    """
    agent = _agent(decide, use)
    limits = UsageLimits(request_limit=MOST_STEPS)
    try:
        if paused is None:
            result = asyncio.run(agent.run(said, usage_limits=limits))
        else:
            results = DeferredToolResults(calls={paused.call: answer})
            history = list(paused.history)
            going_on = agent.run(message_history=history, deferred_tool_results=results, usage_limits=limits)
            result = asyncio.run(going_on)
    except UsageLimitExceeded as error:
        raise LanguageModelError(f"the turn did not end within {MOST_STEPS} steps") from error
    if isinstance(result.output, DeferredToolRequests):
        waiting = result.output.calls[0]
        return Stop("", waiting.tool_name, tuple(result.all_messages()), waiting.tool_call_id)
    return Stop(result.output)


def _agent(decide: Decide, use: Use) -> Agent[None, str | DeferredToolRequests]:
    def respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        action = decide(_done(messages))
        if isinstance(action, Reply):
            return ModelResponse(parts=[TextPart(action.text or " ")])
        return ModelResponse(parts=[ToolCallPart(action.tool, dict(action.arguments))])

    clicks = [
        ToolDefinition(
            name=tool.name,
            description=tool.summary,
            parameters_json_schema=tool.arguments.model_json_schema(),
        )
        for tool in TOOLS.values()
        if tool.needs_approval
    ]
    return Agent(
        FunctionModel(respond, model_name="understudy"),
        output_type=[str, DeferredToolRequests],
        tools=[_tool(name, use) for name, tool in TOOLS.items() if not tool.needs_approval],
        toolsets=[ExternalToolset(clicks)],
    )


def _tool(name: str, use: Use) -> Tool[None]:
    def called(context: RunContext[None], **arguments: Any) -> str:
        return use(name, arguments)

    form = TOOLS[name].arguments.model_json_schema()
    return Tool.from_schema(called, name, TOOLS[name].summary, form, takes_ctx=True, sequential=True)


def _done(messages: Sequence[ModelMessage]) -> list[Done]:
    parts = [part for message in messages if isinstance(message, ModelRequest) for part in message.parts]
    return [Done(tool=p.tool_name, told=str(p.content)) for p in parts if isinstance(p, ToolReturnPart)]
