"""From the normalised form of an answer to LangChain messages: pure, without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    InvalidToolCall,
    message_chunk_to_message,
)
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import ToolCallChunk

from langchain_asi_one._response.content_blocks import MODEL_PROVIDER
from langchain_asi_one._response.reader import Delta
from langchain_asi_one._response.tool_calls import ToolCallDelta

_INT64_MAX = 2**63 - 1


_PROVIDER: dict[str, Any] = {"model_provider": MODEL_PROVIDER}
_EMPTY = AIMessageChunk(content="", response_metadata=_PROVIDER).__getstate__()
_FIELDS: dict[str, Any] = _EMPTY["__dict__"]
_FIELDS_SET: set[str] = _EMPTY["__pydantic_fields_set__"]
_CALL_FIELDS = {"tool_call_chunks", "tool_calls", "invalid_tool_calls"}


def message_chunk(delta: Delta, *, session_id: str) -> AIMessageChunk:
    """Make the message chunk of one piece of an answer.

    Whatever LangChain would concatenate or add up when chunks are merged is on the last one only.

    Args:
        delta: The piece.
        session_id: The `x-session-id` that the request carried.

    Returns:
        A chunk; the last one has `chunk_position="last"`.
    """
    additional_kwargs = {"thought": delta["thought"]} if delta["thought"] else {}
    if not delta["tool_calls"] and "last" not in delta:
        return piece_of_message(delta["text"], additional_kwargs, [], [])
    calls: list[ToolCallChunk] = []
    invalid: list[InvalidToolCall] = []
    for call in _one_each(delta["tool_calls"]):
        name, args, call_id = call["name"], call["args"], call["id"]
        calls.append(
            {
                "name": name,
                "args": args,
                "id": call_id,
                "index": call["index"],
                "type": "tool_call_chunk",
            }
        )
        if args and args.lstrip()[:1] != "{":
            # LangChain, which completes cut JSON, cannot read an object in this, and makes an
            # invalid call of it after it has tried all its beginnings.
            invalid.append(
                {
                    "name": name,
                    "args": args,
                    "id": call_id,
                    "error": None,
                    "type": "invalid_tool_call",
                }
            )
    if "last" not in delta and len(invalid) == len(calls):
        return piece_of_message(delta["text"], additional_kwargs, calls, invalid)
    chunk = AIMessageChunk(
        content=delta["text"], response_metadata=_PROVIDER.copy(), tool_call_chunks=calls
    )
    if additional_kwargs or "last" in delta:
        chunk.additional_kwargs = additional_kwargs
    if "last" in delta:
        chunk.additional_kwargs |= delta["extras"]
        chunk.response_metadata |= {**delta["metadata"], "session_id": session_id}
        chunk.usage_metadata = usage_metadata(delta["usage"])
        chunk.chunk_position = "last"
    return chunk


def piece_of_message(
    text: str,
    additional_kwargs: dict[str, Any],
    tool_call_chunks: list[ToolCallChunk],
    invalid_tool_calls: list[InvalidToolCall],
) -> AIMessageChunk:
    """Make an inner chunk as unpickling does, without the validation that is most of its cost.

    Args:
        text: Its content.
        additional_kwargs: As of the chunk.
        tool_call_chunks: As of the chunk; what they hold is not parsed.
        invalid_tool_calls: As of the chunk.

    Returns:
        The chunk.
    """
    chunk = AIMessageChunk.__new__(AIMessageChunk)
    fields = _FIELDS.copy()
    fields["content"] = text
    fields["additional_kwargs"] = additional_kwargs
    fields["response_metadata"] = _PROVIDER.copy()
    fields["tool_calls"] = []
    fields["invalid_tool_calls"] = invalid_tool_calls
    fields["tool_call_chunks"] = tool_call_chunks
    state = _EMPTY.copy()
    state["__dict__"] = fields
    state["__pydantic_extra__"] = {}
    state["__pydantic_fields_set__"] = fields_set = _FIELDS_SET.copy()
    if additional_kwargs:
        fields_set.add("additional_kwargs")
    if tool_call_chunks:
        fields_set |= _CALL_FIELDS
    chunk.__setstate__(state)
    return chunk


def _one_each(pieces: list[ToolCallDelta]) -> list[ToolCallDelta]:
    """Put pieces of one call together: LangChain adds up those of different chunks only."""
    if len(pieces) < 2:
        return pieces
    calls: dict[int, ToolCallDelta] = {}
    for piece in pieces:
        call = calls.setdefault(piece["index"], {**piece, "name": None, "args": "", "id": None})
        call["id"] = call["id"] or piece["id"]
        call["args"] += piece["args"]
        if piece["name"]:
            call["name"] = (call["name"] or "") + piece["name"]
    return [*calls.values()]


def whole_message(deltas: Sequence[Delta], *, session_id: str) -> AIMessage:
    """Make the message of a whole answer: the sum of its chunks, as a stream would give it.

    Args:
        deltas: All pieces, in order; at least one.
        session_id: The `x-session-id` that the request carried.

    Returns:
        The message.
    """
    text = "".join([delta["text"] for delta in deltas])
    thought = "".join([delta["thought"] for delta in deltas])
    calls = _one_each([call for delta in deltas for call in delta["tool_calls"]])
    whole = Delta(**{**deltas[-1], "text": text, "thought": thought, "tool_calls": calls})
    message = message_chunk_to_message(message_chunk(whole, session_id=session_id))
    assert isinstance(message, AIMessage)  # noqa: S101 - an AI chunk becomes one
    return message


def usage_metadata(usage: dict[str, Any]) -> UsageMetadata | None:
    """Read token counts; counts that are no counts are left out.

    Reasoning tokens are told at the top of `usage` (E3) or under `completion_tokens_details`.

    Args:
        usage: The wire's `usage`.

    Returns:
        LangChain's form, or `None` if nothing was counted.
    """
    input_tokens = _count(usage, "prompt_tokens")
    output_tokens = _count(usage, "completion_tokens")
    if input_tokens is None and output_tokens is None:
        return None
    total = _count(usage, "total_tokens")
    metadata = UsageMetadata(
        input_tokens=input_tokens or 0,
        output_tokens=output_tokens or 0,
        total_tokens=total if total is not None else (input_tokens or 0) + (output_tokens or 0),
    )
    cached = _count(usage.get("prompt_tokens_details"), "cached_tokens")
    if cached is not None:
        metadata["input_token_details"] = InputTokenDetails(cache_read=cached)
    reasoning = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    if reasoning is None:
        reasoning = _count(usage, "reasoning_tokens")
    if reasoning is not None:
        metadata["output_token_details"] = OutputTokenDetails(reasoning=reasoning)
    return metadata


def _count(usage: object, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _INT64_MAX else None
