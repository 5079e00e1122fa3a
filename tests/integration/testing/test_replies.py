"""Replies that a test queues or a prompt selects, and the two forms of an answer."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from langchain_asi_one.testing import (
    LocalASIOne,
    answer,
    fault,
    raw,
    stream,
)
from langchain_asi_one.testing._render import render_stream
from langchain_asi_one.testing._replies import SAMPLES, sample
from tests.support.stand_in_wire import (
    SAMPLE_NAMES,
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


def test_the_index_lists_each_sample() -> None:
    listed = (SAMPLES / "INDEX.md").read_text(encoding="utf-8")
    assert len(SAMPLE_NAMES) == 16
    assert all(name in listed for name in SAMPLE_NAMES)


def test_answer_is_rendered_as_the_request_asks(server: LocalASIOne, client: httpx.Client) -> None:
    body = json.loads((SAMPLES / "asi1-2026-tool-call-condensed.json").read_text(encoding="utf-8"))
    server.enqueue(answer(body), answer(body))
    assert ask(client).json() == body
    response = ask(client, stream=True, stream_options={"include_usage": True})
    assert response.content == render_stream(body)
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
    response = client.post("/chat/completions", content=b"not JSON")
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
    with pytest.raises(
        ValueError, match=r"unknown fault 'http_418'\. Did you mean 'http_.*http_429"
    ):
        fault("http_418")
    with pytest.raises(ValueError, match=r"'stall' has no option 'minutes'; its options.*seconds"):
        fault("stall", minutes=1)
    with pytest.raises(ValueError, match="'http_403' has no option 'x'; it has none"):
        fault("http_403", x=1)
    with pytest.raises(ValueError, match=r"unknown sample 'INDEX.md'; choose one of:.*\.sse"):
        sample("INDEX.md")
    with pytest.raises(ValueError, match="piece_size must be at least 1, not 0"):
        stream([], piece_size=0)
    with pytest.raises(ValueError, match="delay must be 0 or more seconds, not -1"):
        stream([], delay=-1)
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


def test_a_queued_reply_is_for_those_with_a_key(server: LocalASIOne, client: httpx.Client) -> None:
    server.enqueue(raw(b"tea"))
    # What a web page may send without asking first: no key, and a body of plain text.
    headers = {"Authorization": "", "Content-Type": "text/plain", "Origin": "https://a.example"}
    response = client.post("/chat/completions", content=b"{}", headers=headers)
    assert response.status_code == 401
    assert ask(client).content == b"tea"


def test_a_status_that_http_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="status must be from 200 to 599, not 99"):
        raw(b"", status=99)
