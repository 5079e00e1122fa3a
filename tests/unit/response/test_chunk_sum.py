"""Chunks are added up in linear time, to what LangChain would make of them."""

from __future__ import annotations

import copy
import operator
import time
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk, message_chunk_to_message
from langchain_core.outputs import ChatGenerationChunk

from langchain_asi_one._response.chunk_sum import (
    ASIOneGenerationChunk,
    sum_chunks,
)
from langchain_asi_one._response.messages import make_generation_chunk, make_message
from langchain_asi_one._response.reader import AnswerReader, Delta
from tests.support.deltas import LASTS, PIECES
from tests.support.examples import examples
from tests.support.patience import least_times

Change = Callable[[ASIOneGenerationChunk], object]


def _message(chunk: ASIOneGenerationChunk) -> AIMessageChunk:
    assert isinstance(chunk.message, AIMessageChunk)
    return chunk.message


# What callbacks and configuration make of a chunk after we have made it.
CHANGES: dict[str, Change] = {
    "metadata": lambda c: c.message.response_metadata.update({"run": "x"}),
    "no metadata": lambda c: c.message.response_metadata.clear(),
    "kwargs": lambda c: c.message.additional_kwargs.update({"seen": 1}),
    "empty thought": lambda c: c.message.additional_kwargs.update({"thought": ""}),
    "name": lambda c: setattr(c.message, "name", "al"),
    "usage": lambda c: setattr(
        c.message, "usage_metadata", {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    ),
    "info": lambda c: setattr(c, "generation_info", {"logprobs": [1]}),
    "same info": lambda c: setattr(c, "generation_info", {}),
    "blocks": lambda c: setattr(c.message, "content", [{"type": "text", "text": "a", "index": 0}]),
    "v1": lambda c: setattr(c.message, "content", c.message.content_blocks),
    "strings": lambda c: setattr(c.message, "content", ["a"]),
    "no content": lambda c: setattr(c.message, "content", []),
    "last": lambda c: setattr(c.message, "chunk_position", "last"),
    "call": lambda c: _message(c).tool_call_chunks.append(
        {"name": None, "args": "1", "id": None, "index": None}
    ),
    "call by name": lambda c: _message(c).tool_call_chunks.append(
        {"name": "look", "args": "{", "id": "c9", "index": 0}
    ),
    "text": lambda c: setattr(c, "text", "changed"),
    "call is read": lambda c: setattr(c.message, "tool_calls", []),
}
IDS = st.sampled_from([None, "run-1", "lc_run--1", "lc_2", "r1", "r2"])


@st.composite
def streams(draw: st.DrawFn, *, change: bool = True) -> list[ASIOneGenerationChunk]:
    deltas = draw(st.lists(PIECES, min_size=1, max_size=9))
    if draw(st.booleans()):
        deltas.append(draw(LASTS))
    elif draw(st.booleans()):
        deltas.insert(draw(st.integers(0, len(deltas))), draw(LASTS))
    one_id = draw(IDS)
    chunks = []
    for delta in deltas:
        chunk = make_generation_chunk(delta, session_id="s1")
        assert isinstance(chunk, ASIOneGenerationChunk)
        chunk.message.id = one_id if draw(st.integers(0, 5)) else draw(IDS)
        if change and not draw(st.integers(0, 3)):
            CHANGES[draw(st.sampled_from(sorted(CHANGES)))](chunk)
        chunks.append(chunk)
    return chunks


def plain(chunk: ChatGenerationChunk) -> ChatGenerationChunk:
    """The same chunk, of LangChain's class and of objects of its own."""
    made = ChatGenerationChunk(message=chunk.message.model_copy(deep=True))
    made.text, made.generation_info = chunk.text, copy.deepcopy(chunk.generation_info)
    return made


def outcome(work: Callable[[], Any]) -> Any:
    """What comes of it: a value with its class, or the error that LangChain raises."""
    try:
        value = work()
    except (TypeError, ValueError) as error:
        return type(error), str(error)
    return type(value), value, repr(value)


@examples(40)
@given(streams())
def test_the_sum_of_a_stream_is_langchains(chunks: list[ASIOneGenerationChunk]) -> None:
    plains = [plain(chunk) for chunk in chunks]
    wanted = outcome(lambda: ChatGenerationChunk.__add__(plains[0], plains[1:]))
    assert outcome(lambda: chunks[0] + [*chunks[1:]]) == wanted
    # The chunks are left as LangChain leaves its own: unchanged since langchain-core 1.7.2.
    assert repr([plain(chunk) for chunk in chunks]) == repr(plains)


@examples(60)
@given(streams())
def test_the_sum_in_pairs_is_langchains(chunks: list[ASIOneGenerationChunk]) -> None:
    plains = [plain(chunk) for chunk in chunks]
    wanted = outcome(lambda: reduce(ChatGenerationChunk.__add__, plains))
    assume(len(chunks) > 1)
    assert outcome(lambda: reduce(add, chunks)) == wanted


@examples(70)
@given(streams())
def test_the_sum_of_messages_is_langchains(chunks: list[ASIOneGenerationChunk]) -> None:
    messages = [_message(chunk) for chunk in chunks]
    copies = [message.model_copy(deep=True) for message in messages]
    wanted = outcome(lambda: reduce(add, copies))
    assert outcome(lambda: sum_chunks(messages)) == wanted


@pytest.mark.parametrize("spoilt", ["thought", "args"])
def test_a_chunk_that_was_emptied_is_added_up_as_by_langchain(spoilt: str) -> None:
    """`None` is what LangChain's types allow for arguments, and its sum for any text."""
    call: Any = {"index": 0, "id": None, "name": None, "args": "x"}
    delta = Delta(text="a", thought="b", tool_calls=[call])
    chunks = [make_generation_chunk(delta, session_id="s1") for _ in range(3)]
    for chunk in chunks[1:]:
        assert isinstance(chunk.message, AIMessageChunk)
        if spoilt == "thought":
            chunk.message.additional_kwargs["thought"] = None
        else:
            chunk.message.tool_call_chunks[0]["args"] = None
    plains = [plain(chunk) for chunk in chunks]
    wanted = ChatGenerationChunk.__add__(plains[0], plains[1:])
    assert (chunks[0] + chunks[1:]).model_dump() == wanted.model_dump()


def test_two_pieces_of_a_call_in_one_chunk_are_one() -> None:
    """LangChain adds up pieces of different chunks only: two of the first chunk stay two calls."""

    def item(arguments: str, **name: str) -> dict[str, Any]:
        return {"index": 0, "function": {"arguments": arguments, **name}}

    reader = AnswerReader(streamed=True)
    sent = [[item("{"), item('"a": ')], [item("1}", name="look")]]
    wire: list[Any] = [{"id": "r1", "choices": [{"delta": {"tool_calls": d}}]} for d in sent]
    read = [*[reader.feed(chunk) for chunk in wire], reader.close()]
    chunks = [make_generation_chunk(delta, session_id="s1") for delta in read]
    wanted = make_message(read, session_id="s1")
    for total in (
        (chunks[0] + chunks[1:]).message,
        reduce(add, [chunk.message for chunk in chunks]),
    ):
        assert isinstance(total, AIMessageChunk)
        assert message_chunk_to_message(total) == wanted


def test_only_generation_chunks_are_added() -> None:
    chunk: Any = make_generation_chunk(Delta(text="a", thought="", tool_calls=[]), session_id="s1")
    for other in ("a", [1], None, [chunk, "a"]):
        with pytest.raises(TypeError, match=r"unsupported operand type"):
            chunk + other
    none: list[Any] = []
    one = [chunk]
    assert (chunk + none).model_dump() == chunk.model_dump()
    assert type(chunk + chunk) is type(chunk + one) is ChatGenerationChunk


def test_what_was_added_up_is_not_changed_with_the_sum() -> None:
    deltas = [Delta(text="a", thought="b", tool_calls=[]) for _ in range(3)]
    chunks = [make_generation_chunk(delta, session_id="s1") for delta in deltas]
    before = repr(chunks)
    for total in (chunks[0] + chunks[1:], chunks[0] + []):
        total.message.additional_kwargs["thought"] = "changed"
        total.message.response_metadata["x"] = "changed"
    assert repr(chunks) == before


def answer(size: int, kind: str) -> list[ChatGenerationChunk]:
    """A stream as it is read from the wire, of `size` pieces of a thought or of arguments."""
    reader = AnswerReader(streamed=True)
    begin = {"index": 0, "id": "c0", "function": {"name": "look", "arguments": '{"a": "'}}
    pieces: dict[str, dict[str, Any]] = {
        "thought": {"thought": "ten chars "},
        "text": {"content": "ten chars "},
        "args": {"tool_calls": [{"index": 0, "function": {"arguments": "ten chars "}}]},
    }
    deltas: list[dict[str, Any]] = [pieces[kind]] * size
    if kind == "args":
        deltas = [{"tool_calls": [begin]}, *deltas]
    read = [reader.feed({"choices": [{"delta": delta}]}) for delta in deltas]
    return [make_generation_chunk(delta, session_id="s") for delta in [*read, reader.close()]]


def time_of_sum(chunks: list[ChatGenerationChunk]) -> float:
    begun = time.process_time()
    operator.add(chunks[0], chunks[1:])
    return time.process_time() - begun


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["thought", "text", "args"])
def test_a_sum_takes_linear_time(kind: str) -> None:
    """LangChain's own takes sixteen times as long for four times as many."""
    short, long = answer(5_000, kind), answer(20_000, kind)

    def measure() -> tuple[float, ...]:
        return time_of_sum(short), time_of_sum(long)

    def is_linear(short: float, long: float) -> bool:
        return long < 9 * short

    assert is_linear(*least_times(measure, is_linear))
    total = long[0] + long[1:]
    assert isinstance(total.message, AIMessageChunk)
    told = {
        "thought": total.message.additional_kwargs.get("thought"),
        "text": total.text,
        "args": "".join([call["args"] or "" for call in total.message.tool_call_chunks])[7:],
    }[kind]
    assert str(told).startswith("ten chars " * 20_000)


