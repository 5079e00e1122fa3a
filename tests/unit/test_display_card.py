"""What a card tells: in HTML as in text, of messages, conversations, states and graphs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import StringIO
from typing import Any, TypedDict

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
from langgraph.graph import END, START, StateGraph

from langchain_asi_one.display import Card, card, format_message, show
from langchain_asi_one.display._graph_state import run_of
from langchain_asi_one.display._layout import laid_out
from langchain_asi_one.display._markdown import as_html, may_be_linked
from langchain_asi_one.langgraph import report_agents
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT
from tests.support.examples import examples

WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]


def naming(*agents: dict[str, Any], text: str = "Ask them.") -> AIMessage:
    return AIMessage(text, additional_kwargs={"executable_data": list(agents)})


def statuses(state: object) -> list[tuple[str, str]]:
    return [(agent.item.name, agent.status) for agent in run_of(state).agents]


class _Text(HTMLParser):
    """The text of HTML, and its elements, all of which must be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("hr", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data.split()


def words(html: str) -> list[str]:
    parser = _Text()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.words


def test_html_tells_what_text_tells() -> None:
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
    assert f"{WEATHER[:10]}…{WEATHER[-6:]}" in told


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
        "System\n  Be brief.\n\nYou\n  (no text; image_url)\n\n"
        "Tools to run\n  clock\n    arguments  {}\n    id         c1\n\n"
        "Result of a tool\n  name  clock\n  id    c1\n\nResult\n  noon\n\n"
        "Answer\n  It is **noon**."
    )
    assert "<strong>noon</strong>" in card(messages)._repr_html_()


def test_agents_of_a_finished_run() -> None:
    state = {
        "messages": [
            HumanMessage("Which?"),
            naming(WEATHER_AGENT, FLIGHT_AGENT, BAD_AGENT, {"handle": "@other", "name": "Other"}),
        ],
        "executable_data": [],
        "agent_results": [
            {"agent": WEATHER, "result": "Rain"},
            {"agent": FLIGHTS, "error": "TimeoutError: no answer within 5 s"},
        ],
    }
    assert statuses(state) == [
        ("Stand-in Weather", "allowed"),
        ("Stand-in Flights", "failed"),
        ("Stand-in Impostor", "refused"),
        ("Other", "refused"),
    ]
    text = str(card(state))
    assert "    answer   Rain\n" in text
    assert "    ! TimeoutError: no answer within 5 s\n" in text


def test_agents_named_after_the_report_were_not_looked_at() -> None:
    results: list[Any] = [{"agent": WEATHER, "result": "Rain"}]
    report = report_agents()({"agent_results": results})["messages"]
    messages = [HumanMessage("?"), naming(WEATHER_AGENT), *report, naming(FLIGHT_AGENT)]
    state = {"messages": messages, "executable_data": [], "agent_results": results}
    assert statuses(state) == [("Stand-in Weather", "allowed"), ("Stand-in Flights", "named")]


def test_agents_of_an_earlier_turn_are_not_of_this_run() -> None:
    messages = [HumanMessage("?"), naming(WEATHER_AGENT), HumanMessage("And?"), AIMessage("No.")]
    assert statuses({"messages": messages, "executable_data": []}) == []


def test_agents_that_no_node_has_looked_at_are_only_named() -> None:
    state = {"messages": [HumanMessage("?"), naming(WEATHER_AGENT)]}
    assert statuses(state) == [("Stand-in Weather", "named")]


@dataclass
class Snapshot:
    """What `get_state` returns, as far as it is read."""

    values: dict[str, Any]
    next: tuple[str, ...] = ("ask_agent",)
    tasks: tuple[Any, ...] = ()


@dataclass
class OwnState:
    """A state that is no dict."""

    messages: list[BaseMessage] = field(default_factory=list)


def test_a_run_that_waits() -> None:
    values = {
        "messages": [HumanMessage("?"), naming(WEATHER_AGENT, FLIGHT_AGENT)],
        "executable_data": [{"kind": "agent", "address": WEATHER, "raw": {}}],
    }
    expected = [("(no name)", "pending"), ("Stand-in Flights", "refused")]
    assert statuses(Snapshot(values)) == expected
    assert statuses({**values, "__interrupt__": ["?"]}) == expected
    assert statuses({**values, "follow_up": {"pending": True}}) == expected
    assert [status for _, status in statuses(Snapshot(values, next=()))] == ["refused", "refused"]
    assert "The run has not ended" in card(Snapshot(values))._repr_html_()


def test_a_state_of_any_class() -> None:
    assert str(card(OwnState([HumanMessage("Hi")]))) == "You\n  Hi"


class Empty(TypedDict):
    """A state."""

    messages: list[Any]


def small_graph() -> Any:
    builder = StateGraph(Empty)
    builder.add_node("a", lambda state: {})
    builder.add_node("b", lambda state: {})
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: "b", ["b", END])
    builder.add_edge("b", "a")
    return builder.compile()


def test_a_graph() -> None:
    graph = small_graph()
    bundle = card(graph)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "text/vnd.mermaid"}
    assert bundle["text/vnd.mermaid"].strip() == graph.get_graph().draw_mermaid().strip()
    told = "Graph: __start__ to a; a to __end__ or b; b to a."
    assert f'<svg class="asi1-graph" role="img" aria-label="{told}"' in bundle["text/html"]
    assert words(bundle["text/html"])[-1] == "fill:#bfb6fc"
    assert str(card(graph.get_graph())) == str(card(graph))


