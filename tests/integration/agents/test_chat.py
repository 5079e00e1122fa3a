"""Questions to agents over sockets: what agents do, who asks, and from where."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate

from langchain_asi_one.agents import (
    AgentChat,
    AgentPaymentRequiredError,
    AgentRefusedError,
    AgentTimeoutError,
    AgentUnreachableError,
    aresolve,
    asearch_agents,
    resolve,
    search_agents,
)
from langchain_asi_one.agents._envelope import CHAT_PROTOCOL, Kind
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.integration.agents.conftest import MakeChat
from tests.support.patience import FOREVER, PATIENCE, eventually
from tests.support.puppet import Puppet, say

WAYS = ("ask", "aask")


def ask(way: str, chat: AgentChat, agent: str, message: Any = "Rain?", **options: Any) -> AIMessage:
    options.setdefault("timeout", PATIENCE)
    if way == "ask":
        return chat.ask(agent, message, **options)
    return asyncio.run(chat.aask(agent, message, **options))


@pytest.mark.parametrize(
    ("behaviour", "text", "acknowledged", "ended"),
    [
        ("echo", "echo: Rain?", True, "end-session"),
        ("slow", "echo: Rain?", True, "end-session"),
        (
            "parts",
            "part 1 of 3: Rain?\npart 2 of 3: Rain?\npart 3 of 3: Rain?\n",
            True,
            "end-session",
        ),
        ("stream", "echo: Rain?", True, "end-session"),
        ("no_end", "echo: Rain?", True, "quiet"),
        ("no_ack", "echo: Rain?", False, "end-session"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_an_agent_answers(
    agentverse: LocalAgentverse,
    make_chat: MakeChat,
    way: str,
    behaviour: Any,
    text: str,
    acknowledged: bool,
    ended: str,
) -> None:
    agent = agentverse.agent(behaviour, delay=0.05)
    chat = make_chat(quiet=0.05) if ended == "quiet" else make_chat()
    answer = ask(way, chat, agent)
    session = answer.response_metadata["session_id"]
    assert answer.content == text
    assert answer.response_metadata == {
        "agent": agent,
        "session_id": session,
        "acknowledged": acknowledged,
        "ended": ended,
        "inbox": "mailbox",
    }
    # What was read is deleted, and each chat message acknowledged.
    assert eventually(lambda: agentverse.mail(chat.address) == [])


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_is_a_standard_block(
    agentverse: LocalAgentverse, chat: AgentChat, way: str
) -> None:
    answer = ask(way, chat, agentverse.agent("picture"))
    assert answer.text == "Here it is."
    image = next(block for block in answer.content_blocks if block["type"] == "image")
    assert image["url"] == "https://pictures.example/stand-in.png"
    assert image["mime_type"] == "image/png"
    assert not [one for one in agentverse.requests if "pictures.example" in str(one.headers)]


@pytest.mark.parametrize("way", WAYS)
def test_an_error_of_the_agent_is_raised(
    agentverse: LocalAgentverse, chat: AgentChat, way: str
) -> None:
    agent = agentverse.agent("error")
    with pytest.raises(AgentRefusedError, match="out of credit") as caught:
        ask(way, chat, agent)
    assert caught.value.agent == agent
    assert caught.value.api_message == "The agent is out of credit."
    assert not caught.value.is_retryable


@pytest.mark.parametrize("way", WAYS)
def test_a_payment_is_asked_for_and_not_made(
    agentverse: LocalAgentverse, chat: AgentChat, way: str
) -> None:
    agent = agentverse.agent("payment")
    with pytest.raises(AgentPaymentRequiredError, match=r"0\.1 FET; nothing was paid") as caught:
        ask(way, chat, agent)
    [funds] = caught.value.payment_request["accepted_funds"]
    assert (funds["amount"], funds["currency"]) == ("0.1", "FET")
    sent = [one.body["schema_digest"] for one in agentverse.requests if one.path == "/submit"]
    assert {*sent} <= {Kind.CHAT, Kind.ACKNOWLEDGEMENT}


@pytest.mark.parametrize(("behaviour", "acknowledged"), [("ack_only", True), ("silent", False)])
@pytest.mark.parametrize("way", WAYS)
def test_a_silent_agent_is_not_waited_for_longer_than_told(
    agentverse: LocalAgentverse, chat: AgentChat, way: str, behaviour: Any, acknowledged: bool
) -> None:
    chat.ask(agentverse.agent("echo"), "so that the mailbox is registered")
    with pytest.raises(AgentTimeoutError, match="gave no answer in time") as caught:
        ask(way, chat, agentverse.agent(behaviour), timeout=0.5)
    assert caught.value.acknowledged is acknowledged
    assert not caught.value.is_retryable


def test_a_part_is_better_than_nothing_when_the_time_is_over(
    chat: AgentChat, puppet: Puppet
) -> None:
    chat.register()
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?", session_id="ada", timeout=1.5)
        puppet.answer(puppet.wait_for(), say("It", end=False))
        answer = future.result()
    assert (answer.content, answer.response_metadata["ended"]) == ("It", "timeout")
    with pytest.raises(ValueError, match="use another session_id"):
        chat.ask(puppet.address, "Snow?", session_id="ada")


def test_pictures_and_files_are_sent(chat: AgentChat, puppet: Puppet) -> None:
    block = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
    message = HumanMessage([{"type": "text", "text": "What is this?"}, block])
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, message)
        question = puppet.wait_for()
        puppet.answer(question, say("A logo."))
        assert future.result().text == "A logo."
    assert "data:image/png;base64,iVBORw0KGgo=" in question.decode_payload()
    assert question.protocol_digest == CHAT_PROTOCOL
    acknowledgement = puppet.wait_for(kind=Kind.ACKNOWLEDGEMENT)
    assert acknowledgement.session == question.session


def test_a_session_remembers_and_takes_one_question_at_a_time(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    first = chat.ask(agentverse.agent("echo"), "one", session_id="ada")
    second = chat.ask(agentverse.agent("echo"), "two", session_id="ada")
    fresh = chat.ask(agentverse.agent("echo"), "three")
    sessions = [answer.response_metadata["session_id"] for answer in (first, second, fresh)]
    assert sessions[0] == sessions[1] != sessions[2]
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "four", session_id="ada")
        question = puppet.wait_for()
        with pytest.raises(ValueError, match="a question is open in the session"):
            chat.ask(puppet.address, "five", session_id="ada")
        puppet.answer(question, say("four, then"))
        assert future.result().text == "four, then"


def test_a_late_answer_is_not_taken_for_that_to_another_question(
    chat: AgentChat, puppet: Puppet
) -> None:
    chat.register()
    with pytest.raises(AgentTimeoutError):
        chat.ask(puppet.address, "first", session_id="ada", timeout=0.3)
    puppet.answer(puppet.wait_for(), say("the answer to the first"))
    with pytest.raises(ValueError, match="use another session_id"):
        chat.ask(puppet.address, "second", session_id="ada")
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "third")
        puppet.answer(puppet.wait_for(2), say("the answer to the third"))
        assert future.result().text == "the answer to the third"


def test_agents_are_found_by_handle_and_by_search(
    agentverse: LocalAgentverse, chat: AgentChat
) -> None:
    agent = agentverse.agent("echo", handle="rain", name="Rain of Oslo")
    assert chat.ask("@rain", "Rain?").response_metadata["agent"] == agent
    for identifier in (agent, "@rain", "rain"):
        record = resolve(identifier, agentverse=agentverse.url)
        assert record == asyncio.run(aresolve(identifier, agentverse=agentverse.url))
        assert record["address"] == agent
        assert record["endpoints"] == [f"{agentverse.url}/submit"]
    found = search_agents("Oslo", agentverse=agentverse.url)
    assert found == asyncio.run(asearch_agents("Oslo", agentverse=agentverse.url))
    assert [(one["address"], one.get("name")) for one in found] == [(agent, "Rain of Oslo")]
    with pytest.raises(
        AgentUnreachableError,
        match=r"no agent @weather: .* search_agents\('weather'\) finds agents",
    ):
        chat.ask("weather", "Rain?")


def test_threads_and_loops_share_an_inbox_and_no_answer(
    agentverse: LocalAgentverse, chat: AgentChat
) -> None:
    agents = [agentverse.agent("echo"), agentverse.agent("no_ack", delay=0.05)]

    async def ask_some(number: int) -> list[str]:
        questions = [f"{number}-{n}" for n in range(2)]
        answers = await asyncio.gather(
            *(chat.aask(agents[number % 2], one, timeout=PATIENCE) for one in questions)
        )
        return [str(answer.text) for answer in answers]

    def ask_all(number: int) -> list[str]:
        if number % 3:
            return asyncio.run(ask_some(number))
        return [chat.ask(agents[0], f"{number}-0", timeout=PATIENCE).text]

    with ThreadPoolExecutor(24) as pool:
        found = [*pool.map(ask_all, range(24))]
    assert found == [
        [f"echo: {number}-{n}" for n in range(2 if number % 3 else 1)] for number in range(24)
    ]


def test_a_cancelled_question_is_waited_for_no_longer(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    async def cancel() -> None:
        asking = asyncio.create_task(chat.aask(puppet.address, "Rain?", session_id="ada"))
        await asyncio.to_thread(puppet.wait_for)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(cancel())
    held = chat._held
    assert held is not None
    assert eventually(lambda: not held[1].inbox.questions)
    with pytest.raises(ValueError, match="use another session_id"):
        chat.ask(puppet.address, "Again", session_id="ada")
    assert chat.ask(agentverse.agent("echo"), "Rain?").text == "echo: Rain?"


def test_a_forked_child_asks_too(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    agent = agentverse.agent("echo")
    chat.ask(agent, "before")
    child = os.fork()
    if not child:
        status = 1
        try:
            status = 0 if chat.ask(agent, "child").text == "echo: child" else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert chat.ask(agent, "after").text == "echo: after"


def test_nothing_is_sent_while_nobody_waits(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    chat.ask(agentverse.agent("echo"), "Rain?")
    held = chat._held
    assert held is not None
    assert eventually(lambda: bool(held[1].mailbox._polls and held[1].mailbox._polls.done()))
    assert eventually(lambda: not held[1]._owed)
    agentverse.clear()
    assert not threading.Event().wait(10 * 0.02)
    assert agentverse.requests == []


def test_many_questions_leave_nothing(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    agent = agentverse.agent("no_ack")
    for number in range(15):
        chat.ask(agent, f"question {number}")
    held = chat._held
    assert held is not None
    assert eventually(lambda: not held[1]._owed)
    inbox, almanac, spent = held[1].inbox, held[1].almanac, held[1]._spent
    assert (inbox.questions, len(almanac._kept), len(spent)) == ({}, 1, 0)
    assert agentverse.mail(chat.address) == []


def test_an_object_that_is_gone_is_closed(agentverse: LocalAgentverse, make_chat: MakeChat) -> None:
    chat = AgentChat(
        seed="a text that nobody else has", api_key=agentverse.api_key, agentverse=agentverse.url
    )
    chat.ask(agentverse.agent("echo"), "Rain?")
    held = chat._held
    assert held is not None
    client, gone = held[1]._client, weakref.ref(chat)
    del chat
    gc.collect()
    assert gone() is None
    assert eventually(lambda: client.is_closed)


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
