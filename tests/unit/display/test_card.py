"""What a card shows: in HTML as in text, of messages, conversations, states and graphs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_asi_one.display import card, format_message, show
from langchain_asi_one.display._card import Card
from langchain_asi_one.testing._agents import BAD_AGENT, WEATHER_AGENT
from tests.support.examples import examples
from tests.support.graphs import naming, small_graph
from tests.support.html import words


def test_html_shows_what_text_shows() -> None:
    message = naming(WEATHER_AGENT, BAD_AGENT, text="Plain words.")
    message.additional_kwargs |= {
        "thought": "Who knows?",
        "intermediate_steps": [{"action": "search", "found": 2}, "ranked"],
        "server_tool_calls": [{"id": "s1", "tool_name": "web_search"}],
        "plan_state": {"status": "completed"},
        "refusal": "No.",
    }
    message.tool_calls = [{"name": "forecast", "args": {"city": "Paris"}, "id": "c1"}]
    message.response_metadata = {"model_name": "asi1", "session_id": "s-1"}
    told = words(card(message)._repr_html_())
    ours = {"About", "this", "answer", "handle", "address", "rating", "about", "action", "!"}
    numbers = {"1.", "2.", "tool_name"}
    missing = [word for word in format_message(message).split() if word not in told]
    assert set(missing) <= ours | numbers
    assert WEATHER_AGENT["address"] in told


def test_a_thought_is_folded_and_says_how_long_it_is() -> None:
    html = card(AIMessage("x", additional_kwargs={"thought": "one two"}))._repr_html_()
    assert "<details><summary>Thought (2 words, 7 characters)</summary>" in html


def test_a_pending_answer_is_marked() -> None:
    for message in (
        AIMessage("I've sent the message."),
        AIMessage("Soon.", response_metadata={"pending": True}),
    ):
        assert "\n  still pending  ASI:One gives the real answer later" in str(card(message))
        assert 'role="status">… Still pending:' in card(message)._repr_html_()
    assert "pending:" not in card(AIMessage("Done."))._repr_html_()


def test_a_conversation() -> None:
    messages: list[BaseMessage] = [
        SystemMessage("Be brief."),
        HumanMessage([{"type": "image_url", "image_url": {"url": "data:,"}}]),
        AIMessage("", tool_calls=[{"name": "clock", "args": {}, "id": "c1"}]),
        ToolMessage("noon", name="clock", tool_call_id="c1"),
        AIMessage("It is **noon**."),
    ]
    assert str(card(messages)) == (
        "System\n  Be brief.\n\nYou\n  (not fetched: data:,)\n\n"
        "Tools to run\n  clock\n    arguments  {}\n    id         c1\n\n"
        "Result of a tool\n  name  clock\n  id    c1\n\nResult\n  noon\n\n"
        "Answer\n  It is **noon**."
    )
    assert "<strong>noon</strong>" in card(messages)._repr_html_()


@dataclass
class OwnState:
    """A state that is no dict."""

    messages: list[BaseMessage] = field(default_factory=list)


def test_a_state_of_any_class() -> None:
    assert str(card(OwnState([HumanMessage("Hi")]))) == "You\n  Hi"


def test_a_graph() -> None:
    graph = small_graph()
    bundle = card(graph)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "text/vnd.mermaid"}
    assert bundle["text/vnd.mermaid"].strip() == graph.get_graph().draw_mermaid().strip()
    assert words(bundle["text/html"])[-1] == "fill:#bfb6fc"
    assert str(card(graph.get_graph())) == str(card(graph)) == bundle["text/plain"]


def test_a_mimebundle_of_what_is_asked_for() -> None:
    made = card(AIMessage("x"))
    assert made._repr_mimebundle_(include=["text/plain"]) == {"text/plain": "Answer\n  x"}
    assert set(made._repr_mimebundle_(exclude=["text/html"])) == {"text/plain"}


def stream_of(*texts: str) -> Iterator[AIMessageChunk]:
    for text in texts:
        yield AIMessageChunk(content=text)


async def astream_of(*texts: str) -> AsyncIterator[AIMessageChunk]:
    for text in texts:
        yield AIMessageChunk(content=text)


async def test_show_writes_anything_to_a_file() -> None:
    out = StringIO()
    show(AIMessage("one"), file=out)
    show([AIMessage("two")], file=out)
    show({"messages": [AIMessage("three")]}, file=out)
    show(stream_of("fo", "ur"), file=out)
    await show(astream_of("fi", "ve"), file=out)
    expected = "".join(f"Answer\n  {text}\n" for text in "one two three four five".split())  # noqa: SIM905
    assert out.getvalue() == expected


@pytest.mark.parametrize("value", ["text", 1, None, {"other": 1}, ["text"], object()])
def test_what_cannot_be_shown_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"^show takes a message, .*; got "):
        show(value)


def test_a_state_goes_with_a_graph() -> None:
    with pytest.raises(TypeError, match=r"show\(graph, state\); got langchain_core.messages.ai"):
        show(AIMessage("x"), {"messages": []})
    with pytest.raises(TypeError, match=r"must be what invoke or get_state returned; got builtins"):
        show(small_graph(), 7)


@examples(60)
@given(text=st.text(st.sampled_from("<>&\"'`*_[]()!#-|:/\\ \nahtps.&;x1\u202e\x1b")))
def test_html_is_well_formed_whatever_the_answer(text: str) -> None:
    words(Card(card(AIMessage(text)).views)._repr_html_())


def test_importing_it_imports_nothing_that_only_some_need() -> None:
    code = (
        "import sys, langchain_asi_one.display as d; from langchain_core.messages import AIMessage;"
        "d.show(AIMessage('x'));"
        "print([m for m in ('IPython', 'rich', 'markdown_it', 'langgraph') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "Answer\n  x\n[]\n"
