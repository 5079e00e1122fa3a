"""Faults that begin as an answer: bodies, streams, bytes, silence."""

from __future__ import annotations

import gzip as gzip_codec
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_asi_one.testing._default_answers import make_plain_body
from langchain_asi_one.testing._fault_registry import register_fault
from langchain_asi_one.testing._faults.http_errors import HTML_PAGE, SERVER_ERROR
from langchain_asi_one.testing._render import render_chunks
from langchain_asi_one.testing._responses import (
    DONE,
    JSON_TYPE,
    SSE_TYPE,
    Cut,
    Pause,
    Script,
    Step,
    encode_event,
    make_error_body,
    make_response,
    make_stream,
    to_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_asi_one.testing._requests import Exchange


@register_fault("200 with an HTML page, as from a captive portal")
def _html_200(_: Exchange) -> Script:
    return make_response(HTML_PAGE.format("Please sign in"), content_type="text/html")


@register_fault("200 with an empty body")
def _empty_200(exchange: Exchange) -> Script:
    return make_response(b"", content_type=SSE_TYPE if exchange.streaming else JSON_TYPE)


@register_fault("200 with an error object instead of a completion, as JSON")
def _error_in_200(_: Exchange) -> Script:
    kind = "server_error"
    return make_response(
        make_error_body(500, "The model is overloaded.", code="overloaded", kind=kind)
    )


@register_fault("200 with a `detail` text instead of a completion, as JSON")
def _detail_in_200(_: Exchange) -> Script:
    return make_response({"detail": "The model is overloaded."})


@register_fault("the right answer with the content type text/plain")
def _wrong_content_type(exchange: Exchange) -> Script:
    script = exchange.answer()
    return replace(script, headers={**script.headers, "content-type": "text/plain"})


@register_fault("a JSON completion, also where a stream was asked for")
def _json_for_stream(exchange: Exchange) -> Script:
    return make_response(make_plain_body(exchange.payload))


@register_fault("an event stream, also where a JSON body was asked for")
def _sse_for_json(exchange: Exchange) -> Script:
    return make_stream([*_make_events(exchange), DONE])


def _make_events(exchange: Exchange) -> list[bytes]:
    return [encode_event(chunk) for chunk in render_chunks(make_plain_body(exchange.payload))]


def _split_answer(exchange: Exchange) -> tuple[list[Step], list[Step]]:
    """Return a right answer in two halves.

    The second one holds the end of the text.
    """
    if exchange.streaming:
        events = [*_make_events(exchange), DONE]
        return list(events[:-6]), list(events[-6:])
    body = to_json(make_plain_body(exchange.payload)).encode()
    middle = len(body) // 2
    return [body[:middle]], [body[middle:]]


def _interrupt(exchange: Exchange, *between: Step, end: bool) -> Script:
    """Return half an answer, then ``between``, then with ``end`` the other half."""
    first, second = _split_answer(exchange)
    steps = [*first, *between, *(second if end else [])]
    if exchange.streaming:
        return make_stream(steps)
    length = sum(len(step) for step in (*first, *second) if isinstance(step, bytes))
    return Script(200, {"content-type": JSON_TYPE}, tuple(steps), sized=True, declared=length)


def _turn_into(exchange: Exchange, notice: bytes, otherwise: Any) -> Script:
    """Return half a stream and ``notice``; without streaming the JSON ``otherwise``."""
    if exchange.streaming:
        return make_stream([*_split_answer(exchange)[0], notice])
    return make_response(otherwise)


@register_fault(
    "after some chunks an event with an error object; without streaming as error_in_200"
)
def _error_event(exchange: Exchange) -> Script:
    body = make_error_body(500, SERVER_ERROR, code="server_error", kind="server_error")
    return _turn_into(exchange, encode_event(body), body)


@register_fault(
    "after some chunks `event: error` whose data has no error key; else as detail_in_200"
)
def _error_event_named(exchange: Exchange) -> Script:
    body = {"message": SERVER_ERROR, "code": "server_error"}
    return _turn_into(exchange, b"event: error\n" + encode_event(body), {"detail": SERVER_ERROR})


@register_fault(
    "after some chunks an event whose `error` is a text; without streaming that as JSON"
)
def _error_event_string(exchange: Exchange) -> Script:
    body = {"error": SERVER_ERROR}
    return _turn_into(exchange, encode_event(body), body)


@register_fault(
    "a stream that ends cleanly without finish_reason and [DONE]; else half a JSON body"
)
def _truncated_stream(exchange: Exchange) -> Script:
    first, _ = _split_answer(exchange)
    return (
        make_stream(first) if exchange.streaming else make_response(b"".join(map(_to_bytes, first)))
    )


@register_fault("the connection is dropped in the middle of the body (`reset`: with RST)")
def _cut_stream(exchange: Exchange, reset: bool = False) -> Script:
    return _interrupt(exchange, Cut(reset), end=False)


@register_fault("a clean end of the body inside a JSON event; without streaming half a JSON body")
def _cut_event(exchange: Exchange) -> Script:
    if not exchange.streaming:
        return _truncated_stream(exchange)
    first, second = _split_answer(exchange)
    return make_stream([*first, _to_bytes(second[0])[:40]])


@register_fault("nothing for `seconds` in the middle of the body, then the rest")
def _stall(exchange: Exchange, seconds: float = 30.0) -> Script:
    return _interrupt(exchange, Pause(seconds), end=True)


@register_fault("nothing at all for `seconds`, then the right answer")
def _stall_before_headers(exchange: Exchange, seconds: float = 30.0) -> Script:
    return replace(exchange.answer(), before=(Pause(seconds),))


@register_fault(
    "only keep-alive comments every `interval` s for `seconds`, then the rest (JSON: spaces)"
)
def _keepalive_only(exchange: Exchange, seconds: float = 30.0, interval: float = 0.1) -> Script:
    first, second = _split_answer(exchange)
    beat: bytes = b": keep-alive\n\n" if exchange.streaming else b" "
    count = max(1, round(seconds / max(interval, 0.001)))
    beats: list[Step] = [beat, Pause(interval)] * min(count, 100_000)
    if exchange.streaming:
        return make_stream([*first[:1], *beats, *first[1:], *second])
    return Script(200, {"content-type": JSON_TYPE}, (*beats, *first, *second))


@register_fault("the connection is dropped before any byte of the reply (`reset`: with RST)")
def _close_before_reply(_: Exchange, reset: bool = False) -> Script:
    return Script(before=(Cut(reset),))


@register_fault(
    "one event of the stream is not valid JSON; without streaming as malformed_json_body"
)
def _malformed_json_line(exchange: Exchange) -> Script:
    if not exchange.streaming:
        return _malformed_json_body(exchange)
    first, second = _split_answer(exchange)
    return make_stream([*first, b'data: {"id": "x", "choices": [{]}\n\n', *second])


@register_fault("a JSON body that is not valid JSON; in a stream as malformed_json_line")
def _malformed_json_body(exchange: Exchange) -> Script:
    if exchange.streaming:
        return _malformed_json_line(exchange)
    return make_response(to_json(make_plain_body(exchange.payload))[:-1] + ",]")


def _change_answer(exchange: Exchange, change: Callable[[dict[str, Any]], object]) -> Script:
    """Return a completion after ``change`` of its body, or of each chunk."""
    body = make_plain_body(exchange.payload)
    if not exchange.streaming:
        change(body)
        return make_response(body)
    chunks = render_chunks(body)
    for chunk in chunks:
        change(chunk)
    return make_stream([*map(encode_event, chunks), DONE])


@register_fault("`choices` is []; in a stream in every chunk")
def _choices_empty(exchange: Exchange) -> Script:
    return _change_answer(exchange, lambda body: body.update(choices=[]))


@register_fault("`choices` is null; in a stream in every chunk")
def _choices_null(exchange: Exchange) -> Script:
    return _change_answer(exchange, lambda body: body.update(choices=None))


@register_fault("`choices` is absent; in a stream in every chunk")
def _choices_missing(exchange: Exchange) -> Script:
    return _change_answer(exchange, lambda body: body.pop("choices"))


@register_fault("`message` is null; in a stream `delta`, in every chunk")
def _message_null(exchange: Exchange) -> Script:
    name = "delta" if exchange.streaming else "message"

    def change(body: dict[str, Any]) -> None:
        for choice in body["choices"]:
            choice[name] = None

    return _change_answer(exchange, change)


def _to_bytes(step: Step) -> bytes:
    return step if isinstance(step, bytes) else b""


@register_fault("bytes in the text that are not UTF-8")
def _invalid_utf8(exchange: Exchange) -> Script:
    script = _sse_for_json(exchange) if exchange.streaming else _json_for_stream(exchange)
    return _map_bytes(script, lambda data: data.replace(b"fixed ", b"fi\xff\xfexed "))


@register_fault("the right answer after a byte order mark")
def _bom(exchange: Exchange) -> Script:
    script = exchange.answer()
    return replace(script, steps=(b"\xef\xbb\xbf", *script.steps))


@register_fault("the right answer with CR LF line ends")
def _crlf(exchange: Exchange) -> Script:
    script = exchange.answer()
    if exchange.streaming:
        return _map_bytes(script, lambda data: data.replace(b"\n", b"\r\n"))
    return replace(script, steps=(b"\r\n", *script.steps, b"\r\n"))


@register_fault("the right answer compressed with gzip, also if the client did not offer it")
def _gzip(exchange: Exchange) -> Script:
    script = exchange.answer()
    body = gzip_codec.compress(script.body, mtime=0)
    return replace(script, headers={**script.headers, "content-encoding": "gzip"}, steps=(body,))


@register_fault("JSON nested `levels` (100,000) deep in a field of the answer")
def _deep_json(exchange: Exchange, levels: int = 100_000) -> Script:
    deep = '{"deep":' + "[" * levels + "]" * levels + ","
    if exchange.streaming:
        first, second = _split_answer(exchange)
        broken = b"data: " + deep.encode() + _to_bytes(second[0]).removeprefix(b"data: {")
        return make_stream([*first, broken, *second[1:]])
    return make_response(deep + to_json(make_plain_body(exchange.payload))[1:])


def _map_bytes(script: Script, change: Callable[[bytes], bytes]) -> Script:
    steps = tuple(change(step) if isinstance(step, bytes) else step for step in script.steps)
    return replace(script, steps=steps)
