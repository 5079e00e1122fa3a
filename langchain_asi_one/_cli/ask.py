"""One question through a LangGraph graph. Prints nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.runnables import Runnable
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from pydantic import ValidationError

from langchain_asi_one._environment import API_KEY_VARIABLE, DEFAULT_BASE_URL, name_unread_keys
from langchain_asi_one._response.fields import LIST_FIELDS, OWN_FIELDS
from langchain_asi_one.chat_models import ChatASIOne
from langchain_asi_one.executable_data import get_executable_data

Graph: TypeAlias = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]

Model: TypeAlias = Runnable[LanguageModelInput, AIMessage]


class CannotAskError(Exception):
    """A question cannot be asked; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go.

    Attributes:
        kind: ASI:One's own address, another one, or the stand-in that the command has started.
        base_url: The address.
    """

    kind: Literal["live", "other", "stand-in"]
    base_url: str

    def __str__(self) -> str:
        if self.kind == "live":
            return f"Asking the live API at {self.base_url}"
        if self.kind == "other":
            return f"Asking {self.base_url}, which is not ASI:One's own address"
        return f"Asking the local stand-in, not the API, at {self.base_url}"


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of a thought or an answer, as sent."""

    kind: Literal["thought", "answer"]
    text: str


@dataclass(frozen=True, slots=True)
class PlanUpdate:
    """A new state of a planner run, as sent."""

    plan_state: Any


@contextmanager
def open_model(
    *,
    offline: bool,
    pace: float = 0,
    known: Sequence[Mapping[str, Any]] | None = None,
    **arguments: Any,
) -> Iterator[tuple[Endpoint, ChatASIOne]]:
    """Yield the model to ask and its endpoint.

    With `offline`, the local stand-in runs meanwhile.

    Args:
        offline: Whether to ask the stand-in, and never the API.
        pace: Seconds between the chunks of the stand-in's answer, 0 or more.
        known: Entries of the agents that the stand-in names; by default its own.
        **arguments: Further fields of `ChatASIOne`.

    Raises:
        CannotAskError: If there is no key for the API, the extra `testing` for the stand-in is not
            installed, or the value of a field is refused.
    """
    if not offline:
        model = _make_model(arguments)
        url = model.openai_api_base
        yield Endpoint("live" if url == DEFAULT_BASE_URL else "other", url), model
        return
    try:
        # Whoever asks the API does not need the extra.
        from langchain_asi_one.testing import local_asi_one  # noqa: PLC0415
    except ImportError as missing:
        raise CannotAskError(str(missing)) from missing
    with local_asi_one(chunk_delay=pace, agents=known) as server:
        url = server.base_url
        yield (
            Endpoint("stand-in", url),
            _make_model({"base_url": url, "api_key": "no-key-needed", **arguments}),
        )


def _make_model(arguments: dict[str, Any]) -> ChatASIOne:
    try:
        return ChatASIOne(**arguments)
    except ValidationError as refused:
        texts = (str(error["msg"]).removeprefix("Value error, ") for error in refused.errors())
        text = " ".join(texts)
    except ValueError as refused:
        text = str(refused)
    if "needs an API key" in text:
        text = (
            f"there is no API key: set {API_KEY_VARIABLE} (keys are made at https://asi1.ai), "
            f"or add --offline to ask the local stand-in.{name_unread_keys()}"
        )
    raise CannotAskError(text)


def wait_for_answers(model: ChatASIOne, interval: float) -> Model:
    """Make a model that asks again for an answer that comes later.

    Raises:
        CannotAskError: If it cannot ask in this interval.
    """
    try:
        return model.with_follow_up(interval=interval)
    except ValueError as refused:
        raise CannotAskError(f"--wait: {refused}") from refused


def build_graph(model: Model) -> Graph:
    """Return the graph that answers a question: one node, the model."""

    async def answer(state: MessagesState) -> dict[str, list[AIMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", answer)
    graph.add_edge(START, "model")
    graph.add_edge("model", END)
    return graph.compile()


async def ask(model: Model, question: str) -> AsyncIterator[TextDelta | PlanUpdate | AIMessage]:
    """Ask a question; yield each delta and plan, then the whole message.

    It is async because an interrupt cancels an async graph at once. A sync one would wait for its
    node first.

    Raises:
        ASIOneError: If the request failed.
    """
    start = MessagesState(messages=[HumanMessage(question)])
    run = build_graph(model).astream(start, stream_mode=["messages", "custom", "values"])
    async with aclosing(cast("AsyncGenerator[tuple[str, Any]]", run)) as events:
        async for mode, event in events:
            if mode == "messages":
                for delta in _list_deltas(event[0]):
                    yield delta
            elif mode == "custom":
                yield PlanUpdate(event["plan_state"])
            elif isinstance(message := event["messages"][-1], AIMessage):
                yield message


def to_data(endpoint: Endpoint, message: AIMessage) -> dict[str, Any]:
    """Return a message as JSON values with every name present, for `--json`."""
    fields, metadata = message.additional_kwargs, message.response_metadata
    return {
        "source": endpoint.kind,
        "base_url": endpoint.base_url,
        "model": metadata.get("model_name"),
        "session_id": metadata.get("session_id"),
        "thought": fields.get("thought"),
        "answer": message.text,
        "refusal": fields.get("refusal"),
        "tool_calls": message.tool_calls,
        "invalid_tool_calls": message.invalid_tool_calls,
        "server_tool_calls": fields.get("server_tool_calls", []),
        **{name: fields.get(name, [] if name in LIST_FIELDS else None) for name in OWN_FIELDS},
        "named": get_executable_data(message),
        "usage": message.usage_metadata,
        "finish_reason": metadata.get("finish_reason"),
        "response_metadata": metadata,
    }


def _list_deltas(message: object) -> Iterator[TextDelta]:
    if isinstance(message, AIMessageChunk):
        if thought := message.additional_kwargs.get("thought"):
            yield TextDelta("thought", thought)
        if message.text:
            yield TextDelta("answer", message.text)
