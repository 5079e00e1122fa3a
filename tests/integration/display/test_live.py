"""Streams shown while they run: in a kernel, on a terminal, in a file."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from nbclient import NotebookClient

from langchain_asi_one import ChatASIOne
from langchain_asi_one.display import _live, card, format_message, show, stream_view
from langchain_asi_one.display._card import Card
from langchain_asi_one.display._live import INTERVAL, LiveCard, show_stream
from langchain_asi_one.langgraph import create_asi_one_graph
from langchain_asi_one.testing import LocalASIOne
from langchain_asi_one.testing._agents import WEATHER_AGENT, make_plan_snapshots
from tests.support.browser.payloads import PAYLOADS
from tests.support.model import API_KEY
from tests.support.patience import PATIENCE
from tests.support.terminal import Terminal

ROOT: Final = Path(__file__).parents[3]
STYLES: Final = re.compile(r"\x1b\[[0-9;]*m")
CURSOR: Final = re.compile(r"\x1b\[(?:\?25[hl]|[0-9]*[AK])")


class Screen(Terminal):
    """Takes what a terminal is sent."""

    @property
    def shown(self) -> str:
        """Without styles, and without blanks at the ends of lines."""
        lines = STYLES.sub("", self.getvalue()).splitlines()
        return "\n".join(line.rstrip() for line in lines)


class Clock:
    """Goes on when it is told to, however fast the machine is."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of streams that are shown."""
    clock = Clock()
    monkeypatch.setattr(_live, "time", clock)
    return clock


class Output:
    """Keeps every card."""

    def __init__(self, clock: Clock | None = None, seconds: float = 0) -> None:
        self.cards: list[Card] = []
        self.whole: list[Card] = []
        self._clock = clock or Clock()
        self._seconds = seconds

    def update(self, card: Card) -> None:
        str(card)
        self._clock.now += self._seconds
        self.cards.append(card)

    def finish(self, card: Card) -> None:
        self.whole.append(card)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Screen:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    return Screen()


def test_a_file_gets_the_text_once(model: ChatASIOne) -> None:
    out = StringIO()
    message = stream_view(model.stream("Hi"), file=out)
    assert type(message) is AIMessage
    assert message.text.endswith('You said: "Hi". This is turn 1 of the session.')
    assert out.getvalue() == format_message(message) + "\n"


async def test_an_async_stream(model: ChatASIOne) -> None:
    out = StringIO()
    message = await stream_view(model.astream("Hi"), file=out)
    assert type(message) is AIMessage
    assert out.getvalue() == format_message(message) + "\n"


def test_it_is_the_message_that_the_pieces_make(model: ChatASIOne) -> None:
    output = Output()
    pieces = list(model.stream("Which agent?"))
    total = pieces[0]
    for piece in pieces[1:]:
        total += piece
    message = show_stream(iter(pieces), output)
    assert message.model_dump(exclude={"type"}) == {
        name: value
        for name, value in total.model_dump(exclude={"type"}).items()
        if name not in ("tool_call_chunks", "chunk_position")
    }


def test_a_stream_of_a_graph(model: ChatASIOne) -> None:
    graph = create_asi_one_graph(
        model, allow={WEATHER_AGENT["address"]}, worker=lambda task: "Rain"
    )
    out = StringIO()
    question = {"messages": [HumanMessage("Which agent knows the weather?")]}
    message = stream_view(graph.stream(question, stream_mode="messages"), file=out)
    assert out.getvalue().count("\nAnswer\n") == 2
    assert out.getvalue().endswith(format_message(message) + "\n")


def pieces(count: int, thoughts: int = 0) -> Iterator[AIMessageChunk]:
    for number in range(thoughts):
        yield AIMessageChunk(content="", additional_kwargs={"thought": f"t{number} "})
    for number in range(count):
        yield AIMessageChunk(content=f"w{number} ")


