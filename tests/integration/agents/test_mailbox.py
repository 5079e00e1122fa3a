"""The mailbox: many letters, several processes, and servers that say no for now or for good."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import uuid4

import pytest
from pydantic import SecretStr

from langchain_asi_one.agents import AgentChat, AgentError, AgentTimeoutError, _endpoints
from langchain_asi_one.testing import fault, raw
from langchain_asi_one.testing._agentverse import mailboxes
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.integration.agents.conftest import MakeChat
from tests.support.patience import PATIENCE, eventually
from tests.support.puppet import Puppet, say

FLOOD: Final = 20_000


def fill(agentverse: LocalAgentverse, address: str, number: int, size: int = 10) -> None:
    """Put letters of other sessions into a mailbox, as other processes of ours would wait for."""
    with agentverse._lock:
        box = agentverse._state.mailboxes._boxes[address]
        for _ in range(number):
            envelope = {"session": str(uuid4()), "payload": "x" * size}
            uuid = str(uuid4())
            box[uuid] = {"uuid": uuid, "envelope": envelope, "received_at": "", "expires_at": ""}


def list_newest_first(
    self: mailboxes.Mailboxes, address: str, limit: int, offset: int
) -> list[dict[str, Any]]:
    return [*self._find(address).values()][::-1][offset : offset + limit]


def polls(agentverse: LocalAgentverse) -> list[str]:
    return [one.path for one in agentverse.requests if "/mailbox?" in one.path]


def test_an_answer_behind_a_thousand_letters_is_found_and_they_stay(
    agentverse: LocalAgentverse, make_chat: MakeChat, puppet: Puppet
) -> None:
    chat = make_chat(poll_interval=0.3)
    chat.register()
    fill(agentverse, chat.address, 1_000)
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?", timeout=PATIENCE)
        puppet.answer(puppet.wait_for(), say("It rains."))
        assert future.result().text == "It rains."
    assert eventually(lambda: len(agentverse.mail(chat.address)) == 1_000)
    deleted = [one for one in agentverse.requests if one.method == "DELETE"]
    assert len(deleted) == 1


@pytest.mark.parametrize("order", ["oldest first", "newest first"])
def test_a_flood_of_foreign_mail_is_read_once_and_stays(
    agentverse: LocalAgentverse,
    make_chat: MakeChat,
    puppet: Puppet,
    monkeypatch: pytest.MonkeyPatch,
    order: str,
) -> None:
    if order == "newest first":
        monkeypatch.setattr(mailboxes.Mailboxes, "list", list_newest_first)
    monkeypatch.setattr(mailboxes, "MOST_MAIL", 10 * FLOOD)
    chat = make_chat()
    chat.register()
    fill(agentverse, chat.address, FLOOD)
    pages = -(-FLOOD // 100)
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?", timeout=PATIENCE)
        question = puppet.wait_for()
        assert eventually(lambda: len(polls(agentverse)) > pages + 30)
        # From then on, a look is one letter at the begin, and one page at the end.
        late = polls(agentverse)[pages + 20 :]
        fill(agentverse, chat.address, 250)
        puppet.answer(question, say("It rains."))
        assert future.result().text == "It rains."
    offsets = Counter(path.partition("offset=")[2] for path in late)
    assert len(offsets) <= 2
    assert all("limit=1&offset=0" in path for path in late if path.endswith("offset=0"))
    assert eventually(lambda: len(agentverse.mail(chat.address)) == FLOOD + 250)
    agentverse._state.mailboxes._boxes[chat.address].clear()


def test_an_answer_that_cannot_be_deleted_is_not_that_to_the_next_question(
    agentverse: LocalAgentverse, chat: AgentChat
) -> None:
    agent = agentverse.agent("no_ack")
    for question in ("Rain?", "Snow?", "Hail?"):
        agentverse.enqueue(fault("http_503_html"), to="DELETE *")
        assert chat.ask(agent, question, session_id="weather").text == f"echo: {question}"


def test_pages_that_are_too_large_become_smaller_and_a_giant_is_stepped_over(
    agentverse: LocalAgentverse,
    make_chat: MakeChat,
    puppet: Puppet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_endpoints, "MAX_BYTES", 10_000)
    chat = make_chat(poll_interval=0.3)
    chat.register()
    fill(agentverse, chat.address, 1, size=10_001)
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?", timeout=PATIENCE)
        puppet.answer(puppet.wait_for(), say("It rains."))
        assert future.result().text == "It rains."


def test_a_server_without_pages_is_not_asked_for_ever(
    agentverse: LocalAgentverse, make_chat: MakeChat, puppet: Puppet
) -> None:
    chat = make_chat(poll_interval=0.3)
    chat.register()
    letters = [{"uuid": str(uuid4()), "envelope": {}} for _ in range(100)]
    same = raw(json.dumps(letters).encode())
    agentverse.enqueue(*[same] * 3, to=f"GET /v2/agents/{chat.address}/mailbox*")
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?", timeout=PATIENCE)
        puppet.answer(puppet.wait_for(), say("It rains."))
        assert future.result().text == "It rains."


def test_two_processes_of_one_identity_take_only_their_own(
    agentverse: LocalAgentverse, make_chat: MakeChat
) -> None:
    chat = make_chat()
    chat.register()
    agent = agentverse.agent("parts")
    reading, writing = os.pipe()
    child = os.fork()

    def ask(name: str) -> list[str]:
        answers = [chat.ask(agent, f"{name} {n}", timeout=PATIENCE).text for n in range(6)]
        return [line for answer in answers for line in answer.splitlines()]

    if not child:
        try:
            os.write(writing, json.dumps(ask("child")).encode())
            chat.close()  # which deletes what was read: this process ends without its atexit
        finally:
            os._exit(0)
    os.close(writing)
    ours = ask("parent")
    with os.fdopen(reading) as pipe:
        theirs = json.loads(pipe.read())
    os.waitpid(child, 0)
    for name, lines in (("parent", ours), ("child", theirs)):
        assert lines == [f"part {n} of 3: {name} {q}" for q in range(6) for n in (1, 2, 3)]
    assert eventually(lambda: agentverse.mail(chat.address) == [])


def test_without_a_mailbox_nothing_is_sent(
    agentverse: LocalAgentverse, make_chat: MakeChat, puppet: Puppet
) -> None:
    chat = make_chat(api_key=None)
    with pytest.raises(AgentError, match=r"has no mailbox for agent1.* give api_key=") as caught:
        chat.ask(puppet.address, "Rain?")
    assert caught.value.info.status_code == 404
    assert puppet.read() == []
    wrong = make_chat(api_key=SecretStr("no-key-of-the-account"))
    with pytest.raises(AgentError, match="check api_key="):
        wrong.ask(puppet.address, "Rain?")
    assert puppet.read() == []


def test_a_token_that_is_refused_is_replaced(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    agent = agentverse.agent("echo")
    chat.ask(agent, "so that there is a token")
    agentverse.enqueue(fault("http_401"), to="GET /v2/agents/*/mailbox*")
    assert chat.ask(agent, "Rain?").text == "echo: Rain?"


@pytest.mark.parametrize(("skew", "way"), [(3_000, "behind"), (-3_000, "ahead of")])
def test_a_wrong_clock_is_said(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet, skew: float, way: str
) -> None:
    chat.register()
    chat.close()
    agentverse.clock_skew = skew
    with pytest.raises(AgentError, match=f"the clock of this machine is [23],.* s {way} Agentv"):
        chat.ask(puppet.address, "Rain?")
    assert puppet.read() == []


def test_another_seed_is_said(agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet) -> None:
    agentverse.enqueue(fault("http_401"), fault("http_401"), to="GET /v2/agents/*/mailbox*")
    with pytest.raises(AgentError, match="the seed must be that of the agent") as caught:
        chat.ask(puppet.address, "Rain?")
    assert not caught.value.is_retryable


PASSING = ["http_429", "http_503_html", "close_before_reply"]


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_waited_for(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet, name: str
) -> None:
    chat.register()
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?", timeout=PATIENCE)
        question = puppet.wait_for()
        options: dict[str, Any] = {"retry_after": 0.01} if name == "http_429" else {}
        agentverse.enqueue(*[fault(name, **options)] * 2, to="GET /v2/agents/*/mailbox*")
        assert eventually(lambda: not agentverse._app._replies)
        puppet.answer(question, say("It rains."))
        assert future.result().text == "It rains."


def test_a_first_look_that_fails_for_now_is_repeated(
    agentverse: LocalAgentverse, chat: AgentChat
) -> None:
    chat.register()
    chat.close()
    agentverse.enqueue(fault("http_503_html"), to="GET /v2/agents/*/mailbox*")
    assert chat.ask(agentverse.agent("echo"), "Rain?").text == "echo: Rain?"


def test_what_does_not_pass_in_time_is_told(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    chat.ask(agentverse.agent("echo"), "so that the mailbox is known")
    agentverse.enqueue(*[fault("http_503_html")] * 200, to="GET /v2/agents/*/mailbox*")
    with pytest.raises(AgentTimeoutError, match="the mailbox answered 503"):
        chat.ask(puppet.address, "Rain?", timeout=0.5)


def test_a_mailbox_that_is_gone_ends_the_wait_of_all(
    agentverse: LocalAgentverse, chat: AgentChat, puppet: Puppet
) -> None:
    chat.register()
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(chat.ask, puppet.address, f"{n}", timeout=PATIENCE) for n in (1, 2)]
        puppet.wait_for(2)
        gone = raw(b'{"detail": "Mailbox not found"}', status=404)
        agentverse.enqueue(*[gone] * 3, to="GET /v2/agents/*/mailbox*")
        errors = [future.exception() for future in futures]
    for error in errors:
        assert isinstance(error, AgentError)
        assert "register it again" in str(error)
        assert (error.agent, error.is_retryable) == (puppet.address, False)


def test_a_letter_that_cannot_be_deleted_is_said_and_the_answer_counts(
    agentverse: LocalAgentverse, chat: AgentChat, caplog: pytest.LogCaptureFixture
) -> None:
    agent = agentverse.agent("no_ack")
    agentverse.enqueue(fault("http_503_html"), to="DELETE *")
    with caplog.at_level(logging.WARNING):
        assert chat.ask(agent, "Rain?").text == "echo: Rain?"
        assert eventually(lambda: "A letter stays in the mailbox: 503" in caplog.text)
    # It is of a session without a question: nobody reads it again.
    assert chat.ask(agent, "Snow?").text == "echo: Snow?"


def test_a_registration_has_a_name_and_a_description(
    agentverse: LocalAgentverse, make_chat: MakeChat
) -> None:
    chat = make_chat(name="Ada")
    chat.register(description="Asks for the weather.")
    [body] = [one.body for one in agentverse.requests if one.path == "/v2/agents"]
    assert (body["name"], body["address"]) == ("Ada", chat.address)
    assert (body["agent_type"], body["profile"]) == (
        "mailbox",
        {"description": "Asks for the weather."},
    )
    with pytest.raises(ValueError, match="at most 300"):
        chat.register(description="x" * 301)


def test_a_hostile_challenge_is_not_signed(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    agentverse.enqueue(
        raw(json.dumps({"challenge": "x" * 5_000}).encode()), to="GET /v2/identity/*"
    )
    with pytest.raises(AgentError, match="challenge is not usable"):
        chat.register()
