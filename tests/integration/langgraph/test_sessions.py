"""The sessions of agents in a graph: each conversation has one, which it keeps in its thread."""

from __future__ import annotations

import asyncio
import json
import operator
import os
import textwrap
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send

from langchain_asi_one import ChatASIOne
from langchain_asi_one._request.session import make_thread_session
from langchain_asi_one.testing import LocalASIOne, answer
from tests.support.examples import choose_number
from tests.support.other_process import run_script

THREAD: RunnableConfig = {"configurable": {"thread_id": "t"}}
OTHER: RunnableConfig = {"configurable": {"thread_id": "other"}}
OF_THREAD = make_thread_session("t")


def sessions(server: LocalASIOne) -> dict[str, str]:
    """Return the session of each question, which has one; forget the requests."""
    found: dict[str, set[str]] = {}
    for request in server.requests:
        texts = [m["content"] for m in request.body["messages"] if m["role"] == "user"]
        found.setdefault(str(texts[-1]), set()).add(str(request.session_id))
    server.clear()
    assert all(len(of_question) == 1 for of_question in found.values()), found
    return {text: of_question.pop() for text, of_question in found.items()}


CALL_IDS = count()


def calls(*questions: str, name: str = "expert") -> Any:
    """An answer that calls a tool for each of the questions."""
    tool_calls = [
        {
            "id": f"call-{next(CALL_IDS)}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps({"question": question})},
        }
        for question in questions
    ]
    message = {"role": "assistant", "content": "", "tool_calls": tool_calls}
    return answer({"choices": [{"message": message, "finish_reason": "tool_calls"}]})


def asking(model: ChatASIOne, text: str) -> Any:
    """A node that asks a fixed question."""

    def ask(state: Any) -> dict[str, Any]:
        model.invoke(text)
        return {}

    return ask


def chain_of(**nodes: Any) -> StateGraph[Any, Any, Any, Any]:
    """A graph of nodes that run one after the other."""
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(MessagesState)
    for before, (name, node) in zip([START, *nodes], nodes.items(), strict=False):
        builder.add_node(name, node)
        builder.add_edge(before, name)
    return builder


# --- Nodes and subgraphs ---


def test_nodes_share_the_session_of_the_thread_and_subgraphs_have_one_each(
    model: ChatASIOne, server: LocalASIOne
) -> None:
    deep = chain_of(inmost=asking(model, "deep")).compile()
    team = chain_of(one=asking(model, "team 1"), two=asking(model, "team 2"), deep=deep).compile()
    called = chain_of(only=asking(model, "called")).compile()

    def call(state: Any) -> dict[str, Any]:
        called.invoke({"messages": []})
        return {}

    graph = chain_of(
        first=asking(model, "first"), team=team, call=call, last=asking(model, "last")
    ).compile(checkpointer=InMemorySaver())

    graph.invoke({"messages": []}, THREAD)
    turn = sessions(server)
    assert turn["first"] == turn["last"] == OF_THREAD
    assert turn["team 1"] == turn["team 2"]
    assert len({*turn.values()}) == 4
    asyncio.run(graph.ainvoke({"messages": []}, THREAD))
    assert sessions(server) == turn, "an agent has the same session in each turn"
    graph.invoke({"messages": []}, OTHER)
    assert not {*turn.values()} & {*sessions(server).values()}


def test_a_subgraph_with_a_memory_has_one_session(model: ChatASIOne, server: LocalASIOne) -> None:
    inner = chain_of(only=asking(model, "remembered")).compile(checkpointer=True)

    def call(state: Any) -> dict[str, Any]:
        inner.invoke({"messages": []})
        return {}

    graph = chain_of(call=call).compile(checkpointer=InMemorySaver())
    graph.invoke({"messages": []}, THREAD)
    turn = sessions(server)
    assert turn["remembered"] != OF_THREAD
    graph.invoke({"messages": []}, THREAD)
    assert sessions(server) == turn


# --- Branches ---


class Topics(TypedDict):
    topics: list[str]
    reports: Annotated[list[str], operator.add]


def send_all(state: Topics) -> list[Send]:
    return [Send("ask", {"topics": [topic]}) for topic in state["topics"]]


def fan_out(ask: Any) -> Any:
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(Topics)
    builder.add_node("ask", ask)
    builder.add_conditional_edges(START, send_all, ["ask"])
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("nested", [False, True])
def test_each_branch_of_a_send_has_its_own(
    nested: bool, model: ChatASIOne, server: LocalASIOne
) -> None:
    def ask(state: Topics) -> dict[str, Any]:
        model.invoke(state["topics"][0])
        return {}

    inner: StateGraph[Any, Any, Any, Any] = StateGraph(Topics)
    inner.add_node("inner", ask).add_edge(START, "inner")
    agent = inner.compile()
    graph = fan_out((lambda state: agent.invoke(state) and {}) if nested else ask)

    graph.invoke({"topics": ["bees", "ants", "wasps"]}, THREAD)
    turn = sessions(server)
    assert len({OF_THREAD, *turn.values()}) == 4
    graph.invoke({"topics": ["bees", "ants", "wasps"]}, THREAD)
    assert sessions(server) == turn
    graph.invoke({"topics": ["ants"]}, THREAD)
    assert sessions(server) == {"ants": turn["bees"]}, "the number of the branch counts"


