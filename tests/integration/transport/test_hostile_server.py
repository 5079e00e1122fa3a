"""A server that controls every byte: whatever it sends, the error is ours, in time and small."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import pickle
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from langchain_asi_one import ChatASIOne, errors
from langchain_asi_one._transport import completions
from langchain_asi_one.errors import ASIOneError
from tests.support.model import API_KEY
from tests.support.patience import PATIENCE

MODES = ("invoke", "ainvoke", "stream", "astream")
DONE = b"data: [DONE]\n\n"
OK = "HTTP/1.1 200 OK"


def completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()


def event(text: str, **fields: Any) -> bytes:
    chunk = {"choices": [{"delta": {"content": text}}], **fields}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def stream(text: str) -> bytes:
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    return event(text) + b"data: " + json.dumps(end).encode() + b"\n\n" + DONE


def head(status: str, *headers: str, kind: str = "application/json") -> bytes:
    lines = [status, f"content-type: {kind}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def whole(status: str, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    return head(status, f"content-length: {len(body)}", *headers, kind=kind) + body


class Server:
    """Serves each request by a function; it stops when the client has gone or the test ends."""

    def __init__(self, serve: Callable[[Server, socket.socket, dict[str, Any]], None]) -> None:
        self.serve = serve
        self.connections = 0
        self.requests: list[dict[str, Any]] = []
        self.ended = threading.Event()
        self.has_sent_all = False

    @contextlib.contextmanager
    def run(self) -> Iterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
            self.ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            data = b""
            while not self.ended.is_set():
                while b"\r\n\r\n" not in data:
                    if not (more := connection.recv(65536)):
                        return
                    data += more
                top, _, data = data.partition(b"\r\n\r\n")
                names = dict(line.split(b": ", 1) for line in top.lower().split(b"\r\n")[1:])
                length = int(names.get(b"content-length", 0))
                while len(data) < length:
                    data += connection.recv(65536)
                body, data = json.loads(data[:length] or b"{}"), data[length:]
                self.requests.append({**body, "line": top.split(b"\r\n")[0].decode()})
                self.serve(self, connection, body)

    def drip(self, connection: socket.socket, data: bytes, pause: float = 0.02) -> None:
        """Send bytes one by one, as long as anybody listens."""
        for byte in data:
            if self.ended.wait(pause):
                return
            connection.sendall(bytes([byte]))
        self.has_sent_all = True


def answers(reply: bytes) -> Server:
    return Server(lambda _, connection, __: connection.sendall(reply))


def stalling(begun: bytes) -> Server:
    """Begin each reply, and end it when nobody would wait any more."""

    def serve(server: Server, connection: socket.socket, _: object) -> None:
        connection.sendall(begun)
        server.has_sent_all = not server.ended.wait(PATIENCE)
        connection.close()

    return Server(serve)


def make(url: str, **arguments: Any) -> ChatASIOne:
    return ChatASIOne(
        **{"base_url": url, "api_key": API_KEY, "max_retries": 0, "timeout": PATIENCE, **arguments}
    )


def ask(model: ChatASIOne, mode: str, text: str = "Hi", **options: Any) -> str:
    async def read() -> str:
        return "".join([str(chunk.text) async for chunk in model.astream(text, **options)])

    if mode == "invoke":
        return str(model.invoke(text, **options).text)
    if mode == "ainvoke":
        return str(asyncio.run(model.ainvoke(text, **options)).text)
    if mode == "stream":
        return "".join([str(chunk.text) for chunk in model.stream(text, **options)])
    return asyncio.run(read())


def error_of(model: ChatASIOne, mode: str, **options: Any) -> ASIOneError:
    with pytest.raises(ASIOneError) as caught:
        ask(model, mode, **options)
    chain: list[ASIOneError] = []
    pending: list[BaseException | None] = [caught.value]
    while pending:
        if (one := pending.pop()) is not None:
            assert isinstance(one, ASIOneError)
            chain.append(one)
            pending += [one.__cause__, one.__context__]
    assert all("authorization" not in one.request.headers for one in chain)
    return caught.value


# --- Nothing but an ASIOneError leaves a request ---

STATUS, BAD = errors.ASIOneStatusError, errors.ASIOneBadRequestError
ODD = {
    "a date of 20 digits": (
        whole(
            "HTTP/1.1 429 Too Many Requests", b"{}", "retry-after: Mon, 1 Jan 99999999999999999999"
        ),
        errors.ASIOneRateLimitError,
    ),
    "a wait without end": (
        whole("HTTP/1.1 429 Too Many Requests", b"{}", "retry-after: 1e999"),
        errors.ASIOneRateLimitError,
    ),
    "a wait that is no number": (
        whole("HTTP/1.1 503 Odd", b"{}", "retry-after: nan"),
        errors.ASIOneServerError,
    ),
    "UTF-8 in a header": (
        "HTTP/1.1 302 Found\r\nlocation: /café\r\ncontent-length: 0\r\n\r\n".encode(),
        STATUS,
    ),
    "Latin-1 in a header": (
        whole("HTTP/1.1 401 X", b"{}", "x-request-id: r\xe9q"),
        errors.ASIOneAuthenticationError,
    ),
    "a place that is no list": (
        whole("HTTP/1.1 422 X", b'{"detail": [{"loc": 5, "msg": "missing"}]}'),
        errors.ASIOneUnprocessableError,
    ),
    "the same with status 200": (
        whole(OK, b'{"detail": [{"loc": 5, "msg": "missing"}, 7, null]}'),
        ASIOneError,
    ),
    "an unknown status": (whole("HTTP/1.1 999 Odd", b'{"error": 7}'), errors.ASIOneServerError),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", errors.InvalidResponseError),
    "a deep error": (
        whole("HTTP/1.1 400 X", b'{"error":' * 20_000 + b"1" + b"}" * 20_000),
        BAD,
    ),
    "an error body that never comes": (
        head("HTTP/1.1 400 X", "content-length: 5000", "connection: close") + b'{"error"',
        BAD,
    ),
    "garbage in gzip": (
        whole(OK, b"\x99garbage" * 9, "content-encoding: gzip"),
        errors.ASIOneConnectionError,
    ),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_is_an_error_of_ours(name: str, mode: str) -> None:
    reply, kind = ODD[name]
    cut = name.endswith("never comes")

    def serve(_: Server, connection: socket.socket, __: object) -> None:
        connection.sendall(reply)
        if cut:
            connection.shutdown(socket.SHUT_RDWR)

    with Server(serve).run() as url:
        error = error_of(make(url), mode)
    assert type(error) is kind
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own pickle
    assert (str(twin), twin.info) == (str(error), error.info)


CONTROLS = "\x1b]0;owned\x07\x1b[2J\u202egnp\u2066\x9b31m\u2028"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("status", ["HTTP/1.1 400 Bad Request", OK])
def test_control_characters_never_reach_the_text_of_an_error(status: str, mode: str) -> None:
    said = {
        "message": f"bad {CONTROLS} field",
        "param": "x\x1b[31m",
        "code": "unknown\x07",
        "type": "\u202etype",
    }
    reply = whole(status, json.dumps({"error": said}).encode(), "x-ratelimit-note: a\x9bb")
    with answers(reply).run() as url:
        error = error_of(make(url), mode)
    for text in (str(error), error.api_message, error.code, error.param, error.type):
        assert text is not None
        assert text.isprintable()
    assert r"bad \x1b]0;owned\x07" in error.api_message
    assert all(value.isprintable() for value in error.info.headers.values())


# --- No second response becomes the answer to the next request ---


@pytest.mark.parametrize("mode", MODES)
def test_a_second_response_to_one_request_is_never_read(mode: str) -> None:
    streamed = mode.endswith("stream")

    def reply(text: str) -> bytes:
        kind = "text/event-stream" if streamed else "application/json"
        return whole(OK, stream(text) if streamed else completion(text), kind=kind)

    def serve(server: Server, connection: socket.socket, body: dict[str, Any]) -> None:
        text = body["messages"][0]["content"]
        twice = b"" if len(server.requests) > 1 else reply("stale")
        connection.sendall(reply(text) + twice)

    server = Server(serve)
    with server.run() as url:
        model = make(url)

        async def three() -> list[str]:
            said = []
            for text in ("first", "second", "third"):
                if streamed:
                    said.append("".join([str(c.text) async for c in model.astream(text)]))
                else:
                    said.append(str((await model.ainvoke(text)).text))
            return said

        texts = ["first", "second", "third"]
        said = asyncio.run(three()) if mode[0] == "a" else [ask(model, mode, t) for t in texts]
    assert said == texts
    # The one that is left clean is used again.
    assert server.connections == 2


# --- Time ---

CUT_SHORT = {
    "headers": lambda s, c, _: s.drip(c, head(OK) + b"x: " + b"a" * 99_999),
    "hints": lambda s, c, _: [
        c.sendall(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
        for _ in range(99_999)
        if not s.ended.wait(0.02)
    ],
    "body": lambda s, c, _: (c.sendall(head(OK)), s.drip(c, b'{"id":"' + b"a" * 99_999)),
    "events": lambda s, c, _: (
        c.sendall(head(OK, kind="text/event-stream")),
        s.drip(c, b"data: " + b"a" * 99_999),
    ),
    "nothing": lambda s, c, _: s.ended.wait(PATIENCE),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CUT_SHORT)
def test_a_deadline_holds_whatever_arrives(name: str, mode: str) -> None:
    server = Server(CUT_SHORT[name])
    with server.run() as url:
        error = error_of(make(url, max_retries=2), mode, deadline=0.5)
        assert not server.has_sent_all  # half an hour's worth, or nothing and for ever
    assert type(error) is errors.ASIOneTimeoutError
    assert "within the deadline of 0.5 s" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("limit", [None, PATIENCE])
def test_the_body_of_an_error_is_not_waited_for(
    limit: float | None, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "_ERROR_SECONDS", 0.1)
    begun = head("HTTP/1.1 500 Oops", "content-length: 99") + b'{"error": "Boom'
    server = stalling(begun)
    with server.run() as url:
        error = error_of(make(url, timeout=limit), mode)
        assert not server.has_sent_all
    assert type(error) is errors.ASIOneServerError
    assert error.info.body == '{"error": "Boom'


@pytest.mark.parametrize("mode", ["stream", "astream"])
@pytest.mark.parametrize("limit", [None, PATIENCE])
def test_what_follows_done_is_not_waited_for(limit: float | None, mode: str) -> None:
    server = stalling(head(OK, kind="text/event-stream") + stream("Hi"))
    with server.run() as url:
        assert ask(make(url, timeout=limit), mode) == "Hi"
        assert not server.has_sent_all


@pytest.mark.parametrize("mode", MODES)
def test_a_deadline_of_the_model_ends_tries_and_waits(mode: str) -> None:
    server = answers(whole("HTTP/1.1 429 Too Many Requests", b"{}", "retry-after: 110"))
    with server.run() as url:
        begun = time.monotonic()
        error = error_of(make(url, max_retries=5, deadline=100), mode)
        assert time.monotonic() - begun < 100  # neither the wait nor the deadline was waited for
    assert type(error) is errors.ASIOneRateLimitError
    assert len(server.requests) == 1


@pytest.mark.parametrize("mode", ["stream", "astream"])
def test_events_that_say_nothing_do_not_keep_a_stream_open(mode: str) -> None:
    def serve(server: Server, connection: socket.socket, _: object) -> None:
        connection.sendall(head(OK, kind="text/event-stream") + event("Hi"))
        while not server.ended.wait(0.02):
            connection.sendall(event("", id="x", created=1, usage=None))

    with Server(serve).run() as url:
        error = error_of(make(url, timeout=0.5), mode)
    assert type(error) is errors.ASIOneTimeoutError
    assert "said nothing new for 0.5 s" in str(error)
    assert error.partial_text == "Hi"


@pytest.mark.parametrize("value", [0, -1, True, "5", float("nan"), float("inf")])
def test_a_deadline_that_is_none_is_refused(value: Any, model: ChatASIOne) -> None:
    with pytest.raises(ValueError, match="deadline must be a number of seconds above 0"):
        ChatASIOne(api_key=API_KEY, deadline=value)
    with pytest.raises(ValueError, match="deadline must be a number of seconds above 0"):
        model.invoke("Hi", deadline=value)


# --- Sizes ---


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_of_more_than_64_mib_is_not_read_on(mode: str) -> None:
    body = completion("a" * (66 * 2**20))
    if mode.endswith("stream"):
        body = b"data: " + body + b"\n\n" + DONE
    kind = "text/event-stream" if mode.endswith("stream") else "application/json"
    reply = whole(OK, gzip.compress(body, 1), "content-encoding: gzip", kind=kind)
    with answers(reply).run() as url:
        error = error_of(make(url), mode)
    assert type(error) is errors.InvalidResponseError
    assert "longer than 64 MiB" in str(error)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("status", ["HTTP/1.1 400 Bad Request", OK])
def test_an_error_keeps_little_of_a_long_body(status: str, mode: str) -> None:
    body = json.dumps({"error": {"message": "x" * 3_000_000, "code": "long"}}).encode()
    reply = whole(status, gzip.compress(body), "content-encoding: gzip")
    with answers(reply).run() as url:
        error = error_of(make(url), mode)
    assert isinstance(error.info.body, str)
    assert len(error.info.body) <= 8193
    assert len(pickle.dumps(error)) < 20_000
    assert len(str(error)) < 1000
