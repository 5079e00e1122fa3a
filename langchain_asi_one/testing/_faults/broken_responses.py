"""Faults that begin as an answer: wrong bodies, broken streams, broken bytes, silence."""

from __future__ import annotations

import gzip as gzip_codec
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_asi_one.testing._default_answers import plain_body
from langchain_asi_one.testing._faults.http_errors import HTML_PAGE, SERVER_ERROR
from langchain_asi_one.testing._faults.registry import named
from langchain_asi_one.testing._render import as_chunks
from langchain_asi_one.testing._responses import (
    DONE,
    JSON_TYPE,
    SSE_TYPE,
    Cut,
    Pause,
    Script,
    Step,
    error_body,
    event,
    streamed,
    to_json,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_asi_one.testing._requests import Exchange


@named("200 with an HTML page, as from a captive portal")
def _html_200(_: Exchange) -> Script:
    return whole(HTML_PAGE.format("Please sign in"), content_type="text/html")


@named("200 with an empty body")
def _empty_200(exchange: Exchange) -> Script:
    return whole(b"", content_type=SSE_TYPE if exchange.streaming else JSON_TYPE)


@named("200 with an error object instead of a completion, as JSON")
def _error_in_200(_: Exchange) -> Script:
    kind = "server_error"
    return whole(error_body(500, "The model is overloaded.", code="overloaded", kind=kind))


@named("200 with a `detail` text instead of a completion, as JSON")
def _detail_in_200(_: Exchange) -> Script:
    return whole({"detail": "The model is overloaded."})


@named("the right answer with the content type text/plain")
def _wrong_content_type(exchange: Exchange) -> Script:
    script = exchange.answered()
    return replace(script, headers={**script.headers, "content-type": "text/plain"})


@named("a JSON completion, also where a stream was asked for")
def _json_for_stream(exchange: Exchange) -> Script:
    return whole(plain_body(exchange.payload))


@named("an event stream, also where a JSON body was asked for")
def _sse_for_json(exchange: Exchange) -> Script:
    return streamed([*_events(exchange), DONE])


def _events(exchange: Exchange) -> list[bytes]:
    return [event(chunk) for chunk in as_chunks(plain_body(exchange.payload))]


def _halves(exchange: Exchange) -> tuple[list[Step], list[Step]]:
    """A right answer in two parts: some of the text in the first, the end in the second."""
    if exchange.streaming:
        events = [*_events(exchange), DONE]
        return list(events[:-6]), list(events[-6:])
    body = to_json(plain_body(exchange.payload)).encode()
    middle = len(body) // 2
    return [body[:middle]], [body[middle:]]


def _interrupted(exchange: Exchange, *between: Step, end: bool) -> Script:
    """The first half of an answer, then ``between``, then with ``end`` the rest."""
    first, second = _halves(exchange)
    steps = [*first, *between, *(second if end else [])]
    if exchange.streaming:
        return streamed(steps)
    length = sum(len(step) for step in (*first, *second) if isinstance(step, bytes))
    return Script(200, {"content-type": JSON_TYPE}, tuple(steps), sized=True, declared=length)


def _in_band(exchange: Exchange, notice: bytes, otherwise: Any) -> Script:
    """A stream that turns into ``notice``; without streaming the JSON ``otherwise``."""
    if exchange.streaming:
        return streamed([*_halves(exchange)[0], notice])
    return whole(otherwise)


@named("after some chunks an event with an error object; without streaming as error_in_200")
def _error_event(exchange: Exchange) -> Script:
    body = error_body(500, SERVER_ERROR, code="server_error", kind="server_error")
    return _in_band(exchange, event(body), body)


@named("after some chunks `event: error` whose data has no error key; else as detail_in_200")
def _error_event_named(exchange: Exchange) -> Script:
    body = {"message": SERVER_ERROR, "code": "server_error"}
    return _in_band(exchange, b"event: error\n" + event(body), {"detail": SERVER_ERROR})


@named("after some chunks an event whose `error` is a text; without streaming that as JSON")
def _error_event_string(exchange: Exchange) -> Script:
    body = {"error": SERVER_ERROR}
    return _in_band(exchange, event(body), body)


@named("a stream that ends cleanly without finish_reason and [DONE]; else half a JSON body")
def _truncated_stream(exchange: Exchange) -> Script:
    first, _ = _halves(exchange)
    return streamed(first) if exchange.streaming else whole(b"".join(map(_bytes, first)))


@named("the connection is dropped in the middle of the body (`reset`: with RST)")
def _cut_stream(exchange: Exchange, reset: bool = False) -> Script:
    return _interrupted(exchange, Cut(reset), end=False)


@named("a clean end of the body inside a JSON event; without streaming half a JSON body")
def _cut_event(exchange: Exchange) -> Script:
    if not exchange.streaming:
        return _truncated_stream(exchange)
    first, second = _halves(exchange)
    return streamed([*first, _bytes(second[0])[:40]])


@named("nothing for `seconds` in the middle of the body, then the rest")
def _stall(exchange: Exchange, seconds: float = 30.0) -> Script:
    return _interrupted(exchange, Pause(seconds), end=True)


@named("nothing at all for `seconds`, then the right answer")
def _stall_before_headers(exchange: Exchange, seconds: float = 30.0) -> Script:
    return replace(exchange.answered(), before=(Pause(seconds),))


@named("only keep-alive comments every `interval` s for `seconds`, then the rest (JSON: spaces)")
def _keepalive_only(exchange: Exchange, seconds: float = 30.0, interval: float = 0.1) -> Script:
    first, second = _halves(exchange)
    beat: bytes = b": keep-alive\n\n" if exchange.streaming else b" "
    beats: list[Step] = [beat, Pause(interval)] * max(1, round(seconds / interval))
    if exchange.streaming:
        return streamed([*first[:1], *beats, *first[1:], *second])
    return Script(200, {"content-type": JSON_TYPE}, (*beats, *first, *second))


@named("the connection is dropped before any byte of the reply (`reset`: with RST)")
def _close_before_reply(_: Exchange, reset: bool = False) -> Script:
    return Script(before=(Cut(reset),))


@named("one event of the stream is not valid JSON; without streaming as malformed_json_body")
def _malformed_json_line(exchange: Exchange) -> Script:
    if not exchange.streaming:
        return _malformed_json_body(exchange)
    first, second = _halves(exchange)
    return streamed([*first, b'data: {"id": "x", "choices": [{]}\n\n', *second])


@named("a JSON body that is not valid JSON; in a stream as malformed_json_line")
def _malformed_json_body(exchange: Exchange) -> Script:
    if exchange.streaming:
        return _malformed_json_line(exchange)
    return whole(to_json(plain_body(exchange.payload))[:-1] + ",]")


def _changed(exchange: Exchange, change: Callable[[dict[str, Any]], object]) -> Script:
    """A completion with ``change`` made to its body, or to each of its chunks."""
    body = plain_body(exchange.payload)
    if not exchange.streaming:
        change(body)
        return whole(body)
    chunks = as_chunks(body)
    for chunk in chunks:
        change(chunk)
    return streamed([*map(event, chunks), DONE])


@named("`choices` is []; in a stream in every chunk")
def _choices_empty(exchange: Exchange) -> Script:
    return _changed(exchange, lambda body: body.update(choices=[]))


@named("`choices` is null; in a stream in every chunk")
def _choices_null(exchange: Exchange) -> Script:
    return _changed(exchange, lambda body: body.update(choices=None))


@named("`choices` is absent; in a stream in every chunk")
def _choices_missing(exchange: Exchange) -> Script:
    return _changed(exchange, lambda body: body.pop("choices"))


@named("`message` is null; in a stream `delta`, in every chunk")
def _message_null(exchange: Exchange) -> Script:
    name = "delta" if exchange.streaming else "message"

    def change(body: dict[str, Any]) -> None:
        for choice in body["choices"]:
            choice[name] = None

    return _changed(exchange, change)


def _bytes(step: Step) -> bytes:
    return step if isinstance(step, bytes) else b""


@named("bytes in the text that are not UTF-8")
def _invalid_utf8(exchange: Exchange) -> Script:
    script = _sse_for_json(exchange) if exchange.streaming else _json_for_stream(exchange)
    return _mapped(script, lambda data: data.replace(b"fixed ", b"fi\xff\xfexed "))


@named("the right answer after a byte order mark")
def _bom(exchange: Exchange) -> Script:
    script = exchange.answered()
    return replace(script, steps=(b"\xef\xbb\xbf", *script.steps))


@named("the right answer with CR LF line ends")
def _crlf(exchange: Exchange) -> Script:
    script = exchange.answered()
    if exchange.streaming:
        return _mapped(script, lambda data: data.replace(b"\n", b"\r\n"))
    return replace(script, steps=(b"\r\n", *script.steps, b"\r\n"))


@named("the right answer compressed with gzip, also if the client did not offer it")
def _gzip(exchange: Exchange) -> Script:
    script = exchange.answered()
    body = gzip_codec.compress(script.body, mtime=0)
    return replace(script, headers={**script.headers, "content-encoding": "gzip"}, steps=(body,))


@named("JSON nested `levels` (100,000) deep in a field of the answer")
def _deep_json(exchange: Exchange, levels: int = 100_000) -> Script:
    deep = '{"deep":' + "[" * levels + "]" * levels + ","
    if exchange.streaming:
        first, second = _halves(exchange)
        broken = b"data: " + deep.encode() + _bytes(second[0]).removeprefix(b"data: {")
        return streamed([*first, broken, *second[1:]])
    return whole(deep + to_json(plain_body(exchange.payload))[1:])


def _mapped(script: Script, change: Callable[[bytes], bytes]) -> Script:
    steps = tuple(change(step) if isinstance(step, bytes) else step for step in script.steps)
    return replace(script, steps=steps)
