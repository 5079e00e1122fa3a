"""Questions to agents over sockets: what is asked, and what agents do."""

from __future__ import annotations

import asyncio
import gc
import os
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

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
from tests.support.patience import PATIENCE, eventually
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


def test_a_chat_closes_at_the_end_of_a_with(agentverse: LocalAgentverse) -> None:
    seed = "another text that nobody else has"
    with AgentChat(seed=seed, api_key=agentverse.api_key, agentverse=agentverse.url) as chat:
        assert chat.ask(agentverse.agent("echo"), "Rain?").text == "echo: Rain?"
        assert chat._held is not None
        client = chat._held.conversations._client
    assert client.is_closed
    assert agentverse.mail(chat.address) == []
