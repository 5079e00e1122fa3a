"""The functions that display."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from typing import Any, Final, TextIO, overload

from langchain_core.messages import AIMessage, BaseMessage

from langchain_asi_one.display._card import Card
from langchain_asi_one.display._card_content import view_message
from langchain_asi_one.display._diagram import Diagram, find_workers
from langchain_asi_one.display._graph_state import is_state, read_state
from langchain_asi_one.display._live import ashow_stream, show_stream
from langchain_asi_one.display._outputs import choose_output
from langchain_asi_one.display._terminal import MIN_WIDTH

_SHOWABLE: Final = (
    "a message, a list of messages, a graph's state (a dict with messages, or what get_state "
    "returns), a compiled graph, or a stream of a model"
)


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
            marked as answered, refused, pending or failed.
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
            `stream_mode="messages"`. With `stream_mode=["messages", "custom"]`, each custom event
            with a `plan_state` shows what a planner run is doing.
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


def card(value: object, state: object = None) -> Card:
    """Make a value visible, for a notebook, `print` or a report.

    Args:
        value: A message; a list of messages; the state of a graph as a dict or as `get_state`
            returns it; or a compiled graph.
        state: Only with a graph: the state of a run of it, whose agents are marked.

    Returns:
        The card. All text of the model is escaped; nothing in it runs or is fetched.

    Raises:
        TypeError: If the value is none of these, or `state` is given without a graph.

    Example:
        >>> from langchain_core.messages import AIMessage, HumanMessage
        >>> print(card([HumanMessage("Hi"), AIMessage("Hello!")]))
        You
          Hi
        <BLANKLINE>
        Answer
          Hello!
    """
    if _is_graph(value):
        return _make_graph_card(value, state)
    if state is not None:
        kind = _describe_type(value)
        msg = f"a state is shown beside its graph: show(graph, state); got {kind} first"
        raise TypeError(msg)
    if isinstance(value, BaseMessage):
        return Card((view_message(value),))
    if isinstance(value, list | tuple) and all(isinstance(one, BaseMessage) for one in value):
        return Card(tuple(map(view_message, value)))
    if is_state(value):
        return Card(tuple(read_state(value).views))
    msg = f"show takes {_SHOWABLE}; got {_describe_type(value)}"
    raise TypeError(msg)


def format_message(message: AIMessage, *, width: int | None = None) -> str:
    """Write a message as plain text.

    Thought, steps, answer and agents stand in the order in which they happened. The thought and
    the answer are whole; a value of a step, of a tool's arguments or of its result is cut after
    400 characters, with a note of the rest.

    Args:
        message: A message of `ChatASIOne`, or of any other model.
        width: Columns to wrap to, 20 or more; `None` wraps nothing. Long words are not broken.

    Returns:
        Lines under titles; no control character but the newline, and none at the end.

    Raises:
        ValueError: If `width` is below 20.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> thought = {"thought": "A greeting."}
        >>> print(format_message(AIMessage("Hello!", additional_kwargs=thought)))
        Thought
          A greeting.
        <BLANKLINE>
        Answer
          Hello!
    """
    if width is not None and width < MIN_WIDTH:
        msg = f"width must be {MIN_WIDTH} columns or more, or None to wrap nothing; got {width!r}."
        raise ValueError(msg)
    return Card((view_message(message),)).text(width)


def _is_graph(value: object) -> bool:
    """Return whether a value is a LangGraph graph, compiled or drawn."""
    compiled = hasattr(value, "get_graph") and hasattr(value, "get_state")
    return compiled or hasattr(value, "draw_mermaid")


def _make_graph_card(graph: Any, state: object) -> Card:
    drawing = graph.get_graph() if hasattr(graph, "get_graph") else graph
    if state is None:
        return Card((), Diagram(drawing, find_workers(graph)))
    if not is_state(state):
        msg = (
            "the state beside a graph must be what invoke or get_state returned; got "
            f"{_describe_type(state)}"
        )
        raise TypeError(msg)
    run = read_state(state)
    return Card(tuple(run.closing), Diagram(drawing, find_workers(graph), run.agents))


def _describe_type(value: object) -> str:
    if isinstance(value, Mapping):
        return f"a dict with the keys {', '.join(map(repr, value)) or '(none)'}"[:200]
    return f"{type(value).__module__}.{type(value).__qualname__}"