def test_a_branch_that_polls_gets_its_own_answer(model: ChatASIOne, server: LocalASIOne) -> None:
    """https://github.com/langchain-ai/langchain-aws/pull/966."""
    patient = model.with_follow_up(interval=0.05, max_polls=30)

    def ask(state: Topics) -> dict[str, Any]:
        return {"reports": [patient.invoke(state["topics"][0]).text]}

    topics = [f"[deferred: {polls}] topic {polls}" for polls in (3, 1, 2)]
    reports = fan_out(ask).invoke({"topics": topics}, THREAD)["reports"]
    for topic, report in zip(topics, reports, strict=True):
        assert topic.partition("] ")[2] in report


def test_calls_of_the_functional_api(model: ChatASIOne, server: LocalASIOne) -> None:
    @task
    def work(topic: str) -> str:
        return model.invoke(topic).text

    @entrypoint(checkpointer=InMemorySaver())
    def workflow(topics: list[str]) -> list[str]:
        model.invoke("plan")
        return [one.result() for one in [work(topic) for topic in topics]]

    workflow.invoke(["bees", "ants"], THREAD)
    turn = sessions(server)
    assert turn["plan"] == OF_THREAD
    assert len({*turn.values()}) == 3
    workflow.invoke(["bees", "ants"], THREAD)
    assert sessions(server) == turn


# --- Agents and their tools ---


def supervisor(model: ChatASIOne, *, is_async: bool = False, memory: Any = None) -> Any:
    """An agent whose tools are agents, as deep agents and supervisors have them."""
    expert: Any = create_agent(model, [], name="expert")
    critic = create_agent(model, [], name="critic")

    def tool_of(agent: Any, name: str) -> Any:
        def ask(question: str) -> str:
            return str(agent.invoke({"messages": [("user", question)]})["messages"][-1].text)

        async def aask(question: str) -> str:
            messages = {"messages": [("user", question)]}
            return str((await agent.ainvoke(messages))["messages"][-1].text)

        return tool(name, description=f"Ask the {name}.")(aask if is_async else ask)

    tools = [tool_of(expert, "ask_expert"), tool_of(critic, "ask_critic")]
    return create_agent(model, tools, name="supervisor", checkpointer=memory)


@pytest.mark.parametrize("is_async", [False, True])
def test_agents_as_tools(is_async: bool, model: ChatASIOne, server: LocalASIOne) -> None:
    agent = supervisor(model, is_async=is_async, memory=InMemorySaver())

    def run(*replies: Any) -> dict[str, str]:
        server.enqueue(*replies)
        question: Any = {"messages": [("user", "main")]}
        if is_async:
            asyncio.run(agent.ainvoke(question, THREAD))
        else:
            agent.invoke(question, THREAD)
        return sessions(server)

    turn = run(calls("bees", "ants", name="ask_expert"))
    assert turn["main"] == OF_THREAD
    assert len({*turn.values()}) == 3
    assert run(calls("bees", "ants", name="ask_expert")) == turn
    other = run(calls("bees", name="ask_critic"))
    assert other["bees"] not in turn.values(), "another agent has another conversation"


def test_tool_calls_of_an_agent_are_branches(model: ChatASIOne, server: LocalASIOne) -> None:
    @tool
    def look_up(question: str) -> str:
        """Look it up."""
        return model.invoke(question).text

    agent: Any = create_agent(model, [look_up], checkpointer=InMemorySaver())
    server.enqueue(calls("bees", "ants", name="look_up"))
    agent.invoke({"messages": [("user", "main")]}, THREAD)
    turn = sessions(server)
    assert turn["main"] == OF_THREAD
    assert len({*turn.values()}) == 3


def test_agents_that_one_tool_node_calls(model: ChatASIOne, server: LocalASIOne) -> None:
    expert: Any = create_agent(model, [], name="expert")

    @tool("expert")
    def ask(question: str) -> str:
        """Ask the expert."""
        return str(expert.invoke({"messages": [("user", question)]})["messages"][-1].text)

    ids = [f"call-{next(CALL_IDS)}" for _ in range(2)]
    wanted = [
        {"name": "expert", "args": {"question": question}, "id": call_id}
        for question, call_id in zip(("bees", "ants"), ids, strict=True)
    ]
    graph = chain_of(tools=ToolNode([ask])).compile(checkpointer=InMemorySaver())
    messages = [HumanMessage("?"), AIMessage("", tool_calls=wanted)]
    graph.invoke({"messages": messages}, THREAD)
    assert len({OF_THREAD, *sessions(server).values()}) == 3


