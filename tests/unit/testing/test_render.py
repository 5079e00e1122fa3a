"""An answer as a body and as a stream."""

from __future__ import annotations

import json

import pytest

from langchain_asi_one.testing._render import render_body, render_stream, split_words
from langchain_asi_one.testing._replies import SAMPLES
from tests.support.stand_in_wire import STREAM_SAMPLE, chunks_of, text_of


@pytest.mark.parametrize("text", ["", " ", "one", " one  two\n", "\n\n"])
def test_words_joined_again_give_the_text(text: str) -> None:
    assert "".join(split_words(text)) == text


def test_recorded_stream_as_a_body_and_back() -> None:
    recorded = (SAMPLES / STREAM_SAMPLE).read_bytes()
    body = render_body(recorded)
    thought = "".join(chunk.get("thought", "") for chunk in chunks_of(recorded))
    message = body["choices"][0]["message"]
    assert body["thought"] == [thought]
    assert message["content"] == text_of(chunks_of(recorded))
    assert message["content"].endswith("in more detail!")
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 435, "completion_tokens": 391, "total_tokens": 826}
    assert (body["executable_data"], body["conversation_id"], body["tool_thought"]) == (
        [],
        None,
        [],
    )
    assert render_body(render_stream(body)) == body


def test_2025_body_becomes_the_recorded_form() -> None:
    name = "asi1-mini-2025-04-recorded-basic-chat.json"
    body = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    chunks = chunks_of(render_stream(body))
    ends = [c for c in chunks if c["choices"][0].get("finish_reason") == "stop"]
    assert [chunk.get("usage") for chunk in ends] == [None, body["usage"]]
    assert chunks[1]["init_thought"] is True
    assert "".join(chunk.get("thought", "") for chunk in chunks) == body["thought"][0]
    assert render_body(render_stream(body)) == body


def test_2025_body_with_reasoning_and_calls_keeps_them() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {
        "role": "assistant",
        "content": None,
        "reasoning": "so it is",
        "tool_calls": [call],
        "odd": 1,
    }
    body = {
        "id": "id_1",
        "created": 1740580080,
        "thought": [None, "a", "b"],
        "odd": {"x": 1},
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}],
    }
    chunks = chunks_of(render_stream(body))
    assert text_of(chunks, "reasoning") == "so it is"
    assert [chunk["thought"] for chunk in chunks if "thought" in chunk] == ["a\nb"]
    assert chunks[-1]["odd"] == {"x": 1}
    assert chunks[-1]["created"] == 1740580080000
    assert chunks[-1]["choices"][0]["delta"]["odd"] == 1
    deltas = [d for c in chunks for d in c["choices"][0]["delta"].get("tool_calls", [])]
    assert [d["function"]["name"] for d in deltas] == ["f", None]


def test_odd_calls_are_streamed_as_they_are() -> None:
    calls = [
        {"id": "c", "function": {"name": "f", "arguments": {"a": 1}}},
        {"id": "s", "tool_name": "web_search", "args": {}, "result": {}},
    ]
    body = {"id": "x", "choices": [{"message": {"content": "", "tool_calls": calls}}]}
    chunks = chunks_of(render_stream(body))
    assert [d for c in chunks for d in c["choices"][0]["delta"].get("tool_calls", [])] == calls


def test_a_stream_of_2026_and_a_bare_value_are_refused() -> None:
    with pytest.raises(ValueError, match="2026 form"):
        render_body(render_stream({"id": "1", "choices": [{"message": {"content": "Hi"}}]}))
    with pytest.raises(ValueError, match="not a JSON object: '1'"):
        render_body(b"data: 1\n\n")
