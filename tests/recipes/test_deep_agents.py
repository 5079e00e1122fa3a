"""A deep agent of deepagents with sub-agents: a session for each, the same in each turn.

With guards at each level it has the shape of Fetch.ai's example (hackflow-agent in
github.com/fetchai/innovation-lab-examples).
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from deepagents import create_deep_agent
from langchain.agents.middleware import ModelFallbackMiddleware, ModelRetryMiddleware
from langgraph.checkpoint.memory import InMemorySaver

from langchain_asi_one import ChatASIOne
from langchain_asi_one.testing import LocalASIOne, answer, fault, local_asi_one
from tests.support.ways import STRUCTURED_WAYS

NAMES: Final = ("event_finder", "sponsor_finder")
QUESTION: Final[Any] = {"messages": [("user", "Where is Hack Day?")]}


def search(query: str) -> str:
    """Search the web."""
    return f"page of {query}"


def ask_both(turn: int) -> Any:
    """An answer that gives a task to both sub-agents at once."""
    calls = [
        {
            "id": f"call_{turn}_{name}",
            "type": "function",
            "function": {
                "name": "task",
                "arguments": json.dumps({"description": f"Ask {name}", "subagent_type": name}),
            },
        }
        for name in NAMES
    ]
    message = {"role": "assistant", "content": "", "tool_calls": calls}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    return answer({"id": str(turn), "model": "asi1-mini", "choices": [choice]})


@pytest.mark.parametrize("way", STRUCTURED_WAYS)
def test_sub_agents_have_sessions_of_their_own(server: LocalASIOne, way: str) -> None:
    model = ChatASIOne(model="asi1-mini", base_url=server.base_url, api_key="any")
    subagents: list[Any] = [
        {"name": name, "description": name, "system_prompt": name, "tools": [search]}
        for name in NAMES
    ]
    agent = create_deep_agent(
        model=model, tools=[search], subagents=subagents, checkpointer=InMemorySaver()
    )
    config: Any = {"configurable": {"thread_id": "t"}}
    turns = []
    for turn in range(2):
        server.enqueue(ask_both(turn))
        before = len(server.requests)
        STRUCTURED_WAYS[way](agent.with_config(config), QUESTION)
        state = agent.get_state(config).values
        assert state["messages"][-1].text.startswith("[local stand-in] The tools answered: ")
        sent: dict[str, set[str]] = {}
        for request in server.requests[before:]:
            first = request.body["messages"][0]["content"]
            speaker = first if first in NAMES else "the deep agent"
            sent.setdefault(speaker, set()).add(request.session_id or "")
        assert {*sent} == {*NAMES, "the deep agent"}
        assert [len(sessions) for sessions in sent.values()] == [1, 1, 1]
        assert len(set.union(*sent.values())) == 3
        turns.append(sent)
    assert turns[0] == turns[1]


@pytest.mark.parametrize("way", STRUCTURED_WAYS)
def test_guards_hold_at_each_level(server: LocalASIOne, way: str) -> None:
    with local_asi_one(api_key="sk_of_somebody_else") as refusing:
        primary = ChatASIOne(
            model="asi1-mini", base_url=refusing.base_url, api_key="any", max_retries=0
        )
        fallback = ChatASIOne(base_url=server.base_url, api_key="any", max_retries=0)
        guards: list[Any] = [
            ModelRetryMiddleware(max_retries=1, initial_delay=0.01, on_failure="error"),
            ModelFallbackMiddleware(fallback),
        ]
        guarded: dict[str, Any] = {"model": primary, "tools": [search], "middleware": guards}
        subagents: list[Any] = [
            {"name": name, "description": name, "system_prompt": name, **guarded} for name in NAMES
        ]
        agent = create_deep_agent(subagents=subagents, **guarded)
        server.enqueue(fault("http_500"), ask_both(0))
        STRUCTURED_WAYS[way](agent, QUESTION)
        refused = refusing.requests
    # The agent twice and each sub-agent once; the first of them again after the fault.
    assert len(refused) == len(server.requests) == 5
    assert {request.body["model"] for request in refused} == {"asi1-mini"}
    assert {request.body["model"] for request in server.requests} == {"asi1"}
    assert server.requests[-1].body["messages"][-1]["role"] == "tool"
