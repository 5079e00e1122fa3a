"""Bytes of an answer become JSON objects, or a `ProtocolError` that says what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_asi_one import errors
from langchain_asi_one._transport.decoders import (
    MOST_BYTES,
    BodyDecoder,
    CompletionStreamDecoder,
    ErrorDetail,
    ProtocolError,
    check_size,
    excerpt,
    read_body,
    read_error,
    read_object,
)

ANSWER = {"choices": [{"message": {"content": "Hi"}}]}


def event(chunk: Any) -> bytes:
    return f"data: {json.dumps(chunk)}\n\n".encode()


def choice(**fields: Any) -> dict[str, Any]:
    return {"choices": [fields]}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (None, ErrorDetail()),
        ([1], ErrorDetail()),
        ("a text", ErrorDetail("a text")),
        ({"error": "a text", "code": "c", "status": 503}, ErrorDetail("a text", "c", status=503)),
        ({"error": {}}, ErrorDetail()),
        (
            {"error": {"message": "m", "code": "c", "param": "p", "type": "t", "status": 429}},
            ErrorDetail("m", "c", "p", "t", 429),
        ),
        ({"error": {"message": "m", "code": 503}}, ErrorDetail("m", status=503)),
        ({"error": {"message": "m", "status_code": True}}, ErrorDetail("m")),
        ({"error": {"detail": "d"}}, ErrorDetail("d")),
        ({"detail": "d", "status_code": 404}, ErrorDetail("d", status=404)),
        ({"message": "m", "status": 200}, ErrorDetail("m")),
        ({"detail": [{"loc": ["a", 1], "msg": "m"}, 7]}, ErrorDetail("a.1: m; 7")),
        ({"detail": [{"loc": 5}, {"msg": "m"}]}, ErrorDetail("5: None; : m")),
        ({"error": {"message": "\x1b[1m\u202e"}}, ErrorDetail(r"\x1b[1m\u202e")),
        ({"error": "x" * 300}, ErrorDetail("x" * 200 + "…")),
    ],
)
def test_an_error_in_any_form(body: object, detail: ErrorDetail) -> None:
    assert read_error(body) == detail


def test_a_quotation_is_short_and_printable() -> None:
    assert excerpt("a\n\x00b") == "'a b'"
    assert excerpt({"a": "\x1b"}).isprintable()
    assert len(excerpt("x" * 10_000_000)) < 300


def test_a_body_is_read_at_its_end() -> None:
    decoder = BodyDecoder(read_body, "application/json")
    body = json.dumps(ANSWER).encode()
    assert [*decoder.feed(b" "), *decoder.feed(body[:9]), *decoder.feed(body[9:])] == []
    assert decoder.news == 2
    assert decoder.close() == [ANSWER]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"\xff", "not UTF-8"),
        (b"<html>", "not JSON .*'<html>'"),
        (b"[1]", "not a JSON object"),
        (b'{"error": "broken"}', "reported an error in its answer: broken"),
        (b'{"detail": "broken"}', "reported an error in its answer: broken"),
        (b'{"choices": []}', "no message in 'choices'"),
        (b'{"choices": [{"message": null}]}', "no message in 'choices'"),
    ],
)
def test_a_body_that_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        read_body(content, "application/json")


def test_a_body() -> None:
    assert read_body(b"\xef\xbb\xbf" + json.dumps(ANSWER).encode(), "") == ANSWER
    assert read_object(b'{"data": []}', "") == {"data": []}


def test_more_bytes_than_are_read() -> None:
    check_size(MOST_BYTES)
    with pytest.raises(ProtocolError, match="longer than 64 MiB"):
        check_size(MOST_BYTES + 1)


@pytest.mark.parametrize(
    ("chunk", "news"),
    [
        ({}, 0),
        ({"id": "x", "object": "o", "created": 1, "model": "asi1", "choices": []}, 0),
        ({"usage": None, **choice(index=0, delta={})}, 0),
        (choice(delta={"role": "assistant", "content": ""}), 0),
        (choice(delta={"content": " "}), 1),
        (choice(delta={"reasoning_content": "Hm"}), 1),
        (choice(delta={"tool_calls": [{}]}), 1),
        (choice(delta={}, finish_reason="stop"), 1),
        ({"choices": [7, {"delta": {"content": "x"}}]}, 1),
        ({"plan_state": {"a": 1}, **choice(delta={})}, 1),
        ({"usage": {"total_tokens": 1}, "choices": []}, 1),
    ],
)
def test_what_says_something(chunk: dict[str, Any], news: int) -> None:
    decoder = CompletionStreamDecoder("")
    assert [*decoder.feed(event(chunk))] == [chunk]
    assert decoder.news == news


def test_a_stream_ends_with_a_finish_reason_or_done() -> None:
    first, last = choice(delta={"content": "Hi"}), choice(delta={}, finish_reason="stop")
    decoder = CompletionStreamDecoder("")
    assert [*decoder.feed(event(first) + b"data: [DONE]\n\n" + event(last))] == [first]
    assert decoder.done
    decoder = CompletionStreamDecoder("")
    assert [*decoder.feed(event(first) + event(last)), *decoder.close()] == [first, last]
    decoder = CompletionStreamDecoder("")
    assert [*decoder.feed(event(first))] == [first]
    with pytest.raises(ProtocolError, match="broke off") as caught:
        decoder.close()
    assert caught.value.error_class is errors.IncompleteStreamError


def test_an_answer_in_one_piece_where_a_stream_was_asked_for() -> None:
    decoder = CompletionStreamDecoder("")
    assert [*decoder.feed(b' {"choices": [{"mes'), *decoder.feed(b'sage": {}}]}')] == []
    assert decoder.close() == [{"choices": [{"message": {}}]}]
    assert decoder.done


def test_a_stream_of_comments_and_one_event_is_a_stream() -> None:
    decoder = CompletionStreamDecoder("text/event-stream")
    assert len(list(decoder.feed(b": hello\n" + event(choice(delta={"content": "Hi"}))))) == 1
    with pytest.raises(ProtocolError, match="broke off") as caught:
        list(decoder.close())
    assert caught.value.error_class is errors.IncompleteStreamError


def test_an_error_in_an_answer_of_status_200_keeps_the_answer() -> None:
    body = {"error": {"message": "broken", "code": 503}}
    with pytest.raises(ProtocolError) as caught:
        read_object(json.dumps(body).encode(), "")
    assert (caught.value.body, caught.value.status_code) == (body, 503)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "an empty stream"), (b"Hello", "no stream of events .*'Hello'")],
)
def test_what_is_no_stream_is_said_to_be_none(content: bytes, words: str) -> None:
    decoder = CompletionStreamDecoder("text/plain")
    assert [*decoder.feed(content)] == []
    with pytest.raises(ProtocolError, match=words) as caught:
        decoder.close()
    assert caught.value.error_class is errors.InvalidResponseError
