"""Responses as data."""

from __future__ import annotations

import json

from langchain_asi_one.testing._responses import (
    Cut,
    Pause,
    Script,
    encode_event,
    make_response,
    make_stream,
    to_json,
)


def test_json_is_compact_and_keeps_other_scripts() -> None:
    assert to_json({"a": [1, "Zoë"]}) == '{"a":[1,"Zoë"]}'


def test_half_a_surrogate_pair_is_escaped() -> None:
    text = to_json(["\ud800", "Zoë"])
    assert text.encode("utf-8").isascii()
    assert json.loads(text) == ["\ud800", "Zoë"]


def test_a_response_in_one_piece_declares_its_length() -> None:
    script = make_response({"a": "é"}, status=418, headers={"x-a": "1"})
    assert (script.status, script.body) == (418, b'{"a":"\xc3\xa9"}')
    assert script.make_headers() == {
        "content-type": "application/json",
        "x-a": "1",
        "content-length": "10",
    }
    assert make_response("text").body == b"text"
    assert make_response(b"\xff").body == b"\xff"


def test_a_declared_length_may_be_another() -> None:
    script = Script(steps=(b"abc", Cut()), sized=True, declared=10)
    assert script.make_headers() == {"content-length": "10"}


def test_a_stream_has_no_length_and_may_pause_after_each_piece() -> None:
    event = encode_event({"a": 1})
    assert event == b'data: {"a":1}\n\n'
    script = make_stream([event, b"x"], delay=0.5)
    assert script.steps == (event, Pause(0.5), b"x", Pause(0.5))
    assert script.make_headers() == {
        "content-type": "text/event-stream",
        "cache-control": "no-cache",
    }
    assert make_stream([event]).steps == (event,)
