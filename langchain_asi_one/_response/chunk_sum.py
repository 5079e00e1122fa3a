"""The sum of a stream's chunks, in linear time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils._merge import merge_dicts
from typing_extensions import override

from langchain_asi_one._response.content_blocks import MODEL_PROVIDER

_PROVIDER = {"model_provider": MODEL_PROVIDER}


class ASIOneGenerationChunk(ChatGenerationChunk):
    """A `ChatGenerationChunk` whose `__add__` takes linear time; the result equals LangChain's.

    LangChain sums the chunks of each stream at its end. For each chunk it copies the thought and
    the arguments of tool calls so far.
    """

    @classmethod
    @override
    def lc_id(cls) -> list[str]:
        """Serialise as LangChain's own class."""
        return ChatGenerationChunk.lc_id()

    @override
    def __add__(
        self, other: ChatGenerationChunk | list[ChatGenerationChunk]
    ) -> ChatGenerationChunk:
        if not isinstance(other, list):
            return super().__add__(other)
        messages: list[AIMessageChunk] = []
        infos: list[dict[str, Any]] = []
        generations: list[Any] = [self, *other]
        for generation in generations:
            if not isinstance(generation, ChatGenerationChunk) or not isinstance(
                generation.message, AIMessageChunk
            ):
                return super().__add__(other)
            messages.append(generation.message)
            if generation.generation_info:
                infos.append(generation.generation_info)
        info = merge_dicts({}, *infos)
        return ChatGenerationChunk(message=_sum(messages), generation_info=info or None)


def sum_chunks(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Sum one or more message chunks of an answer, in linear time."""
    return chunks[0] if len(chunks) == 1 else _sum(chunks)


def _sum(messages: Sequence[AIMessageChunk]) -> AIMessageChunk:
    """Sum chunks; runs of chunks that hold only text are joined first."""
    joined: list[AIMessageChunk] = []
    run: list[AIMessageChunk] = []
    for message in messages:
        is_text = type(message) is AIMessageChunk and _is_text(message)
        if run and not (is_text and message.id == run[0].id):
            joined.append(_join(run))
            run = []
        if is_text:
            run.append(message)
        else:
            joined.append(message)
    first, *rest = [*joined, _join(run)] if run else joined
    return first + rest


def _is_text(message: AIMessageChunk) -> bool:
    """Return whether LangChain would only concatenate what the chunk holds."""
    if (
        message.chunk_position is not None
        or message.usage_metadata is not None
        or type(message.content) is not str
        or message.response_metadata != _PROVIDER
    ):
        return False
    for name, value in message.additional_kwargs.items():
        if name != "thought" or type(value) is not str:
            return False
    for call in message.tool_call_chunks:
        if call["id"] is not None or call["name"] is not None:
            return False
        if type(call["index"]) is not int or type(call["args"]) is not str:
            return False
    return True


def _join(run: list[AIMessageChunk]) -> AIMessageChunk:
    """Join chunks that `_is_text` takes.

    The rest of the first one stays: a sum of LangChain's reads nothing of it but what is equal in
    all of them.
    """
    arguments: dict[int, list[str]] = {}
    for message in run:
        for call in message.tool_call_chunks:
            # `_is_text` has seen the types.
            arguments.setdefault(cast("int", call["index"]), []).append(cast("str", call["args"]))
    calls = [tool_call_chunk(args="".join(args), index=i) for i, args in arguments.items()]
    thoughts = [m.additional_kwargs["thought"] for m in run if m.additional_kwargs]
    fields = {
        "content": "".join([cast("str", message.content) for message in run]),
        "additional_kwargs": {"thought": "".join(thoughts)} if thoughts else {},
        "tool_call_chunks": calls,
    }
    joined = run[0].model_copy()
    vars(joined).update(fields)  # without validation, which would read the arguments
    return joined
