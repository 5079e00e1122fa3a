"""Messages and chunks are made without validation, and are what LangChain would make."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from langchain_core.load import dumpd, dumps, load
from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.outputs import ChatGenerationChunk

from langchain_asi_one._response.chunk_sum import (
    ASIOneGenerationChunk,
)
from langchain_asi_one._response.messages import (
    make_chunk,
    make_generation_chunk,
    make_generation_info,
)
from langchain_asi_one._response.reader import Delta
from tests.support.deltas import LASTS, PIECES
from tests.support.examples import examples

FIELDS = {"content", "additional_kwargs", "response_metadata", "tool_call_chunks"}


def validated(message: AIMessageChunk) -> AIMessageChunk:
    """The chunk that LangChain makes of the same fields."""
    fields = {name: copy.deepcopy(getattr(message, name)) for name in FIELDS}
    if message.chunk_position == "last":
        fields |= {"usage_metadata": message.usage_metadata, "chunk_position": "last"}
    return AIMessageChunk(**fields)


def mutables(value: object) -> Iterator[object]:
    """Every object in a value that could be changed in place."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from mutables(child)
    elif isinstance(value, (list, set)):
        yield value
        for child in value:
            yield from mutables(child)
    elif isinstance(value, (AIMessage, ChatGenerationChunk)):
        yield value
        yield from mutables(value.__dict__)
        yield value.model_fields_set
        if value.model_extra is not None:
            yield value.model_extra


