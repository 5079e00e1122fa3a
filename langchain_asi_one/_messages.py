"""From the normalised form of an answer to LangChain messages: pure, without I/O."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from langchain_asi_one._content_blocks import MODEL_PROVIDER
from langchain_asi_one._wire import Delta

_INT64_MAX = 2**63 - 1


def message_chunk(delta: Delta, *, session_id: str) -> AIMessageChunk:
    """Make the message chunk of one piece of an answer.

    Whatever LangChain would concatenate or add up when chunks are merged is on the last one only.

    Args:
        delta: The piece.
        session_id: The `x-session-id` that the request carried.

    Returns:
        A chunk; the last one has `chunk_position="last"`.
    """
    additional_kwargs: dict[str, Any] = {}
    if delta.get("thought"):
        additional_kwargs["thought"] = delta["thought"]
    metadata: dict[str, Any] = {"model_provider": MODEL_PROVIDER}
    if delta.get("last"):
        additional_kwargs |= delta["extras"]
        metadata |= {**delta["metadata"], "session_id": session_id}
    return AIMessageChunk(
        content=delta["text"],
        additional_kwargs=additional_kwargs,
        response_metadata=metadata,
        tool_call_chunks=[
            tool_call_chunk(
                name=call["name"], args=call["args"], id=call["id"], index=call["index"]
            )
            for call in delta["tool_calls"]
        ],
        usage_metadata=usage_metadata(delta.get("usage") or {}),
        chunk_position="last" if delta.get("last") else None,
    )


def whole_message(deltas: Iterable[Delta], *, session_id: str) -> AIMessage:
    """Make the message of a whole answer: the sum of its chunks, as a stream would give it.

    Args:
        deltas: All pieces, in order; at least one.
        session_id: The `x-session-id` that the request carried.

    Returns:
        The message.
    """
    chunks = [message_chunk(delta, session_id=session_id) for delta in deltas]
    message = message_chunk_to_message(reduce(add, chunks))
    assert isinstance(message, AIMessage)  # noqa: S101 - a sum of AI chunks is one
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
