"""The agents in the state: of any class, in any checkpointer, of this turn only."""

from __future__ import annotations

import dataclasses
import json
import logging
import operator
import os
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph, add_messages
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from langchain_asi_one import ChatASIOne, ExecutableEntry, parse_executable_data
from langchain_asi_one.langgraph import ExecutableDataState, executable_data_node
from langchain_asi_one.testing import LocalASIOne, answer, raw, stream
from langchain_asi_one.testing._agents import FLIGHT_AGENT, WEATHER_AGENT
from tests.support.other_process import run_script

FOUND = parse_executable_data([WEATHER_AGENT, FLIGHT_AGENT])
ASK: Any = {"messages": [HumanMessage("Which agent knows the weather?")]}
THREAD: Any = {"configurable": {"thread_id": "t"}}


class Plain(TypedDict):
    messages: list[BaseMessage]


class Reduced(TypedDict):
    messages: Annotated[list[BaseMessage], operator.add]


class Validated(BaseModel):
    messages: Annotated[list[Any], add_messages]


@dataclasses.dataclass
class Data:
    messages: Annotated[list[BaseMessage], add_messages]


STATES = [MessagesState, ExecutableDataState, Plain, Reduced, Validated, Data]


class Named(TypedDict):
    executable_data: list[ExecutableEntry]


class Found(TypedDict):
    found: list[ExecutableEntry]


def body(executable_data: Any, content: str = "Here they are.") -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "executable_data": executable_data}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def messages_in(state: Any) -> list[BaseMessage]:
    return list(state["messages"] if isinstance(state, dict) else state.messages)


def is_any_named(state: Named) -> Literal["agents", "__end__"]:
    return "agents" if state["executable_data"] else "__end__"


def is_any_found(state: Found) -> Literal["review", "__end__"]:
    return "review" if state["found"] else "__end__"


def graph_of(state: Any, model: ChatASIOne, checkpointer: Any = None, **node: Any) -> Any:
    """Model, node and condition; `seen` is written by the node that the condition leads to."""

    def ask(state: Any) -> dict[str, Any]:
        answered = model.invoke(messages_in(state))
        return {"messages": [answered]}

    builder: StateGraph[Any] = StateGraph(state)
    builder.add_node("ask", ask)
    builder.add_node(executable_data_node(**node))
    builder.add_node("agents", lambda _: {})
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "executable_data")
    builder.add_conditional_edges("executable_data", is_any_named)
    builder.add_edge("agents", END)
    return builder.compile(checkpointer or InMemorySaver())


def steps(graph: CompiledStateGraph[Any], request: Any) -> list[str]:
    return [name for update in graph.stream(request, THREAD) for name in update]


@pytest.mark.parametrize("state", STATES)
def test_every_class_of_state_gets_the_key_without_declaring_it(
    state: Any, model: ChatASIOne
) -> None:
    graph = graph_of(state, model)

    assert steps(graph, ASK) == ["ask", "executable_data", "agents"]
    assert graph.get_state(THREAD).values["executable_data"] == FOUND


@pytest.mark.parametrize("state", STATES)
async def test_every_class_of_state_works_asynchronously(state: Any, model: ChatASIOne) -> None:
    graph = graph_of(state, model)

    names = [name async for update in graph.astream(ASK, THREAD) for name in update]

    assert names == ["ask", "executable_data", "agents"]
    assert (await graph.aget_state(THREAD)).values["executable_data"] == FOUND


@pytest.mark.parametrize("state", [MessagesState, Reduced, Validated, Data])
def test_a_second_turn_without_agents_empties_the_key_and_routes_to_the_end(
    state: Any, model: ChatASIOne
) -> None:
    graph = graph_of(state, model)
    steps(graph, ASK)

    again = steps(graph, {"messages": [HumanMessage("Thank you!")]})

    assert again == ["ask", "executable_data"]
    assert graph.get_state(THREAD).values["executable_data"] == []


