"""SDK clients: built on first use, one per process, settings and event loop.

A connection must not outlive the loop it was opened in, nor be shared with a forked child, and the
SDK must not add what belongs to OpenAI: it reads a dozen `OPENAI_*` variables, some of which set
headers or send the request elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import openai
from typing_extensions import override

from langchain_asi_one._http import alimit_blanks, limit_blanks
from langchain_asi_one._version import __version__


@dataclass(frozen=True)
class ClientSettings:
    """What a client is built from.

    Attributes:
        api_key: Sent as bearer token.
        base_url: Where requests go, without `/chat/completions`.
        timeout: Seconds, or a timeout object of the HTTP library.
        max_retries: Further tries of a request that may be sent again.
        headers: Further headers of each request.
        http_client: The user's own HTTP client for sync calls.
        http_async_client: The user's own HTTP client for async calls.
    """

    api_key: str = field(repr=False)
    base_url: str
    timeout: Any
    max_retries: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    http_client: Any = None
    http_async_client: Any = None


class Clients:
    """The SDK clients that a model's calls go through. Copies and pickles start empty."""

    def __init__(self) -> None:
        self._sync: tuple[int, ClientSettings, openai.OpenAI] | None = None
        self._inherited: object = None

    def sync(self, settings: ClientSettings) -> openai.OpenAI:
        """Return the client for sync calls in this process.

        Args:
            settings: What to build it from, if there is none with these.

        Returns:
            A client that any thread may use.
        """
        held = self._sync
        if held is None or held[:2] != (os.getpid(), settings):
            if held is not None and held[0] != os.getpid():
                # A parent process's: dropped, it would close itself, and wait for a lock that
                # another of the parent's threads may have held at the fork.
                self._inherited = held
            # Without a lock, which a fork could leave locked: two threads may build one each.
            held = (os.getpid(), settings, _build(_SyncClient, settings, settings.http_client))
            self._sync = held
        return held[2]

    async def of_loop(self, settings: ClientSettings) -> openai.AsyncOpenAI:
        """Return the client for async calls in the running event loop.

        It belongs to the loop and not to a model: a model that is dropped, as those made for one
        request are, would leave no time to close connections before the loop ends.

        Args:
            settings: What to build it from, if the loop has none with these.

        Returns:
            A client that closes its connections when the loop shuts down.
        """
        loop = asyncio.get_running_loop()
        foreign, own = _LOOP_CLIENTS.of_process(os.getpid())
        for held in own:
            if held.loop is loop and held.settings == settings:
                return held.client
        client = _build(_AsyncClient, settings, settings.http_async_client)
        guard = _close_at_shutdown(client, owned=settings.http_async_client is None)
        await anext(guard)
        own.append(_LoopClient(os.getpid(), loop, settings, client, guard))
        _LOOP_CLIENTS.held = [*foreign, *own[-_MOST_CLIENTS:]]
        return client

    def __reduce__(self) -> tuple[type[Clients], tuple[()]]:
        return Clients, ()


_MOST_CLIENTS = 32
"""Async clients that a thread keeps; the oldest goes when there are more different settings."""


@dataclass(frozen=True)
class _LoopClient:
    process: int
    loop: asyncio.AbstractEventLoop
    settings: ClientSettings
    client: openai.AsyncOpenAI
    guard: AsyncGenerator[None, None]


class _LoopClients(threading.local):
    """The async clients of this thread's event loops."""

    def __init__(self) -> None:
        self.held: list[_LoopClient] = []

    def of_process(self, process: int) -> tuple[list[_LoopClient], list[_LoopClient]]:
        """Those inherited from a parent process, and our own whose loop is open.

        The former are kept and never touched: to close one would disturb the parent's loop, whose
        selector a forked child shares.
        """
        foreign = [held for held in self.held if held.process != process]
        own = [h for h in self.held if h.process == process and not h.loop.is_closed()]
        return foreign, own


_LOOP_CLIENTS = _LoopClients()


async def _close_at_shutdown(
    client: openai.AsyncOpenAI, *, owned: bool
) -> AsyncGenerator[None, None]:
    """Close a client when its loop ends: `asyncio.run` closes all open async generators then."""
    try:
        yield
    finally:
        _LOOP_CLIENTS.held = [held for held in _LOOP_CLIENTS.held if held.client is not client]
        if owned:
            await client.close()


def _headers(client: openai.OpenAI | openai.AsyncOpenAI, own: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": f"langchain-asi-one/{__version__}",
        "Authorization": f"Bearer {client.api_key}",
        **own,
    }


class _SyncClient(openai.OpenAI):
    own_headers: Mapping[str, str] = {}

    @property
    @override
    def default_headers(self) -> dict[str, Any]:
        return _headers(self, self.own_headers)


class _AsyncClient(openai.AsyncOpenAI):
    own_headers: Mapping[str, str] = {}

    @property
    @override
    def default_headers(self) -> dict[str, Any]:
        return _headers(self, self.own_headers)


_NO_COOKIES = DefaultCookiePolicy(allowed_domains=())

_C = TypeVar("_C", _SyncClient, _AsyncClient)


def _build(kind: type[_C], settings: ClientSettings, http: Any) -> _C:
    client = kind(
        api_key=settings.api_key,
        base_url=settings.base_url,
        timeout=settings.timeout,
        max_retries=settings.max_retries,
        http_client=http,
    )
    client.own_headers = settings.headers
    if http is None:
        hook: Any = limit_blanks if kind is _SyncClient else alimit_blanks
        # The SDK's own HTTP client cannot be given these when it is built.
        client._client.event_hooks = {"response": [hook]}  # noqa: SLF001
        # A cookie set in one session would be sent in another.
        client._client.cookies.jar.set_policy(_NO_COOKIES)  # noqa: SLF001
    return client
