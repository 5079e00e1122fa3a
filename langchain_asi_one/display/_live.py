"""A stream made visible while it runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, Final, Protocol, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.utils import message_chunk_to_message

from langchain_asi_one.display._card import Card
from langchain_asi_one.display._view import ANSWER, Turn, turn_of

INTERVAL: Final = 0.1
"""Fewest seconds between two updates."""

SHARE: Final = 10.0
"""An update may take at most one part in so many of the time, or it would slow the stream."""

_NOTHING: Final = "The stream ended without a message: there is nothing to show."


class Place(Protocol):
    """Where a card is shown while it grows."""

    def update(self, card: Card) -> None:
        """Show what there is by now."""

    def finish(self, card: Card) -> None:
        """Leave the last card; nothing follows."""


class Growing:
    """Gathers the pieces of a stream and shows them from time to time.

    Args:
        place: Where to show them.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._new: dict[str, list[BaseMessage]] = {}
        self._held: dict[str, BaseMessage] = {}
        self._due = 0.0

    def take(self, event: object) -> None:
        """Take the next piece of a stream: a message, or a graph's pair of one and metadata."""
        message = event
        key = ""
        if isinstance(event, tuple) and len(event) == 2:
            message = event[0]
            key = str(getattr(message, "id", None) or "")
        if not isinstance(message, BaseMessage):
            msg = (
                "the stream must be of messages: that of a chat model, or of a graph with "
                f'stream_mode="messages"; got a piece of type {type(message).__qualname__}'
            )
            raise TypeError(msg)
        if isinstance(message, AIMessage):
            self._new.setdefault(key, []).append(message)
        if time.monotonic() >= self._due:
            self._show()

    def end(self) -> AIMessage:
        """Show the whole.

        Returns:
            The last message.

        Raises:
            ValueError: If there was none.
        """
        messages = [message_chunk_to_message(message) for message in self._gathered()]
        self._place.finish(Card(tuple(map(turn_of, messages))))
        last = messages[-1] if messages else None
        if not isinstance(last, AIMessage):
            raise ValueError(_NOTHING)  # noqa: TRY004 - a stream without pieces
        return last

    def broken(self, error: BaseException) -> None:
        """Show what came before an error."""
        live = f"Incomplete: the stream ended with {type(error).__name__}."
        self._place.finish(Card(tuple(map(turn_of, self._gathered())), live=live, folded=False))

    def _show(self) -> None:
        start = time.monotonic()
        messages = self._gathered()
        answering = bool(messages) and bool(messages[-1].text)
        live = "Answering…" if answering else "Thinking…"
        self._place.update(Card(tuple(_begun(messages)), live=live, folded=answering))
        end = time.monotonic()
        self._due = end + max(INTERVAL, SHARE * (end - start))

    def _gathered(self) -> list[BaseMessage]:
        for key, new in self._new.items():
            pieces = [self._held[key], *new] if key in self._held else new
            first, *others = pieces
            # All at once: one by one, each would copy what is held.
            if isinstance(first, AIMessageChunk) and others:
                self._held[key] = cast("AIMessage", first + others)
            else:
                self._held[key] = pieces[-1]
        self._new.clear()
        return list(self._held.values())


def _begun(messages: list[BaseMessage]) -> Iterator[Turn]:
    """What can be told of messages that have only begun: an answer not begun is not empty."""
    for message in messages:
        turn = turn_of(message)
        if not message.text.strip():
            turn = replace(turn, parts=tuple(part for part in turn.parts if part.title != ANSWER))
        yield turn


def follow(stream: Iterator[Any], place: Place) -> AIMessage:
    """Show a stream until it ends."""
    growing = Growing(place)
    try:
        for event in stream:
            growing.take(event)
    except BaseException as error:
        growing.broken(error)
        raise
    finally:
        if hasattr(stream, "close"):
            stream.close()
    return growing.end()


async def afollow(stream: AsyncIterator[Any], place: Place) -> AIMessage:
    """Show a stream until it ends."""
    growing = Growing(place)
    try:
        async for event in stream:
            growing.take(event)
    except BaseException as error:
        growing.broken(error)
        raise
    finally:
        if hasattr(stream, "aclose"):
            await stream.aclose()
    return growing.end()