def test_messages_and_output_may_have_other_keys(model: ChatASIOne) -> None:
    class Chat(TypedDict):
        chat: Annotated[list[BaseMessage], add_messages]

    builder: StateGraph[Any] = StateGraph(Chat)
    builder.add_node("ask", lambda state: {"chat": [model.invoke(state["chat"])]})
    builder.add_node(executable_data_node(messages_key="chat", output_key="found"))
    builder.add_node("review", lambda _: {})
    builder.add_edge(START, "ask").add_edge("ask", "executable_data")
    builder.add_conditional_edges("executable_data", is_any_found)
    graph = builder.compile(InMemorySaver())

    assert steps(graph, {"chat": ASK["messages"]}) == ["ask", "executable_data", "review"]
    assert graph.get_state(THREAD).values["found"] == FOUND


def test_bare_messages_dicts_and_objects_are_read(model: ChatASIOne) -> None:
    message = model.invoke(ASK["messages"])
    node = executable_data_node()
    states: list[Any] = [
        [message],
        {"messages": [message]},
        {"messages": [message.model_dump()]},
        Validated(messages=[message]),
        Data([message]),
    ]

    assert [node(state)["executable_data"] for state in states] == [FOUND] * len(states)


def test_agents_that_a_planner_run_asked_are_not_asked_again(make_model: Any) -> None:
    message = make_model(planner_mode=True).invoke("Plan my trip to Paris.")

    assert message.additional_kwargs["plan_state"]["tasks"][0]["agent_used"]
    assert executable_data_node()([message])["executable_data"] == []


def test_a_repeated_stream_chunk_names_each_agent_once(
    model: ChatASIOne, server: LocalASIOne
) -> None:
    part = {"executable_data": [WEATHER_AGENT, FLIGHT_AGENT]}
    chunk = {"choices": [{"index": 0, "delta": {"content": "x", **part}}]}
    server.enqueue(stream([chunk, chunk, {"choices": [{"delta": {}, "finish_reason": "stop"}]}]))
    whole = reduce(operator.add, model.stream("Hello"))

    assert whole.content == "xx"
    assert executable_data_node()([whole])["executable_data"] == FOUND


@pytest.mark.no_cover
def test_ten_thousand_entries_are_capped_with_one_counted_warning(
    model: ChatASIOne, server: LocalASIOne, caplog: pytest.LogCaptureFixture
) -> None:
    server.enqueue(answer(body([{"handle": f"agent-{n}"} for n in range(10_000)])))
    graph = graph_of(MessagesState, model)

    with caplog.at_level(logging.INFO, "langchain_asi_one.langgraph"):
        graph.invoke(ASK, THREAD)

    held = graph.get_state(THREAD).values["executable_data"]
    assert [entry["handle"] for entry in held] == [f"agent-{n}" for n in range(32)]
    assert [record.getMessage() for record in caplog.records] == [
        "ASI:One named 10000 agents and calls; 9968 beyond max_entries=32 were left out."
    ]


@pytest.mark.parametrize("most", [0, 1, None])
def test_max_entries_bounds_the_key(most: int | None, model: ChatASIOne) -> None:
    graph = graph_of(MessagesState, model, max_entries=most)
    graph.invoke(ASK, THREAD)

    assert graph.get_state(THREAD).values["executable_data"] == FOUND[:most]


def test_keep_filters_and_an_exception_in_it_keeps_nothing(
    model: ChatASIOne, caplog: pytest.LogCaptureFixture
) -> None:
    message = model.invoke(ASK["messages"])

    def fails(entry: Any) -> bool:
        raise KeyError(entry["id"])

    kept = executable_data_node(keep=lambda entry: entry["name"] == "Stand-in Flights")([message])
    assert kept == {
        "executable_data": FOUND[1:],
        "executable_data_refused": [{"agent": WEATHER_AGENT["address"], "reason": "not_allowed"}],
    }
    assert executable_data_node(keep=fails)([message])["executable_data"] == []
    assert [r.getMessage() for r in caplog.records] == [
        "The keep predicate raised KeyError: 'id': the agent is refused."
    ] * 2


HOSTILE = (
    b'{"address": "%s", "amount": %d, "nan": NaN, "nul": "a\\u0000b", "deep": %s, "long": "%s"}'
    % (WEATHER_AGENT["address"].encode(), 2**256, b"[" * 1000 + b"]" * 1000, b"x" * 1_000_000)
)


