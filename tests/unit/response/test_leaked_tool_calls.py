"""Calls that leak into the text as `<tool_call>` are recovered, if they name a bound tool."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_asi_one._response.reader import AnswerReader
from tests.support.answers import read_body, read_stream
from tests.support.examples import examples

TOOLS: dict[str, dict[str, Any]] = {
    "get_weather": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "zip": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    },
    "now": {"type": "object", "properties": {}},
}


def invoked(*, content: str, tools: Any = None) -> AIMessage:
    choice = {"message": {"content": content}, "finish_reason": "tool_calls"}
    return read_body({"id": "a1", "choices": [choice]}, tools=tools)


def streamed(*texts: str, tools: Any = None) -> AIMessage:
    end = {"id": "a1", "choices": [{"delta": {}, "finish_reason": "tool_calls"}]}
    chunks = [{"id": "a1", "choices": [{"delta": {"content": text}}]} for text in texts]
    return read_stream([*chunks, end], tools=tools)


def expected(
    *calls: tuple[str | None, str | None, Any], content: str = "", **metadata: Any
) -> AIMessage:
    """A message with calls of (id, name, args); args that are text make the call invalid."""
    return AIMessage(
        content,
        tool_calls=[
            {"type": "tool_call", "id": call_id, "name": str(name), "args": args}
            for call_id, name, args in calls
            if isinstance(args, dict)
        ],
        invalid_tool_calls=[
            {
                "type": "invalid_tool_call",
                "id": call_id,
                "name": name,
                "args": args,
                "error": None,
            }
            for call_id, name, args in calls
            if not isinstance(args, dict)
        ],
        response_metadata={
            "model_provider": "asi-one",
            "id": "a1",
            "finish_reason": "tool_calls",
            **metadata,
            "session_id": "s",
        },
    )


def with_own_ids(message: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    """Names and arguments of calls whose ids we made: they must differ and look like the API's."""
    ids = [call["id"] or "" for call in message.tool_calls]
    assert len({*ids}) == len(ids)
    assert all(i.startswith("call_") and len(i) == 29 and int(i[5:], 16) >= 0 for i in ids)
    return [(call["name"], call["args"]) for call in message.tool_calls]


GLM = (
    "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>12345</arg_value>\n"
    "<arg_key>days</arg_key><arg_value>3</arg_value></tool_call>"
)
JSON_LEAK = '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>'

