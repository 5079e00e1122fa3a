"""Sessions of questions, who asks them from where, and what they leave behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_asi_one.agents import AgentChat, AgentError, AgentTimeoutError, _chat
from langchain_asi_one.agents._conversations import Conversations
from langchain_asi_one.agents._envelope import Kind
from langchain_asi_one.agents._loop import find_loop
from langchain_asi_one.testing import fault
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.integration.agents.conftest import MakeChat
from tests.support.patience import FOREVER, PATIENCE, eventually
from tests.support.puppet import Puppet, say


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


def find_conversations(chat: AgentChat) -> Conversations:
    held = chat._held
    assert held is not None
    return held.conversations


@pytest.mark.parametrize("place", ["/v1/almanac/agents/", "/v2/agents/"])
def test_a_question_that_was_not_sent_leaves_its_session_free(
    agentverse: LocalAgentverse, chat: AgentChat, place: str
) -> None:
    agent = agentverse.agent("echo")
    agentverse.enqueue(fault("stall_before_headers"), to=f"GET {place}*")

    async def cancel() -> None:
        asking = asyncio.create_task(chat.aask(agent, "Rain?", session_id="ada"))
        assert await asyncio.to_thread(
            eventually, lambda: any(one.path.startswith(place) for one in agentverse.requests)
        )
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(cancel())
    assert eventually(lambda: not find_conversations(chat).inbox.questions)
    assert chat.ask(agent, "Rain?", session_id="ada").text == "echo: Rain?"


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_chat_that_is_closed_ends_its_questions(
    chat: AgentChat,
    puppet: Puppet,
    caplog: pytest.LogCaptureFixture,
    *,
    acknowledged: bool,
) -> None:
    with ThreadPoolExecutor() as pool, caplog.at_level(logging.ERROR):
        future = pool.submit(chat.ask, puppet.address, "Rain?", session_id="ada")
        question = puppet.wait_for()
        if acknowledged:
            puppet.acknowledge(question)
            puppet.answer(question, say("part", end=False))
            assert eventually(lambda: bool(puppet.read(Kind.ACKNOWLEDGEMENT)))
        chat.close()
        with pytest.raises(AgentError, match="the chat was closed before") as caught:
            future.result()
    gc.collect()  # a task with an error that nobody reads says so then
    assert not caplog.records
    error = caught.value
    assert (type(error), error.agent) == (AgentError, puppet.address)
    assert error.info.may_have_acted
    with pytest.raises(ValueError, match="use another session_id"):
        chat.ask(puppet.address, "Again", session_id="ada")


def test_a_chat_is_closed_before_a_question_is_sent(
    agentverse: LocalAgentverse, chat: AgentChat
) -> None:
    chat.register()
    agent = agentverse.agent("echo")
    agentverse.enqueue(fault("stall_before_headers"), to="GET /v1/almanac/agents/*")
    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, agent, "Rain?", session_id="ada")
        assert eventually(lambda: agentverse.requests[-1].path.endswith(agent))
        old = find_conversations(chat)
        chat.close()
        with pytest.raises(AgentError, match="was sent: ask again") as caught:
            future.result()
    assert not caught.value.info.may_have_acted
    assert chat.ask(agent, "Rain?", session_id="ada").text == "echo: Rain?"
    late = asyncio.run_coroutine_threadsafe(old.list_letters(), find_loop())
    with pytest.raises(AgentError, match="the chat was closed"):
        late.result()


def test_a_closed_chat_keeps_nothing(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    agent = agentverse.agent("echo")
    old = []
    for _ in range(2):
        chat.ask(agent, "Rain?")
        old.append(weakref.ref(find_conversations(chat)))
        chat.close()

    def is_gone() -> bool:
        gc.collect()
        return [one() for one in old] == [None, None]

    assert eventually(is_gone)


def test_a_flood_of_what_is_no_reply_is_called_so(chat: AgentChat, puppet: Puppet) -> None:
    def flood(session: str) -> None:
        put = find_conversations(chat).inbox.put
        for _ in range(1_000):
            find_loop().call_soon_threadsafe(put, {"session": session})

    with ThreadPoolExecutor() as pool:
        future = pool.submit(chat.ask, puppet.address, "Rain?", timeout=PATIENCE)
        flood(str(puppet.wait_for().session))
        with pytest.raises(AgentError, match=r"1,000 envelopes .* were no replies") as caught:
            future.result()
        assert type(caught.value) is AgentError
        future = pool.submit(chat.ask, puppet.address, "Snow?", session_id="ada", timeout=PATIENCE)
        question = puppet.wait_for(2)
        puppet.answer(question, say("part", end=False))
        assert eventually(lambda: bool(puppet.read(Kind.ACKNOWLEDGEMENT)))
        flood(str(question.session))
        answer = future.result()
    assert (answer.text, answer.response_metadata["ended"]) == ("part", "flood")
    with pytest.raises(ValueError, match="use another session_id"):
        chat.ask(puppet.address, "Again", session_id="ada")


def test_a_handle_is_looked_up_once(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    agent = agentverse.agent("echo", handle="once")
    for name in ("@once", agent, "@once"):
        chat.ask(name, "Rain?")
    looks = [one.path for one in agentverse.requests if one.path.startswith("/v1/almanac")]
    assert looks == ["/v1/almanac/handles/once", f"/v1/almanac/agents/{agent}"]


def test_a_process_that_ends_waits_once_for_all_its_chats(
    agentverse: LocalAgentverse, make_chat: MakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_wait, ended = asyncio.Barrier(3), []

    async def settle(self: Conversations) -> None:
        await all_wait.wait()
        ended.append(self)

    agent, chats = agentverse.agent("echo"), [make_chat() for _ in range(3)]
    for chat in chats:
        chat.ask(agent, "Rain?")
    with monkeypatch.context() as patches:
        patches.setattr(_chat, "_SETTLE_SECONDS", FOREVER)
        patches.setattr(Conversations, "settle", settle)
        assert {*chats} <= {*_chat._CHATS}
        patches.setattr(_chat, "_CHATS", chats)  # those of other tests may be open
        _chat._settle()
    assert {*ended} == {*map(find_conversations, chats)}


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
