"""The job of `python -m langchain_asi_one`: one question through a LangGraph graph. No printing."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from pydantic import ValidationError

from langchain_asi_one._config import API_KEY_VARIABLE
from langchain_asi_one.chat_models import ChatASIOne
from langchain_asi_one.executable_data import get_executable_data

Graph: TypeAlias = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]


class CannotAskError(Exception):
    """The question cannot be put as wanted; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who is asked.

    Attributes:
        kind: The API, wherever it is, or the stand-in of this package.
        base_url: Where it is.
    """

    kind: Literal["live", "stand-in"]
    base_url: str

    def __str__(self) -> str:
        who = "the live API" if self.kind == "live" else "the local stand-in, not the API,"
        return f"Asking {who} at {self.base_url}"


@dataclass(frozen=True, slots=True)
class Piece:
    """What has just arrived of an answer.

    Attributes:
        kind: Reasoning or answer.
        text: The text, as sent.
    """

    kind: Literal["thought", "answer"]
    text: str


@contextmanager
def asked(
    *, offline: bool, pace: float = 0, **arguments: Any
) -> Iterator[tuple[Source, ChatASIOne]]:
    """Make the model to ask, and the stand-in for it if that is to answer.

    Args:
        offline: Whether to ask the stand-in, and never the API.
        pace: Seconds between the pieces of the stand-in's answer, 0 or more.
        **arguments: Further fields of `ChatASIOne`.

    Yields:
        Who is asked, and the model.

    Raises:
        CannotAskError: If the API is to be asked and there is no key, if the stand-in is to be
            asked and the extra `testing` is not installed, or if a field's value is refused.
    """
    if not offline:
        if not os.environ.get(API_KEY_VARIABLE, "").strip():
            msg = (
                f"there is no API key: set {API_KEY_VARIABLE} (keys are made at https://asi1.ai), "
                f"or add --offline to ask the local stand-in."
            )
            raise CannotAskError(msg)
        model = _model(arguments)
        yield Source("live", model.openai_api_base), model
        return
    try:
        # Whoever asks the API does not need the extra.
        from langchain_asi_one.testing import local_asi_one  # noqa: PLC0415
    except ImportError as missing:
        raise CannotAskError(str(missing)) from missing
    with local_asi_one(chunk_delay=pace) as server:
        url = server.base_url
        yield (
            Source("stand-in", url),
            _model({"base_url": url, "api_key": "no-key-needed", **arguments}),
        )


def _model(arguments: dict[str, Any]) -> ChatASIOne:
    try:
        return ChatASIOne(**arguments)
    except ValidationError as refused:
        texts = (str(error["msg"]).removeprefix("Value error, ") for error in refused.errors())
        raise CannotAskError(" ".join(texts)) from refused
    except ValueError as refused:
        raise CannotAskError(str(refused)) from refused


def question_graph(model: ChatASIOne) -> Graph:
    """Build the graph that answers a question: one node, the model.

    Args:
        model: The model.

    Returns:
        The graph; its state is a list of messages.
    """

    async def answer(state: MessagesState) -> dict[str, list[AIMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", answer)
    graph.add_edge(START, "model")
    graph.add_edge("model", END)
    return graph.compile()


async def ask(model: ChatASIOne, question: str) -> AsyncIterator[Piece | AIMessage]:
    """Put a question through the graph.

    Asynchronous, because a synchronous graph that streams waits for its node before it lets an
    interrupt through, and a cancelled one closes the connection at once.

    Args:
        model: The model.
        question: The user's text.

    Yields:
        Thought and answer piece by piece as they arrive, then the whole message.

    Raises:
        ASIOneError: If the call failed.
    """
    start = MessagesState(messages=[HumanMessage(question)])
    run = question_graph(model).astream(start, stream_mode=["messages", "values"])
    async with aclosing(cast("AsyncGenerator[tuple[str, Any]]", run)) as events:
        async for mode, event in events:
            if mode == "messages":
                for piece in _pieces(event[0]):
                    yield piece
            elif isinstance(message := event["messages"][-1], AIMessage):
                yield message


def as_data(source: Source, message: AIMessage) -> dict[str, Any]:
    """Lay a message out as plain data, every name present.

    Args:
        source: Who was asked.
        message: The message.

    Returns:
        JSON values: what the command's `--json` prints.
    """
    extras, metadata = message.additional_kwargs, message.response_metadata
    return {
        "source": source.kind,
        "base_url": source.base_url,
        "model": metadata.get("model_name"),
        "session_id": metadata.get("session_id"),
        "thought": extras.get("thought"),
        "intermediate_steps": extras.get("intermediate_steps", []),
        "answer": message.text,
        "refusal": extras.get("refusal"),
        "tool_calls": message.tool_calls,
        "invalid_tool_calls": message.invalid_tool_calls,
        "server_tool_calls": extras.get("server_tool_calls", []),
        "executable_data": extras.get("executable_data", []),
        "named": get_executable_data(message),
        "plan_state": extras.get("plan_state"),
        "usage": message.usage_metadata,
        "finish_reason": metadata.get("finish_reason"),
        "response_metadata": metadata,
    }


def _pieces(message: object) -> Iterator[Piece]:
    if isinstance(message, AIMessageChunk):
        if thought := message.additional_kwargs.get("thought"):
            yield Piece("thought", thought)
        if message.text:
            yield Piece("answer", message.text)
