"""Replies that a test queues or a prompt selects, and the two forms of an answer."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from langchain_asi_one.testing import (
    LocalASIOne,
    answer,
    fault,
    raw,
    sample,
    stream,
)
from langchain_asi_one.testing._render import as_body, as_stream
from langchain_asi_one.testing._replies import SAMPLES
from tests.support.stand_in_wire import (
    SAMPLE_NAMES,
    STREAM_SAMPLE,
    Json,
    ask,
    chunks_of,
    request_body,
    text_of,
)

if TYPE_CHECKING:
    import httpx


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_samples_are_replayed_byte_for_byte(
    server: LocalASIOne, client: httpx.Client, name: str
) -> None:
    server.enqueue(sample(name))
    for response in (ask(client), ask(client, f"[sample: {name}]", stream=True)):
        assert response.content == (SAMPLES / name).read_bytes()
        expected = "text/event-stream" if name.endswith(".sse") else "application/json"
        assert response.headers["content-type"] == expected


def test_samples_folder_of_the_tests_is_the_published_one() -> None:
    assert (Path(__file__).parents[2] / "samples").resolve() == SAMPLES.resolve()
    listed = (SAMPLES / "INDEX.md").read_text(encoding="utf-8")
    assert len(SAMPLE_NAMES) == 16
    assert all(name in listed for name in SAMPLE_NAMES)


def test_answer_is_rendered_as_the_request_asks(server: LocalASIOne, client: httpx.Client) -> None:
    body = json.loads((SAMPLES / "asi1-2026-tool-call-condensed.json").read_text(encoding="utf-8"))
    server.enqueue(answer(body), answer(body))
    assert ask(client).json() == body
    response = ask(client, stream=True, stream_options={"include_usage": True})
    assert response.content == as_stream(body)
    chunks = chunks_of(response.content)
    assert text_of(chunks) == body["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == body["usage"]


def test_stream_sends_what_it_is_given(server: LocalASIOne, client: httpx.Client) -> None:
    given: list[Json | bytes | str] = [": beat\n\n", {"choices": [], "text": "…"}, b"data: x\n\n"]
    expected = ': beat\n\ndata: {"choices":[],"text":"…"}\n\ndata: x\n\n'.encode()
    server.enqueue(stream(given, piece_size=1, delay=0.0005), stream(given, done=False))
    with client.stream("POST", "/chat/completions", json=request_body()) as response:
        assert b"".join(response.iter_raw()) == expected + b"data: [DONE]\n\n"
    assert ask(client).content == expected


def test_raw_is_sent_as_it_is(server: LocalASIOne, client: httpx.Client) -> None:
    server.enqueue(raw(b"tea", status=418, content_type="text/x", headers={"X-A": "1"}))
    response = client.post("/chat/completions", content=b"not JSON", headers={"Authorization": ""})
    assert (response.status_code, response.content) == (418, b"tea")
    assert (response.headers["content-type"], response.headers["x-a"]) == ("text/x", "1")


def test_replies_are_given_in_order_then_the_rules_apply(
    server: LocalASIOne, client: httpx.Client
) -> None:
    server.enqueue(fault("http_500"), fault("http_429", retry_after="0"))
    assert [ask(client).status_code for _ in range(3)] == [500, 429, 200]
    server.enqueue(fault("http_500"))
    server.clear()
    assert ask(client).status_code == 200


def test_unknown_names_are_refused_with_those_that_exist(client: httpx.Client) -> None:
    with pytest.raises(ValueError, match=r"unknown fault 'http_418'; choose one of:.*http_429"):
        fault("http_418")
    with pytest.raises(ValueError, match=r"'stall' has no option 'minutes'; its options.*seconds"):
        fault("stall", minutes=1)
    with pytest.raises(ValueError, match="'http_403' has no option 'x'; it has none"):
        fault("http_403", x=1)
    with pytest.raises(ValueError, match=r"unknown sample 'INDEX.md'; choose one of:.*\.sse"):
        sample("INDEX.md")
    with pytest.raises(ValueError, match="piece_size must be at least 1, not 0"):
        stream([], piece_size=0)
    for marker in ("[fault: nope]", "[sample: nope]", "[fault: stall seconds=long]"):
        assert ask(client, marker).json()["error"]["code"] == "unknown_marker"


def test_marker_options(client: httpx.Client) -> None:
    text = "[fault: http_429 retry_after=7 times=2] Hello"
    first, second, third = (ask(client, text) for _ in range(3))
    assert first.headers["retry-after"] == "7"
    assert [r.status_code for r in (first, second, third)] == [429, 429, 200]
    assert "retry-after" not in ask(client, "[fault: http_429 retry_after=none]").headers
    started = time.monotonic()
    assert ask(client, "[fault: stall seconds=0.2]").status_code == 200
    assert time.monotonic() - started > 0.2


def test_recorded_stream_as_a_body_and_back() -> None:
    recorded = (SAMPLES / STREAM_SAMPLE).read_bytes()
    body = as_body(recorded)
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
    assert as_body(as_stream(body)) == body


def test_2025_body_becomes_the_recorded_form() -> None:
    name = "asi1-mini-2025-04-recorded-basic-chat.json"
    body = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    chunks = chunks_of(as_stream(body))
    ends = [c for c in chunks if c["choices"][0].get("finish_reason") == "stop"]
    assert [chunk.get("usage") for chunk in ends] == [None, body["usage"]]
    assert chunks[1]["init_thought"] is True
    assert "".join(chunk.get("thought", "") for chunk in chunks) == body["thought"][0]
    assert as_body(as_stream(body)) == body


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
    chunks = chunks_of(as_stream(body))
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
    chunks = chunks_of(as_stream(body))
    assert [d for c in chunks for d in c["choices"][0]["delta"].get("tool_calls", [])] == calls


def test_as_body_refuses_what_it_cannot_read() -> None:
    with pytest.raises(ValueError, match="2026 form"):
        as_body(as_stream({"id": "1", "choices": [{"message": {"content": "Hi"}}]}))
    with pytest.raises(ValueError, match="not a JSON object: '1'"):
        as_body(b"data: 1\n\n")
