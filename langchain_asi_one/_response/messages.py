"""From deltas of an answer to LangChain's messages, chunks and generations."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, Generic, TypeVar

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    InvalidToolCall,
    message_chunk_to_message,
)
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import BaseModel

from langchain_asi_one._response.chunk_sum import ASIOneGenerationChunk
from langchain_asi_one._response.content_blocks import MODEL_PROVIDER
from langchain_asi_one._response.reader import Delta
from langchain_asi_one._response.token_usage import read_usage
from langchain_asi_one._response.tool_calls import ToolCallDelta

ModelT = TypeVar("ModelT", bound=BaseModel)
_set = object.__setattr__  # pydantic's own looks for a field of that name


class Template(Generic[ModelT]):
    """A model that is copied often, each time with other field values.

    Pydantic's `model_copy` does the same in twice the time. The model must not change.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> Template(AIMessage("Hi", id="a")).copy({"id": "b"})
        AIMessage(content='Hi', additional_kwargs={}, response_metadata={}, id='b', tool_calls=[], invalid_tool_calls=[])
    """  # noqa: E501

    def __init__(self, model: ModelT) -> None:
        self._class = type(model)
        state = model.__getstate__()
        self._values: dict[str, Any] = state["__dict__"]
        self._names: set[str] = state["__pydantic_fields_set__"]
        self._extra: dict[str, Any] | None = state["__pydantic_extra__"]
        self._private: dict[str, Any] | None = state["__pydantic_private__"]

    def copy(self, fields: dict[str, Any], given: Set[str] = frozenset()) -> ModelT:
        """Copy the model without validation, as `model_copy` does.

        `fields` must be what validation would make of them. All other values are shared with the
        template. `model_fields_set` names the fields in `given`, too.
        """
        copied = self._class.__new__(self._class)
        extra, private = self._extra, self._private
        _set(copied, "__dict__", self._values | fields)
        _set(copied, "__pydantic_fields_set__", self._names | given)
        _set(copied, "__pydantic_extra__", extra if extra is None else extra.copy())
        _set(copied, "__pydantic_private__", private if private is None else private.copy())
        return copied


_PROVIDER: dict[str, Any] = {"model_provider": MODEL_PROVIDER}
_CHUNK = Template(AIMessageChunk(content="", response_metadata=_PROVIDER))
_GENERATION = Template(ASIOneGenerationChunk(message=AIMessageChunk(content="")))
_CALL_FIELDS = frozenset(("tool_call_chunks", "tool_calls", "invalid_tool_calls"))
_KWARGS_FIELD = frozenset(("additional_kwargs",))


def make_generation_chunk(delta: Delta, *, session_id: str) -> ChatGenerationChunk:
    """Make the generation chunk of a delta, with the message of `make_chunk`."""
    message = make_chunk(delta, session_id=session_id)
    fields: dict[str, Any] = {"message": message, "text": delta["text"]}
    if "last" not in delta:
        return _GENERATION.copy(fields)
    info = make_generation_info(delta)
    return _GENERATION.copy(
        {**fields, "generation_info": info}, {"generation_info"} if info else frozenset()
    )


def make_generation_info(last: Delta) -> dict[str, Any] | None:
    """Collect the metadata that callbacks and tracers read from a generation.

    They are `finish_reason` and `logprobs` of the last delta, as far as it has them.
    """
    metadata = last["metadata"]
    return {n: metadata[n] for n in ("finish_reason", "logprobs") if n in metadata} or None


def make_chunk(delta: Delta, *, session_id: str) -> AIMessageChunk:
    """Make the message chunk of a delta.

    Whatever LangChain would concatenate or add when it merges chunks is on the last one only, which
    has `chunk_position="last"`.
    """
    additional_kwargs = {"thought": delta["thought"]} if delta["thought"] else {}
    if not delta["tool_calls"] and "last" not in delta:
        return _make_inner_chunk(delta["text"], additional_kwargs, [], [])
    calls: list[ToolCallChunk] = []
    invalid: list[InvalidToolCall] = []
    for call in _merge_deltas(delta["tool_calls"]):
        name, args, call_id = call["name"], call["args"], call["id"]
        calls.append(
            # Literals: LangChain's own functions for these take twice the time.
            {
                "name": name,
                "args": args,
                "id": call_id,
                "index": call["index"],
                "type": "tool_call_chunk",
            }
        )
        if args and args.lstrip()[:1] != "{":
            # LangChain, which completes cut JSON, finds no object in this and makes an invalid
            # call of it, after it has tried all beginnings of the text.
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
        return _make_inner_chunk(delta["text"], additional_kwargs, calls, invalid)
    chunk = AIMessageChunk(
        content=delta["text"], response_metadata=_PROVIDER.copy(), tool_call_chunks=calls
    )
    if additional_kwargs or "last" in delta:
        chunk.additional_kwargs = additional_kwargs
    if "last" in delta:
        chunk.additional_kwargs |= delta["additional_kwargs"]
        chunk.response_metadata |= {**delta["metadata"], "session_id": session_id}
        chunk.usage_metadata = read_usage(delta["usage"])
        chunk.chunk_position = "last"
    return chunk


def make_message(deltas: Sequence[Delta], *, session_id: str) -> AIMessage:
    """Make the message of a whole answer from all its deltas.

    It equals the sum of the chunks that a stream would give. Only invalid tool calls differ: here
    they hold the text as sent and an error. In a stream LangChain parses the text of its deltas, so
    `ToolCallReader` makes it unparseable.
    """
    text = "".join([delta["text"] for delta in deltas])
    thought = "".join([delta["thought"] for delta in deltas])
    calls = _merge_deltas([call for delta in deltas for call in delta["tool_calls"]])
    whole = Delta(**{**deltas[-1], "text": text, "thought": thought, "tool_calls": calls})
    message = message_chunk_to_message(make_chunk(whole, session_id=session_id))
    assert isinstance(message, AIMessage)  # noqa: S101 - an AI chunk becomes one
    for call in message.invalid_tool_calls:
        if found := whole["invalid_calls"].get(call["id"] or ""):
            call["args"], call["error"] = found["args"], found["error"]
    return message


def _make_inner_chunk(
    text: str,
    additional_kwargs: dict[str, Any],
    tool_call_chunks: list[ToolCallChunk],
    invalid_tool_calls: list[InvalidToolCall],
) -> AIMessageChunk:
    """Make a chunk without validation; text in tool calls is not parsed."""
    given = _KWARGS_FIELD if additional_kwargs else frozenset()
    if tool_call_chunks:
        given |= _CALL_FIELDS
    fields = {
        "content": text,
        "additional_kwargs": additional_kwargs,
        "response_metadata": _PROVIDER.copy(),
        "tool_calls": [],
        "invalid_tool_calls": invalid_tool_calls,
        "tool_call_chunks": tool_call_chunks,
    }
    return _CHUNK.copy(fields, given)


def _merge_deltas(deltas: list[ToolCallDelta]) -> list[ToolCallDelta]:
    """Merge deltas of the same call, as LangChain does across chunks only."""
    if len(deltas) < 2:
        return deltas
    calls: dict[int, ToolCallDelta] = {}
    for delta in deltas:
        call = calls.setdefault(delta["index"], {**delta, "name": None, "args": ""})
        call["id"] = call["id"] or delta["id"]
        call["args"] += delta["args"]
        if delta["name"]:
            call["name"] = (call["name"] or "") + delta["name"]
    return [*calls.values()]
