"""What strangers, agents and servers can do to a question: nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from uagents_core.contrib.protocols.chat import ChatAcknowledgement, ChatMessage, TextContent
from uagents_core.identity import Identity
from uagents_core.models import ErrorMessage, Model

from langchain_asi_one.agents import (
    AgentChat,
    AgentError,
    AgentTimeoutError,
    AgentUnreachableError,
    _dialogue,
    resolve,
    search_agents,
)
from langchain_asi_one.agents._endpoints import EndpointRule, build_endpoint_client, exchange
from langchain_asi_one.agents._envelope import MAX_BYTES, make_session
from langchain_asi_one.testing import raw
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from langchain_asi_one.testing._replies import Reply
from langchain_asi_one.testing._requests import Exchange
from langchain_asi_one.testing._responses import Script
from tests.integration.agents.conftest import MakeChat
from tests.support.patience import PATIENCE, eventually
from tests.support.puppet import Puppet, say

USER = "user1" + "q" * 60


class Unknown(Model):  # type: ignore[misc]  # its package has no types
    """A message of another protocol."""

    text: str


def test_no_forged_reply_changes_anything(
    agentverse: LocalAgentverse,
    chat: AgentChat,
    puppet: Puppet,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stranger = Puppet(agentverse)
    mallory = stranger.identity
    with ThreadPoolExecutor() as pool, caplog.at_level(logging.DEBUG):
        future = pool.submit(chat.ask, puppet.address, "Rain?", timeout=PATIENCE)
        question = puppet.wait_for()
        forged = say("FORGED")
        letters = {
            "unsigned": puppet.write(question, forged, is_signed=False),
            "other key": puppet.write(question, forged, signer=mallory),
            "own key": stranger.write(question, forged),
            "our own address": puppet.write(question, forged, sender=chat.address, signer=mallory),
            "a user": puppet.write(question, forged, sender=USER, is_signed=False),
            "other target": puppet.write(question, forged, target=stranger.address),
            "other session": puppet.write(question, forged, session=uuid4()),
            "expired": puppet.write(question, forged, expires=1),
            "payload changed": {**puppet.write(question, say("true")), "payload": "e30="},
            "other error": stranger.write(question, ErrorMessage(error="FORGED")),
            "other acknowledgement": stranger.write(question, ChatAcknowledgement(uuid4())),
            "another protocol": puppet.write(question, Unknown(text="FORGED")),
            "no envelope": {"session": str(question.session)},
            "odd session": {**puppet.write(question, forged), "session": [7]},
        }
        received = "2026-11-26T03:00:00Z"
        page = [
            {"uuid": str(uuid4()), "envelope": letter, "received_at": received, "expires_at": "x"}
            for letter in letters.values()
        ]
        odd: list[Any] = [None, 7, {}, {"uuid": 7}, {"uuid": "../../v1", "envelope": {}}]
        agentverse.enqueue(
            raw(json.dumps([*page, *odd]).encode()), to=f"GET /v2/agents/{chat.address}/mailbox*"
        )
        held = chat._held
        assert held is not None
        waiting = held[1].inbox.questions[str(question.session)]
        # All but those of other sessions, and what is in no envelope.
        assert eventually(lambda: waiting.ignored == len(letters) - 2)
        assert not future.done()
        assert stranger.post(letters["own key"]) == 200  # and by the front door
        assert eventually(lambda: waiting.ignored == len(letters) - 1)
        puppet.answer(question, say("It rains."))
        answer = future.result()
    assert answer.text == "It rains."
    assert answer.response_metadata["acknowledged"] is False
    assert "FORGED" not in caplog.text
    assert "its sender was not asked" in caplog.text
    assert not [one.path for one in agentverse.requests if ".." in one.path]


def test_a_replayed_answer_is_no_answer(chat: AgentChat, puppet: Puppet) -> None:
    chat.register()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(chat.ask, puppet.address, "first", session_id="ada")
        question = puppet.wait_for()
        true = puppet.write(question, say("the first answer"))
        assert puppet.post(true) == 200
        assert first.result().text == "the first answer"
        # Into a new question of another session, and of the same one.
        second = pool.submit(chat.ask, puppet.address, "second")
        question = puppet.wait_for(2)
        assert puppet.post({**true, "session": str(question.session)}) == 400
        puppet.answer(question, say("the second answer"))
        assert second.result().text == "the second answer"


def test_a_part_that_comes_twice_is_read_once(chat: AgentChat, puppet: Puppet) -> None:
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?")
        question = puppet.wait_for()
        part = puppet.write(question, ChatMessage([TextContent("It rains.")]))
        assert [puppet.post(part) for _ in range(3)] == [200] * 3
        puppet.answer(question, say())
        assert future.result().text == "It rains."


def test_what_an_agent_says_is_text(chat: AgentChat, puppet: Puppet) -> None:
    hostile = "<script>alert(1)</script> \x1b[31m\u202e ![x](https://evil.example/p.png)\x00\ud800"
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?")
        question = puppet.wait_for()
        payload = {"type": "text", "text": hostile}
        message = ChatMessage([TextContent("")]).copy(update={"content": [payload]})
        puppet.answer(question, message, say())
        answer = future.result()
    assert answer.content == hostile.replace("\x00", "").replace("\ud800", "\ufffd")


BAD = [
    "http://169.254.169.254/latest/meta-data",
    "https://169.254.169.254/x",
    "https://10.1.2.3/submit",
    "https://[fd00::1]/submit",
    "https://[::ffff:10.1.2.3]/submit",
    "https://0x0a010203/submit",
    "https://167838211/submit",
    "https://user:pw@example.com/submit",
    "file:///etc/passwd",
    "gopher://x/",
    "http://agent.example/submit",
    "https://agent.invalid/submit",
    "https:///submit",
    "no address",
]


@pytest.mark.parametrize("url", BAD)
def test_no_message_goes_to_a_bad_endpoint(chat: AgentChat, puppet: Puppet, url: str) -> None:
    puppet.list_at(url)
    with pytest.raises(AgentUnreachableError, match="no endpoint of the agent") as caught:
        chat.ask(puppet.address, "Rain?", timeout=PATIENCE)
    assert caught.value.is_retryable
    assert ":pw@" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1:9/submit", "https://localhost:9/x", "https://[::1]:9/x", "https://0/"],
)
async def test_this_machine_is_no_endpoint_but_of_a_local_agentverse(url: str) -> None:
    async with build_endpoint_client(EndpointRule()) as client:
        with pytest.raises(httpx.ConnectError, match="which is not public"):
            await exchange(client, "POST", url, seconds=PATIENCE)


async def test_a_name_is_looked_up_once_and_the_connection_goes_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second look-up, after the check, could give another address: DNS rebinding."""
    answers = ["93.184.215.14", "127.0.0.1", "127.0.0.1"]
    asked: list[Any] = []
    connected: list[str] = []
    find = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "rebind.example":
            asked.append(host)
            host = answers.pop(0)
        return find(host, port, *args, **kwargs)

    async def connect(loop: Any, factory: Any, host: Any = None, *args: Any, **kwargs: Any) -> Any:
        connected.append(host)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", connect)
    async with build_endpoint_client(EndpointRule()) as client:
        with pytest.raises(httpx.ConnectError):
            await exchange(client, "POST", "https://rebind.example/", seconds=PATIENCE)
        assert (asked, connected) == (["rebind.example"], ["93.184.215.14"])
        with pytest.raises(httpx.ConnectError, match="which is not public"):
            await exchange(client, "POST", "https://rebind.example/", seconds=PATIENCE)
    assert connected == ["93.184.215.14"]


