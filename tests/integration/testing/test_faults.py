"""Each fault as it is on the wire, for a body and for a stream."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
from collections.abc import Callable

import httpx
import pytest

from langchain_asi_one.testing import LocalASIOne, fault
from langchain_asi_one.testing._faults import list_faults
from tests.support.model import API_KEY
from tests.support.stand_in_wire import (
    Json,
    ask,
    chunks_of,
    request_body,
    text_of,
)

Check = Callable[[int, httpx.Headers, bytes], bool]


def is_error(status: int, code: str) -> Check:
    def check(got: int, headers: httpx.Headers, body: bytes) -> bool:
        error = json.loads(body)["error"]
        return (got, error["status"], error["code"]) == (status, status, code)

    return check


def parses(body: bytes) -> bool:
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(body)
        return True
    return False


def every_choice(body: bytes, test: Callable[[Json], bool]) -> bool:
    return all(map(test, chunks_of(body) if body.startswith(b"data: ") else [json.loads(body)]))


def half_json(status: int, headers: httpx.Headers, body: bytes) -> bool:
    return status == 200 and body.startswith(b'{"id"') and not parses(body)


def whole_json(status: int, headers: httpx.Headers, body: bytes) -> bool:
    return status == 200 and json.loads(body)["metadata"] == {"stand_in": True}


def whole_sse(status: int, headers: httpx.Headers, body: bytes) -> bool:
    finishes = [c["choices"][0]["finish_reason"] for c in chunks_of(body) if c["choices"]]
    return finishes[-1] == "stop" and body.endswith(b"data: [DONE]\n\n")


def cut_sse(status: int, headers: httpx.Headers, body: bytes) -> bool:
    return bool(text_of(chunks_of(body))) and b'"stop"' not in body and b"[DONE]" not in body


def wire(test: Callable[[bytes], bool]) -> Check:
    return lambda status, headers, body: status == 200 and test(body)


def message_is(body: Json) -> Check:
    return wire(lambda sent: json.loads(sent) == body)


SERVER_ERROR = "The server had an error while processing your request."
BROKEN_LINE = b'\n\ndata: {"id": "x", "choices": [{]}\n\n'
HTML: Check = lambda s, h, b: h["content-type"] == "text/html" and b.startswith(b"<!doctype")  # noqa: E731
EXPECTED: dict[str, tuple[Check, Check]] = {
    "http_400_empty": (lambda s, h, b: (s, b) == (400, b""),) * 2,
    "http_400_stream_options": (whole_json, is_error(400, "unknown_parameter")),
    "http_422_session": (lambda s, h, b: s == 422 and b"missing header x-session-id" in b,) * 2,
    "http_429": (lambda s, h, b: s == 429 and h["retry-after"] == "1",) * 2,
    "http_429_forever": (lambda s, h, b: s == 429 and h["retry-after"] == "3600",) * 2,
    "http_503_html": (lambda s, h, b: s == 503 and HTML(s, h, b),) * 2,
    "error_string": (lambda s, h, b: s == 400 and isinstance(json.loads(b)["error"], str),) * 2,
    "error_empty": (lambda s, h, b: s == 400 and json.loads(b) == {"error": {}},) * 2,
    "html_200": (lambda s, h, b: s == 200 and HTML(s, h, b),) * 2,
    "empty_200": (wire(lambda b: b == b""),) * 2,
    "wrong_content_type": (
        lambda s, h, b: h["content-type"] == "text/plain" and whole_json(s, h, b),
        lambda s, h, b: h["content-type"] == "text/plain" and whole_sse(s, h, b),
    ),
    "json_for_stream": (whole_json,) * 2,
    "sse_for_json": (whole_sse,) * 2,
    "error_event": (
        wire(lambda b: json.loads(b)["error"]["message"] == SERVER_ERROR),
        wire(lambda b: chunks_of(b)[-1]["error"]["message"] == SERVER_ERROR and b"[DONE]" not in b),
    ),
    "error_event_named": (
        message_is({"detail": SERVER_ERROR}),
        wire(lambda b: b"\n\nevent: error\ndata: {" in b and b'"error"' not in b),
    ),
    "error_event_string": (
        message_is({"error": SERVER_ERROR}),
        wire(lambda b: chunks_of(b)[-1] == {"error": SERVER_ERROR}),
    ),
    "truncated_stream": (half_json, cut_sse),
    "cut_event": (
        half_json,
        wire(lambda b: b.rpartition(b"data: ")[2].startswith(b'{"id"') and not b.endswith(b"\n")),
    ),
    "stall": (whole_json, whole_sse),
    "stall_before_headers": (whole_json, whole_sse),
    "keepalive_only": (
        lambda s, h, b: b.startswith(b"  ") and whole_json(s, h, b),
        lambda s, h, b: b.count(b"\n\n: keep-alive") > 1 and whole_sse(s, h, b),
    ),
    "malformed_json_line": (
        wire(lambda b: not parses(b) and b.startswith(b'{"id"')),
        wire(lambda b: BROKEN_LINE in b and b.endswith(b"[DONE]\n\n")),
    ),
    "malformed_json_body": (
        wire(lambda b: not parses(b) and b.startswith(b'{"id"')),
        wire(lambda b: BROKEN_LINE in b and b.endswith(b"[DONE]\n\n")),
    ),
    "choices_empty": (wire(lambda b: every_choice(b, lambda c: c["choices"] == [])),) * 2,
    "choices_null": (wire(lambda b: every_choice(b, lambda c: c["choices"] is None)),) * 2,
    "choices_missing": (wire(lambda b: every_choice(b, lambda c: "choices" not in c)),) * 2,
    "message_null": (
        wire(lambda b: json.loads(b)["choices"][0]["message"] is None),
        wire(lambda b: every_choice(b, lambda c: all(x["delta"] is None for x in c["choices"]))),
    ),
    "error_in_200": (wire(lambda b: json.loads(b)["error"]["code"] == "overloaded"),) * 2,
    "detail_in_200": (message_is({"detail": "The model is overloaded."}),) * 2,
    "invalid_utf8": (wire(lambda b: b"\xff\xfe" in b),) * 2,
    "bom": (
        lambda s, h, b: b[:3] == b"\xef\xbb\xbf" and whole_json(s, h, b[3:]),
        lambda s, h, b: b[:3] == b"\xef\xbb\xbf" and whole_sse(s, h, b[3:]),
    ),
    "crlf": (
        lambda s, h, b: b.endswith(b"\r\n") and whole_json(s, h, b),
        lambda s, h, b: (
            b.count(b"\n") == b.count(b"\r\n") and whole_sse(s, h, b.replace(b"\r", b""))
        ),
    ),
    "gzip": (
        lambda s, h, b: h["content-encoding"] == "gzip" and whole_json(s, h, gzip.decompress(b)),
        lambda s, h, b: h["content-encoding"] == "gzip" and whole_sse(s, h, gzip.decompress(b)),
    ),
    "deep_json": (wire(lambda b: b.count(b"[") > 100_000 and not parses(b)),) * 2,
    "redirect": (lambda s, h, b: s == 307 and h["location"].endswith("/v1/redirected"),) * 2,
    "http_400_unknown_parameter": (is_error(400, "unknown_parameter"),) * 2,
    "http_401": (is_error(401, "invalid_api_key"),) * 2,
    "echo_key": (lambda s, h, b: s == 401 and API_KEY.encode() in b,) * 2,
    "http_403": (is_error(403, "forbidden"),) * 2,
    "http_404": (is_error(404, "not_found"),) * 2,
    "http_500": (is_error(500, "server_error"),) * 2,
}
DROPPED = {"cut_stream": (half_json, cut_sse), "close_before_reply": (None, None)}
SHORT: dict[str, Json] = {
    "stall": {"seconds": 0.1},
    "stall_before_headers": {"seconds": 0.1},
    "keepalive_only": {"seconds": 0.1, "interval": 0.02},
}


def test_every_fault_is_tested_and_described() -> None:
    assert set(list_faults()) == set(EXPECTED) | set(DROPPED)
    assert all(text and "\n" not in text for text in list_faults().values())


@pytest.mark.parametrize("streaming", [False, True], ids=["body", "stream"])
@pytest.mark.parametrize("name", sorted(list_faults()))
def test_faults_on_the_wire(
    server: LocalASIOne, client: httpx.Client, name: str, streaming: bool
) -> None:
    server.enqueue(fault(name, **SHORT.get(name, {})))
    fields: Json = {"stream": True, "stream_options": {"include_usage": True}} if streaming else {}
    received = bytearray()
    started = time.monotonic()
    check = (EXPECTED.get(name) or DROPPED[name])[streaming]
    with contextlib.ExitStack() as stack:
        if name in DROPPED:
            stack.enter_context(pytest.raises(httpx.RemoteProtocolError))
        posted = client.stream("POST", "/chat/completions", json=request_body(**fields))
        response = stack.enter_context(posted)
        for piece in response.iter_raw():
            received += piece
    if check is not None:
        assert "x-asi-one-stand-in" in response.headers
        assert check(response.status_code, response.headers, bytes(received))
    if name in SHORT:
        assert time.monotonic() - started >= 0.1
    if name != "echo_key":
        assert API_KEY.encode() not in received
    assert len(server.requests) == 1
    assert ask(client).status_code == 200


@pytest.mark.parametrize("name", sorted(DROPPED))
def test_connections_can_be_reset(server: LocalASIOne, client: httpx.Client, name: str) -> None:
    server.enqueue(fault(name, reset=True))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        ask(client, stream=True)
    assert ask(client).status_code == 200