LEAKS: dict[str, tuple[str, str, list[tuple[str, Any]]]] = {
    "GLM form": (GLM, "", [("get_weather", {"city": "12345", "days": 3})]),
    "JSON form": (JSON_LEAK, "", [("now", {})]),
    "arguments as JSON text": (
        '<tool_call>{"name":"get_weather","arguments":"{\\"city\\":\\"Rome\\"}"}</tool_call>',
        "",
        [("get_weather", {"city": "Rome"})],
    ),
    "name alone": ("<tool_call>now</tool_call>", "", [("now", {})]),
    "between prose": (f"I look. {GLM} Done.", "I look.  Done.", [("get_weather", None)]),
    "several": (
        f"{JSON_LEAK}\n{GLM}{JSON_LEAK}",
        "\n",
        [("now", {}), ("get_weather", None), ("now", {})],
    ),
    "optional text that looks like a number": (
        "<tool_call>get_weather<arg_key>zip</arg_key><arg_value>12345</arg_value></tool_call>",
        "",
        [("get_weather", {"zip": "12345"})],
    ),
    "optional text that is null": (
        "<tool_call>get_weather<arg_key>zip</arg_key><arg_value>null</arg_value></tool_call>",
        "",
        [("get_weather", {"zip": None})],
    ),
    "value with tags": (
        "<tool_call>get_weather<arg_key>city</arg_key><arg_value><b>R</b></arg_value></tool_call>",
        "",
        [("get_weather", {"city": "<b>R</b>"})],
    ),
    "tag in an argument": (
        '<tool_call>{"name":"get_weather","arguments":{"city":"<tool_call>"}}</tool_call>',
        "",
        [("get_weather", {"city": "<tool_call>"})],
    ),
    "nested": (f"<tool_call>{JSON_LEAK}", "<tool_call>", [("now", {})]),
    "nested and closed twice": (
        f"<tool_call>{JSON_LEAK}</tool_call>",
        "<tool_call></tool_call>",
        [("now", {})],
    ),
}
NO_LEAKS = {
    "unknown tool": GLM.replace("get_weather", "rm"),
    "unknown tool, JSON form": JSON_LEAK.replace("now", "rm"),
    "another writing of the name": "<tool_call>Now</tool_call>",
    "unclosed": GLM.removesuffix("</tool_call>"),
    "unclosed value": "<tool_call>now<arg_key>a</arg_key><arg_value>1</tool_call>",
    "key without a value": "<tool_call>now<arg_key>a</arg_key></tool_call>",
    "prose in it": "<tool_call>now<arg_key>a</arg_key> is <arg_value>1</arg_value></tool_call>",
    "cut JSON": '<tool_call>{"name": "now", "arguments": {</tool_call>',
    "empty": "<tool_call></tool_call>",
    "JSON of another kind": "<tool_call>[1]</tool_call><tool_call>null</tool_call>",
    "name that is no text": '<tool_call>{"name": {}}</tool_call>',
    "beginning of a tag": "a < b <tool_cal",
    "end of a tag": "</tool_call>",
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leaked_call_of_a_bound_tool_is_recovered(name: str) -> None:
    text, left, calls = LEAKS[name]
    message = invoked(content=text, tools=TOOLS)
    weather = {"city": "12345", "days": 3}
    wanted = [(tool, weather if args is None else args) for tool, args in calls]
    assert with_own_ids(message) == wanted
    triples = [(c["id"], c["name"], c["args"]) for c in message.tool_calls]
    assert message == expected(*triples, content=left, tool_calls_recovered=True)
    assert message == streamed(text, tools=TOOLS) == streamed(*text, tools=TOOLS)
    halves = [streamed(text[:cut], text[cut:], tools=TOOLS) for cut in range(len(text))]
    assert [half for half in halves if half != message] == []


@pytest.mark.parametrize("name", NO_LEAKS)
def test_anything_else_stays_text(name: str) -> None:
    text = f"See: {NO_LEAKS[name]} - there."
    wanted = expected(content=text, tool_calls_missing=True)
    assert invoked(content=text, tools=TOOLS) == wanted
    assert streamed(text, tools=TOOLS) == streamed(*text, tools=TOOLS) == wanted


def test_without_bound_tools_nothing_is_recovered_and_nothing_held_back() -> None:
    assert invoked(content=GLM) == expected(content=GLM, tool_calls_missing=True)
    reader = AnswerReader(streamed=True)
    assert reader.feed({"choices": [{"delta": {"content": "<tool"}}]})["text"] == "<tool"


def test_text_before_a_leak_is_shown_at_once() -> None:
    reader = AnswerReader(streamed=True, tools=TOOLS)
    texts = [
        reader.feed({"choices": [{"delta": {"content": piece}}]})["text"]
        for piece in ("One <", "b> two", " <tool_", "call> three")
    ]
    assert [*texts, reader.close()["text"]] == ["One ", "<b> two", " ", "", "<tool_call> three"]


def test_a_leak_told_again_by_the_whole_message_is_recovered_once() -> None:
    reader = AnswerReader(streamed=True, tools=TOOLS)
    chunks: list[dict[str, Any]] = [
        {"choices": [{"delta": {"content": f"Well {JSON_LEAK} <"}}]},
        {"choices": [{"delta": {}, "message": {"content": f"Well {JSON_LEAK} <b>"}}]},
    ]
    deltas = [*map(reader.feed, chunks), reader.close()]
    assert "".join(delta["text"] for delta in deltas) == "Well  <b>"
    assert [c["name"] for d in deltas for c in d["tool_calls"] if c["name"]] == ["now"]


PIECES = st.sampled_from(
    [
        "<tool_call>",
        "</tool_call>",
        "<arg_key>",
        "</arg_key>",
        "<arg_value>",
        "</arg_value>",
        "now",
        "get_weather",
        "city",
        JSON_LEAK,
        GLM,
        "<",
        " x ",
        '{"name": "now"}',
    ]
)


@given(st.lists(PIECES, max_size=10), st.lists(st.integers(0, 200), max_size=6))
@examples(200)
def test_however_text_is_split_it_is_the_same(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)
    ends = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    parts = [text[start:end] for start, end in pairwise(ends)]
    whole = invoked(content=text, tools=TOOLS)
    assert whole == streamed(*pieces, tools=TOOLS) == streamed(*parts, tools=TOOLS)


HOSTILE = {
    "open keys": "<tool_call>now" + "<arg_key>" * 50_000 + "</tool_call>",
    "white space": "<tool_call>now<arg_key>a</arg_key>" + " " * 300_000 + "</tool_call>",
    "open tags": "<tool_call>" * 40_000 + "</tool_call>",
    "closed tags": "<tool_call>y</tool_call>" * 20_000,
    "arguments": "<tool_call>now"
    + "<arg_key>a</arg_key><arg_value>1</arg_value>" * 10_000
    + "</tool_call>",
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_no_longer_than_its_length(name: str) -> None:
    reader = AnswerReader(streamed=False, tools=TOOLS)
    began = time.process_time()
    reader.feed({"choices": [{"message": {"content": HOSTILE[name]}}]})
    reader.close()
    assert time.process_time() - began < 2


@pytest.mark.no_cover
def test_a_tag_that_is_never_closed_does_not_slow_the_stream() -> None:
    reader = AnswerReader(streamed=True, tools=TOOLS)
    began = time.process_time()
    reader.feed({"choices": [{"delta": {"content": "<tool_call>"}}]})
    for _ in range(10_000):
        reader.feed({"choices": [{"delta": {"content": "and so on "}}]})
    assert reader.close()["text"] == "<tool_call>" + "and so on " * 10_000
    assert time.process_time() - began < 3