def test_thought_comes_first_and_is_open_until_the_answer_begins() -> None:
    output = Output()
    live = LiveCard(output)
    for piece in pieces(1, thoughts=1):
        live.add(piece)
        live._due = 0.0
    live.finish()
    first, second = output.cards
    assert (str(first), first.live, first.folded) == ("Thought\n  t0", "Thinking…", False)
    assert (second.live, second.folded) == ("Answering…", True)
    assert "<details open><summary>Thought" in first._repr_html_()
    assert '<p class="asi1-live" role="status">Thinking…</p>' in first._repr_html_()
    [whole] = output.whole
    assert (str(whole), whole.live) == ("Thought\n  t0\n\nAnswer\n  w0", "")


@pytest.mark.no_cover
def test_a_fast_stream_is_not_slowed(clock: Clock) -> None:
    def fast() -> Iterator[AIMessageChunk]:
        for piece in pieces(20_000):
            yield piece
            clock.now += 0.4 / 20_000

    output = Output()
    show_stream(fast(), output)
    assert 4 <= len(output.cards) <= 0.4 / INTERVAL + 1


def test_updates_that_take_long_are_rare(clock: Clock) -> None:
    output = Output(clock, seconds=0.03)
    live = LiveCard(output)
    end = clock.now + 1
    while clock.now < end:
        live.add(AIMessageChunk(content="x"))
        clock.now += 0.001
    # At a tenth of the time, 1 s has room for 3 and a bit.
    assert 3 <= len(output.cards) <= 4


def broken(after: int) -> Iterator[AIMessageChunk]:
    yield from pieces(after)
    msg = "the line went dead"
    raise ConnectionError(msg)


def test_what_came_before_an_error_stays_visible() -> None:
    out = StringIO()
    with pytest.raises(ConnectionError, match="the line went dead"):
        stream_view(broken(2), file=out)
    told = "Answer\n  w0 w1\n\nIncomplete: the stream ended with ConnectionError.\n"
    assert out.getvalue() == told


async def test_an_async_stream_is_closed_when_it_is_cancelled() -> None:
    closed = []

    async def endless() -> AsyncIterator[AIMessageChunk]:
        try:
            yield AIMessageChunk(content="a")
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    out = StringIO()
    with pytest.raises(KeyboardInterrupt):
        await stream_view(endless(), file=out)
    assert closed == [True]
    assert out.getvalue().endswith("Incomplete: the stream ended with KeyboardInterrupt.\n")


def test_streams_of_something_else_are_refused() -> None:
    with pytest.raises(TypeError, match=r"a running stream, such as .*; got AIMessage$"):
        stream_view(AIMessage("x"))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="got a piece of type dict"):
        stream_view(iter([{"model": {}}]), file=StringIO())
    with pytest.raises(ValueError, match="without a message"):
        stream_view(iter([]), file=StringIO())


def test_a_terminal_draws_markdown_with_rich(terminal: Screen) -> None:
    text = "Ask **them**, see [docs](https://d.example/a).\n\n![x](https://d.example/x)"
    message = AIMessage(text, additional_kwargs={"thought": "Hm."})
    show(message, file=terminal)
    rule = "─" * 80
    assert terminal.shown == (
        f"\n{('Thought ' + rule)[:80]}\n  Hm.\n\n{('Answer ' + rule)[:80]}\n"
        "  Ask them, see docs (https://d.example/a).\n\n"
        "  [image: x, https://d.example/x]"
    )
    assert "\x1b[1mthem\x1b[0m" in terminal.getvalue()


def test_a_terminal_shows_the_end_of_a_long_stream_and_then_the_whole(
    terminal: Screen, clock: Clock
) -> None:
    def long() -> Iterator[AIMessageChunk]:
        for number in range(60):
            yield AIMessageChunk(content=f"line {number}  \n")
            if number == 50:
                clock.now += 2 * INTERVAL

    stream_view(long(), file=terminal)
    plain = CURSOR.sub("", terminal.shown)
    growing, _, whole = plain.rpartition("Answer ─")
    assert "line 51" in growing
    assert "Answering…" in growing
    assert [line.strip() for line in whole.splitlines()[1:]] == [f"line {n}" for n in range(60)]


