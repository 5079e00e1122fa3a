"""Chunks of a stream as LangChain's generations, and their sum: pure, without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from typing_extensions import override

from langchain_asi_one._response.content_blocks import MODEL_PROVIDER
from langchain_asi_one._response.messages import message_chunk, piece_of_message
from langchain_asi_one._response.reader import Delta

_PROVIDER = {"model_provider": MODEL_PROVIDER}


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
        if not isinstance(other, list):
            return super().__add__(other)
        messages: list[AIMessageChunk] = []
        generations: list[Any] = [self, *other]
        for generation in generations:
            if (
                not isinstance(generation, ChatGenerationChunk)
                or not isinstance(generation.message, AIMessageChunk)
                or generation.generation_info
            ):
                return super().__add__(other)
            messages.append(generation.message)
        return ChatGenerationChunk(message=_sum(messages))


def sum_of_chunks(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Add up the message chunks of an answer, in linear time.

    Args:
        chunks: At least one.

    Returns:
        What adding one after the other gives.
    """
    return chunks[0] if len(chunks) == 1 else _sum(chunks)


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
    # As unpickling does, without validation.
    generation = ASIOneGenerationChunk.__new__(ASIOneGenerationChunk)
    fields = _FIELDS.copy()
    fields["message"] = message_chunk(delta, session_id=session_id)
    fields["text"] = delta["text"]
    state = _EMPTY.copy()
    state["__dict__"] = fields
    state["__pydantic_fields_set__"] = _FIELDS_SET.copy()
    generation.__setstate__(state)
    return generation


def _sum(messages: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Add up chunks: first those of a run that brings but text, thought and pieces of arguments."""
    joined: list[AIMessageChunk] = []
    run: list[dict[str, Any]] = []
    for message in messages:
        fields = vars(message)
        is_piece = type(message) is AIMessageChunk and _is_piece(fields)
        if run and not (is_piece and fields["id"] == run[0]["id"]):
            joined.append(_joined(run))
            run = []
        if is_piece:
            run.append(fields)
        else:
            joined.append(message)
    first, *rest = [*joined, _joined(run)] if run else joined
    return first + rest


def _is_piece(fields: dict[str, Any]) -> bool:
    if (
        fields["chunk_position"] is not None
        or fields["usage_metadata"] is not None
        or type(fields["content"]) is not str
        or fields["response_metadata"] != _PROVIDER
    ):
        return False
    for name, value in fields["additional_kwargs"].items():
        if name != "thought" or type(value) is not str:
            return False
    for call in fields["tool_call_chunks"]:
        if call["id"] is not None or call["name"] is not None:
            return False
        if type(call["index"]) is not int or type(call["args"]) is not str:
            return False
    return True


def _joined(run: list[dict[str, Any]]) -> AIMessageChunk:
    """Join chunks of which LangChain would only ever concatenate strings."""
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
    return message