def test_pieces_of_arguments_are_joined() -> None:
    nothing: Delta = {"text": "", "thought": "", "tool_calls": []}
    pieces: list[Any] = [
        {"tool_calls": [{"index": 0, "id": "c", "name": "f", "args": ""}]},
        *(
            {"tool_calls": [{"index": index, "id": None, "name": None, "args": args}]}
            for index, args in ((0, '{"a'), (0, '":'), (0, " 1"), (0, "}"), (1, "{"), (1, "}"))
        ),
        {"text": "and", "thought": "so"},
        {"text": " on"},
    ]
    chunks = [make_generation_chunk({**nothing, **piece}, session_id="s1") for piece in pieces]
    messages = [chunk.message for chunk in chunks if isinstance(chunk.message, AIMessageChunk)]
    wanted = reduce(add, [message.model_copy(deep=True) for message in messages])
    assert sum_chunks(messages) == wanted
    assert [call["args"] for call in wanted.tool_call_chunks] == ['{"a": 1}', "{}"]


def test_one_chunk_is_its_own_sum() -> None:
    chunk = AIMessageChunk(content="a")
    assert sum_chunks([chunk]) is chunk


@pytest.mark.parametrize(
    "other",
    [
        {"content": ["a", {"type": "text", "text": "b"}]},
        {"content": "a", "response_metadata": {"model_provider": "asi-one", "run": "x"}},
    ],
)
def test_chunks_with_more_than_text_are_added_as_they_are(other: dict[str, Any]) -> None:
    metadata = {"response_metadata": {"model_provider": "asi-one"}}
    chunks = [AIMessageChunk(**{**metadata, **fields}) for fields in ({"content": "c"}, other)]
    assert sum_chunks(chunks) == chunks[0] + chunks[1]