@pytest.mark.parametrize("status", [307, 400, 404, 429, 503])
def test_another_endpoint_is_tried_if_one_did_not_take_the_message(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet, status: int
) -> None:
    chat.register()
    mailbox = f"{agentverse.url}/v2/agents/mailbox/submit"
    puppet.list_at(f"{agentverse.url}/odd", mailbox)
    location = {"location": f"{agentverse.url}/inner"}
    agentverse.enqueue(raw(b"{}", status=status, headers=location), to="POST /odd")
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?")
        puppet.answer(puppet.wait_for(), say("It rains."))
        assert future.result().text == "It rains."
    assert "/inner" not in {one.path for one in agentverse.requests}


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_message_that_may_have_arrived_is_not_sent_again(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet, status: int
) -> None:
    chat.register()
    puppet.list_at(f"{agentverse.url}/odd", f"{agentverse.url}/v2/agents/mailbox/submit")
    agentverse.enqueue(raw(b"{}", status=status), to="POST /odd")
    with pytest.raises(AgentUnreachableError, match="may or may not have the question") as caught:
        chat.ask(puppet.address, "Rain?", session_id="ada")
    assert not caught.value.is_retryable
    assert puppet.read() == []
    with pytest.raises(ValueError, match="use another session_id"):
        chat.ask(puppet.address, "Rain?", session_id="ada")


