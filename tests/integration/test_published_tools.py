"""Tools as MCP servers publish them are bound, sent and called: strict and not.

The 60 largest of github/github-mcp-server at 64a49f3 (MIT, © 2025 GitHub), from the files in
`pkg/github/__toolsnaps__`, without descriptions, titles and annotations.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, StructuredTool

from langchain_asi_one.testing import LocalASIOne
from tests.support.model import MakeModel
from tests.support.ways import FOUR_WAYS, WAYS

PUBLISHED: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "samples" / "mcp-github-2026-08-tools.json").read_text()
)


async def call(**_: Any) -> None:
    """Stand for the server."""


def make_tool(published: dict[str, Any]) -> BaseTool:
    """Make a tool as langchain-mcp-adapters does."""
    return StructuredTool(
        name=published["name"],
        description="A tool.",
        args_schema=published["inputSchema"],
        coroutine=call,
    )


TOOLS: Final = {published["name"]: make_tool(published) for published in PUBLISHED}


def test_there_are_enough() -> None:
    assert len(TOOLS) >= 50


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_all_at_once(way: str, make_model: MakeModel, server: LocalASIOne) -> None:
    model = make_model().bind_tools([*TOOLS.values()])
    assert WAYS[way](model).text
    sent = {tool["function"]["name"]: tool["function"] for tool in server.requests[0].body["tools"]}
    for published in PUBLISHED:
        wanted = {"properties": {}, "type": "object", **published["inputSchema"]}
        assert sent[published["name"]]["parameters"] == wanted


@pytest.mark.parametrize("strict", [None, False, True])
def test_each_is_called_with_arguments_of_its_schema(
    strict: bool | None, make_model: MakeModel, server: LocalASIOne
) -> None:
    refused = {}
    for name, tool in TOOLS.items():
        try:
            model = make_model().bind_tools([tool], tool_choice=name, strict=strict)
        except ValueError as error:
            refused[name] = str(error)
            continue
        message = model.invoke("?")
        assert isinstance(message, AIMessage)
        [made] = message.tool_calls
        assert made["name"] == name
        required = tool.tool_call_schema
        assert isinstance(required, dict)
        assert {*required.get("required", [])} <= {*made["args"]} <= {*required["properties"]}
    assert len(server.requests) == len(TOOLS) - len(refused)
    # Objects with any members cannot be closed.
    open_ones = {"actions_run_trigger", "projects_write"} if strict else set()
    assert {*refused} == open_ones
    assert all("takes any members" in text for text in refused.values())