def loaded(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own pickle


@examples(100)
@given(PIECES | LASTS)
@example(Delta(text="", thought="", tool_calls=[]))
@example(Delta(text="a", thought="b", tool_calls=[]))
@example(Delta(text="", thought="", tool_calls=[{"index": 0, "id": "c", "name": "n", "args": ""}]))
@example(
    Delta(text="", thought="", tool_calls=[{"index": 0, "id": None, "name": None, "args": "x"}])
)
@example(
    Delta(text="", thought="", tool_calls=[{"index": 0, "id": None, "name": None, "args": ""}])
)
def test_a_message_chunk_is_the_validated_one(delta: Delta) -> None:
    message = make_chunk(delta, session_id="s1")
    wanted = validated(message)
    assert type(message) is AIMessageChunk
    assert message == wanted
    assert vars(message) == vars(wanted)
    assert list(vars(message)) == list(vars(wanted))
    assert (message.__pydantic_extra__, message.__pydantic_private__) == (
        wanted.__pydantic_extra__,
        wanted.__pydantic_private__,
    )
    assert repr(message) == repr(wanted)
    assert message.model_dump() == wanted.model_dump()
    assert dumps(message) == dumps(wanted)
    assert loaded(message) == message.model_copy(deep=True) == copy.deepcopy(message) == wanted
    assert message.content_blocks == wanted.content_blocks
    assert message.text == wanted.text
    assert message_chunk_to_message(message) == message_chunk_to_message(wanted)


@examples(100)
@given(PIECES | LASTS)
@example(
    Delta(text="", thought="", tool_calls=[{"index": 0, "id": None, "name": None, "args": "x"}])
)
def test_a_message_chunk_knows_the_same_fields_as_set(delta: Delta) -> None:
    """Which `model_dump(exclude_unset=True)` goes by."""
    message = make_chunk(delta, session_id="s1")
    given = {name: getattr(message, name) for name in FIELDS}
    if message.chunk_position == "last":
        wanted = validated(message)
    else:  # made of what there is, as one writes it by hand
        always = ("content", "response_metadata")
        wanted = AIMessageChunk(**{n: v for n, v in given.items() if v or n in always})
    assert message.model_dump(exclude_unset=True) == wanted.model_dump(exclude_unset=True)


@examples(100)
@given(PIECES | LASTS)
def test_a_generation_chunk_is_the_validated_one(delta: Delta) -> None:
    chunk = make_generation_chunk(delta, session_id="s1")
    message = validated(make_chunk(delta, session_id="s1"))
    reason = delta["metadata"].get("finish_reason") if "last" in delta else None
    given: dict[str, Any] = {"generation_info": {"finish_reason": reason}} if reason else {}
    wanted = ASIOneGenerationChunk(message=message, **given)
    plain = ChatGenerationChunk(message=message, **given)
    assert type(chunk) is ASIOneGenerationChunk
    assert chunk == wanted
    assert vars(chunk) == vars(wanted) == vars(plain)
    assert chunk.model_fields_set == wanted.model_fields_set == plain.model_fields_set
    assert repr(chunk) == repr(wanted)
    assert chunk.model_dump() == plain.model_dump()
    assert dumpd(chunk) == dumpd(plain)
    assert dumps(chunk) == dumps(plain)
    assert loaded(chunk) == copy.deepcopy(chunk) == chunk
    assert chunk.text == plain.text


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
def test_what_was_serialised_is_loaded_as_what_it_is_to_langchain() -> None:
    chunk = make_generation_chunk(Delta(text="a", thought="b", tool_calls=[]), session_id="s1")
    again = load(dumpd(chunk), allowed_objects=[ChatGenerationChunk, AIMessageChunk])
    assert type(again) is ChatGenerationChunk
    assert again.model_dump() == chunk.model_dump()


def test_no_two_chunks_share_what_can_be_changed() -> None:
    calls = [{"index": 0, "id": None, "name": None, "args": "x"}]
    call = [{"index": 0, "id": "c0", "name": "look", "args": "{"}]
    deltas: list[Any] = [
        {"text": "a", "thought": "", "tool_calls": []},
        {"text": "", "thought": "b", "tool_calls": []},
        {"text": "", "thought": "", "tool_calls": calls},
        {"text": "", "thought": "", "tool_calls": call},
    ]
    last: Any = {"text": "", "thought": "", "tool_calls": [], "last": True}
    last |= {"additional_kwargs": {"plan_state": {}}, "metadata": {"id": "r1"}, "usage": {}}
    chunks = [make_generation_chunk(delta, session_id="s") for delta in [*deltas * 3, last, last]]
    seen: dict[int, object] = {}
    for chunk in chunks:
        own = list(mutables(chunk))
        assert len(own) >= 8
        # What the wire said once is handed on, not copied: `plan_state` of the same delta.
        own = [value for value in own if value is not last["additional_kwargs"]["plan_state"]]
        assert not [value for value in own if id(value) in seen]
        seen |= {id(value): value for value in own}


def test_changing_a_chunk_changes_no_later_one() -> None:
    def make() -> ChatGenerationChunk:
        return make_generation_chunk(Delta(text="a", thought="b", tool_calls=[]), session_id="s")

    before = repr(make())
    chunk = make()
    chunk.message.additional_kwargs["thought"] = chunk.message.response_metadata["x"] = "changed"
    chunk.message.id, chunk.text, chunk.generation_info = "run", "changed", {"a": 1}
    assert isinstance(chunk.message, AIMessageChunk)
    chunk.message.tool_call_chunks.append({"name": "n", "args": "", "id": "c", "index": 0})
    chunk.message.tool_calls.append({"name": "n", "args": {}, "id": "c"})
    chunk.message.invalid_tool_calls.clear()
    assert repr(make()) == before


def test_what_tracers_read_is_the_end_and_the_logprobs() -> None:
    last: Delta = {"metadata": {"finish_reason": "stop", "logprobs": {"content": []}, "id": "1"}}
    assert make_generation_info(last) == {"finish_reason": "stop", "logprobs": {"content": []}}
    assert make_generation_info({"metadata": {"id": "1"}}) is None


def test_the_end_of_a_stream_is_given_and_what_it_lacks_is_not() -> None:
    last: Any = {"text": "", "thought": "", "tool_calls": [], "last": True, "usage": {}}
    for metadata, ended in (({"finish_reason": "stop"}, True), ({}, False)):
        delta: Any = {**last, "additional_kwargs": {}, "metadata": metadata}
        chunk = make_generation_chunk(delta, session_id="s")
        assert ("generation_info" in chunk.model_fields_set) is ended
