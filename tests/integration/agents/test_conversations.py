"""Sessions of questions, who asks them from where, and what they leave behind."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_asi_one.agents import (
    AgentChat,
    AgentTimeoutError,
)
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.support.patience import PATIENCE, eventually
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
