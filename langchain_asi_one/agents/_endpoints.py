"""Which endpoints may be used, and connections that hold to it.

An endpoint is what a stranger has written into the Almanac. Without a rule it could name a service
in the network of whoever asks. The name is resolved once, every address is checked, and the
connection goes to a checked address: a second look-up could give another.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpcore
import httpx
from typing_extensions import override

from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one._json.safe import JSON, loads
from langchain_asi_one._validators import is_loopback
from langchain_asi_one.agents._envelope import MAX_BYTES

MAX_ENDPOINTS: Final = 3
"""Most endpoints of an agent that are tried."""

_LONGEST: Final = 2_000
# uAgents close an idle connection after 5 s, uvicorn's default; a question that meets that is not
# sent again.
_LIMITS: Final = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=4)
_CONNECT: Final = 10.0  # seconds, also for the name


@dataclass(frozen=True)
class EndpointRule:
    """Which endpoints may be used.

    Attributes:
        allow_loopback: Whether http and https on this machine may be used, as in tests.
    """

    allow_loopback: bool = False

    def find_problem(self, url: str) -> str | None:
        """Say what is wrong with an address; `None` if nothing is."""
        if (
            len(url) > _LONGEST
            or not (url.isascii() and url.isprintable())
            or set(url) & {" ", "\\"}
        ):
            return "it is too long or holds characters of no address"
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return "it is no address"
        if not host:
            return "it names no host"
        if "@" in parts.netloc:
            return "it holds credentials"
        is_here = self.allow_loopback and is_loopback(host)
        if parts.scheme != "https" and not (is_here and parts.scheme == "http"):
            return "it is not https"
        return None

    def admits(self, address: str) -> bool:
        """Return whether a connection may go to an IP address."""
        ip = ip_address(address.partition("%")[0])
        return all(
            (one.is_global and not one.is_multicast) or (self.allow_loopback and one.is_loopback)
            for one in _unwrap(ip)
        )


def _unwrap(ip: IPv4Address | IPv6Address) -> Iterable[IPv4Address | IPv6Address]:
    """Return an address, and any IPv4 address within it."""
    if isinstance(ip, IPv4Address):
        return [ip]
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    within = [*(ip.teredo or ()), ip.sixtofour]
    if ip.packed[:12] == bytes.fromhex("0064ff9b0000000000000000"):  # NAT64
        within.append(IPv4Address(ip.packed[12:]))
    return [ip, *(one for one in within if one is not None)]


class _PinningBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that the rule admits."""

    def __init__(self, rule: EndpointRule) -> None:
        self._rule = rule
        self._backend = httpcore.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._find_addresses(host, port, timeout)
        for place, address in enumerate(addresses):
            try:
                return await self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if place == len(addresses) - 1:
                    raise
        raise httpcore.ConnectError("its host has no address")

    async def _find_addresses(self, host: str, port: int, timeout: float | None) -> list[str]:
        find = asyncio.get_running_loop().getaddrinfo
        try:
            async with asyncio.timeout(timeout):
                found = await find(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise httpcore.ConnectTimeout("its host was not found in time") from None
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("its host is unknown") from None
        addresses = [*dict.fromkeys(str(one[4][0]) for one in found)]
        refused = [address for address in addresses if not self._rule.admits(address)]
        if refused:
            msg = f"its host has the address {refused[0]}, which is not public"
            raise httpcore.ConnectError(msg)
        return addresses


class _PinnedTransport(httpx.AsyncHTTPTransport):
    """A transport of httpx with that backend, which its pool takes."""

    def __init__(self, rule: EndpointRule) -> None:
        super().__init__(verify=_find_ssl_context(), limits=_LIMITS, trust_env=False)
        self._pool._network_backend = _PinningBackend(rule)  # noqa: SLF001


@lru_cache(maxsize=1)
def _find_ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def build_endpoint_client(rule: EndpointRule) -> httpx.AsyncClient:
    """Build a client for strangers' endpoints, without a proxy.

    A proxy would resolve names itself.
    """
    return httpx.AsyncClient(transport=_PinnedTransport(rule), trust_env=False)


def build_client(*, is_local: bool) -> httpx.AsyncClient:
    """Build a client for Agentverse itself; the environment may name a proxy."""
    return httpx.AsyncClient(verify=_find_ssl_context(), limits=_LIMITS, trust_env=not is_local)


class TooLargeError(Exception):
    """A body has more bytes than are read."""


class Response(NamedTuple):
    """What a server answered.

    Attributes:
        status: Its status.
        headers: Its headers.
        content: Its body.
        secrets: What was sent to it and is told to nobody.
    """

    status: int
    headers: httpx.Headers
    content: bytes
    secrets: tuple[str, ...] = ()

    def read(self) -> JSON:
        """Read the JSON of the body; `None` if it is none."""
        try:
            return loads(self.content)
        except ValueError:
            return None

    def describe(self) -> str:
        """Return the status, and the server's words without secrets, as one line."""
        body = self.read()
        detail = body.get("detail") if isinstance(body, dict) else None
        text = detail if isinstance(detail, str) else ""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = make_one_line(text)[:200]
        return f"{self.status} ({text})" if text else str(self.status)


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    seconds: float,
    **arguments: Any,
) -> Response:
    """Send a request, within bounds of time and size.

    Args:
        client: The client.
        method: The HTTP method.
        url: Where to.
        seconds: Most seconds for all of it.
        arguments: Further ones of `AsyncClient.stream`.

    Raises:
        httpx.HTTPError: If the connection fails.
        TimeoutError: If the time is over.
        TooLargeError: If the body has more than `MAX_BYTES` bytes.
    """
    if client.is_closed:
        msg = "the chat was closed"
        raise httpx.ConnectError(msg)
    headers = {"accept-encoding": "identity", **arguments.pop("headers", {})}
    limits = httpx.Timeout(seconds, connect=min(seconds, _CONNECT))
    async with (
        asyncio.timeout(seconds),
        client.stream(
            method, url, headers=headers, timeout=limits, follow_redirects=False, **arguments
        ) as response,
    ):
        client.cookies.clear()
        content = bytearray()
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > MAX_BYTES:
                msg = f"the answer has more than {MAX_BYTES:,} bytes"
                raise TooLargeError(msg)
        return Response(response.status_code, response.headers, bytes(content))
