"""A stream shown while it runs, in a file: once, at its end."""

from __future__ import annotations

from io import StringIO

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage

from langchain_asi_one.display._live import LiveCard
from langchain_asi_one.display._outputs import PlainOutput


@pytest.fixture
def out() -> StringIO:
    return StringIO()


@pytest.fixture
def live(out: StringIO) -> LiveCard:
    return LiveCard(PlainOutput(out))


def test_chunks_are_merged_and_the_whole_is_shown(live: LiveCard, out: StringIO) -> None:
    events: list[object] = [
        AIMessageChunk(content="Hel"),
        ("messages", (AIMessageChunk(content="", id="other"), {})),
        ("custom", {"plan_state": {"status": "running"}}),
        AIMessageChunk(content="lo"),
    ]
    for event in events:
        live.add(event)
    assert out.getvalue() == ""
    assert live.finish().text == ""  # of the message that began last
    assert out.getvalue().startswith("Answer\n  Hello\n")


def test_what_came_before_an_error_is_shown_as_incomplete(live: LiveCard, out: StringIO) -> None:
    live.add(AIMessageChunk(content="Hel"))
    live.fail(TimeoutError("secret"))
    assert out.getvalue() == ("Answer\n  Hel\n\nIncomplete: the stream ended with TimeoutError.\n")


def test_a_stream_without_an_answer_is_an_error(live: LiveCard) -> None:
    live.add((HumanMessage("Hi"), {}))
    with pytest.raises(ValueError, match="without a message"):
        live.finish()


def test_a_stream_of_something_else_is_refused(live: LiveCard) -> None:
    with pytest.raises(TypeError, match="got a piece of type dict"):
        live.add({"messages": []})