def test_a_team_of_agents_as_nodes(model: ChatASIOne, server: LocalASIOne) -> None:
    builder: StateGraph[Any, Any, Any, Any] = StateGraph(MessagesState)
    builder.add_node("route", lambda state: Command(goto=state["messages"][-1].text))
    for name in ("expert", "critic"):
        builder.add_node(name, create_agent(model, [], name=name))
    builder.add_edge(START, "route")
    graph = builder.compile(checkpointer=InMemorySaver())

    seen = []
    for name in ("expert", "critic", "expert"):
        graph.invoke({"messages": [("user", name)]}, THREAD)
        seen.append(sessions(server)[name])
    assert seen[0] == seen[2] != seen[1]


RESUME = textwrap.dedent("""
    import sys
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.types import Command, interrupt, Send
    from typing import TypedDict
    from langgraph.graph import START, StateGraph
    from langchain_asi_one import ChatASIOne

    class Topic(TypedDict):
        topic: str

    base_url, place, is_first = sys.argv[1:]
    model = ChatASIOne(base_url=base_url, api_key="any", max_retries=0)

    def ask(state):
        topic = state["topic"]
        model.invoke(f"{topic} before")
        interrupt(topic)
        model.invoke(f"{topic} after")
        return {}

    inner = StateGraph(Topic)
    inner.add_node("inner", ask)
    inner.add_edge(START, "inner")
    builder = StateGraph(Topic)
    builder.add_node("ask", lambda state, agent=inner.compile(): agent.invoke(state) and {})
    send = [Send("ask", {"topic": topic}) for topic in ("bees", "ants")]
    builder.add_conditional_edges(START, lambda state: send, ["ask"])
    with SqliteSaver.from_conn_string(place) as memory:
        graph = builder.compile(checkpointer=memory)
        config = {"configurable": {"thread_id": "t"}}
        if is_first == "yes":
            graph.invoke({"topic": ""}, config)
        else:
            paused = graph.get_state(config).interrupts
            graph.invoke(Command(resume={one.id: "go on" for one in paused}), config)
""")


def test_a_branch_goes_on_in_its_session_in_another_process(
    server: LocalASIOne, tmp_path: Path
) -> None:
    for is_first in ("yes", "no"):
        path = str(tmp_path / "db")
        done = run_script(RESUME, server.base_url, path, is_first, environ=os.environ)
        assert (done.returncode, done.stderr) == (0, "")
    found = sessions(server)
    assert found["bees before"] == found["bees after"]
    assert found["ants before"] == found["ants after"]
    assert len({OF_THREAD, *found.values()}) == 3


# --- Without a thread: one session for each run ---


def runs(model: ChatASIOne) -> Iterator[tuple[str, Any]]:
    yield "chain", model | (lambda message: message.text) | model
    yield "function", RunnableLambda(lambda text: (model.invoke(text), model.invoke("more")))
    yield "graph", chain_of(one=asking(model, "one"), two=asking(model, "two")).compile()

    @tool
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    yield "agent", create_agent(model, [add])


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("name", ["chain", "function", "graph", "agent"])
def test_all_calls_of_a_run_share_one(
    name: str, way: str, model: ChatASIOne, server: LocalASIOne
) -> None:
    runnable = dict(runs(model))[name]
    question: Any = "Use add on 1 and 2."
    if name in ("graph", "agent"):
        question = {"messages": [("user", question)]}

    async def read() -> None:
        if way == "ainvoke":
            await runnable.ainvoke(question)
        else:
            _ = [chunk async for chunk in runnable.astream(question)]

    seen: list[set[str | None]] = []
    for _ in range(2):
        server.clear()
        if way == "invoke":
            runnable.invoke(question)
        elif way == "stream":
            list(runnable.stream(question))
        else:
            asyncio.run(read())
        assert len(server.requests) == 2
        seen.append({request.session_id for request in server.requests})
    assert [len(one) for one in seen] == [1, 1]
    assert seen[0] != seen[1]


def test_branches_of_a_run_without_a_thread(model: ChatASIOne, server: LocalASIOne) -> None:
    agent = supervisor(model)
    server.enqueue(calls("bees", "ants", name="ask_expert"))
    agent.invoke({"messages": [("user", "main")]})
    assert len({*sessions(server).values()}) == 3


@pytest.mark.deep
@pytest.mark.no_cover
async def test_many_threads_of_agents_never_mix(model: ChatASIOne, server: LocalASIOne) -> None:
    expert: Any = create_agent(model, [], name="expert")

    async def ask(state: Topics) -> dict[str, Any]:
        said = await expert.ainvoke({"messages": [("user", state["topics"][0])]})
        return {"reports": [said["messages"][-1].text]}

    graph = fan_out(ask)
    gate = asyncio.Semaphore(40)

    async def turn(number: int) -> None:
        async with gate:
            topics = [f"<{number}> bees", f"<{number}> ants"]
            config: RunnableConfig = {"configurable": {"thread_id": f"user-{number}"}}
            await graph.ainvoke({"topics": topics}, config)

    threads = choose_number(50, deep=200)
    for _ in range(2):
        await asyncio.gather(*map(turn, range(threads)))
    assert len(server.requests) == 4 * threads
    found = sessions(server)  # which has checked that both turns were in one session
    assert len({*found.values()}) == len(found) == 2 * threads