def hostile_reply(server: LocalASIOne) -> None:
    shell = json.dumps(body(["ENTRY"])).encode()
    server.enqueue(raw(shell.replace(b'"ENTRY"', HOSTILE)))


@pytest.mark.parametrize("where", ["memory", "sqlite"])
def test_hostile_values_survive_a_checkpoint_equal(
    where: str,
    model: ChatASIOne,
    server: LocalASIOne,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hostile_reply(server)
    with SqliteSaver.from_conn_string(str(tmp_path / "state.db")) as sqlite:
        saver = sqlite if where == "sqlite" else InMemorySaver()
        graph = graph_of(ExecutableDataState, model, saver)
        before = graph.invoke(ASK, THREAD)
        after = graph_of(ExecutableDataState, model, saver).get_state(THREAD).values

    [entry] = after["executable_data"]
    assert (entry["address"], entry["raw"]["amount"]) == (WEATHER_AGENT["address"], str(2**256))
    assert (entry["raw"]["nan"], entry["raw"]["nul"]) == (None, "ab")
    assert len(entry["raw"]["long"]) == 1_000_000
    assert after == before
    assert not caplog.records


def test_an_entry_of_ten_megabytes_survives_a_checkpoint(
    model: ChatASIOne, server: LocalASIOne
) -> None:
    entry = {"address": WEATHER_AGENT["address"], "description": "x" * 10_000_000}
    server.enqueue(answer(body([entry])))
    graph = graph_of(MessagesState, model)
    graph.invoke(ASK, THREAD)

    assert graph.get_state(THREAD).values["executable_data"] == parse_executable_data([entry])


def test_what_is_in_the_state_needs_no_registered_type(
    model: ChatASIOne, caplog: pytest.LogCaptureFixture
) -> None:
    graph = graph_of(MessagesState, model)
    graph.invoke(ASK, THREAD)
    held = graph.get_state(THREAD).values
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)

    assert strict.loads_typed(strict.dumps_typed(held)) == held
    assert not caplog.records


SCRIPT = """
import logging, sys
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from langchain_asi_one import ChatASIOne
from langchain_asi_one.langgraph import create_asi_one_graph

records = []
handler = logging.Handler(level=logging.WARNING)
handler.emit = records.append
logging.getLogger().addHandler(handler)
logging.captureWarnings(True)

base_url, path, phase = sys.argv[1:]
model = ChatASIOne(base_url=base_url, api_key="any")
config = {"configurable": {"thread_id": "t"}}
question = {"messages": [HumanMessage("Which agent knows the weather?")]}
approve = Command(resume={"decisions": [{"type": "approve"}, {"type": "reject"}]})

def check(saver, requests):
    graph = create_asi_one_graph(
        model, allow="any", worker=lambda task: task["agent"], checkpointer=saver, review=True
    )
    for request in requests:
        held = graph.invoke(request, config)
        paused = [interrupt.value for interrupt in held.pop("__interrupt__", [])]
        state = graph.get_state(config)
        assert state.values == held, (state.values, held)
        assert [interrupt.value for interrupt in state.interrupts] == paused
    return held, paused

with SqliteSaver.from_conn_string(path) as saver:
    if phase == "start":
        held, paused = check(saver, [question])
        assert len(paused) == 1 and len(held["executable_data"]) == 2
        check(InMemorySaver(), [question, approve])
    else:
        held, paused = check(saver, [approve])
        assert not paused and len(held["agent_results"]) == 1, held
assert not records, [record.getMessage() for record in records]
print("equal and silent")
"""


@pytest.mark.no_cover
@pytest.mark.parametrize("strict", ["true", "false"])
def test_a_paused_graph_resumes_in_a_new_process_equal_and_silent(
    strict: str, server: LocalASIOne, tmp_path: Path
) -> None:
    environment = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": strict}
    for phase in ("start", "resume"):
        path = str(tmp_path / "state.db")
        done = run_script(SCRIPT, server.base_url, path, phase, environ=environment)
        assert (done.stdout, done.returncode) == ("equal and silent\n", 0), done.stderr
        assert not done.stderr

    assert len({request.session_id for request in server.requests}) == 1
