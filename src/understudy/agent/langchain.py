"""The agent's tools for LangChain."""

from __future__ import annotations

from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from understudy.agent.guests import Guest
from understudy.agent.tools.catalog import TOOLS
from understudy.core.errors import RequestError


def tools(guest: Guest) -> list[BaseTool]:
    """Return the tools, to be bound to a chat model; what a request got wrong comes back as words."""
    return [_tool(guest, name) for name in TOOLS]


def _tool(guest: Guest, name: str) -> BaseTool:
    def used(**arguments: Any) -> str:
        try:
            return guest.used(name, arguments)
        except RequestError as error:
            raise ToolException(str(error)) from error

    return StructuredTool.from_function(
        used,
        name=name,
        description=TOOLS[name].summary,
        args_schema=TOOLS[name].arguments.model_json_schema(),
        handle_tool_error=True,
    )
