"""HTTP clients whose connections keep deadlines, and drop unread bytes."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from importlib import import_module
from typing import Any, Final, cast

from langchain_asi_one._httpx_compat import http
from langchain_asi_one._transport.connections import AsyncBackend, Backend, SetupError
from langchain_asi_one._transport.proxies import Proxy

IDLE_SECONDS: Final = 4.0
"""How long a connection is kept: uvicorn, behind many gateways and agents, closes one after 5 s.

A request that meets that is lost, and one that can act is not sent again.
"""
LIMITS: Final = http.Limits(
    max_connections=1000, max_keepalive_connections=100, keepalive_expiry=IDLE_SECONDS
)

BODY = "asi_one_body"
"""The extension of a response that holds its body as it left the transport."""
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def build_client(proxy: Proxy | None) -> Any:
    """Build a client for sync requests.

    It is an `httpx2.Client`, or an `httpx.Client` with openai below 3. No variable of the
    environment names another proxy.

    Raises:
        SetupError: If the proxy or the certificates cannot be used.
    """
    return _build(proxy, _Transport, http.Client)


def build_async_client(proxy: Proxy | None) -> Any:
    """Build a client for async requests; see `build_client`."""
    return _build(proxy, _AsyncTransport, http.AsyncClient)


def preload() -> None:
    """Do the slow part of a first async client: imports and certificates."""
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
    """Make what all clients share; it takes 40 ms.

    It is made again if the variables change.
    """
    context: ssl.SSLContext = http.create_ssl_context()
    return context


# The HTTP library takes no backend of one's own; its pool, which does, has no public name there.


class _Transport(http.HTTPTransport):  # type: ignore[misc]  # one of two libraries
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._pool._network_backend = Backend()  # noqa: SLF001

    def handle_request(self, request: Any) -> Any:
        response = super().handle_request(request)
        response.stream = response.extensions[BODY] = _Body(response)
        return response


class _AsyncTransport(http.AsyncHTTPTransport):  # type: ignore[misc]  # one of two libraries
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._pool._network_backend = AsyncBackend()  # noqa: SLF001

    async def handle_async_request(self, request: Any) -> Any:
        response = await super().handle_async_request(request)
        response.stream = _AsyncBody(response)
        return response


# --- Bodies: at their end a connection that holds bytes of no request is closed. They would be
# --- read as the response to the next one.


class _Body(http.SyncByteStream):  # type: ignore[misc]  # one of two libraries
    def __init__(self, response: Any) -> None:
        self._stream = response.stream
        self._connection = _find_connection(response)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        if self._connection is not None and _has_unread_bytes(self._stream):
            self._connection.close()
        self._stream.close()


class _AsyncBody(http.AsyncByteStream):  # type: ignore[misc]  # one of two libraries
    def __init__(self, response: Any) -> None:
        self._stream = response.stream
        self._connection = _find_connection(response)
        if parts := getattr(self._stream, "_httpcore_stream", None):
            self._stream._httpcore_stream = _AsyncParts(parts)  # noqa: SLF001

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        if self._connection is not None and _has_unread_bytes(self._stream):
            await self._connection.aclose()
        await self._stream.aclose()


class _AsyncParts:
    """A body's parts, in place of an iterable that leaves generators open.

    It closes its outer generator and lets the inner ones go. They would be closed later, by nobody
    or by an event loop that is about to end, and Python would complain of them.
    """

    def __init__(self, parts: Any) -> None:
        self._parts = parts
        self._stream = getattr(parts, "_stream", None)  # see `_has_unread_bytes`
        self._generator: Any = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._generator = aiter(self._parts)
        return cast("AsyncIterator[bytes]", self._generator)

    async def aclose(self) -> None:
        await self._parts.aclose()
        close = getattr(self._generator, "aclose", None)
        if close is not None:
            await close()


def _find_connection(response: Any) -> Any:
    """Return a response's connection; let it read much at once.

    It may not if the body is compressed. Recorders of tests, as vcrpy, give responses that have
    no connection.
    """
    connection = response.extensions.get("network_stream")
    if connection is not None and "content-encoding" not in response.headers:
        connection.most_read = sys.maxsize
    return connection


def _has_unread_bytes(stream: Any) -> bool:
    """Return whether the parser of a connection holds bytes behind the response."""
    # No public name leads there. If these names change, connections are not reused, which is safe.
    for name in ("_httpcore_stream", "_stream", "_connection", "_h11_state"):
        stream = getattr(stream, name, None)
    return stream is None or bool(stream.trailing_data[0])
