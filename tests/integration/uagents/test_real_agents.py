"""Real uAgents judge the local Agentverse, and answer what `AgentChat` asks them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from uagents_core.identity import Identity

from langchain_asi_one.agents import (
    AgentChat,
    AgentError,
    AgentPaymentRequiredError,
    AgentRefusedError,
    AgentTimeoutError,
)
from langchain_asi_one.testing._background import BackgroundServer, get_url, open_socket
from tests.integration.uagents.conftest import RealAgents
from tests.support.patience import PATIENCE

SEED: Final = "a seed that only these tests have"
QUIET: Final = 2.0
"""Seconds; a busy machine takes as long between two parts of an answer."""
PICTURE: Final = "https://pictures.example/x.png"
KNOWN_WARNINGS: Final = (
    "Overwriting the agent's endpoints",  # a Bureau's own
    "Agent mailbox not found",  # until it is connected
)


@pytest.fixture(scope="module")
def by_mailbox(real_agents: RealAgents) -> Iterator[AgentChat]:
    agentverse = real_agents.agentverse
    chat = AgentChat(
        seed=SEED,
        api_key=agentverse.api_key,
        agentverse=agentverse.url,
        poll_interval=0.1,
        quiet=QUIET,
    )
    yield chat
    chat.close()


@pytest.fixture(scope="module")
def by_endpoint(real_agents: RealAgents) -> Iterator[AgentChat]:
    listener = open_socket("127.0.0.1", 0, allow_remote=False)
    chat = AgentChat(
        seed=f"{SEED}, twice",
        inbox=f"{get_url(listener)}/replies",
        agentverse=real_agents.agentverse.url,
        quiet=QUIET,
    )
    with BackgroundServer(listener, chat.app, "own-endpoint"):
        yield chat
    chat.close()


async def ask(chat: AgentChat, agent: str, question: str) -> Any:
    """Return content, acknowledgement and end of an answer, or the error."""
    if question == "silent":
        return await ask_within(chat, agent, question, seconds=2)
    if question == "ack":  # there is no answer, so it has longer only if the machine is slow
        for seconds in (2, 10, PATIENCE):
            found = await ask_within(chat, agent, question, seconds=seconds)
            if found.acknowledged:
                break
        return found
    return await ask_within(chat, agent, question, seconds=PATIENCE)


async def ask_within(chat: AgentChat, agent: str, question: str, *, seconds: float) -> Any:
    try:
        message = await chat.aask(agent, question, timeout=seconds)
    except AgentError as error:
        return error
    found = message.response_metadata
    return message.content, found["acknowledged"], found["ended"]


async def check_every_row(chat: AgentChat, agent: str) -> None:
    """Ask for everything that an agent can do, all at once, each in its own session."""
    questions = (
        *("echo it", "quick it", "unended it", "parts", "picture", "slow it"),
        *("ack", "silent", "error", "pay"),
    )
    answers = await asyncio.gather(*(ask(chat, agent, question) for question in questions))
    rows = dict(zip(questions, answers, strict=True))
    assert rows["echo it"] == ("echo: it", True, "end-session")
    assert rows["quick it"] == ("echo: it", False, "end-session")
    assert rows["unended it"] == ("echo: it", True, "quiet")
    assert rows["slow it"] == ("echo: it", True, "end-session")
    text, acknowledged, ended = rows["parts"]
    assert text.split() == ["part", "0", "part", "1", "part", "2"]
    assert (acknowledged, ended) == (True, "end-session")
    text_block, picture_block = rows["picture"][0]
    assert text_block == {"type": "text", "text": "here"}
    assert picture_block["url"] == PICTURE
    assert picture_block["mime_type"] == "image/png"
    for question, has_it in (("ack", True), ("silent", False)):
        assert isinstance(rows[question], AgentTimeoutError)
        assert rows[question].acknowledged is has_it
    assert isinstance(rows["error"], AgentRefusedError)
    assert rows["error"].api_message == "out of credit"
    assert isinstance(rows["pay"], AgentPaymentRequiredError)
    assert rows["pay"].payment_request["accepted_funds"][0]["amount"] == "0.1"


async def test_an_agent_answers_into_an_endpoint(
    by_endpoint: AgentChat, real_agents: RealAgents
) -> None:
    await check_every_row(by_endpoint, real_agents.open)


async def test_an_agent_answers_into_a_mailbox(
    by_mailbox: AgentChat, real_agents: RealAgents
) -> None:
    await check_every_row(by_mailbox, real_agents.open)
    await asyncio.to_thread(by_mailbox.close)  # what is owed is sent first
    assert real_agents.agentverse.mail(by_mailbox.address) == []


async def test_an_agent_behind_its_own_mailbox_answers(
    by_mailbox: AgentChat, real_agents: RealAgents
) -> None:
    await check_every_row(by_mailbox, real_agents.boxed)
    assert real_agents.agentverse.mail(real_agents.boxed) == []


def test_an_agent_resolves_and_asks_an_agent_of_the_local_agentverse(
    by_mailbox: AgentChat, real_agents: RealAgents
) -> None:
    agentverse = real_agents.agentverse
    echo = agentverse.agent("echo")
    found = by_mailbox.ask(real_agents.open, f"resolve {echo}").content
    assert json.loads(str(found)) == [f"{agentverse.url}/submit"]
    # It takes the answer only if the signature is right, and sends the text on.
    assert by_mailbox.ask(real_agents.open, f"ask {echo} hello").content == "echo: hello"
    failing = agentverse.agent("error")
    answer = str(by_mailbox.ask(real_agents.open, f"ask {failing} hello").content)
    assert answer != "echo: hello"


def test_their_registration_is_what_the_almanac_shows(
    by_mailbox: AgentChat, real_agents: RealAgents
) -> None:
    agentverse = real_agents.agentverse
    address = by_mailbox.ask(real_agents.open, "register another seed").content
    assert address == Identity.from_seed("another seed", 0).address
    with httpx.Client(base_url=agentverse.url, trust_env=False) as client:
        single = client.get(f"/v1/almanac/agents/{address}").json()
        batch = client.get(f"/v2/almanac/resolve/{real_agents.open}").json()
        boxed = client.get(f"/v2/almanac/resolve/{real_agents.boxed}").json()
    assert single["endpoints"] == [{"url": "http://127.0.0.1:9/submit", "weight": 2}]
    assert (single["protocols"], single["status"]) == (["proto:x"], "offline")
    assert batch["endpoints"][0]["url"] == f"http://127.0.0.1:{real_agents.port}/submit"
    assert boxed["endpoints"][0]["url"] == f"{agentverse.url}/v2/agents/mailbox/submit"
    assert boxed["type"] == "mailbox"


def test_they_find_nothing_wrong(real_agents: RealAgents) -> None:
    lines = [line for line in real_agents.log.read_text().splitlines() if line.strip()]
    complaints = [line for line in lines if not line.startswith("{")]
    assert [one for one in complaints if not any(k in one for k in KNOWN_WARNINGS)] == []
    sent = [f"{one.method} {one.path}" for one in real_agents.agentverse.requests]
    # Two protocols of a process; another test may have started the second one.
    assert sent.count("POST /v1/almanac/manifests") in (2, 4)
    assert "POST /v1/almanac/agents/batch" in sent


def test_agents_of_two_processes_talk_through_the_local_agentverse(
    real_agents: RealAgents,
    more_agents: RealAgents,
    by_mailbox: AgentChat,
) -> None:
    for first in (real_agents.open, real_agents.boxed):
        for second in (more_agents.open, more_agents.boxed):
            answer = by_mailbox.ask(first, f"ask {second} quick hello", timeout=PATIENCE)
            assert answer.text == "echo: hello"
