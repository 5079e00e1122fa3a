"""HTTP clients whose connections keep to a deadline, and are never reused with unread bytes."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from importlib import import_module
from time import monotonic
from typing import Any, Final

from langchain_asi_one._httpx_compat import http, httpcore
from langchain_asi_one._transport.deadline import BoundedTimeout
from langchain_asi_one._transport.error_mapping import SetupError
from langchain_asi_one._transport.request import Proxy

LIMITS: Final = http.Limits(max_connections=1000, max_keepalive_connections=100)
"""Connections of a client; an idle one is closed after 5 s, the HTTP library's default."""

_COMPRESSED_PIECE = 4096  # bytes; decompressed they are at most about 4 MiB
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def build_client(proxy: Proxy | None) -> Any:
    """Build a client for sync requests.

    Args:
        proxy: The proxy to use, if any. No variable of the environment names another.

    Returns:
        An `httpx2.Client`, or an `httpx.Client` with openai below 3.

    Raises:
        SetupError: If the proxy or the certificates cannot be used.
    """
    return _build(proxy, _Transport, http.Client)


def build_async_client(proxy: Proxy | None) -> Any:
    """Build a client for async requests; see `build_client`."""
    return _build(proxy, _AsyncTransport, http.AsyncClient)


def preload() -> None:
    """Do what takes long when the first async client is built: imports and certificates."""
    _find_ssl_context()
    import_module("anyio._backends._asyncio")


def _build(proxy: Proxy | None, transport: Any, client: Any) -> Any:
    try:
        built = client(
            transport=transport(
                verify=_find_ssl_context(),
                limits=LIMITS,
                proxy=proxy.url if proxy else None,
                trust_env=False,
            ),
            trust_env=False,
        )
    except (
        ValueError,
        ImportError,
        http.InvalidURL,
    ) as error:  # the scheme is unknown, or needs a package
        if proxy is None:
            raise
        msg = f"the proxy {proxy} cannot be used: {error}"
        raise SetupError(msg) from None
    # A cookie set in one session would be sent in another.
    built.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return built


def _find_ssl_context() -> ssl.SSLContext:
    files = tuple(os.environ.get(name, "") for name in _CERTIFICATES)
    try:
        return _make_ssl_context(*files)
    except OSError as error:
        named = " or ".join(
            f"{name}={value!r}" for name, value in zip(_CERTIFICATES, files, strict=True) if value
        )
        msg = f"the certificates of {named or 'this machine'} cannot be read: {error}"
        raise SetupError(msg) from None


@lru_cache(maxsize=8)
def _make_ssl_context(*_: str) -> ssl.SSLContext:
    """Make what all clients share, as it takes 40 ms; anew if the variables change."""
    context: ssl.SSLContext = http.create_ssl_context()
    return context


# --- Connections: the part of httpcore's interface that it documents for wrapping ---


def _current(timeout: float | None, error: str) -> float | None:
    """Return a timeout for an operation that starts now, or raise the library's error."""
    if not isinstance(timeout, BoundedTimeout):
        return timeout
    left = timeout.current()
    if left <= 0:
        raise getattr(httpcore, error)("the deadline has passed")
    return left


class Connection(httpcore.NetworkStream):  # type: ignore[misc]  # one of two libraries
    """A connection; once it is `spent`, its pool closes it instead of using it again."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.spent = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._stream.read(max_bytes, _current(timeout, "ReadTimeout"))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _current(timeout, "WriteTimeout"))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Connection:
        limit = _current(timeout, "ConnectTimeout")
        return Connection(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and self.spent:
            return True  # by which a pool tells that an idle connection is of no use
        return self._stream.get_extra_info(info)


class AsyncConnection(httpcore.AsyncNetworkStream):  # type: ignore[misc]  # one of two libraries
    """Async version of `Connection`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.spent = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = await self._stream.read(max_bytes, _current(timeout, "ReadTimeout"))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, _current(timeout, "WriteTimeout"))

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncConnection:
        limit = _current(timeout, "ConnectTimeout")
        return AsyncConnection(await self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and self.spent:
            return True
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):  # type: ignore[misc]  # one of two libraries
    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> Connection:
        limit = _current(timeout, "ConnectTimeout")
        return Connection(self._backend.connect_tcp(host, port, timeout=limit, **options))


class _AsyncBackend(httpcore.AsyncNetworkBackend):  # type: ignore[misc]  # one of two libraries
    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> AsyncConnection:
        limit = _current(timeout, "ConnectTimeout")
        stream = await self._backend.connect_tcp(host, port, timeout=limit, **options)
        return AsyncConnection(stream)


