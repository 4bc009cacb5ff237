"""Other assistants: they plan and ask through MCP or LangChain, and run nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolCall
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


def test_a_langchain_model_uses_the_tools(tmp_path: Path) -> None:
    call = ToolCall(name="propose_plan", args={"request": WORDS}, id="1")
    model = GenericFakeChatModel(messages=iter([AIMessage(content="", tool_calls=[call])]))
    by_name = {tool.name: tool for tool in tools(Guest(tmp_path))}
    answer = model.invoke("please")
    assert isinstance(answer, AIMessage)
    told = by_name[answer.tool_calls[0]["name"]].invoke(answer.tool_calls[0]["args"])
    assert "200: Type 2 diabetes" in told
    assert "understudy run" in by_name["start_run"].invoke({})
    assert "there is no release yet" in by_name["rate_quality"].invoke({})


def test_a_guest_reads_numbers_instead_of_the_columns_of_a_private_table(tmp_path: Path) -> None:
    patients(300, seed=1).write_csv(tmp_path / "clinic.csv")
    guest = Guest(tmp_path / "out", [bring(str(tmp_path / "clinic.csv"))])
    told = guest.used("describe_data", {"table": 1}) + guest.used(
        "propose_plan", {"request": "100 rows of my table"}
    )
    assert "col_01" in told
    assert "sbp" not in told
    assert "clinic" not in told
