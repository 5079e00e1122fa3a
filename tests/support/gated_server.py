"""A server that sends each piece of an answer when the test releases it."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.support.patience import PATIENCE

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


class GatedServer:
    """Sends a piece of an answer, and each further one after `release`."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._gate = threading.Semaphore(0)
        self.sent = 0
        self.timed_out = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def release(self) -> None:
        self._gate.release()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            with connection:
                read_request(connection)
                connection.sendall(HEAD)
                for number, part in enumerate(self._parts):
                    if number and not self._gate.acquire(timeout=PATIENCE):
                        self.timed_out = True
                    self.sent = number + 1
                    connection.sendall(part)

    def __enter__(self) -> GatedServer:
        return self

    def __exit__(self, *_: object) -> None:
        for _part in self._parts:
            self.release()
        # Wakes a thread that still waits for a connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def read_request(connection: socket.socket) -> None:
    """Read one whole request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
