"""A server that answers each question with itself, and breaks where the question says so.

`python -m tests.trust.echo_server PORT` (0: any) prints its port. It writes bytes, not responses of
a library, so that it can break off anywhere. The answer `<question>` shows what was mixed up,
doubled or lost.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections import Counter
from typing import Any, Final

SEPARATOR: Final = "|"
TRANSIENT: Final = ("500", "429", "reset", "close", "stall")
"""Faults of the first try only: a retry gets the answer."""

PERMANENT: Final = ("html", "empty", "redirect", "error", "invalid_json", "invalid_utf8", "cut")
"""Faults that leave no right answer."""

FAULTS: Final = (*TRANSIENT, *PERMANENT, "slow")
_PIECE: Final = 4  # characters of a chunk
_STREAM: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def event(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return (
        b"data: " + json.dumps({"id": "c", "model": "asi1", "choices": [choice]}).encode() + b"\n\n"
    )


def body(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return json.dumps({"id": "c", "model": "asi1", "choices": [choice], "usage": usage}).encode()


def response(status: str, content: bytes, kind: str = "application/json", more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(content)}\r\n{more}\r\n"
    )
    return head.encode() + content


REFUSALS: Final = {
    "500": response("500 Internal Server Error", b'{"error":{"message":"boom"}}'),
    "429": response(
        "429 Too Many Requests", b'{"error":{"message":"slow"}}', more="retry-after: 0\r\n"
    ),
    "html": response("200 OK", b"<html>portal</html>", "text/html"),
    "empty": response("200 OK", b""),
    "redirect": response("307 Temporary Redirect", b"", more="location: /elsewhere\r\n"),
    "error": response("200 OK", b'{"error":{"message":"inner"}}'),
}


class Connection:
    """Answers the requests of one connection, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def serve(self, tries: Counter[str]) -> None:
        """Read requests until the client closes, or a fault does."""
        try:
            while await self._exchange(tries):
                await self.writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.writer.close()

    async def _exchange(self, tries: Counter[str]) -> bool:
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if not length:
            return False  # a proxy looks whether something listens
        request = json.loads(await self.reader.readexactly(length))
        question = request["messages"][-1]["content"]
        fault = question.partition(SEPARATOR)[2]
        tries[question] += 1
        if fault in TRANSIENT and tries[question] > 1:
            fault = ""
        if fault in REFUSALS:
            self.writer.write(REFUSALS[fault])
            return True
        if fault in {"reset", "close"}:
            return self._leave(reset=fault == "reset")
        text = f"<{question}>"
        return await (self._stream if request.get("stream") else self._whole)(text, fault)

    async def _whole(self, text: str, fault: str) -> bool:
        content = body(text)
        if fault == "stall":
            await asyncio.sleep(3)
            return False
        if fault == "invalid_json":
            content = content[:-9]
        if fault == "invalid_utf8":
            content = content.replace(b"<", b"\xff", 1)
        whole = response("200 OK", content)
        self.writer.write(whole[:-9] if fault == "cut" else whole)
        return fault != "cut"

    async def _stream(self, text: str, fault: str) -> bool:
        self.writer.write(_STREAM)
        for start in range(0, len(text), _PIECE):
            self._part(event({"content": text[start : start + _PIECE]}))
            if start == _PIECE and fault:
                if fault == "slow":
                    await asyncio.sleep(0.05)
                if fault == "stall":
                    await asyncio.sleep(3)
                if fault in {"stall", "cut"}:
                    return False
                if fault.startswith("invalid"):
                    self._part(b"data: \xff\n\n" if fault == "invalid_utf8" else b"data: {no\n\n")
        self._part(event({}, "stop"))
        self._part(b"data: [DONE]\n\n")
        self.writer.write(b"0\r\n\r\n")
        return True

    def _part(self, content: bytes) -> None:
        self.writer.write(b"%x\r\n%b\r\n" % (len(content), content))

    def _leave(self, *, reset: bool) -> bool:
        if reset:
            opened: socket.socket = self.writer.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        return False


async def main(port: int) -> None:
    """Serve until the process is killed."""
    tries: Counter[str] = Counter()
    server = await asyncio.start_server(
        lambda reader, writer: Connection(reader, writer).serve(tries),
        "127.0.0.1",
        port,
        backlog=4096,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
