"""Other assistants: they plan and ask through MCP or LangChain, and run nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.utils.function_calling import convert_to_openai_tool
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import TextContent

from tests.workflow.simulated import patients
from understudy.agent.guests import Guest
from understudy.agent.langchain import tools
from understudy.agent.state import bring
from understudy.agent.tools.catalog import TOOLS

WORDS = "200 type 2 diabetes patients with 12 observations"


def test_the_official_client_plans_and_asks_but_cannot_run(tmp_path: Path) -> None:
    code = "import sys; from understudy.cli.app import main; sys.argv[0] = 'understudy'; main()"
    started = StdioServerParameters(
        command=sys.executable, args=["-c", code, "mcp", "--out", str(tmp_path / "out")], env=dict(os.environ)
    )

    async def talk() -> tuple[set[str], list[str]]:
        async with Client(started) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            answers: list[str] = []
            for name, arguments in (
                ("propose_plan", {"request": WORDS}),
                ("define_term", {"subject": "epsilon"}),
                ("start_run", {}),
                ("define_term", {"evil": 1}),
            ):
                result = await client.call_tool(name, arguments)
                answers += [part.text for part in result.content if isinstance(part, TextContent)]
            return names, answers

    names, answers = asyncio.run(talk())
    assert names == set(TOOLS)
    assert "200: Type 2 diabetes" in answers[0]
    assert "10.1561/0400000042" in answers[1]
    assert "understudy run" in answers[2]
    assert "evil" in answers[3]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plan.yaml"]


class ToolCalling(GenericFakeChatModel):
    """A scripted chat model that keeps the tools that were bound to it."""

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        return cast(
            "Runnable[LanguageModelInput, AIMessage]",
            self.bind(tools=[convert_to_openai_tool(t) for t in tools]),
        )


def test_a_langchain_model_calls_the_tools_in_a_loop_until_it_answers(tmp_path: Path) -> None:
    turns = [
        ("propose_plan", {"request": WORDS}),
        ("revise_plan", {"request": "make it 300"}),
        ("start_run", {}),
        ("rate_quality", {}),
    ]
    script = [
        AIMessage(content="", tool_calls=[ToolCall(name=name, args=args, id=str(k))])
        for k, (name, args) in enumerate(turns)
    ]
    by_name = {tool.name: tool for tool in tools(Guest(tmp_path))}
    bound = ToolCalling(messages=iter([*script, AIMessage(content="Please run it.")])).bind_tools(
        [*by_name.values()]
    )
    assert isinstance(bound, RunnableBinding)
    assert {tool["function"]["name"] for tool in bound.kwargs["tools"]} == set(TOOLS)
    messages: list[BaseMessage] = [HumanMessage(content="please")]
    while True:
        answer = bound.invoke(messages)
        assert isinstance(answer, AIMessage)
        messages.append(answer)
        if not answer.tool_calls:
            break
        messages += [by_name[call["name"]].invoke(call) for call in answer.tool_calls]
    told = [str(message.content) for message in messages if isinstance(message, ToolMessage)]
    assert "200: Type 2 diabetes" in told[0]
    assert "What changes" in told[1]
    assert "understudy run" in told[2]
    assert "there is no release yet" in told[3]
    assert messages[-1].content == "Please run it."
    assert [path.name for path in tmp_path.iterdir()] == ["plan.yaml"]


def test_a_guest_reads_numbers_instead_of_the_columns_of_a_private_table(tmp_path: Path) -> None:
    patients(300, seed=1).write_csv(tmp_path / "clinic.csv")
    guest = Guest(tmp_path / "out", [bring(str(tmp_path / "clinic.csv"))])
    told = guest.used("describe_data", {"table": 1}) + guest.used(
        "propose_plan", {"request": "100 rows of my table"}
    )
    assert "col_01" in told
    assert "sbp" not in told
    assert "clinic" not in told
