"""How far the wait for an answer has come, without a server."""

from __future__ import annotations

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue

from langchain_asi_one._follow_up.pending_rule import FollowUpRule
from langchain_asi_one._follow_up.poll_state import (
    AnswerBuffer,
    PollState,
    convert_question,
)
from langchain_asi_one.errors import ASIOneRateLimitError, ErrorInfo
from tests.support.deferred import DEFERRED, QUESTION, SESSION, make_answer


def test_poll_sends_the_history_the_answer_and_the_question_for_news() -> None:
    history: list[BaseMessage] = [SystemMessage("Be brief."), *QUESTION]
    state = PollState(FollowUpRule(message="And?"), history)
    assert state.make_next_input() is history
    assert state.record(make_answer(DEFERRED))
    assert state.make_next_input() == [*history, make_answer(DEFERRED), HumanMessage("And?")]
    # An empty answer does not replace the one before it.
    assert not state.record(make_answer(""))
    assert state.make_next_input() == [*history, make_answer(DEFERRED), HumanMessage("And?")]
    assert state.record(make_answer("Yes, at eight."))
    assert state.is_done
    metadata = {"session_id": SESSION, "follow_up_polls": 2}
    assert state.make_result() == AIMessage("Yes, at eight.", response_metadata=metadata)


def test_wait_ends_at_its_bound() -> None:
    state = PollState(FollowUpRule(interval=3, max_polls=2), "Is a table free?")
    events = []
    for _ in range(3):
        assert not state.is_done
        state.make_next_input()
        state.record(make_answer(DEFERRED))
        events.append(
            (state.make_event()["poll"], state.make_event()["next_poll_in"], state.next_poll_in)
        )
    assert state.is_done
    assert events == [(0, 3, 3), (1, 3, 3), (2, None, None)]
    assert state.make_result().response_metadata == {
        "session_id": SESSION,
        "follow_up_polls": 2,
        "pending": True,
    }


def test_ordinary_answer_is_left_as_it_is() -> None:
    state = PollState(FollowUpRule(), "Hi")
    state.make_next_input()
    answer = make_answer("Hello")
    state.record(answer)
    assert state.is_done
    assert state.make_result() is answer


def test_sum_of_chunks_is_recorded_as_a_message() -> None:
    state = PollState(FollowUpRule(), "Hi")
    state.make_next_input()
    state.record(AIMessageChunk(content=DEFERRED, response_metadata={"session_id": SESSION}))
    assert type(state.make_next_input()[1]) is AIMessage


@pytest.mark.parametrize(
    ("question", "messages"),
    [
        ("Hi", [HumanMessage("Hi")]),
        ([("system", "Be brief."), "Hi"], [SystemMessage("Be brief."), HumanMessage("Hi")]),
        ([{"role": "user", "content": "Hi"}], [HumanMessage("Hi")]),
        (StringPromptValue(text="Hi"), [HumanMessage("Hi")]),
        (ChatPromptValue(messages=QUESTION), QUESTION),
    ],
)
def test_history_is_read_from_whatever_a_model_takes(
    question: object, messages: list[BaseMessage]
) -> None:
    assert convert_question(question) == messages


def test_chain_input_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match=r"got dict.*prompt \| model\.with_follow_up\(\)"):
        convert_question({"city": "London"})


def test_a_failed_poll_keeps_the_answer_and_its_event_says_why() -> None:
    state = PollState(FollowUpRule(interval=3, max_polls=2), "Is a table free?")
    state.make_next_input()
    state.record(make_answer(DEFERRED))
    state.make_next_input()
    state.record_error(ASIOneRateLimitError("too many", ErrorInfo(status_code=429, retry_after=5)))
    event = state.make_event()
    assert (event["poll"], event["text"], event["next_poll_in"]) == (1, DEFERRED, 5)
    assert event["error"] == "ASIOneRateLimitError: too many"
    assert state.make_metadata()["follow_up_error"] == event["error"]
    state.make_next_input()
    state.record(make_answer(DEFERRED))
    assert "error" not in state.make_event()
    assert state.make_result().response_metadata == {
        "session_id": SESSION,
        "follow_up_polls": 2,
        "pending": True,
    }


class SilentError(TimeoutError):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutError("two\nlines \x1b[2J\ud800"), "TimeoutError: two lines \\x1b[2J\\ud800"),
        (SilentError(), "SilentError"),
    ],
)
def test_any_error_becomes_one_printable_line(error: Exception, text: str) -> None:
    state = PollState(FollowUpRule(), "Is a table free?")
    state.make_next_input()
    state.record(make_answer(DEFERRED))
    state.make_next_input()
    state.record_error(error)
    assert state.make_event()["error"] == text


def test_a_longer_retry_after_is_waited() -> None:
    state = PollState(FollowUpRule(interval=3, max_polls=4), "Is a table free?")
    state.make_next_input()
    state.record(make_answer(DEFERRED))
    waits = [state.next_poll_in]
    while not state.is_done:
        state.make_next_input()
        state.record_error(ASIOneRateLimitError("too many", ErrorInfo(retry_after=5)))
        waits.append(state.next_poll_in)
    assert waits == [3, 5, 5, 5, None]


def test_a_streamed_answer_is_held_until_it_cannot_be_pending() -> None:
    state = PollState(FollowUpRule(), QUESTION)
    state.make_next_input()
    buffer = AnswerBuffer(state)
    assert list(buffer.feed(make_answer("I've sent"))) == []
    pieces = list(buffer.feed(make_answer(" it to the kitchen")))
    assert [piece.text for piece in pieces] == ["I've sent", " it to the kitchen"]
    assert buffer.close() is True
    assert state.is_done


def test_a_stream_without_a_message_is_refused() -> None:
    with pytest.raises(TypeError, match="ended without a single message"):
        AnswerBuffer(PollState(FollowUpRule(), QUESTION)).close()


def test_a_pending_stream_is_recorded_whole_and_passed_on_at_last() -> None:
    state = PollState(FollowUpRule(), QUESTION)
    state.make_next_input()
    buffer = AnswerBuffer(state)
    metadata = {"session_id": SESSION}
    pieces = [
        AIMessageChunk(content="I've sent ", response_metadata=metadata),
        AIMessageChunk(content="the message", chunk_position="last"),
    ]
    assert [held for piece in pieces for held in buffer.feed(piece)] == []
    assert buffer.close() is True
    assert state.is_pending
    assert state.last_answer == AIMessage(DEFERRED, response_metadata=metadata)
    first, last = buffer.flush()
    assert first is pieces[0]
    assert (last.text, last.response_metadata) == ("the message", {"pending": True})


def test_the_last_piece_of_an_answer_says_how_many_polls_it_took() -> None:
    state = PollState(FollowUpRule(), QUESTION)
    state.make_next_input()
    state.record(make_answer(DEFERRED))
    state.make_next_input()
    pieces = [
        AIMessageChunk(content="Yes, "),
        AIMessageChunk(content="at eight.", chunk_position="last"),
    ]
    buffer = AnswerBuffer(state)
    first, last = (held for piece in pieces for held in buffer.feed(piece))
    assert first is pieces[0]
    assert (last.text, last.response_metadata) == ("at eight.", {"follow_up_polls": 1})
