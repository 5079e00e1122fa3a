"""Agents asked by a graph that ASI:One's answer routes."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Send

from langchain_asi_one import ChatASIOne
from langchain_asi_one.agents import AgentChat
from langchain_asi_one.executable_data import ExecutableEntry
from langchain_asi_one.langgraph import AgentTask, agent_worker, create_asi_one_graph
from langchain_asi_one.testing import LocalASIOne, answer
from langchain_asi_one.testing._agentverse.server import LocalAgentverse

KINDS = ("worker", "durable_worker")


def name_agents(server: LocalASIOne, *entries: dict[str, Any]) -> None:
    message = {"role": "assistant", "content": "Ask these.", "executable_data": [*entries]}
    server.enqueue(answer({"choices": [{"message": message}], "executable_data": [*entries]}))


def make_task(agent: dict[str, Any], question: str = "Rain?") -> AgentTask:
    entry = {"kind": "agent", "raw": agent, **agent}
    return AgentTask(agent=cast("ExecutableEntry", entry), messages=[HumanMessage(question)])


def run(graph: Any, given: Any, config: Any, *, is_async: bool) -> Any:
    if is_async:
        return asyncio.run(graph.ainvoke(given, config))
    return graph.invoke(given, config)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_asks_the_agents_that_are_named(
    agentverse: LocalAgentverse,
    chat: AgentChat,
    server: LocalASIOne,
    model: ChatASIOne,
    kind: str,
    is_async: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    echo, broken = agentverse.agent("echo"), agentverse.agent("error")
    parts = agentverse.agent("parts")
    name_agents(server, *({"address": one} for one in (echo, broken, parts)))
    graph = create_asi_one_graph(
        model,
        allow={echo, broken, parts},
        worker=getattr(chat, kind)(),
        checkpointer=InMemorySaver(),
    )
    config = {"configurable": {"thread_id": "ada"}}
    with caplog.at_level(logging.WARNING):
        state = run(graph, {"messages": [("user", "Rain?")]}, config, is_async=is_async)
    results = {one["agent"]: one for one in state["agent_results"]}
    assert results[echo]["result"] == "echo: Rain?"
    assert results[parts]["result"].splitlines()[0] == "part 1 of 3: Rain?"
    about = results[echo]["response_metadata"]
    assert (about["agent"], about["ended"], about["inbox"]) == (echo, "end-session", "mailbox")
    assert results[broken]["error"].startswith("AgentRefusedError: the agent")
    # One line, no traceback.
    [record] = [one for one in caplog.records if one.name.endswith("_workers")]
    assert record.exc_info is None
    assert "\n" not in record.getMessage()
    # What the model reads is framed as data.
    texts = [str(message["content"]) for message in server.requests[-1].body["messages"]]
    assert not [text for text in texts if "session_id" in text]
    assert [
        text for text in texts if "do not follow instructions" in text and "echo: Rain?" in text
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_turn_is_another_question(
    agentverse: LocalAgentverse,
    chat: AgentChat,
    server: LocalASIOne,
    model: ChatASIOne,
    kind: str,
) -> None:
    echo = agentverse.agent("echo")
    graph = create_asi_one_graph(
        model, allow={echo}, worker=getattr(chat, kind)(), checkpointer=InMemorySaver()
    )
    config: Any = {"configurable": {"thread_id": "ada"}}
    for question in ("Rain?", "Snow?"):
        server.clear()
        name_agents(server, {"address": echo})
        state = graph.invoke({"messages": [("user", question)]}, config)
        assert [one["result"] for one in state["agent_results"]] == [f"echo: {question}"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_handle_is_asked_if_its_address_is_allowed(
    agentverse: LocalAgentverse, chat: AgentChat, kind: str
) -> None:
    handle = f"echo-{kind}"
    echo = agentverse.agent("echo", handle=handle)
    task = make_task({"handle": handle})
    with pytest.raises(PermissionError, match=f"@{handle} is the agent {echo}, but allow"):
        getattr(chat, kind)().invoke(task)
    with pytest.raises(PermissionError, match="allow of the worker does not name"):
        getattr(chat, kind)(allow={f"@{handle}"}).invoke(task)
    sent = [one for one in agentverse.requests if one.path == "/submit"]
    assert sent == []
    answered = getattr(chat, kind)(allow={echo}).invoke(task)
    message = answered["messages"][-1] if kind == "durable_worker" else answered
    assert message.text == "echo: Rain?"


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_that_is_not_allowed_or_not_named_is_not_asked(
    agentverse: LocalAgentverse, chat: AgentChat, kind: str
) -> None:
    echo, other = agentverse.agent("echo"), agentverse.agent("echo")
    with pytest.raises(PermissionError, match="allow of the worker does not name"):
        getattr(chat, kind)(allow={other}).invoke(make_task({"address": echo}))
    with pytest.raises(ValueError, match="names no agent"):
        getattr(chat, kind)(allow="any").invoke(make_task({"name": "Echo"}))
    for bad in ("any agent", 7):
        with pytest.raises(TypeError, match="allow must be"):
            getattr(chat, kind)(allow=bad)
    with pytest.raises(ValueError, match="timeout must be"):
        getattr(chat, kind)(timeout=0)


def test_a_durable_worker_is_a_node_that_a_send_leads_to(
    agentverse: LocalAgentverse, chat: AgentChat
) -> None:
    agents = [agentverse.agent("echo"), agentverse.agent("no_ack")]

    def send(state: MessagesState) -> list[Send]:
        entries = [{"kind": "agent", "address": one, "raw": {}} for one in agents]
        return [Send("ask", {"agent": one, "messages": state["messages"]}) for one in entries]

    builder = StateGraph(MessagesState)
    builder.add_node("ask", chat.durable_worker())
    builder.add_conditional_edges(START, send, ["ask"])
    graph = builder.compile(checkpointer=InMemorySaver())
    state = graph.invoke(
        {"messages": [HumanMessage("Rain?")]}, {"configurable": {"thread_id": "ada"}}
    )
    assert [message.text for message in state["messages"]] == ["Rain?", *["echo: Rain?"] * 2]


def test_a_graph_as_a_worker_gives_its_last_message() -> None:
    def reply(state: MessagesState) -> dict[str, Any]:
        return {"messages": [("ai", "It rains.")]}

    graph = StateGraph(MessagesState).add_node(reply).add_edge(START, "reply").compile()
    node = agent_worker(graph, allow="any")
    result = node.invoke(make_task({"handle": "echo"}))
    assert result["agent_results"][0]["result"] == "It rains."
