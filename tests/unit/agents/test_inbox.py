"""Letters of many sessions, and the questions that wait for them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from langchain_asi_one.agents import AgentError
from langchain_asi_one.agents._inbox import Inbox, Letter


async def test_a_letter_goes_to_the_question_of_its_session() -> None:
    inbox = Inbox()
    first, second = uuid4(), uuid4()
    with inbox.open_question(first, "a") as one, inbox.open_question(second, "b") as other:
        envelope = {"session": str(second).upper()}
        assert inbox.put(envelope, "u-1")
        assert inbox.put(envelope, "u-1")  # the mailbox still holds it
        assert one.letters.empty()
        assert other.letters.get_nowait() == Letter(envelope, "u-1")
        assert other.letters.empty()
        assert list(other.uuids) == ["u-1"]
        assert inbox.opened == {str(first), str(second)}
    assert not inbox.opened


@pytest.mark.parametrize("envelope", [None, [], "x", {}, {"session": 7}, {"session": "x"}])
async def test_a_letter_without_a_session_of_ours_is_nobodys(envelope: object) -> None:
    inbox = Inbox()
    with inbox.open_question(uuid4(), "a") as question:
        assert inbox.put(envelope)
        assert question.letters.empty()


async def test_one_question_is_open_in_a_session() -> None:
    inbox, session = Inbox(), uuid4()
    with inbox.open_question(session, "a"):
        with (
            pytest.raises(ValueError, match="wait for its answer"),
            inbox.open_question(session, "b"),
        ):
            pytest.fail("two questions are open")
        assert inbox.put({"session": str(session)})
    with inbox.open_question(session, "b") as question:
        assert question.letters.empty()


async def test_a_flood_is_bounded_and_what_lies_in_the_mailbox_comes_again() -> None:
    inbox, session = Inbox(), uuid4()
    envelope = {"session": str(session)}
    with inbox.open_question(session, "a") as question:
        for number in range(3_000):
            assert inbox.put(envelope, f"u-{number}") is (number < 2_000)
        held = question.letters.qsize()
        assert held == len(question.uuids) == 2_000
        question.letters.get_nowait()
        inbox.put(envelope, "u-2999")
        assert "u-2999" in question.uuids
        inbox.put(envelope)
        assert question.letters.qsize() == held


async def test_an_error_ends_the_wait_of_all() -> None:
    inbox, error = Inbox(), AgentError("no mailbox")
    with inbox.open_question(uuid4(), "a") as one, inbox.open_question(uuid4(), "b") as other:
        inbox.fail(error)
        assert one.letters.get_nowait() is other.letters.get_nowait() is error
