"""A stream shown while it runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.utils import message_chunk_to_message

from langchain_asi_one.display._card import Card
from langchain_asi_one.display._card_content import PLAN, TASKS, list_plan_sections, view_message
from langchain_asi_one.display._sections import ANSWER, MessageView

if TYPE_CHECKING:
    from langchain_asi_one.display._outputs import Output

INTERVAL: Final = 0.1
"""Fewest seconds between two updates."""

SHARE: Final = 10.0
"""An update may take at most one part in so many of the time, or it would slow the stream."""

_MODES: Final = ("messages", "custom")
_NO_MESSAGE: Final = "The stream ended without a message: there is nothing to show."


class LiveCard:
    """Merges the chunks of a stream and shows what has come.

    Args:
        output: Where to show it.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._new: dict[str, list[BaseMessage]] = {}
        self._merged: dict[str, BaseMessage] = {}
        self._plan: object = None
        self._due = 0.0

    def add(self, event: object) -> None:
        """Add the next event of a stream.

        It is a message, a graph's pair of one and metadata, or a pair of a stream mode and its
        event. Of the mode `custom`, a `plan_state` shows what a planner run is doing.
        """
        if isinstance(event, tuple) and len(event) == 2 and event[0] in _MODES:
            mode, event = event
            if mode == "custom":
                self._plan = _read_plan(event) or self._plan
                self._show_if_due()
                return
        message = event
        key = ""
        if isinstance(event, tuple) and len(event) == 2:
            message = event[0]
            key = str(getattr(message, "id", None) or "")
        if not isinstance(message, BaseMessage):
            msg = (
                "the stream must be of messages: that of a chat model, or of a graph with "
                'stream_mode="messages" or ["messages", "custom"]; got a piece of type '
                f"{type(message).__qualname__}"
            )
            raise TypeError(msg)
        if isinstance(message, AIMessage):
            self._plan = _read_plan(message.additional_kwargs) or self._plan
            self._new.setdefault(key, []).append(message)
        self._show_if_due()

    def finish(self) -> AIMessage:
        """Show the whole and return the last message.

        Raises:
            ValueError: If there was none.
        """
        messages = [message_chunk_to_message(message) for message in self._merge()]
        self._output.finish(Card(tuple(map(view_message, messages))))
        last = messages[-1] if messages else None
        if not isinstance(last, AIMessage):
            raise ValueError(_NO_MESSAGE)  # noqa: TRY004 - a stream without chunks
        return last

    def fail(self, error: BaseException) -> None:
        """Show what came before an error."""
        live = f"Incomplete: the stream ended with {type(error).__name__}."
        views = tuple(map(view_message, self._merge()))
        self._output.finish(Card(views, live=live, folded=False))

    def _show_if_due(self) -> None:
        if time.monotonic() >= self._due:
            self._show()

    def _show(self) -> None:
        start = time.monotonic()
        messages = self._merge()
        answering = bool(messages) and bool(messages[-1].text)
        waiting = "Agents at work…" if self._plan else "Thinking…"
        live = "Answering…" if answering else waiting
        views = tuple(map(_view_unfinished, messages))
        if self._plan and not answering:
            plan = tuple(list_plan_sections(self._plan))
            views = (*views, MessageView("run", "Plan of this answer", plan))
        self._output.update(Card(views, live=live, folded=answering))
        end = time.monotonic()
        self._due = end + max(INTERVAL, SHARE * (end - start))

    def _merge(self) -> list[BaseMessage]:
        for key, new in self._new.items():
            chunks = [self._merged[key], *new] if key in self._merged else new
            first, *others = chunks
            # All at once: one by one, each would copy what is merged already.
            if isinstance(first, AIMessageChunk) and others:
                self._merged[key] = cast("AIMessage", first + others)
            else:
                self._merged[key] = chunks[-1]
        self._new.clear()
        return list(self._merged.values())


def _view_unfinished(message: BaseMessage) -> MessageView:
    """Return the view of a message that may go on.

    It does not call an answer empty that has not begun.
    """
    view = view_message(message)
    if message.text.strip():
        return view
    # The newest plan is shown beside it.
    hidden = (ANSWER, PLAN, TASKS)
    return replace(view, sections=tuple(one for one in view.sections if one.title not in hidden))


def _read_plan(event: object) -> object:
    return event.get("plan_state") if isinstance(event, Mapping) else None


def show_stream(stream: Iterator[Any], output: Output) -> AIMessage:
    """Show a stream until it ends, and return its last message."""
    live = LiveCard(output)
    try:
        for event in stream:
            live.add(event)
    except BaseException as error:
        live.fail(error)
        raise
    finally:
        if hasattr(stream, "close"):
            stream.close()
    return live.finish()


async def ashow_stream(stream: AsyncIterator[Any], output: Output) -> AIMessage:
    """Async version of `show_stream`."""
    live = LiveCard(output)
    try:
        async for event in stream:
            live.add(event)
    except BaseException as error:
        live.fail(error)
        raise
    finally:
        if hasattr(stream, "aclose"):
            await stream.aclose()
    return live.finish()
