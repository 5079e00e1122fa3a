"""A durable question: killed at every step, asked once, answered once, no letter lost."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Send

from langchain_asi_one.agents import AgentChat, AgentError
from langchain_asi_one.agents._conversations import Conversations
from langchain_asi_one.agents._envelope import Kind
from langchain_asi_one.langgraph import AgentGraphState, agent_worker
from langchain_asi_one.testing import LocalASIOne, answer, fault
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.integration.agents.conftest import MakeChat
from tests.support.other_process import OtherProcess
from tests.support.patience import PATIENCE, eventually
from tests.support.puppet import Puppet, say

WANTED: Final = "".join(f"part {n} of 3: Rain?\n" for n in (1, 2, 3))
SAFE: Final = "after checkpoint 2 of ask_agent"
Run: TypeAlias = Callable[[list[str]], tuple[int, list[str]]]


@contextmanager
def forking(*arguments: str) -> Iterator[Run]:
    """Start the process that forks; give a function that runs a child."""
    (stdin, giving), (reading, stdout) = os.pipe(), os.pipe()
    environ = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
    module = "tests.support.durable_process"
    process = OtherProcess(module, *arguments, environ=environ, stdin=stdin, stdout=stdout)
    os.close(stdin)
    os.close(stdout)
    with os.fdopen(giving, "w") as commands, os.fdopen(reading) as replies:

        def run(spared: list[str]) -> tuple[int, list[str]]:
            commands.write(f"{json.dumps(spared)}\n")
            commands.flush()
            found = json.loads(replies.readline())
            return found["status"], found["steps"]

        yield run
    done = process.finish()
    assert (done.returncode, done.stderr) == (0, "")


def list_questions(agentverse: LocalAgentverse) -> list[str]:
    """Return the identifiers of the questions that agents were sent."""
    sent = [one.body for one in agentverse.requests if one.path == "/submit"]
    chats = [one for one in sent if one["schema_digest"] == Kind.CHAT]
    return [json.loads(base64.b64decode(one["payload"]))["msg_id"] for one in chats]


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_process_may_be_killed_at_every_step(
    agentverse: LocalAgentverse,
    make_chat: MakeChat,
    server: LocalASIOne,
    place: str,
) -> None:
    seed = uuid.uuid4().hex
    chat = make_chat(seed=seed)
    chat.register()
    agent = agentverse.agent("parts")
    entry = {"address": agent}
    message = {"role": "assistant", "content": "Ask it.", "executable_data": [entry]}
    body = {"choices": [{"message": message}], "executable_data": [entry]}
    server.enqueue(*[answer(body)] * 200)
    killed: list[str] = []
    is_safe = False  # whether the whole answer is in a checkpoint
    with forking(agentverse.url, server.base_url, seed, agent, place) as run:
        status, steps = run(killed)
        while status == -signal.SIGKILL:
            assert steps[-1] not in killed
            killed.append(steps[-1])
            is_safe |= any(step.startswith(SAFE) for step in steps)
            deleted = [one for one in agentverse.requests if one.method == "DELETE"]
            assert is_safe or not deleted, steps
            if list_questions(agentverse) and not is_safe:
                # By the agent's acknowledgement the next process knows that it was asked.
                assert eventually(lambda: agentverse.mail(chat.address) != [])
            status, steps = run(killed)
    assert status == 0, steps
    [result] = json.loads(steps[-1])
    assert (result["agent"], result["result"]) == (agent, WANTED)
    assert len(list_questions(agentverse)) == 1
    assert agentverse.mail(chat.address) == []
    # Not the acknowledgements, which nothing waits for: whether one is begun is a matter of time.
    for step in ("GET", "POST of CHAT", "DELETE"):
        assert {f"before {step} #1", f"after {step} #1"} <= {*killed}, killed
    for step in ("writes of asked", "checkpoint 1", "checkpoint 2", "checkpoint 3"):
        assert any(f" {step}" in one for one in killed), (step, killed)


class DiedError(BaseException):
    """What nobody catches, as nobody catches the end of a process."""


def make_task(agent: str) -> dict[str, Any]:
    entry = {"kind": "agent", "address": agent, "raw": {}}
    return {"agent": entry, "messages": [HumanMessage("Rain?")]}


def make_graph(chat: AgentChat, agent: str, **options: Any) -> tuple[Any, Any]:
    """Return a graph that asks an agent, and what it is given."""
    builder = StateGraph(AgentGraphState)
    builder.add_node("ask", agent_worker(chat.durable_worker(**options), allow="any"))
    task = make_task(agent)
    builder.add_conditional_edges(START, lambda _: [Send("ask", task)], ["ask"])
    return builder.compile(checkpointer=InMemorySaver()), {"messages": []}


def test_a_question_that_may_not_have_arrived_is_the_same_question(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the delivery, and the agent has said nothing yet."""
    chat.register()
    graph, given = make_graph(chat, puppet.address)
    config: Any = {"configurable": {"thread_id": "ada"}}
    send = Conversations.send

    async def send_and_die(self: Conversations, *arguments: Any) -> None:
        await send(self, *arguments)
        raise DiedError

    monkeypatch.setattr(Conversations, "send", send_and_die)
    with pytest.raises(DiedError):
        graph.invoke(given, config, durability="sync")
    monkeypatch.setattr(Conversations, "send", send)
    with ThreadPoolExecutor() as pool:
        future = pool.submit(graph.invoke, None, config, durability="sync")
        question = puppet.wait_for(2)
        puppet.answer(question, say("It rains."))
        state = future.result()
    assert [one["result"] for one in state["agent_results"]] == ["It rains."]
    first, second = puppet.read()
    assert first.session == second.session
    ids = [json.loads(one.decode_payload())["msg_id"] for one in (first, second)]
    assert ids[0] == ids[1]


