"""An approval asks once, whoever comes with it and when."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from langchain_asi_one.langgraph import _approval
from langchain_asi_one.langgraph._approval import ask_once, ask_once_async


@pytest.fixture(autouse=True)
def _forget_approvals() -> None:
    _approval._used.clear()


def test_without_an_approval_each_ask_counts() -> None:
    answers = iter([1, 2])
    assert [ask_once(None, lambda: next(answers)) for _ in range(2)] == [1, 2]


def test_the_second_gets_a_copy_of_the_first_result() -> None:
    first: dict[str, Any] = ask_once("a", lambda: {"said": []})
    first["said"].append("edited")
    second: dict[str, Any] = ask_once("a", lambda: pytest.fail("asked twice"))

    assert second == {"said": []}
    assert ask_once("b", lambda: "other") == "other"


def test_who_comes_meanwhile_waits_for_the_result() -> None:
    asked, may_answer = threading.Event(), threading.Event()
    answers: list[str] = []

    def ask() -> str:
        asked.set()
        may_answer.wait()
        return "Rain"

    def ask_again() -> str:
        pytest.fail("asked twice")

    clients = [threading.Thread(target=lambda: answers.append(ask_once("a", ask)))]
    clients[0].start()
    asked.wait()
    for _ in range(3):
        clients.append(threading.Thread(target=lambda: answers.append(ask_once("a", ask_again))))
        clients[-1].start()
    may_answer.set()
    for client in clients:
        client.join()
    assert answers == ["Rain"] * 4


async def test_a_cancelled_wait_leaves_the_ask_alone() -> None:
    may_answer = asyncio.Event()

    async def ask() -> str:
        await may_answer.wait()
        return "Rain"

    first, impatient, last = (asyncio.create_task(ask_once_async("a", ask)) for _ in range(3))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    impatient.cancel()
    may_answer.set()

    assert [*await asyncio.gather(first, last)] == ["Rain", "Rain"]
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_an_ask_that_failed_or_was_cancelled_may_be_made_again() -> None:
    async def hang() -> str:
        await asyncio.Event().wait()
        return "never"

    async def answer() -> str:
        return "Rain"

    def fail() -> str:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        ask_once("a", fail)
    hanging = asyncio.create_task(ask_once_async("a", hang))
    await asyncio.sleep(0)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert await ask_once_async("a", answer) == "Rain"


def test_a_bounded_number_is_remembered() -> None:
    for number in range(1_500):
        ask_once(str(number), lambda: "answer")
    assert len(_approval._used) == 1_000
    assert ask_once("1499", lambda: pytest.fail("asked twice")) == "answer"