def test_every_way_of_a_graph_is_drawn_and_within_it() -> None:
    builder = StateGraph(Empty)
    for name in ("model", "wait", "report"):
        builder.add_node(name, lambda state: {})
    builder.add_edge(START, "model")
    builder.add_edge("model", "wait")
    builder.add_conditional_edges("wait", lambda state: "report", ["wait", "report"])
    builder.add_conditional_edges("report", lambda state: END, ["model", END])
    drawing = card(builder.compile())._repr_html_().partition("<svg")[2].partition("</svg>")[0]
    assert drawing.count("<path") == 2 * 6  # a way and its head: the loop of `wait` is one of six
    left, _, width, _ = map(float, re.findall(r'viewBox="([^"]*)"', drawing)[0].split())
    xs = [
        float(x)
        for path in re.findall(r' d="([^"]*)"', drawing)
        for x in re.findall(r"(-?[\d.]+) -?[\d.]+", path)
    ]
    assert left <= min(xs)
    assert max(xs) <= left + width
    # Where a page strips the drawing, its words still stand apart.
    words = re.sub("<[^>]*>", "", drawing.partition(">")[2]).split()
    assert words == ["start", "model", "wait", "report", "end"]


def test_marks_in_a_graph() -> None:
    state = {
        "messages": [HumanMessage("?"), naming(WEATHER_AGENT)],
        "agent_results": [{"agent": WEATHER, "result": "Rain"}],
    }
    bundle = card(small_graph(), state)._repr_mimebundle_()
    short = f"{WEATHER[:10]}…{WEATHER[-6:]}"
    assert f'\tasi_one_agent_0["✓ allowed: {short}"]:::asi1Allowed\n' in bundle["text/vnd.mermaid"]
    assert f">✓ allowed {short}</text>" in bundle["text/html"]


def test_a_mimebundle_of_what_is_asked_for() -> None:
    made = card(AIMessage("x"))
    assert made._repr_mimebundle_(include=["text/plain"]) == {"text/plain": "Answer\n  x"}
    assert set(made._repr_mimebundle_(exclude=["text/html"])) == {"text/plain"}


@examples(100)
@given(
    edges=st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.booleans()), max_size=14
    )
)
def test_any_graph_is_laid_out_without_overlap(edges: list[tuple[str, str, bool]]) -> None:
    boxes, ways = laid_out({name: name * 3 for name in "abcdef"}, edges)
    assert set(boxes) == set("abcdef")
    assert len(ways) == sum(source != target for source, target, _ in edges)
    placed = list(boxes.values())
    for number, one in enumerate(placed):
        assert one.x >= 0
        assert one.y >= 0
        for other in placed[number + 1 :]:
            beside = one.right <= other.x or other.right <= one.x
            assert beside or one.bottom <= other.y or other.bottom <= one.y
    assert all(way.points[0][1] < way.points[-1][1] for way in ways)


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


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://example.com", True),
        ("HTTP://example.com/a?b#c", True),
        ("mailto:a@example.com", True),
        ("javascript:alert(1)", False),
        (" https://example.com", False),
        ("https:example.com", False),
        ("//example.com", False),
        ("/relative", False),
        ("data:text/html,x", False),
        ("ftp://example.com", False),
    ],
)
def test_which_addresses_become_links(address: str, linked: bool) -> None:
    assert may_be_linked(address) is linked


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        (
            "[a](https://b.example 'c')",
            (
                '<p><a href="https://b.example" rel="noopener noreferrer" target="_blank">a</a> '
                "(https://b.example, c)</p>\n"
            ),
        ),
        (
            "<https://b.example>",
            (
                '<p><a href="https://b.example" rel="noopener noreferrer" target="_blank">'
                "https://b.example</a></p>\n"
            ),
        ),
        (
            "[a](https://xn--e1awd7f.example)[b](https://\u0435xample.example)",
            (
                '<p><a href="https://xn--e1awd7f.example" rel="noopener noreferrer"'
                ' target="_blank">a</a> (https://xn--e1awd7f.example)'
                '<a href="https://xn--xample-2of.example" rel="noopener noreferrer"'
                ' target="_blank">b</a> (https://xn--xample-2of.example)</p>\n'
            ),
        ),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>\n"),
        ("![a](https://b.example/c.png)", "<p>[image: a, https://b.example/c.png]</p>\n"),
        ("![](https://b.example)", "<p>[image: https://b.example]</p>\n"),
        ("<b>&#x202e;", r"<p>&lt;b&gt;\u202e</p>" + "\n"),
        ("```js onclick\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>\n"),
        ("# a\n###### b", "<h5>a</h5>\n<h6>b</h6>\n"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>\n'),
    ],
)
def test_markdown(markdown: str, html: str) -> None:
    assert as_html(markdown) == html


def test_a_very_long_answer_is_shown_as_it_is() -> None:
    html = card(AIMessage("**a** " * 40_000))._repr_html_()
    assert "<strong>" not in html
    assert html.count("**a**") == 40_000


@examples(60)
@given(text=st.text(st.sampled_from("<>&\"'`*_[]()!#-|:/\\ \nahtps.&;x1\u202e\x1b")))
def test_html_is_well_formed_whatever_the_answer(text: str) -> None:
    words(Card(card(AIMessage(text)).turns)._repr_html_())


def test_importing_it_imports_nothing_that_only_some_need() -> None:
    code = (
        "import sys, langchain_asi_one.display as d; from langchain_core.messages import AIMessage;"
        "d.show(AIMessage('x'));"
        "print([m for m in ('IPython', 'rich', 'markdown_it', 'langgraph') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "Answer\n  x\n[]\n"


def test_without_markdown_it_the_answer_is_shown_as_it_was_written() -> None:
    code = (
        "import sys; sys.modules['markdown_it'] = None;"
        "from langchain_asi_one.display import card; from langchain_core.messages import AIMessage;"
        "print(card(AIMessage('**a** <b>'))._repr_html_())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert '<div class="asi1-prose" dir="auto">**a** &lt;b&gt;</div>' in done.stdout
