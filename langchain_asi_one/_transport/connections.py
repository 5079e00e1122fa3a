"""Connections that keep to the deadline of their request, whatever arrives."""

from __future__ import annotations

import ssl
from importlib import import_module
from math import inf
from time import monotonic
from typing import Any, Final

from langchain_asi_one._httpx_compat import HTTPCORE

httpcore: Any = import_module(HTTPCORE)

_FEW: Final = 4096
"""Bytes that are read at once where they may be compressed: about 4 MiB, decompressed."""


class SetupError(Exception):
    """No client can be built here; the message says what to mend."""


class Deadline:
    """The time at which a request ends, tries and waits included.

    Args:
        seconds: Seconds from now; `None` for no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = inf if seconds is None else monotonic() + seconds

    def compute_left(self) -> float:
        """Return the seconds that are left; infinite without a limit."""
        return self._end - monotonic() if self._end != inf else inf

    def has_passed(self) -> bool:
        """Return whether no time is left."""
        return self.compute_left() <= 0

    def bound(self, timeout: float | None) -> float | None:
        """Return a timeout that never reaches beyond the deadline."""
        if timeout is None and self._end == inf:
            return None
        return BoundedTimeout(timeout, self)


class BoundedTimeout(float):
    """A timeout for the HTTP libraries; `compute_limit` also keeps to a deadline.

    The libraries hand the same number to every read of a response. A server that sends a byte at a
    time would restart it with each byte. A `Connection` asks for `compute_limit` at each read.
    """

    _timeout: float
    _deadline: Deadline

    def __new__(cls, timeout: float | None, deadline: Deadline) -> BoundedTimeout:
        """Begin with the time that is left now."""
        limit = inf if timeout is None else timeout
        bounded = super().__new__(cls, max(0.0, min(limit, deadline.compute_left())))
        bounded._timeout, bounded._deadline = limit, deadline
        return bounded

    def compute_limit(self) -> float:
        """Return the seconds that an operation may take that starts now."""
        return max(0.0, min(self._timeout, self._deadline.compute_left()))


# --- The part of httpcore's interface that it documents for wrapping ---


def _apply_deadline(timeout: float | None, error: str) -> float | None:
    """Return a timeout for an operation now, or raise the library's error."""
    if not isinstance(timeout, BoundedTimeout):
        return timeout
    left = timeout.compute_limit()
    if left <= 0:
        raise getattr(httpcore, error)("the deadline has passed")
    return left


class Connection(httpcore.NetworkStream):  # type: ignore[misc]  # one of two libraries
    """A connection whose operations end at the deadline.

    Two settings hold until the next request: it reads few bytes at once until `most_read` is set
    for a body that is not compressed, and a body also ends at its `body_deadline`.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.most_read = _FEW
        self.body_deadline: Deadline | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        limit = _apply_deadline(timeout, "ReadTimeout")
        if self.body_deadline is not None:
            limit = _apply_deadline(self.body_deadline.bound(limit), "ReadTimeout")
        data: bytes = self._stream.read(min(max_bytes, self.most_read), limit)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.most_read, self.body_deadline = _FEW, None
        self._stream.write(buffer, _apply_deadline(timeout, "WriteTimeout"))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Connection:
        limit = _apply_deadline(timeout, "ConnectTimeout")
        return Connection(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class AsyncConnection(httpcore.AsyncNetworkStream):  # type: ignore[misc]  # one of two libraries
    """Async version of `Connection`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.most_read = _FEW

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        limit = _apply_deadline(timeout, "ReadTimeout")
        data: bytes = await self._stream.read(min(max_bytes, self.most_read), limit)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.most_read = _FEW
        await self._stream.write(buffer, _apply_deadline(timeout, "WriteTimeout"))

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncConnection:
        limit = _apply_deadline(timeout, "ConnectTimeout")
        return AsyncConnection(await self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Backend(httpcore.NetworkBackend):  # type: ignore[misc]  # one of two libraries
    """Makes each `Connection`."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> Connection:
        limit = _apply_deadline(timeout, "ConnectTimeout")
        return Connection(self._backend.connect_tcp(host, port, timeout=limit, **options))


class AsyncBackend(httpcore.AsyncNetworkBackend):  # type: ignore[misc]  # one of two libraries
    """Async version of `Backend`."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> AsyncConnection:
        limit = _apply_deadline(timeout, "ConnectTimeout")
        stream = await self._backend.connect_tcp(host, port, timeout=limit, **options)
        return AsyncConnection(stream)
