"""The ways to ask a model, sync and async, whole and streamed, each ending in one message."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterable
from functools import reduce
from operator import add
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message

MISSING_CALL_WARNING = "ASI:One ended an answer with finish_reason 'tool_calls'"


def sum_of(chunks: Iterable[Any]) -> AIMessage:
    """Add chunks up and close the sum, as LangChain does for a stored message."""
    total = reduce(add, chunks)
    assert isinstance(total, AIMessageChunk)
    message = message_chunk_to_message(total)
    assert isinstance(message, AIMessage)
    return message


async def _asum(model: Any, text: str, options: dict[str, Any]) -> AIMessage:
    return sum_of([chunk async for chunk in model.astream(text, **options)])


async def _aevents(model: Any, text: str, options: dict[str, Any]) -> Any:
    return await (await model.astream_events(text, version="v3", **options)).output


# Each takes a model, what to ask it, and what else the method takes.
WAYS: dict[str, Callable[..., Any]] = {
    "invoke": lambda model, text="Hello", **options: model.invoke(text, **options),
    "ainvoke": lambda model, text="Hello", **options: asyncio.run(model.ainvoke(text, **options)),
    "stream": lambda model, text="Hello", **options: sum_of(model.stream(text, **options)),
    "astream": lambda model, text="Hello", **options: asyncio.run(_asum(model, text, options)),
    "stream_events": lambda model, text="Hello", **options: (
        model.stream_events(text, version="v3", **options).output
    ),
    "astream_events": lambda model, text="Hello", **options: asyncio.run(
        _aevents(model, text, options)
    ),
}
BATCH_WAYS: dict[str, Callable[..., Any]] = {
    "batch": lambda model, text="Hello", **options: model.batch([text], **options)[0],
    "abatch": lambda model, text="Hello", **options: asyncio.run(model.abatch([text], **options))[
        0
    ],
}
FOUR_WAYS = ["invoke", "ainvoke", "stream", "astream"]


def ask(way: str, model: Any) -> Any:
    """Ask in one of the `WAYS`, whether or not an announced call is missing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=MISSING_CALL_WARNING)
        return WAYS[way](model)


def assert_is(message: Any, wanted: AIMessage) -> None:
    """Compare whole messages, all but the run's id, which LangChain gives."""
    assert type(message) is AIMessage
    assert message.model_dump(exclude={"id"}) == wanted.model_dump(exclude={"id"})
    assert message.content_blocks == wanted.content_blocks


async def _collect(chain: Any, question: Any) -> list[Any]:
    return [chunk async for chunk in chain.astream(question)]


def raw_of(results: list[Any]) -> Any:
    """The model's message among the results of a chain with `include_raw`."""
    messages = [result["raw"] for result in results if "raw" in result]
    return sum_of(messages) if isinstance(messages[0], AIMessageChunk) else messages[0]


# All that a chain, a graph or an agent gives; the last is the whole.
STRUCTURED_WAYS: dict[str, Callable[..., list[Any]]] = {
    "invoke": lambda chain, question="Hello": [chain.invoke(question)],
    "ainvoke": lambda chain, question="Hello": [asyncio.run(chain.ainvoke(question))],
    "stream": lambda chain, question="Hello": list(chain.stream(question)),
    "astream": lambda chain, question="Hello": asyncio.run(_collect(chain, question)),
}
