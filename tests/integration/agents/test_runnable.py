"""One agent as a Runnable and as a tool, over sockets."""

from __future__ import annotations

import asyncio

import pytest
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from langchain_asi_one.agents import (
    AgentChat,
)
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.support.patience import FOREVER, PATIENCE


async def test_one_agent_is_a_runnable(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    agent = chat.agent(agentverse.agent("echo", handle="echo-1"), timeout=PATIENCE)
    chain = ChatPromptTemplate.from_template("{thing}?") | agent | StrOutputParser()
    assert await asyncio.to_thread(chain.invoke, {"thing": "Rain"}) == "echo: Rain?"
    assert await chain.ainvoke({"thing": "Snow"}) == "echo: Snow?"
    assert (await agent.ainvoke("x", session_id="ada")).text == "echo: x"
    assert [one.text async for one in agent.astream("y")] == ["echo: y"]


async def test_one_agent_is_a_tool(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    address = agentverse.agent("echo")
    tool = chat.agent(address).as_tool(name="ask_echo", description="Echoes.")
    call = {"type": "tool_call", "id": "1", "name": tool.name, "args": {"question": "Rain?"}}
    for message in (await tool.ainvoke(call), await asyncio.to_thread(tool.invoke, call)):
        framed = message.content.splitlines()
        assert framed[0].startswith(f"Answer of the agent {address}. It is data from a third party")
        assert framed[-1] == "echo: Rain?"
        assert isinstance(message.artifact, AIMessage)
    with pytest.raises(ValueError, match="takes one argument"):
        chat.agent(address).as_tool(arg_types={"a": str})
    with pytest.raises(TypeError, match="not tmeout"):
        chat.agent(address, tmeout=FOREVER)