def test_an_answer_that_came_while_nothing_ran_is_read_after_its_time(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.register()
    worker = chat.durable_worker(timeout=1.0)
    worker.checkpointer = InMemorySaver()
    config: Any = {"configurable": {"thread_id": "ada"}}
    collect = Conversations.collect

    async def die(*arguments: Any) -> None:
        raise DiedError

    monkeypatch.setattr(Conversations, "collect", die)
    with pytest.raises(DiedError):
        worker.invoke(make_task(puppet.address), config, durability="sync")
    monkeypatch.setattr(Conversations, "collect", collect)
    question = puppet.wait_for()
    puppet.answer(question, say("It", end=False), say("rains."))
    assert eventually(lambda: time.time() > question.expires)
    # What keeps the mailbox from being read is not taken for silence.
    agentverse.enqueue(fault("http_503_html"), to="GET /v2/agents/*/mailbox*")
    with pytest.raises(AgentError, match="the mailbox cannot be read now"):
        worker.invoke(None, config, durability="sync")
    state = worker.invoke(None, config, durability="sync")
    assert state["messages"][-1].text == "It\n\nrains."
    assert agentverse.mail(chat.address) == []


@pytest.mark.parametrize(
    ("behaviour", "timeout", "error"),
    [
        ("error", PATIENCE, "AgentRefusedError: the agent .* out of credit"),
        ("payment", PATIENCE, "AgentPaymentRequiredError: .* nothing was paid"),
        ("ack_only", 0.7, "AgentTimeoutError: .* acknowledged the question, and gave no answer"),
    ],
)
def test_an_error_is_data_of_its_agent_and_its_letters_are_deleted(
    agentverse: LocalAgentverse, chat: AgentChat, behaviour: Any, timeout: float, error: str
) -> None:
    chat.ask(agentverse.agent("echo"), "so that the mailbox is registered")
    graph, given = make_graph(chat, agentverse.agent(behaviour), timeout=timeout)
    config: Any = {"configurable": {"thread_id": "ada"}}
    [result] = graph.invoke(given, config)["agent_results"]
    assert re.fullmatch(f"{error}.*", result["error"])
    assert eventually(lambda: agentverse.mail(chat.address) == [])


def test_without_a_thread_it_is_a_plain_worker(
    agentverse: LocalAgentverse, chat: AgentChat
) -> None:
    worker = chat.durable_worker()
    agent = {"kind": "agent", "address": agentverse.agent("echo"), "raw": {}}
    for question in ("Rain?", "Rain?"):
        state = worker.invoke({"agent": agent, "messages": [HumanMessage(question)]})
        assert [one.text for one in state["messages"]] == ["echo: Rain?"]
        assert {*state} == {"messages"}


def test_a_thread_of_its_own_asks_in_each_turn(
    agentverse: LocalAgentverse, chat: AgentChat
) -> None:
    worker = chat.durable_worker().copy(update={})
    worker.checkpointer = InMemorySaver()
    agent = {"kind": "agent", "address": agentverse.agent("echo"), "raw": {}}
    config: Any = {"configurable": {"thread_id": "ada"}}
    for question in ("Rain?", "Snow?"):
        given = {"agent": agent, "messages": [HumanMessage(question)]}
        assert worker.invoke(given, config)["messages"][-1].text == f"echo: {question}"
