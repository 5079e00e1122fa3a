"""The server of the benchmarks: a process that answers with bytes made beforehand.

It prints its port, and ends when its standard input does. `POST /release` opens the gate of all
streams that wait at theirs, and tells how many there were.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections import deque
from typing import Any, ClassVar

from tests.benchmarks.processes import raise_file_limit
from tests.benchmarks.wire import Prompt, stream_parts, whole_body

_PIECE = 1 << 18
_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
_JSON = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


def _response(body: bytes, status: bytes = b"200 OK") -> bytes:
    return _JSON % (status, len(body)) + body


def _last_text(asked: dict[str, Any]) -> str:
    content = next(m["content"] for m in reversed(asked["messages"]) if m["role"] == "user")
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


class Connection(asyncio.Protocol):
    """One keep-alive connection: reads requests, and writes as fast as the client takes it."""

    held: ClassVar[set[Connection]] = set()

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._queue: deque[memoryview | bytes] = deque()
        self._behind_gate: tuple[bytes, ...] = ()
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.held.discard(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._pump()

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end]).split(b"\r\n")
        names = dict(line.lower().split(b": ", 1) for line in head[1:] if b": " in line)
        size = end + 4 + int(names.get(b"content-length", b"0"))
        if len(self._received) >= size:
            body = bytes(self._received[end + 4 : size])
            del self._received[:size]
            self._answer(head[0], body)

    def _answer(self, request_line: bytes, body: bytes) -> None:
        if b"/release " in request_line:
            self._send(_response(json.dumps({"released": _release()}).encode()))
            return
        try:
            asked = json.loads(body)
            prompt = Prompt.parse(_last_text(asked))
        except (KeyError, TypeError, ValueError) as error:
            message = {"error": {"message": f"no prompt of the benchmarks: {error}"}}
            self._send(_response(json.dumps(message).encode(), b"400 Bad Request"))
            return
        if not asked.get("stream"):
            self._send(_response(whole_body(prompt)))
            return
        parts = stream_parts(prompt)
        if prompt.form == "events":
            framing = b"transfer-encoding: chunked\r\n\r\n"
        else:
            framing = b"content-length: %d\r\n\r\n" % sum(map(len, parts))
        if prompt.gate:
            self._behind_gate = parts[1:]
            self.held.add(self)
            parts = parts[:1]
        self._send(_STREAM + framing, *parts)

    def release(self) -> None:
        parts, self._behind_gate = self._behind_gate, ()
        self._send(*parts)

    def _send(self, *parts: bytes) -> None:
        for part in parts:
            view = memoryview(part)
            self._queue.extend(view[at : at + _PIECE] for at in range(0, len(part), _PIECE))
        self._pump()

    def _pump(self) -> None:
        while self._queue and not self._paused and self._transport is not None:
            self._transport.write(self._queue.popleft())


def _release() -> int:
    waiting = list(Connection.held)
    Connection.held.clear()
    for connection in waiting:
        connection.release()
    return len(waiting)


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


async def _serve() -> None:
    raise_file_limit()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=2048)
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
