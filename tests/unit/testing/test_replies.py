"""Replies that a test queues, and the markers that choose them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from langchain_asi_one.testing import answer, fault, raw, stream
from langchain_asi_one.testing._replies import find_marked_reply, sample
from langchain_asi_one.testing._requests import Exchange, ReceivedRequest
from langchain_asi_one.testing._responses import Pause, Script, make_response

RECEIVED = ReceivedRequest(
    method="POST",
    path="/v1/chat/completions",
    headers={},
    authorized=True,
    key_fingerprint="",
    raw=b"{}",
    session_id=None,
    connection=1,
    received_at=0.0,
)
EXCHANGE = Exchange(RECEIVED, "", "http://127.0.0.1:1/v1", 0, lambda: make_response({}))


@pytest.mark.parametrize(
    ("text", "name", "times"),
    [
        ("a [fault: http_500] b", "fault http_500", math.inf),
        ("[fault: stall seconds=2 times=3]", "fault stall", 3),
        ("[sample: asi1-mini-2025-02-stream-thought.sse]", "sample asi1-mini-2025-02", math.inf),
    ],
)
def test_a_marker_chooses_a_reply(text: str, name: str, times: float) -> None:
    marked = find_marked_reply(text)
    assert marked
    assert (marked[0].name.startswith(name), marked[1]) == (True, times)
    assert find_marked_reply("no marker") is None


def test_an_answer_is_that_of_the_body_when_it_was_made() -> None:
    body: dict[str, Any] = {"choices": [{"message": {"content": "first"}}]}
    reply = answer(body)
    body["choices"][0]["message"]["content"] = "second"
    assert b"first" in b"".join(s for s in reply.play(EXCHANGE).steps if isinstance(s, bytes))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[fault: nothing]", "nothing"),
        ("[fault: http_500 colour=red]", "colour"),
        ("[fault: http_500 times=often]", "times must be a whole number, not 'often'"),
        ("[sample: nothing.sse]", "unknown sample 'nothing.sse'; choose one of: "),
    ],
)
def test_what_a_marker_does_not_know_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find_marked_reply(text)


def test_a_stream_is_sent_in_pieces_of_a_size() -> None:
    script = stream([{"a": 1}, "text", b"\xff"], piece_size=7, done=False).play(EXCHANGE)
    pieces = [step for step in script.steps if isinstance(step, bytes)]
    assert b"".join(pieces) == b'data: {"a":1}\n\ntext\xff'
    assert {len(piece) for piece in pieces[:-1]} == {7}


def test_a_stream_waits_after_each_piece() -> None:
    script = stream(["one", "two"], delay=0.5).play(EXCHANGE)
    assert script.steps[1::2] == (Pause(0.5),) * 3
    assert script.body.endswith(b"data: [DONE]\n\n")


def test_raw_bytes_are_sent_as_they_are() -> None:
    script = raw(b"\x00", status=418, content_type="a/b", headers={"X-One": "1"}).play(EXCHANGE)
    assert script == Script(418, {"content-type": "a/b", "x-one": "1"}, (b"\x00",), sized=True)


def test_a_sample_is_the_file_whatever_was_asked_for() -> None:
    script = sample("asi1-mini-2025-02-stream-thought.sse").play(EXCHANGE)
    assert script.headers["content-type"] == "text/event-stream"
    assert script.body.startswith(b"data: ")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: stream([], piece_size=0), "piece_size must be at least 1, not 0"),
        (lambda: stream([], delay=float("inf")), "delay must be 0 or more seconds, not inf"),
        (lambda: raw(b"", status=100), "status must be from 200 to 599, not 100"),
        (lambda: fault("http_500", status="many"), "status"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