# The HTTP library takes no backend of one's own; its pool, which does, has no public name there.


class _Transport(http.HTTPTransport):  # type: ignore[misc]  # one of two libraries
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._pool._network_backend = _Backend()  # noqa: SLF001

    def handle_request(self, request: Any) -> Any:
        response = super().handle_request(request)
        response.stream = _Body(response, request)
        return response


class _AsyncTransport(http.AsyncHTTPTransport):  # type: ignore[misc]  # one of two libraries
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._pool._network_backend = _AsyncBackend()  # noqa: SLF001

    async def handle_async_request(self, request: Any) -> Any:
        response = await super().handle_async_request(request)
        response.stream = _AsyncBody(response, request)
        return response


# --- Bodies ---


class _BodyRules:
    """Rules for the bytes of a body as they come from the connection.

    Whitespace does not restart the read timeout: gateways send it to keep a connection open.
    Streams of events are exempt, as comments keep those open, and their reader has its own limit.
    Compressed bytes go on in small pieces, so that what becomes of them can be limited.
    """

    def __init__(self, response: Any, request: Any) -> None:
        self._request = request
        self._connection = response.extensions.get("network_stream")
        self._compressed = "content-encoding" in response.headers
        is_events = "event-stream" in response.headers.get("content-type", "")
        timeouts = self._request.extensions.get("timeout", {})
        self._limit = None if is_events else timeouts.get("read")
        self._last = monotonic()

    def split(self, data: bytes) -> list[bytes]:
        """Return bytes in pieces of a size that may be decompressed at once."""
        self._check_time(data)
        if not self._compressed or len(data) <= _COMPRESSED_PIECE:
            return [data]
        starts = range(0, len(data), _COMPRESSED_PIECE)
        return [data[at : at + _COMPRESSED_PIECE] for at in starts]

    def _check_time(self, data: bytes) -> None:
        now = monotonic()
        if data and not data.isspace():
            self._last = now
        elif self._limit is not None and now - self._last > self._limit:
            raise http.ReadTimeout("only whitespace came", request=self._request)

    def end(self, stream: Any) -> None:
        """Have the connection closed if it holds bytes that belong to no request.

        They would be read as the response to the next request.
        """
        if isinstance(self._connection, Connection | AsyncConnection):
            self._connection.spent = _has_unread_bytes(stream)


def _has_unread_bytes(stream: Any) -> bool:
    """Return whether the parser of a connection holds bytes behind the response."""
    # No public name leads there. If these names change, connections are not reused, which is safe.
    for name in ("_httpcore_stream", "_stream", "_connection", "_h11_state"):
        stream = getattr(stream, name, None)
    return stream is None or bool(stream.trailing_data[0])


class _Body(http.SyncByteStream):  # type: ignore[misc]  # one of two libraries
    def __init__(self, response: Any, request: Any) -> None:
        self._stream = response.stream
        self._rules = _BodyRules(response, request)

    def __iter__(self) -> Iterator[bytes]:
        for data in self._stream:
            yield from self._rules.split(data)
        self._rules.end(self._stream)

    def close(self) -> None:
        self._stream.close()


class _AsyncParts:
    """The parts of a body in place of the library's own iterable, which leaves generators open.

    It closes its outer generator and lets the inner ones go. They would be closed later, by nobody
    or by an event loop that is about to end, and Python would complain of them.
    """

    def __init__(self, parts: Any) -> None:
        self._parts = parts
        self._stream = getattr(parts, "_stream", None)  # see `_has_unread_bytes`
        self._generator: Any = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._generator = aiter(self._parts)
        return self

    async def __anext__(self) -> bytes:
        part: bytes = await anext(self._generator)
        return part

    async def aclose(self) -> None:
        await self._parts.aclose()
        close = getattr(self._generator, "aclose", None)
        if close is not None:
            await close()


class _AsyncBody(http.AsyncByteStream):  # type: ignore[misc]  # one of two libraries
    def __init__(self, response: Any, request: Any) -> None:
        self._stream = response.stream
        self._rules = _BodyRules(response, request)
        if parts := getattr(self._stream, "_httpcore_stream", None):
            self._stream._httpcore_stream = _AsyncParts(parts)  # noqa: SLF001

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            for piece in self._rules.split(data):
                yield piece
        self._rules.end(self._stream)

    async def aclose(self) -> None:
        await self._stream.aclose()
