"""Chunks that repeat the previous one are read by their delta alone, to the same result."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import override

from langchain_asi_one._json.tool_arguments import ToolArgumentsFilter
from langchain_asi_one._response import tool_calls as _tool_calls
from langchain_asi_one._response.reader import AnswerReader, Frame
from langchain_asi_one._response.tool_calls import ToolCallReader
from tests.support.examples import examples

Wire = dict[str, Any]
TOOLS = {"look": {"type": "object", "properties": {"city": {"type": "string"}}}}


class _ItemByItem(ToolCallReader):
    """Which takes no item for a mere piece of arguments."""

    @override
    def _read_plain(self, item: Mapping[str, Any]) -> None:
        return None


class _Thorough(ToolArgumentsFilter):
    """Which passes nothing at a glance."""

    @override
    def feed_plain(self, text: str) -> bool:
        return False


def exactly(value: object) -> tuple[object, str]:
    """A value with the kinds of its numbers, which `==` does not tell apart."""
    return value, json.dumps(value, sort_keys=True)


def read(chunks: list[Wire], *, whole_way: bool, tools: Any = None) -> list[object]:
    """All that a reader says, after each chunk and at the end."""
    reader = AnswerReader(streamed=True, tools=tools)
    with pytest.MonkeyPatch.context() as patched:
        if whole_way:
            patched.setattr(Frame, "find_delta", lambda self, chunk: None)
            patched.setattr(_tool_calls, "ToolArgumentsFilter", _Thorough)
            reader._calls = _ItemByItem()
        said: list[object] = []
        for chunk in copy.deepcopy(chunks):
            said.append(exactly(reader.feed(chunk)))
            said.append((reader.text, reader.thought))
        said.append(exactly(reader.close()))
        said.append((reader.text, reader.thought))
        return said


# Few values of each kind, so that chunks are often equal and differ in little.
SCALARS = st.sampled_from([None, True, False, 0, 1, 2, 0.0, 1.0, "", "a", "b"])
ODD = st.sampled_from([[], {}, [1], [True], ["a"], ["a", "b"], {"a": 1}, {"a": True}, "[1]", "{"])
ANY = SCALARS | ODD
TEXTS = st.sampled_from(["", " ", "\n", "a", "Hel", "lo ", "<tool", "_call>", "é", "</tool_call>"])
THOUGHTS = st.sampled_from(["thought", "reasoning", "reasoning_content"])
NAMES = st.sampled_from(
    [
        *("id", "model", "created", "object", "index", "role", "finish_reason", "usage", "refusal"),
        *("intermediate_steps", "executable_data", "plan_state", "content", "tool_calls"),
        *("message", "delta", "choices", "x", "y", "logprobs"),
    ]
)
ARGUMENTS = st.sampled_from(
    [
        *(None, "", " ", "{", '{"city": "', "Ro", "me", '"', "}", '"}', "\\", "u0041", "\ud83d"),
        *("\0", "é", '{"city": "Rome"}', {"city": "Rome"}, [1], 5),
    ]
)
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "index": st.sampled_from([0, 1, -1, True, False, 0.0, None, "0"]),
        "id": st.sampled_from([None, "", "c1", "c2", 1]),
        "type": st.just("function"),
        "function": st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from([None, "", "look", "loo", "k", "other"]),
                "arguments": ARGUMENTS,
            },
        )
        | st.sampled_from([None, "look", []]),
        "name": st.sampled_from(["look", None]),
        "arguments": ARGUMENTS,
        "tool_name": st.sampled_from(["search", None]),
        "result": ANY,
    },
)
# Most pieces of a call are these.
PIECES = st.builds(
    lambda index, args: {"index": index, "function": {"arguments": args}},
    st.sampled_from([0, 1]),
    ARGUMENTS,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["assistant", "tool", None]),
        "content": TEXTS | st.sampled_from([None, [{"type": "text", "text": "a"}], 5]),
        "tool_calls": st.lists(ITEMS | PIECES, max_size=3) | st.sampled_from([None, {}, [None]]),
        "refusal": st.sampled_from([None, "", "I ", "cannot"]),
        "thought": TEXTS | st.sampled_from([None, ["a"], ["a", "b"], 5]),
        "reasoning": TEXTS | st.none(),
        "reasoning_content": TEXTS | st.none(),
        "x": ANY,
        "intermediate_steps": ANY,
        "executable_data": ANY,
        "plan_state": ANY,
    },
)
DELTAS = (
    MESSAGES
    | st.builds(lambda text: {"content": text}, TEXTS)
    | st.builds(lambda name, text: {name: text}, THOUGHTS, TEXTS)
    | st.builds(lambda piece: {"tool_calls": [piece]}, PIECES)
    | st.builds(lambda name: {"content": "a", name: None}, NAMES)
)
USAGES: st.SearchStrategy[Any] = st.sampled_from(
    [{}, {"prompt_tokens": 1}, {"prompt_tokens": 1.0}, None, [], 1, True]
)
ENVELOPES = st.tuples(
    st.dictionaries(NAMES, ANY, max_size=3),
    st.dictionaries(NAMES, ANY, max_size=3),
    st.fixed_dictionaries({}, optional={"id": st.just("r1"), "usage": USAGES}),
)
# What happens to a chunk that otherwise repeats the envelope of the last one.
CHANGES = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.sampled_from(["chunk", "choice"]), NAMES | THOUGHTS, ANY | TEXTS),
    st.tuples(st.sampled_from(["chunk", "choice"]), NAMES | THOUGHTS, st.just(...)),
    st.tuples(st.just("choice"), st.just("message"), MESSAGES),
    st.tuples(st.just("chunk"), st.just("usage"), USAGES),
    st.tuples(st.just("choices"), st.just(""), st.sampled_from([[], None, [None], "two", "first"])),
)


def _choices(choice: Wire, form: Any) -> Any:
    other = {"index": 7, "delta": {"content": "other"}}
    return (
        {"two": [choice, other], "first": [other, choice]}.get(form)
        if isinstance(form, str)
        else form
    )


@st.composite
def streams(draw: st.DrawFn) -> list[Wire]:
    """Chunks of an answer: envelopes that are repeated, with changes that last or do not."""
    chunks: list[Wire] = []
    top, inner, more = draw(ENVELOPES)
    top = {**top, **more}
    for delta in draw(st.lists(DELTAS, max_size=10)):
        change = draw(CHANGES)
        if change is None:
            chunks.append({**top, "choices": [{**inner, "delta": delta}]})
            continue
        where, name, value = change
        if where == "choices":
            chunks.append({**top, "choices": _choices({**inner, "delta": delta}, value)})
            continue
        level = {**(top if where == "chunk" else inner)}
        level.pop(name, None)
        if value is not ...:
            level[name] = value
        new_top, new_inner = (level, inner) if where == "chunk" else (top, level)
        # A field that was told by the name of what surrounds it replaces that.
        chunks.append({"choices": [{"delta": delta, **new_inner}], **new_top})
        if draw(st.booleans()):
            top, inner = new_top, new_inner
    return chunks


@examples(100)
@given(streams(), st.sampled_from([None, TOOLS]))
@example([{"choices": [{"index": n, "delta": {"content": "a"}}]} for n in (0, False)], None)
@example([{"x": n, "choices": [{"delta": {"content": "a"}}]} for n in (1, 1, True)], None)
@example([{"x": n, "choices": [{"delta": {"content": "a"}}]} for n in (1.0, 1.0, 1)], None)
@example([{"created": n, "choices": [{"delta": {}}]} for n in (True, True, 1)], None)
@example([{"choices": [{"x": n, "delta": {"content": "a"}}]} for n in (0, 0, False)], None)
@example([{"choices": [{"x": n, "delta": {"x": n}}]} for n in (1, True, 1.0, True)], None)
@example([{"choices": [{"delta": {"refusal": "no"}}]}] * 3, None)
@example([{"choices": [{"refusal": "no", "delta": {}}]}] * 3, None)
@example([{"refusal": "no", "choices": [{"delta": {}}]}] * 3, None)
@example([{"thought": "a", "choices": [{"delta": {}}]}] * 3, None)
@example([{"thought": "a", "choices": [{"delta": {"thought": "b"}}]}] * 3, None)
@example([{"thought": "a", "reasoning": "b", "choices": [{"delta": {}}]}] * 3, None)
@example([{"thought": None, "choices": [{"delta": {"thought": "b"}}]}] * 3, None)
@example([{"choices": [{"thought": "a", "delta": {}}]}] * 3, None)
@example([{"choices": [{"delta": {"content": "a"}, "message": {"content": "aa"}}]}] * 3, None)
@example(
    [{"usage": {"prompt_tokens": n}, "choices": [{"delta": {"content": "a"}}]} for n in (1, 2, 2)],
    None,
)
@example(
    [{"choices": [{"finish_reason": f, "delta": {}}]} for f in (None, "stop", "stop", None, "x")],
    None,
)
def test_every_stream_is_read_as_if_each_chunk_were_new(chunks: list[Wire], tools: Any) -> None:
    assert read(chunks, whole_way=False, tools=tools) == read(chunks, whole_way=True, tools=tools)


@examples(120)
@given(st.lists(PIECES | ITEMS, max_size=14))
@example(
    [
        {"index": 0, "id": "c1", "function": {"name": "look", "arguments": '{"city": "'}},
        *[{"index": 0, "function": {"arguments": part}} for part in ("a", "b\\", '"c', '"}', "x")],
    ]
)
def test_pieces_of_calls_are_read_as_if_each_item_could_be_anything(items: list[Wire]) -> None:
    chunks: list[Wire] = [{"id": "r1", "choices": [{"delta": {"tool_calls": [i]}}]} for i in items]
    assert read(chunks, whole_way=False) == read(chunks, whole_way=True)


def chunk(delta: Wire, **fields: Any) -> Wire:
    return {"id": "r1", "model": "asi1", "created": 5, **fields, "choices": [{"delta": delta}]}


def test_the_short_way_is_the_way_of_nearly_all_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the tests above would compare one way with itself."""
    read_whole: list[Wire] = []
    whole_way = AnswerReader._read_chunk

    def noted(reader: AnswerReader, chunk: Wire) -> Any:
        read_whole.append(chunk)
        return whole_way(reader, chunk)

    monkeypatch.setattr(AnswerReader, "_read_chunk", noted)
    reader = AnswerReader(streamed=True, tools=TOOLS)
    begin = {"index": 0, "id": "c1", "function": {"name": "look", "arguments": '{"city": "'}}
    more = {"index": 0, "function": {"arguments": "e"}}
    chunks = [
        chunk({"role": "assistant", "content": None, "refusal": None}),
        *[chunk({"thought": "a", "content": None, "refusal": None})] * 20,
        *[chunk({}, thought="b")] * 20,
        *[chunk({"content": "c"})] * 20,
        chunk({"tool_calls": [begin]}),
        *[chunk({"tool_calls": [more], "role": "assistant"})] * 20,
    ]
    for each in chunks:
        reader.feed(each)
    assert read_whole == chunks[:1]
    assert (reader.thought, reader.text) == ("a" * 20 + "b" * 20, "c" * 20)


def test_a_chunk_is_not_changed_by_reading_it() -> None:
    chunks = [chunk({"content": "a", "tool_calls": [{"index": 0}]}, thought="b") for _ in range(3)]
    reader = AnswerReader(streamed=True)
    for each in chunks:
        reader.feed(each)
    assert chunks == [
        chunk({"content": "a", "tool_calls": [{"index": 0}]}, thought="b") for _ in range(3)
    ]


def test_a_body_is_read_whole_after_the_same_body() -> None:
    """A body is one chunk, and what it says is not taken for said before."""
    body: Wire = {"id": "r1", "choices": [{"message": {"content": "a"}, "delta": {"content": "b"}}]}
    reader = AnswerReader(streamed=False)
    assert [reader.feed(body)["text"], reader.feed(body)["text"]] == ["a", "a"]
