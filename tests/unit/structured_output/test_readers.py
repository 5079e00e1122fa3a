"""Partial values of an answer that is still arriving."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, ToolCallChunk

from langchain_asi_one._structured_output.readers import JSONTextReader, ToolArgumentsReader


def same(value: Any) -> Any:
    return value


@pytest.mark.parametrize(
    ("pieces", "values"),
    [
        (["", " ", '{"a": 1', "}"], [None, None, {"a": 1}, {"a": 1}]),
        (["``", "`json\n{", '"a": "x'], [None, {}, {"a": "x"}]),
        (["Sure: ```", "json [1, 2"], [None, [1, 2]]),
        # What stands in prose is known at the end only.
        (['Sure: {"a": 1}'], [None]),
        (['{"a": "x\ny'], [{"a": "x\ny"}]),
    ],
)
def test_json_text(pieces: list[str], values: list[Any]) -> None:
    as_text, render_chunks = JSONTextReader(same), JSONTextReader(same)
    assert [as_text.feed(piece) for piece in pieces] == values
    assert [render_chunks.feed(AIMessageChunk(content=piece)) for piece in pieces] == values


def test_text_beside_a_call_is_not_read() -> None:
    reader = JSONTextReader(same)
    call = {"name": "add", "args": {}, "id": "c1", "type": "tool_call"}
    assert reader.feed(AIMessage("", tool_calls=[call])) is None
    assert reader.feed('{"a": 1}') is None


def part(args: str, name: str | None = None, index: int = 0) -> AIMessageChunk:
    chunk = ToolCallChunk(name=name, args=args, id=None, index=index, type="tool_call_chunk")
    return AIMessageChunk(content="", tool_call_chunks=[chunk])


def test_the_first_call_of_the_tool_is_read() -> None:
    reader = ToolArgumentsReader("City", same)
    assert reader.feed(AIMessageChunk(content="Hm")) is None
    assert reader.feed(part('{"n": 1}', "Other", index=0)) is None
    assert reader.feed(part("", "City", index=1)) == {}
    assert reader.feed(part('{"name": "Ro', index=1)) == {"name": "Ro"}
    assert reader.feed(part('{"name": "Bonn"}', "City", index=2)) == {"name": "Ro"}
    assert reader.feed(part('me"}', index=1)) == {"name": "Rome"}


def test_values_that_do_not_fit_are_left_out() -> None:
    reader = ToolArgumentsReader("City", lambda value: value.get("name"))
    assert reader.feed(part('{"x": 1', "City")) is None
    assert reader.feed(part(', "name": "Ro')) == "Ro"
