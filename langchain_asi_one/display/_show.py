"""The two functions that display."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, TextIO, overload

from langchain_core.messages import AIMessage

from langchain_asi_one.display._card import card
from langchain_asi_one.display._live import ashow_stream, show_stream
from langchain_asi_one.display._outputs import choose_output


@overload
def show(  # type: ignore[overload-overlap]  # an async iterator is an object, too
    value: AsyncIterator[Any], *, file: TextIO | None = ...
) -> Awaitable[None]: ...


@overload
def show(value: object, state: object = ..., *, file: TextIO | None = ...) -> None: ...


def show(value: object, state: object = None, *, file: TextIO | None = None) -> Any:
    """Display what ASI:One did.

    Args:
        value: A message; a list of messages; the state of a graph, as `invoke` or `get_state`
            returns it; a running stream, which is read to its end (see `stream_view`); or a
            compiled graph, which is drawn without any network call.
        state: Only with a graph: the state of a run of it. The agents named in its last turn are
            marked as allowed, refused, pending or failed.
        file: Where to write; by default the output of the cell in a notebook, else standard
            output: with colour on a terminal that has the extra `rich`, plain otherwise.

    Returns:
        Nothing; for an async stream, an awaitable of nothing.

    Raises:
        TypeError: If the value is none of these, or `state` is given without a graph.
        ValueError: If a stream ends without a message.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> show(AIMessage("Hello!"))
        Answer
          Hello!
    """
    if isinstance(value, AsyncIterator) and state is None:
        return _show_async(value, file)
    output = choose_output(file)
    if isinstance(value, Iterator) and state is None:
        show_stream(value, output)
    else:
        output.finish(card(value, state))
    return None


@overload
def stream_view(
    stream: AsyncIterator[Any], *, file: TextIO | None = ...
) -> Awaitable[AIMessage]: ...


@overload
def stream_view(stream: Iterator[Any], *, file: TextIO | None = ...) -> AIMessage: ...


def stream_view(stream: Any, *, file: TextIO | None = None) -> Any:
    """Display an answer while it comes, thought first, and return it.

    A card is updated at most ten times a second, and less often if drawing it takes long, so that
    a fast stream is not slowed. In a file the text is written once, at the end. If the stream
    fails, what had come stays visible and is marked as incomplete.

    Args:
        stream: `model.stream(...)`, `model.astream(...)`, or those of a graph with
            `stream_mode="messages"`.
        file: As for `show`.

    Returns:
        The whole message, the last one if a graph gave several; of an async stream, an awaitable
        of it.

    Raises:
        TypeError: If the argument is no stream, or one of something else than messages.
        ValueError: If the stream ends without a message.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
        ...     message = stream_view(model.stream("Hi"))  # doctest: +ELLIPSIS
        Thought
          The user said 'Hi'. A stand-in has no model, so a fixed rule answers.
        ...
        >>> message.text
        '[local stand-in] You said: "Hi". This is turn 1 of the session.'
    """
    if isinstance(stream, AsyncIterator):
        return ashow_stream(stream, choose_output(file))
    if isinstance(stream, Iterator):
        return show_stream(stream, choose_output(file))
    msg = (
        "stream_view takes a running stream, such as model.stream(...) or model.astream(...); "
        f"got {type(stream).__qualname__}"
    )
    raise TypeError(msg)


async def _show_async(stream: AsyncIterator[Any], file: TextIO | None) -> None:
    await ashow_stream(stream, choose_output(file))
