"""Chunks of a stream as LangChain's generations, and their sum: pure, without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from typing_extensions import override

from langchain_asi_one._content_blocks import MODEL_PROVIDER
from langchain_asi_one._messages import message_chunk, piece_of_message
from langchain_asi_one._wire import Delta

_PROVIDER = {"model_provider": MODEL_PROVIDER}
_THOUGHT = {"thought"}


class ASIOneGenerationChunk(ChatGenerationChunk):
    """A generation chunk that is added up in linear time, to what LangChain would add it up to.

    LangChain adds up the chunks of each stream at its end, and copies the thought and the arguments
    of calls once a chunk.
    """

    @classmethod
    @override
    def lc_id(cls) -> list[str]:
        """Be serialised as what it is to LangChain."""
        return ChatGenerationChunk.lc_id()

    @override
    def __add__(
        self, other: ChatGenerationChunk | list[ChatGenerationChunk]
    ) -> ChatGenerationChunk:
        if isinstance(other, list) and all(isinstance(g, ChatGenerationChunk) for g in other):
            first, *rest = _joined([self, *other])
            return ChatGenerationChunk.__add__(first, rest)
        return super().__add__(other)


def sum_of_chunks(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Add up the message chunks of an answer, in linear time.

    Args:
        chunks: At least one.

    Returns:
        What adding one after the other gives.
    """
    first, *rest = [_generation(chunk, "") for chunk in chunks]
    message = first.__add__(rest).message if rest else first.message
    assert isinstance(message, AIMessageChunk)  # noqa: S101 - a sum of AI chunks is one
    return message


_EMPTY = ASIOneGenerationChunk(message=AIMessageChunk(content="")).__getstate__()
_FIELDS: dict[str, Any] = _EMPTY["__dict__"]
_FIELDS_SET: set[str] = _EMPTY["__pydantic_fields_set__"]


def generation_chunk(delta: Delta, *, session_id: str) -> ChatGenerationChunk:
    """Make the generation chunk of one piece of an answer.

    Args:
        delta: The piece.
        session_id: The `x-session-id` that the request carried.

    Returns:
        The chunk, with the message of `message_chunk`.
    """
    return _generation(message_chunk(delta, session_id=session_id), delta["text"])


def _generation(message: AIMessageChunk, text: str) -> ChatGenerationChunk:
    """As unpickling does, without validation."""
    generation = ASIOneGenerationChunk.__new__(ASIOneGenerationChunk)
    fields = _FIELDS.copy()
    fields["message"] = message
    fields["text"] = text
    state = _EMPTY.copy()
    state["__dict__"] = fields
    state["__pydantic_fields_set__"] = _FIELDS_SET.copy()
    generation.__setstate__(state)
    return generation


def _joined(generations: list[ChatGenerationChunk]) -> list[ChatGenerationChunk]:
    """Join runs of chunks that bring nothing but text, thought and pieces of arguments."""
    joined: list[ChatGenerationChunk] = []
    run: list[dict[str, Any]] = []
    for generation in generations:
        fields = vars(generation.message)
        is_piece = _is_piece(generation, fields)
        if run and not (is_piece and fields["id"] == run[0]["id"]):
            joined.append(_sum(run))
            run = []
        if is_piece:
            run.append(fields)
        else:
            joined.append(generation)
    return [*joined, _sum(run)] if run else joined


def _is_piece(generation: ChatGenerationChunk, fields: dict[str, Any]) -> bool:
    if (
        type(generation.message) is not AIMessageChunk
        or fields["chunk_position"] is not None
        or fields["usage_metadata"] is not None
        or generation.generation_info
        or type(fields["content"]) is not str
        or fields["response_metadata"] != _PROVIDER
        or not fields["additional_kwargs"].keys() <= _THOUGHT
    ):
        return False
    for call in fields["tool_call_chunks"]:
        if call["id"] is not None or call["name"] is not None or type(call["index"]) is not int:
            return False
    return True


def _sum(run: list[dict[str, Any]]) -> ChatGenerationChunk:
    """Add up chunks of which LangChain would only ever concatenate strings."""
    arguments: dict[int, list[str]] = {}
    for fields in run:
        for call in fields["tool_call_chunks"]:
            arguments.setdefault(call["index"], []).append(call["args"])
    calls: list[ToolCallChunk] = [
        tool_call_chunk(args="".join(pieces), index=index) for index, pieces in arguments.items()
    ]
    text = "".join([fields["content"] for fields in run])
    thoughts = [f["additional_kwargs"]["thought"] for f in run if f["additional_kwargs"]]
    message = piece_of_message(text, {"thought": "".join(thoughts)} if thoughts else {}, calls, [])
    message.id = run[0]["id"]
    return _generation(message, text)
