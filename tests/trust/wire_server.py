"""A server that controls every byte, and the faults that it serves.

A request to `/NUMBER/CELL/v1/chat/completions` gets the fault of that row; what was sent for a cell
is counted. Rows named F are those that any client of an HTTP API meets; rows named N are an attack.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

ANSWER: Final = '{"say": "Hello world"}'
"""The right answer, which is text, and JSON for structured output."""

_LONG: Final = 30.0  # seconds after which a fault that never ends gives up
_JSON, _SSE = "application/json", "text/event-stream"
_DONE: Final = b"data: [DONE]\n\n"
_CONTROLS: Final = "\x1b]0;owned\x07\x1b[2J\u202egnp\u2066\x9b31m\x00"


def chunk(delta: Any, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "model": "asi1", "created": 1, "choices": [choice], **fields}


def event(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return b"data: " + text.encode("utf-8", "surrogatepass") + b"\n\n"


def completion(message: Any = None, **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": ANSWER} if message is None else message
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return {"id": "c", "model": "asi1", "choices": [choice], "usage": usage, **fields}


START: Final = [
    event(chunk({"role": "assistant", "content": ""})),
    event(chunk({"content": ANSWER[:9]})),
]
REST: Final = [event(chunk({"content": ANSWER[9:]})), event(chunk({}, "stop")), _DONE]


@dataclass
class Cell:
    """What came for one cell of the table."""

    requests: int = 0
    open: int = 0
    """Requests that are still being answered."""


@dataclass
class Exchange:
    """One request, and the connection to answer on."""

    connection: socket.socket
    streamed: bool
    number: int
    """Of this request among those of its cell, from 1."""
    path: str
    prompt: str
    over: bool = field(default=False)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self, *headers: str, status: str = "200 OK", kind: str = "") -> None:
        kind = kind or (_SSE if self.streamed else _JSON)
        lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", *headers, "", ""]
        self.send("\r\n".join(lines).encode("latin-1"))

    def whole(self, body: bytes, *headers: str, status: str = "200 OK", kind: str = _JSON) -> None:
        self.head(f"content-length: {len(body)}", *headers, status=status, kind=kind)
        self.send(body)

    def refuse(self, status: str, body: Any, *headers: str) -> None:
        self.whole(
            body if isinstance(body, bytes) else json.dumps(body).encode(), *headers, status=status
        )

    def part(self, data: bytes) -> None:
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def events(self, *events: bytes, end: bool = True) -> None:
        self.head("transfer-encoding: chunked", kind=_SSE)
        for one in events:
            self.part(one)
        if end:
            self.send(b"0\r\n\r\n")

    def right(self) -> None:
        if self.streamed:
            self.events(*START, *REST)
        else:
            self.whole(json.dumps(completion()).encode())

    def either(self, body: Any, *events: bytes) -> None:
        """Send a body, or the same as events, by what was asked for."""
        if self.streamed:
            self.events(*events)
        else:
            self.whole(body if isinstance(body, bytes) else json.dumps(body).encode())

    def close(self, *, reset: bool = False) -> None:
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        else:
            self.connection.shutdown(socket.SHUT_RDWR)
        self.over = True

    def has_left(self, seconds: float) -> bool:
        """Wait, and say whether the client closed the connection meanwhile."""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            if select.select([self.connection], [], [], rest)[0]:
                return True
        return False

    def drip(self, data: bytes) -> None:
        """Send bytes one by one until the client leaves."""
        end = time.monotonic() + _LONG
        for at in range(len(data)):
            if time.monotonic() > end or self.has_left(0.1):
                break
            self.send(data[at : at + 1])
        self.over = True

    def repeat(self, data: bytes, pause: float) -> None:
        """Send the same again until the client leaves."""
        end = time.monotonic() + _LONG
        while time.monotonic() < end and not self.has_left(pause):
            self.send(data)
        self.over = True


Serve = Callable[[Exchange], None]


def _steps(*steps: Serve) -> Serve:
    def serve(e: Exchange) -> None:
        for step in steps:
            step(e)

    return serve


def _fails_then_right(times: int, fail: Serve) -> Serve:
    return lambda e: fail(e) if e.number <= times else e.right()


def _refusal(status: str, *headers: str, body: Any = None) -> Serve:
    body = {"error": {"message": "no"}} if body is None else body
    return lambda e: e.refuse(status, body, *headers)


def _text(text: str) -> Serve:
    return lambda e: e.either(
        completion({"role": "assistant", "content": text}),
        event(chunk({"content": text})),
        *REST[1:],
    )


def _raw(replace: bytes) -> Serve:
    """Put bytes that belong in no JSON into the middle of the answer."""

    def serve(e: Exchange) -> None:
        body = json.dumps(completion()).encode().replace(b"Hello", b"He" + replace)
        e.either(body, *START, START[1].replace(b"say", b"s" + replace), *REST)

    return serve


def _said(**fields: Any) -> Serve:
    return lambda e: e.either(
        completion(**fields), *START, event(chunk({"content": ANSWER[9:]}, **fields)), *REST[1:]
    )


def _calls(count: int) -> Serve:
    def serve(e: Exchange) -> None:
        calls = [
            {
                "index": at,
                "id": f"call_{at}",
                "type": "function",
                "function": {"name": "f", "arguments": "{}"},
            }
            for at in range(count)
        ]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        last = event(chunk({}, "tool_calls"))
        e.either(completion(message), event(chunk(message)), last, _DONE)

    return serve


def _nested(depth: int, where: str) -> Serve:
    nest = b'{"a":' * depth + b"1" + b"}" * depth

    def put(value: Any) -> bytes:
        return json.dumps(value).encode().replace(b'"@"', nest)

    def serve(e: Exchange) -> None:
        if where == "error":
            e.refuse("400 Bad Request", b'{"error":' + nest + b"}")
        else:
            data = b"data: " + put(chunk({"content": ANSWER[9:]}, executable_data="@")) + b"\n\n"
            e.either(put(completion(executable_data="@")), *START, data, *REST[1:])

    return serve


def _framed(head: list[str], *, before: bytes = b"", after: bytes = b"") -> Serve:
    """Send the answer with framing of HTTP that is wrong."""

    def serve(e: Exchange) -> None:
        e.head(*head)
        chunked = any("chunked" in one for one in head)
        body = b"".join([*START, *REST]) if e.streamed else json.dumps(completion()).encode()
        e.send(before)
        (e.part if chunked else e.send)(body)
        e.send(after)
        e.has_left(1)
        e.over = True

    return serve


def _split(e: Exchange) -> None:
    text = '{"say": "h\u00e9\U0001f600\u2028z"}'
    data = json.dumps(chunk({"content": text}), ensure_ascii=False).encode()
    pieces = [bytes([one]) for one in b"data: " + data + b"\n\n"]
    body = json.dumps(completion({"content": text}), ensure_ascii=False).encode()
    e.either(body, *pieces, *REST[1:])


def _ends(ending: bytes) -> Serve:
    return lambda e: e.either(
        completion(), *(one.replace(b"\n", ending) for one in (*START, *REST))
    )


def _cut(e: Exchange, *, reset: bool = False, chunked: bool = True) -> None:
    if e.streamed:
        e.head("transfer-encoding: chunked" if chunked else "connection: close")
        for one in START:
            (e.part if chunked else e.send)(one)
    else:
        e.head("content-length: 1000" if chunked else "connection: close")
        e.send(b'{"id":')
    time.sleep(0.05)  # or the reset overtakes what was sent
    e.close(reset=reset)


def _stall(e: Exchange) -> None:
    if e.streamed:
        e.events(*START, end=False)
    e.has_left(_LONG)
    e.over = True


def _keep(data: bytes, pause: float) -> Serve:
    """Begin a stream and go on with what says nothing; without a stream, before the body."""

    def serve(e: Exchange) -> None:
        e.head("transfer-encoding: chunked")
        if e.streamed:
            for one in START:
                e.part(one)
        blank = b" " * 64 if not e.streamed else data
        e.repeat(b"%x\r\n%b\r\n" % (len(blank), blank), pause)

    return serve


def _two_answers(e: Exchange) -> None:
    """Answer twice; the second must not become the answer to the next request."""

    def one(text: str) -> bytes:
        body = json.dumps(completion({"content": text})).encode()
        kind = _JSON
        if e.streamed:
            body, kind = b"".join([event(chunk({"content": text})), *REST[1:]]), _SSE
        return (
            f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(body)}\r\n\r\n".encode()
            + body
        )

    e.send(one(e.prompt) + one("stale " + e.prompt))


def _gzip(data: bytes) -> Serve:
    def serve(e: Exchange) -> None:
        body = data or gzip.compress(
            b"".join([*START, *REST]) if e.streamed else json.dumps(completion()).encode()
        )
        kind = _SSE if e.streamed else _JSON
        e.whole(body, "content-encoding: gzip", kind=kind)

    return serve


def _bomb(e: Exchange) -> None:
    size = 300 * 2**20
    parts = (b'data: {"choices":[{"delta":{"content":"', b'"}}]}\n\ndata: [DONE]\n\n')
    if not e.streamed:
        parts = (b'{"choices":[{"message":{"content":"', b'"},"finish_reason":"stop"}]}')
    packer = gzip.compress(parts[0]) + gzip.compress(b"a" * size, 1) + gzip.compress(parts[1])
    e.whole(packer, "content-encoding: gzip", kind=_SSE if e.streamed else _JSON)


def _documented(e: Exchange) -> None:
    """The documented stream: thoughts beside the choices, and two chunks that end it."""
    thoughts = [
        event(chunk({"content": ""}, thought=text)) for text in ("The user", " asks", " so")
    ]
    end = event(chunk({}, "stop", executable_data=[], thought=["The user asks so"]))
    e.either(completion(), START[0], *thoughts, START[1], REST[0], end, end, _DONE)


def _redirect(status: str, place: str) -> Serve:
    return lambda e: e.whole(b"", f"location: {place or e.path}", status=status, kind="text/plain")


_QUOTA: Final = {"error": {"message": "over quota", "type": "x", "code": 500}}
_PORTAL: Final = b"<html><body>captive portal</body></html>"
_LOC: Final = {"detail": [{"loc": 5, "msg": "field required"}]}
_LIMIT: Final = "429 Too Many Requests"


@dataclass(frozen=True)
class Row:
    """A fault, and how it must end.

    Attributes:
        serve: Sends it.
        whole: Requests for a call that is not streamed; 0 if it must end in an error.
        stream: The same for one that is.
        tries: Requests where it ends in an error: not streamed, streamed.
        text: The right text, where that is another than `ANSWER`.
        heavy: Whether it is asked in the plain form only.
        waits: Whether it ends by a limit of time.
    """

    serve: Serve
    whole: int = 0
    stream: int = 0
    tries: tuple[int, int] = (1, 1)
    text: str = ANSWER
    heavy: bool = False
    waits: bool = False


def right(serve: Serve, requests: int = 1, **options: Any) -> Row:
    return Row(serve, requests, requests, **options)


def broken(serve: Serve, *tries: int, heavy: bool = False) -> Row:
    whole, streamed = (tries * 2)[:2] if tries else (1, 1)
    return Row(serve, tries=(whole, streamed), heavy=heavy)


def endless(serve: Serve) -> Row:
    return Row(serve, waits=True)


ROWS: Final[dict[str, Row]] = {
    "F1 429, then right": right(_fails_then_right(1, _refusal(_LIMIT, "retry-after: 0.3")), 2),
    "F2 429 for an hour": broken(_refusal(_LIMIT, "retry-after: 3600")),
    "F3 a date that is none": broken(_refusal("503 Busy", "retry-after: Wed, 99 Foo"), 3),
    "F4 500 twice": right(_fails_then_right(2, _refusal("500 Odd")), 3),
    "F5 502 as HTML": broken(_refusal("502 Bad Gateway", body=_PORTAL), 3),
    "F5 503": broken(_refusal("503 Service Unavailable"), 3),
    "F6 400": broken(_refusal("400 Bad Request")),
    "F6 401": broken(_refusal("401 Unauthorized")),
    "F7 reset twice": right(_fails_then_right(2, lambda e: e.close(reset=True)), 3),
    "F7 closed twice": right(_fails_then_right(2, Exchange.close), 3),
    "F8 reset within": broken(lambda e: _cut(e, reset=True), 3, 1),
    "F8 closed within": broken(_cut, 3, 1),
    "F9 closed, no length": broken(lambda e: _cut(e, chunked=False)),
    "F9 no finish_reason": broken(lambda e: e.either(b'{"id": "c", "choi', *START)),
    "F9 cut in JSON": broken(lambda e: e.either(b'{"id": "c', *START, b'data: {"id":"c","cho')),
    "F10 no [DONE]": right(lambda e: e.either(completion(), *START, *REST[:2])),
    "F11 stall": endless(_stall),
    "F12 comments only": endless(_keep(b": keep-alive\n\n", 0.1)),
    "F13 no JSON": broken(lambda e: e.either(b"{not json}", *START, event("{not json}"), *REST)),
    "F14 no UTF-8": broken(_raw(b"\xff\xfe")),
    "F15 split in letters": right(_split, text='{"say": "h\u00e9\U0001f600\u2028z"}'),
    "F16 BOM": right(
        lambda e: e.either(
            b"\xef\xbb\xbf" + json.dumps(completion()).encode(),
            b"\xef\xbb\xbf" + START[0],
            *START[1:],
            *REST,
        )
    ),
    "F17 CRLF": right(_ends(b"\r\n")),
    "F17 CR": right(_ends(b"\r")),
    "F17 comments": right(
        lambda e: e.either(completion(), *(b": ping\n\n" + one for one in (*START, *REST)))
    ),
    "F18 error event": broken(lambda e: e.either(_QUOTA, *START, event(_QUOTA), _DONE)),
    "F18 error as text": broken(
        lambda e: e.either({"error": "died"}, *START, event({"error": "died"}), _DONE)
    ),
    "F19 event: error": broken(
        lambda e: e.either(_QUOTA, *START, b'event: error\ndata: {"message": "died"}\n\n', _DONE)
    ),
    "F20 error in a 200": broken(lambda e: e.whole(json.dumps(_QUOTA).encode())),
    "F20 detail in a 200": broken(lambda e: e.whole(b'{"detail": "not found"}')),
    "F21 choices []": broken(
        lambda e: e.either(completion(choices=[]), event({**chunk({}), "choices": []}), _DONE)
    ),
    "F21 choices null": broken(
        lambda e: e.either(completion(choices=None), event({**chunk({}), "choices": None}), _DONE)
    ),
    "F22 message null": Row(
        lambda e: e.either(
            {**completion(), "choices": [{"message": None}]}, *START, event(chunk(None)), *REST
        ),
        stream=1,
    ),
    "F22 content null": right(
        lambda e: e.either(
            completion({"content": None}), event(chunk({"content": None})), *REST[1:]
        ),
        text="",
        heavy=True,
    ),
    "F23 usage null": right(_said(usage=None)),
    "F23 usage odd": right(_said(usage={"prompt_tokens": "39", "completion_tokens": None})),
    "F24 HTML": broken(lambda e: e.whole(_PORTAL, kind="text/html")),
    "F24 empty": broken(lambda e: e.whole(b"", kind=_SSE if e.streamed else _JSON)),
    "F24 JSON for a stream": right(lambda e: e.whole(json.dumps(completion()).encode())),
    "F25 another content type": right(_framed(["x: y", "connection: close"]), heavy=True),
    "F26 gzip": right(_gzip(b"")),
    "F26 corrupt gzip": broken(_gzip(b"\x1f\x8bno gzip at all"), 3, 1),
    "F27 10 MB": right(_text("x" * 10_000_000), text="x" * 10_000_000, heavy=True),
    "F28 10,000 chunks": right(
        lambda e: e.either(
            completion({"content": "x" * 10_000}),
            *[event(chunk({"content": "x"}))] * 10_000,
            *REST[1:],
        ),
        text="x" * 10_000,
        heavy=True,
    ),
    "F29 1,000 tool calls": right(_calls(1_000), text="", heavy=True),
    "F30 arguments that are no JSON": right(
        lambda e: e.either(
            completion(
                {
                    "content": ANSWER,
                    "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{oops"}}],
                }
            ),
            *START,
            REST[0],
            event(
                chunk(
                    {
                        "tool_calls": [
                            {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{oops"}}
                        ]
                    }
                )
            ),
            *REST[1:],
        ),
        heavy=True,
    ),
    "F31 500 levels": right(_nested(500, "data")),
    "F31 100,000 levels": right(_nested(100_000, "data"), heavy=True),
    "F32 lone surrogate": right(_text("a\ud800b"), text="a\ufffdb", heavy=True),
    "F32 NaN": right(_said(executable_data=[float("nan")])),
    "F33 a header of 300 kB": broken(lambda e: e.head("x: " + "a" * 300_000), 3),
    "F33 early hints": right(
        _steps(lambda e: e.send(b"HTTP/1.1 103 Early Hints\r\n\r\n"), Exchange.right)
    ),
    **{
        f"F34 redirect {status[:3]}": broken(_redirect(status, "/0/landed/v1/chat/completions"))
        for status in ("301 Moved", "302 Found", "303 Other", "307 Temporary", "308 Permanent")
    },
    "F34 redirect to a file": broken(_redirect("302 Found", "file:///etc/passwd")),
    "F35 the documented stream": right(_documented),
    "N1 headers drip": endless(lambda e: e.drip(b"HTTP/1.1 200 OK\r\nx: " + b"a" * 4000)),
    "N2 a body drips": endless(
        _steps(
            lambda e: e.head("connection: close"),
            lambda e: e.drip(b'data: {"id":"' + b"a" * 4000),
        )
    ),
    "N3 size of a chunk is none": broken(
        _steps(
            lambda e: e.head("transfer-encoding: chunked"),
            lambda e: e.send(b"ZZ\r\nxx\r\n"),
            Exchange.close,
        ),
        3,
        1,
    ),
    "N3 size of a chunk is huge": broken(
        _steps(
            lambda e: e.head("transfer-encoding: chunked"),
            lambda e: e.send(b"F" * 25 + b"\r\nx"),
            Exchange.close,
        ),
        3,
        1,
    ),
    "N4 300 MiB of gzip": broken(_bomb, heavy=True),
    "N5 garbage as br": broken(
        lambda e: e.whole(b"\x99\xfe\x01 garbage", "content-encoding: br"), 1
    ),
    "N6 shorter length": broken(_framed(["content-length: 20"]), 1),
    "N7 longer length": broken(
        _steps(
            lambda e: e.head("content-length: 9999"),
            lambda e: e.send(START[0] if e.streamed else b'{"id":'),
            Exchange.close,
        ),
        3,
        1,
    ),
    "N8 HTTP/1.0": right(
        _steps(
            lambda e: e.send(b"HTTP/1.0 200 OK\r\n\r\n"),
            lambda e: e.send(
                b"".join([*START, *REST]) if e.streamed else json.dumps(completion()).encode()
            ),
            Exchange.close,
        )
    ),
    "N9 endless hints": endless(
        lambda e: e.repeat(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", 0.1)
    ),
    "N10 reset always": broken(lambda e: e.close(reset=True), 3),
    **{
        f"N11 retry-after: {value[:12]}": broken(
            _refusal("503 Busy", f"retry-after: {value}"), tries
        )
        for value, tries in {
            "1000000000": 1,
            "inf": 3,
            "nan": 3,
            "-5": 3,
            "Fri, 31 Dec 99999999999999999999 23:59:59 GMT": 3,
            "9" * 5000: 3,
        }.items()
    },
    "N12 redirect to itself": broken(_redirect("307 Temporary", "")),
    "N13 a line of 50 MB": right(_text("x" * 50_000_000), text="x" * 50_000_000, heavy=True),
    "N14 comments flood": endless(_keep(b": " + b"x" * 8000 + b"\n\n", 0.01)),
    "N15 blank lines flood": endless(_keep(b"\n" * 8000, 0.01)),
    "N16 events say nothing": endless(_keep(event(chunk({})), 0.1)),
    "N17 100,000 tool calls": right(_calls(100_000), text="", heavy=True),
    "N18 an error, a million deep": broken(_nested(1_000_000, "error"), heavy=True),
    "N19 twice the same key": right(
        lambda e: e.either(
            json.dumps(completion()).encode().replace(b'{"id"', b'{"id": "x", "id"', 1),
            *START,
            *REST,
        )
    ),
    "N20 NUL as an escape": right(_text("a\0b"), text="ab", heavy=True),
    "N21 NUL": broken(_raw(b"\0")),
    **{
        f"N22 {name}": broken(_raw(data))
        for name, data in {
            "two bytes for one": b"\xc0\xaf",
            "three for one": b"\xe0\x80\xaf",
            "a surrogate": b"\xed\xa0\x80",
            "five bytes": b"\xf8\x88\x80\x80\x80",
        }.items()
    },
    "N23 two answers": right(_two_answers, text="the prompt", heavy=True),
    "N24 two lengths": broken(_framed(["content-length: 5", "content-length: 9"]), 3, 3),
    "N24 length and chunked": right(
        _framed(["content-length: 5", "transfer-encoding: chunked"], after=b"0\r\n\r\n"), heavy=True
    ),
    "N24 length below 0": broken(_framed(["content-length: -1"]), 3, 3),
    "N25 controls in headers": broken(
        _refusal("429 Too Many\x1b[31m", "x-request-id: a\x1b]0;own\x07b", "retry-after: 3600")
    ),
    "N25 controls in an error": broken(
        _refusal(
            "400 Bad Request", body={"error": {"message": f"bad {_CONTROLS}", "code": "x\x1b"}}
        )
    ),
    "N26 an error of 50 MB": broken(
        _refusal("400 Bad Request", body={"error": {"message": "x" * 50_000_000}}), heavy=True
    ),
    "N27 204": broken(lambda e: e.send(b"HTTP/1.1 204 No Content\r\n\r\n")),
    "N27 304": broken(lambda e: e.send(b"HTTP/1.1 304 Not Modified\r\n\r\n")),
    "N27 999": broken(_refusal("999 Odd"), 3),
    "N28 a trailer of 200 kB": Row(
        _framed(["transfer-encoding: chunked"], after=b"0\r\nx: " + b"a" * 200_000 + b"\r\n\r\n"),
        stream=1,
        tries=(3, 3),
        heavy=True,
    ),
    "N29 UTF-8 in a header": broken(
        lambda e: e.send(
            "HTTP/1.1 302 Found\r\nlocation: /café\r\ncontent-length: 0\r\n\r\n".encode()
        )
    ),
    "N29 Latin-1 in a header": broken(_refusal("401 X", "x-request-id: r\xe9q")),
    "N30 a place that is no list": broken(_refusal("422 X", body=_LOC)),
    "N30 the same in a 200": broken(lambda e: e.whole(json.dumps(_LOC).encode())),
}


class WireServer:
    """Serves rows over sockets of its own."""

    def __init__(self, rows: Iterable[str]) -> None:
        self.cells: dict[str, Cell] = {}
        self._lock = threading.Lock()
        self._rows = tuple(rows)

    @contextlib.contextmanager
    def run(self) -> Iterator[dict[str, str]]:
        """Serve, and give the URL of each row.

        Each has a port of its own. On a common one, a request might meet a kept connection that
        another row is closing.
        """
        with contextlib.ExitStack() as stack:
            urls = {}
            for name in self._rows:
                listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
                threading.Thread(target=self._accept, args=(listener, name), daemon=True).start()
                stack.callback(listener.shutdown, socket.SHUT_RDWR)
                urls[name] = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield urls

    def _accept(self, listener: socket.socket, row: str) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._talk, args=(connection, row), daemon=True).start()

    def _talk(self, connection: socket.socket, row: str) -> None:
        with connection, contextlib.suppress(OSError):
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    if not (more := connection.recv(65536)):
                        return
                    data += more
                top, _, data = data.partition(b"\r\n\r\n")
                first, *lines = top.decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value
                    for name, _, value in (line.partition(": ") for line in lines)
                }
                length = int(headers.get("content-length", 0))
                while len(data) < length:
                    if not (more := connection.recv(65536)):
                        return  # or this loop has no end
                    data += more
                body, data = data[:length], data[length:]
                if self._answer(connection, row, first.split(" ")[1], body):
                    return

    def _answer(self, connection: socket.socket, row: str, path: str, body: bytes) -> bool:
        cell = path.split("/")[1]
        request = json.loads(body or b"{}")
        with self._lock:
            counted = self.cells.setdefault(cell, Cell())
            counted.requests += 1
            counted.open += 1
            number = counted.requests
        prompt = str(request["messages"][-1]["content"]) if request else ""
        exchange = Exchange(connection, bool(request.get("stream")), number, path, prompt)
        try:
            ROWS[row].serve(exchange)
        finally:
            with self._lock:
                counted.open -= 1
        return exchange.over