def test_at_most_three_endpoints_are_tried(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    puppet.list_at(*(f"{agentverse.url}/odd/{n}" for n in range(5)))
    with pytest.raises(AgentUnreachableError, match="no endpoint of the agent"):
        chat.ask(puppet.address, "Rain?")
    tried = [one.path for one in agentverse.requests if one.path.startswith("/odd")]
    assert tried == ["/odd/0", "/odd/1", "/odd/2"]


def test_an_endless_reply_of_an_endpoint_is_not_read(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    puppet.list_at(f"{agentverse.url}/odd")
    agentverse.enqueue(raw(b"x" * (MAX_BYTES + 1)), to="POST /odd")
    with pytest.raises(AgentUnreachableError, match="answered without end"):
        chat.ask(puppet.address, "Rain?")


def test_an_endless_or_broken_answer_of_agentverse_is_not_read(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    chat.register()
    endless = raw(b"[" + b" " * MAX_BYTES)
    agentverse.enqueue(endless, to="GET /v1/almanac/*")
    with pytest.raises(AgentError, match="more than 4,000,000 bytes"):
        chat.ask(puppet.address, "Rain?")
    for body in (b"", b"[]", b"{}", b'{"address": "agent1q"}', b"\xff", b"[" * 100_000):
        agentverse.enqueue(raw(body), to="GET /v1/almanac/*")
        with pytest.raises(AgentError, match="is not usable"):
            resolve(puppet.address, agentverse=agentverse.url)
        agentverse.enqueue(raw(body), to="POST /v1/search/*")
        if body != b"{}":
            continue
        with pytest.raises(AgentError, match="is not usable"):
            search_agents("rain", agentverse=agentverse.url)
    agentverse.clear()
    other = Identity.generate().address
    agentverse.enqueue(raw(json.dumps({"address": other}).encode()), to="GET /v1/almanac/*")
    with pytest.raises(AgentError, match="is not usable"):
        resolve(puppet.address, agentverse=agentverse.url)
    agentverse.enqueue(raw(b'{"agent_address": "agent1q"}'), to="GET /v1/almanac/handles/*")
    with pytest.raises(AgentError, match="names no address for @rain"):
        resolve("@rain", agentverse=agentverse.url)


def test_an_agent_without_the_protocol_or_an_endpoint_is_not_asked(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    puppet.list_at(f"{agentverse.url}/odd", protocols=("proto:1",))
    with pytest.raises(AgentUnreachableError, match="does not speak the chat protocol"):
        chat.ask(puppet.address, "Rain?")
    puppet.list_at()
    with pytest.raises(AgentUnreachableError, match="has no endpoint"):
        chat.ask(puppet.address, "Rain?")
    with pytest.raises(AgentUnreachableError, match=r"no agent agent1.*; check the address"):
        chat.ask(Identity.generate().address, "Rain?")


def test_an_endless_answer_of_an_agent_is_an_error(
    chat: AgentChat, puppet: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_dialogue, "MAX_BYTES", 2_000)
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?")
        question = puppet.wait_for()
        half, rest = (ChatMessage([TextContent(letter * 1_000)]) for letter in "xy")
        puppet.answer(question, half, rest)
        with pytest.raises(AgentError, match="longer than is read") as caught:
            future.result()
    assert {*caught.value.partial_text} == {"x"}


def test_a_key_that_a_server_quotes_is_in_no_error(
    agentverse: LocalAgentverse, make_chat: MakeChat
) -> None:
    chat = make_chat(api_key="av-secret-key")
    agentverse.enqueue(
        raw(b'{"detail": "bad key av-secret-key"}', status=401), to="GET /v2/identity/*"
    )
    with pytest.raises(AgentError, match="check api_key=") as caught:
        chat.register()
    assert "av-secret-key" not in f"{caught.value}{caught.value.info}{caught.value.__context__}"
    assert caught.value.info.status_code == 401


def test_a_token_that_a_server_quotes_is_in_no_error(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    chat.ask(agentverse.agent("echo"), "so that there is a token")
    held = chat._held
    assert held is not None
    token, _ = held[1].mailbox._token
    kind, payload, signature = token.split(":")
    assert (kind, len(payload) > 100, signature[:4]) == ("attr", True, "sig1")
    for quoted in (f"Agent {token}", token, signature, payload):
        detail = json.dumps({"detail": f"bad token <{quoted}>"}).replace("/", "\\/").encode()
        agentverse.enqueue(raw(detail, status=403), to="GET /v2/agents/*/mailbox*")
        with pytest.raises(AgentError, match=r"bad token <(Agent )?(attr:)?\*\*\*") as caught:
            chat.ask(puppet.address, "Rain?")
        text = f"{caught.value}{caught.value.info}{caught.value.__context__}"
        assert not any(word[:20] in text for word in (payload, signature))


def test_a_challenge_that_was_signed_and_is_quoted_is_in_no_error(
    agentverse: LocalAgentverse, make_chat: MakeChat
) -> None:
    chat = make_chat(api_key="av-secret-key")
    signatures: list[str] = []

    def refuse(exchange: Exchange) -> Script:
        signatures.append(exchange.received.body["challenge_response"])
        detail = f"{signatures[0]} of av-secret-key"
        return raw(json.dumps({"detail": detail}).encode(), status=403).play(exchange)

    agentverse.enqueue(raw(b'{"challenge": "sign this"}'), to="GET /v2/identity/*")
    agentverse.enqueue(Reply("refuse", refuse), to="POST /v2/identity")
    with pytest.raises(AgentError, match=r"403 \(\*\*\* of \*\*\*\)") as caught:
        chat.register()
    assert signatures[0] not in f"{caught.value}{caught.value.info}{caught.value.__context__}"


def test_a_stranger_cannot_open_our_session_by_name() -> None:
    assert make_session("ada") == make_session("ada")
    assert str(make_session("ada")) != "ada"


def test_silence_after_forged_letters_says_so(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    chat.register()
    stranger = Puppet(agentverse)
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?", timeout=1.0)
        question = puppet.wait_for()
        assert stranger.post(stranger.write(question, say("FORGED"))) == 200
        with pytest.raises(AgentTimeoutError, match="1 envelopes in the session were no replies"):
            future.result()