def test_a_terminal_without_rich_gets_text(
    terminal: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    message = AIMessage("word " * 30)
    show(message, file=terminal)
    assert terminal.getvalue() == format_message(message, width=80) + "\n"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_does_nothing_to_a_terminal(terminal: Screen, payload: str) -> None:
    agent = {"address": payload, "name": payload, "handle": "weather", "description": payload}
    extras = {"thought": payload, "executable_data": [agent], "intermediate_steps": [payload]}
    message = AIMessage(payload, additional_kwargs=extras, response_metadata={"id": payload})
    show([HumanMessage(payload), message], file=terminal)
    shown = STYLES.sub("", terminal.getvalue())
    assert [one for one in shown if one != "\n" and not one.isprintable()] == []


NOTEBOOK: Final = """
import sys, openai
before = "rich" in sys.modules  # openai 2.x imports it where it can
from langchain_asi_one import ChatASIOne
from langchain_asi_one.display import card, show, stream_view
model = ChatASIOne()
assert ("rich" in sys.modules) == before
---
message = stream_view(model.stream("Which agent knows the weather?"))
---
message = await stream_view(model.astream("Hi"))
---
show(message)
---
card(message)
---
await show(model.astream("Hi"))
---
print(card(message))
"""


@pytest.mark.no_cover
def test_in_a_notebook(server: LocalASIOne) -> None:
    cells: list[Any] = [
        nbformat.v4.new_code_cell(source.strip())  # type: ignore[no-untyped-call]
        for source in NOTEBOOK.split("---")
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=PATIENCE,
        startup_timeout=PATIENCE,
        iopub_timeout=PATIENCE,
    )
    given = {
        "ASI_ONE_BASE_URL": server.base_url,
        "ASI_ONE_API_KEY": API_KEY,
        "PYTHONPATH": str(ROOT),
    }
    client.execute(env={**os.environ, **given})
    setup, streamed, astreamed, shown, last, shown_stream, printed = (
        cell.outputs for cell in notebook.cells
    )
    assert setup == []
    kinds = ["display_data", "display_data", "display_data", "execute_result", "display_data"]
    made = [streamed, astreamed, shown, last, shown_stream]
    assert [[one.output_type for one in outputs] for outputs in made] == [[kind] for kind in kinds]
    assert all(set(one.data) == {"text/plain", "text/html"} for outputs in made for one in outputs)
    html = streamed[0].data["text/html"]
    assert "<details><summary>Thought (" in html
    assert "Stand-in Weather" in html
    assert "Answering" not in html
    assert astreamed[0].data == shown[0].data == last[0].data
    assert printed[0].text == last[0].data["text/plain"] + "\n"


def test_a_card_can_be_printed_with_rich(terminal: Screen) -> None:
    from rich.console import Console

    Console(file=terminal).print(card(AIMessage("**a**")))
    assert "\x1b[1ma\x1b[0m" in terminal.getvalue()


def test_a_planner_run_is_shown_at_work(clock: Clock) -> None:
    output = Output(clock)
    live = LiveCard(output)
    snapshots = make_plan_snapshots("Rain?", [WEATHER_AGENT["address"]], "Yes.")
    for plan in snapshots:
        live.add(("custom", {"plan_state": plan}))
        clock.now += 1
    live.add(("custom", {"other": 1}))
    live.add(("messages", (AIMessageChunk(content="It rains.", id="1"), {})))
    clock.now += 1
    last = AIMessageChunk(content="", additional_kwargs={"plan_state": snapshots[-1]}, id="1")
    live.add(("messages", (last, {})))
    first, second, third, *_ = map(str, output.cards)
    assert first == "Plan\n  status  planning\n  goal    Rain?"
    assert "  1. Stand-in Weather\n     status   in_progress\n" in second
    assert "     status   completed\n" in third
    assert [card.live for card in output.cards[:2]] == ["Agents at work…"] * 2
    assert "\n\nAnswer\n  It rains." in str(output.cards[-1])
    live.finish()
    assert "Tasks of the plan\n  1. Stand-in Weather\n" in str(output.whole[0])
