"""The agent's tools as an MCP server, by the official SDK."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from understudy import __version__
from understudy.agent.guests import Guest
from understudy.agent.tools.catalog import TOOLS
from understudy.core.errors import RequestError

ABOUT = (
    "Synthetic patients from published knowledge, or from a private table that you never see. Propose a plan in the "
    "person's own words, show it, and let the person run it; then answer questions about the release."
)


def server(guest: Guest) -> Server[Any]:
    """Return a server whose tools are those of the agent."""

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        tools = [
            types.Tool(name=t.name, description=t.summary, input_schema=t.arguments.model_json_schema())
            for t in TOOLS.values()
        ]
        return types.ListToolsResult(tools=tools)

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            text, is_error = await asyncio.to_thread(guest.used, params.name, params.arguments or {}), False
        except RequestError as error:
            text, is_error = str(error), True
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=is_error)

    return Server(
        "understudy",
        version=__version__,
        instructions=ABOUT,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def serve(guest: Guest) -> None:
    """Serve on standard input and output until the client goes."""

    async def run() -> None:
        served = server(guest)
        async with stdio_server() as (reading, writing):
            await served.run(reading, writing, served.create_initialization_options())

    asyncio.run(run())
