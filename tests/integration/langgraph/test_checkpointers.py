"""All that the package puts in a graph's state, through each checkpointer and another process.

::

    python -m tests.integration.langgraph.test_checkpointers BASE_URL PHASE PLACE...

is one of these processes: it asks in, or goes on with, the thread of each place, sync and async.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command
from packaging.version import Version
from psycopg import AsyncConnection, Connection
from psycopg.rows import DictRow, dict_row

from langchain_asi_one import ChatASIOne
from langchain_asi_one.langgraph import create_asi_one_graph
from langchain_asi_one.middleware import ExecutableDataMiddleware
from langchain_asi_one.testing import LocalASIOne, raw
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT
from tests.support.other_process import run_script
from tests.support.waiting_process import waiting_graph

ROOT = Path(__file__).parents[3]
WEATHER = WEATHER_AGENT["address"]
THREAD = "ada@example.org"
ASK: Any = {"messages": [HumanMessage("Which bad agent knows the weather\x00?")]}
SAVERS = ["memory", "sqlite", "async sqlite", "postgres", "async postgres"]
LONG = "x" * 1_000_000
REJECT, APPROVE = {"type": "reject"}, {"type": "approve"}
Graph = Any


def nested(depth: int) -> Any:
    value: Any = "leaf"
    for _ in range(depth):
        value = [value]
    return value


# What JSON can hold and a checkpoint, or the JSONB columns of PostgreSQL, cannot.
UNSAFE: Any = {
    "amount": 2**256,
    "debt": -(2**63) - 1,
    "most": 2**64 - 1,
    "nan": [math.nan, math.inf, -math.inf],
    "nul": "a\x00b",
    "a\x00key": "\ud800",
    "deep": nested(900),  # what the standard library still writes; raw bytes follow below
}
DEEP = b"[" * 1000 + b"]" * 1000
ENTRIES = [
    {**WEATHER_AGENT, "args": UNSAFE, "deepest": "DEEP", "long": "LONG"},
    {**FLIGHT_AGENT, "id": "call\x001"},
    BAD_AGENT,
    "text\x00",
    {"tool": "rm", "arguments": "{", "agent": {"name": "n\x00"}},
]
BODY = {
    "id": "1\x00",
    "model": "asi1",
    "created": 2**70,
    "executable_data": ENTRIES,
    "intermediate_steps": [UNSAFE],
    "plan_state": UNSAFE,
    "unnamed": UNSAFE,
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {
                "role": "assistant",
                "content": "a\x00b",
                "reasoning_content": "c\x00d",
                "tool_calls": [{"id": "s\x00", "tool_name": "t", "args": {}, "result": UNSAFE}],
            },
        }
    ],
    "usage": {"prompt_tokens": 2**70, "completion_tokens": 3},
}


def unsafe_reply() -> Any:
    body = json.dumps(BODY).encode()
    return raw(body.replace(b'"DEEP"', DEEP).replace(b"LONG", LONG.encode()))


def get_temperature(city: str) -> str:
    """Measure the temperature of a city."""
    return f"21 degrees in {city}"


def worker(task: Any) -> Any:
    """Give what no checkpoint could hold, or fail with such a text."""
    if task["agent"]["address"] == WEATHER:
        return {**UNSAFE, "tuple": (1, 2.0, True), "path": Path("a"), "long": LONG}
    msg = "a\x00b \ud800"
    raise RuntimeError(msg)


@asynccontextmanager
async def opened(kind: str, place: str, serde: Any = None) -> AsyncIterator[Any]:
    """Connect to a checkpointer, as a new process would."""
    how: Any = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    saver: BaseCheckpointSaver[Any]
    if kind == "memory":
        yield InMemorySaver(serde=serde)
    elif kind == "sqlite":
        with closing(sqlite3.connect(place, check_same_thread=False)) as connection:
            yield SqliteSaver(connection, serde=serde)
    elif kind == "async sqlite":
        async with aiosqlite.connect(place) as async_connection:
            yield AsyncSqliteSaver(async_connection, serde=serde)
    elif kind == "postgres":
        postgres: Connection[DictRow]
        with Connection.connect(place, **how) as postgres:
            saver = PostgresSaver(postgres, serde=serde)
            saver.setup()
            yield saver
    else:
        async_postgres: AsyncConnection[DictRow]
        async with await AsyncConnection.connect(place, **how) as async_postgres:
            saver = AsyncPostgresSaver(async_postgres, serde=serde)
            await saver.setup()
            yield saver


async def run(graph: Graph, request: Any, kind: str, thread: str = THREAD) -> Any:
    config = {"configurable": {"thread_id": thread}}
    if kind.startswith("async"):
        return await graph.ainvoke(request, config)
    return await asyncio.to_thread(graph.invoke, request, config)


async def state_of(graph: Graph, kind: str, thread: str = THREAD) -> Any:
    config = {"configurable": {"thread_id": thread}}
    if kind.startswith("async"):
        return await graph.aget_state(config)
    return await asyncio.to_thread(graph.get_state, config)


async def step(graph: Graph, request: Any, kind: str, thread: str = THREAD) -> Any:
    """Run, check that what was stored is what the run held, and give it."""
    held = await run(graph, request, kind, thread)
    stored = await state_of(graph, kind, thread)
    told = held.pop("__interrupt__", [])
    same(held, {key: stored.values[key] for key in held})
    same([i.value for i in told], [i.value for i in stored.interrupts])
    assert held["messages"]
    return stored


def same(before: Any, after: Any) -> None:
    """Check that both are equal and of the same types: 1, 1.0 and True are equal in Python."""
    equal = before == after and repr(before) == repr(after)
    assert equal, f"{repr(before)[:2000]}\n{repr(after)[:2000]}"


def digest(values: Any) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()


def routing(model: ChatASIOne, saver: Any) -> Graph:
    return create_asi_one_graph(
        model, tools=[get_temperature], allow="any", worker=worker, checkpointer=saver, review=True
    )


def waiting(model: ChatASIOne, saver: Any) -> Graph:
    return waiting_graph(model, 0.01).compile(checkpointer=saver)


def agent(model: ChatASIOne, saver: Any) -> Graph:
    return create_agent(
        model, middleware=[ExecutableDataMiddleware(allow="any")], checkpointer=saver
    )


@pytest.fixture(params=["default", "nothing allowed"])
def serde(request: pytest.FixtureRequest) -> JsonPlusSerializer | None:
    """The serializer of a saver, or one that knows no type but LangChain's own."""
    if request.param == "default":
        return None
    return JsonPlusSerializer(allowed_msgpack_modules=[])


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", SAVERS)
async def test_a_routed_turn_is_stored_as_it_was(
    kind: str,
    place: str,
    serde: Any,
    model: ChatASIOne,
    server: LocalASIOne,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.enqueue(unsafe_reply())
    async with opened(kind, place, serde) as saver:
        paused = await step(routing(model, saver), ASK, kind)
        asked_again = await step(routing(model, saver), Command(resume="yes"), kind)
        if kind == "memory":
            done = await step(routing(model, saver), approval(asked_again), kind)
    if kind != "memory":
        async with opened(kind, place, serde) as saver:
            same((await state_of(routing(model, saver), kind)).values, asked_again.values)
            done = await step(routing(model, saver), approval(asked_again), kind)
            # What ran afterwards in one process was held there; now it is read from the disk.
            same((await state_of(routing(model, saver), kind)).values, done.values)

    assert paused.next == ("review_agents",)
    # Before 1.2.14, LangGraph names no next node when one pauses for the second time.
    known = Version(version("langgraph")) >= Version("1.2.14")
    assert asked_again.next == (paused.next if known else ())
    [question] = paused.interrupts
    assert [r["args"].get("address") for r in question.value["action_requests"]] == [
        WEATHER,
        FLIGHT_AGENT["address"],
    ]
    assert "decisions" in asked_again.interrupts[0].value["error"]
    same(done.values["messages"][:2], paused.values["messages"])
    entries = done.values["executable_data"]
    assert [entry["address"] for entry in entries] == [WEATHER, FLIGHT_AGENT["address"]]
    assert entries[0]["raw"]["args"] == entries[0]["args"]
    checked(entries[0]["args"])
    assert entries[0]["raw"]["long"] == LONG
    results = {result["agent"]: result for result in done.values["agent_results"]}
    checked(results[WEATHER]["result"])
    assert results[WEATHER]["result"]["tuple"] == [1, 2.0, True]
    assert results[FLIGHT_AGENT["address"]]["error"] == r"RuntimeError: a\x00b \ud800"
    types = [type(message) for message in done.values["messages"]]
    assert types == [HumanMessage, AIMessage, HumanMessage, AIMessage]
    # The workers' own failure is told; nothing else is.
    told = [record for record in caplog.records if "failed: RuntimeError" not in record.message]
    assert [r.message for r in told if "review_agents: the answer" not in r.message] == []


def checked(value: dict[str, Any]) -> None:
    """Check what became of `UNSAFE`."""
    assert value["amount"] == str(2**256)
    assert value["debt"] == str(-(2**63) - 1)
    assert (value["most"], value["nan"]) == (2**64 - 1, [None] * 3)
    assert (value["nul"], value["akey"]) == ("ab", "\ufffd")


def approval(paused: Any) -> Any:
    [question] = paused.interrupts
    decisions = [APPROVE for _ in question.value["action_requests"]]
    return Command(resume={question.id: {"decisions": decisions}})


@pytest.mark.parametrize("kind", SAVERS)
async def test_tools_waits_and_middleware_are_stored_as_they_were(
    kind: str,
    place: str,
    model: ChatASIOne,
    server: LocalASIOne,
    caplog: pytest.LogCaptureFixture,
) -> None:
    nothing_allowed = JsonPlusSerializer(allowed_msgpack_modules=[])
    async with opened(kind, place, nothing_allowed) as saver:
        question: Any = {"messages": [HumanMessage("Call get_temperature for Paris")]}
        tools = await step(routing(model, saver), question, kind)
        deferred: Any = {"messages": [HumanMessage("[deferred: 2] A table?")]}
        waited = await step(waiting(model, saver), deferred, kind, "a wait")
        server.enqueue(unsafe_reply())
        found = await step(agent(model, saver), ASK, kind, "create_agent")

    assert ToolMessage in map(type, tools.values["messages"])
    assert tools.values["executable_data"] == []
    assert waited.next == ()
    assert waited.values["follow_up"] == {
        "pending": False,
        "polls": 2,
        "due": None,
        "answer": waited.values["messages"][-1].id,
        "delayed": 0.0,
        "error": None,
    }
    addresses = [entry["address"] for entry in found.values["executable_data"]]
    assert addresses == [WEATHER, FLIGHT_AGENT["address"]]
    checked(found.values["executable_data"][0]["args"])
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.no_cover
def test_a_thread_paused_in_one_process_goes_on_in_a_strict_other(
    server: LocalASIOne, tmp_path: Path, postgres_database: str
) -> None:
    places = [str(tmp_path / "checkpoints.sqlite"), postgres_database]
    for _ in range(4):
        server.enqueue(unsafe_reply())
    told = []
    for phase in ("start", "resume"):
        environ = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
        done = run_script(__name__, server.base_url, phase, *places, environ=environ)
        assert (done.returncode, done.stderr) == (0, "")
        told.append(json.loads(done.stdout))
    # Each process gives what it read, so both must have read the same.
    assert told[0] == told[1]
    assert len(told[0]) == 4
    assert len({request.session_id for request in server.requests}) == 2  # as there are threads


async def main(base_url: str, phase: str, *places: str) -> None:
    """Ask in each place, or read what was asked there, reject one agent and approve the other."""
    records: list[str] = []
    handler = logging.Handler(level=logging.WARNING)
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(capture=True)
    model = ChatASIOne(base_url=base_url, api_key="any", max_retries=0)
    digests = []
    for place in places:
        database = "postgres" if place.startswith("postgresql:") else "sqlite"
        for thread, other in [("", "async "), ("async ", "")]:
            # A thread that was begun without a loop goes on in one, and the other way round.
            kind = (thread if phase == "start" else other) + database
            async with opened(kind, place) as saver:
                graph = routing(model, saver)
                if phase == "start":
                    paused = await step(graph, ASK, kind, f"{thread}thread")
                else:
                    paused = await state_of(graph, kind, f"{thread}thread")
                    await _decide(graph, paused, kind, f"{thread}thread")
                digests.append([digest(paused.values), digest(paused.interrupts)])
    assert records == []
    sys.stdout.write(json.dumps(digests))


async def _decide(graph: Graph, paused: Any, kind: str, thread: str) -> None:
    [question] = paused.interrupts
    resume = {question.id: {"decisions": [APPROVE, REJECT]}}
    done = await step(graph, Command(resume=resume), kind, thread)
    assert [result["agent"] for result in done.values["agent_results"]] == [WEATHER]
    assert len(done.values["executable_data"]) == 1
    assert done.next == ()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
