"""SDK clients: built on first use, one per settings and process, or event loop.

They belong to the process and the loop, not to a model: models are made for a single request, and
one that is dropped would leave no time to close connections before its loop ends.

A connection must not outlive the loop it was opened in, nor be shared with a forked child, and the
SDK must not add what belongs to OpenAI: it reads a dozen `OPENAI_*` variables, some of which set
headers or send the request elsewhere.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar, cast

import openai
from typing_extensions import override

from langchain_asi_one._transport.read_timeout import alimit_blanks, limit_blanks
from langchain_asi_one._transport.request import ClientSettings
from langchain_asi_one._version import __version__


def sync_client(settings: ClientSettings) -> openai.OpenAI:
    """Return the client for sync calls in this process.

    Args:
        settings: What to build it from, if the process has none with these.

    Returns:
        A client that any thread may use.
    """
    pool = _PROCESS_POOLS[-1] if _PROCESS_POOLS else None
    own = pool is not None and pool.process == os.getpid()
    if pool is not None and own and (client := pool.known(settings)) is not None:
        return cast("openai.OpenAI", client)
    with _BUILDING.lock:
        pool = _PROCESS_POOLS[-1] if _PROCESS_POOLS else None
        if pool is None or pool.process != os.getpid():
            # A parent's stays in the list: dropped, it would close itself, and wait for a lock
            # that another of the parent's threads may have held at the fork.
            pool = _Pool()
            _PROCESS_POOLS.append(pool)
        return pool.client(_SyncClient, settings)


class _Building:
    """The lock under which clients for threads are built."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.lock = threading.Lock()


_BUILDING = _Building()
if hasattr(os, "register_at_fork"):
    # Another thread may hold it at a fork; in the child nobody would release it.
    os.register_at_fork(after_in_child=_BUILDING.renew)


@asynccontextmanager
async def loop_client(settings: ClientSettings) -> AsyncIterator[openai.AsyncOpenAI]:
    """Lend the client for async calls in the running event loop to one call.

    Args:
        settings: What to build it from, if the loop has none with these.

    Yields:
        A client that closes its connections when the loop shuts down.
    """
    loop = asyncio.get_running_loop()
    for held in _LOOP_POOLS.held:
        if held.loop is loop and held.process == os.getpid():
            pools = held.pools
            break
    else:
        pools = []
        guard = _close_at_shutdown(pools)
        await anext(guard)
        _LOOP_POOLS.held = [
            *_LOOP_POOLS.in_use(),
            _LoopPools(os.getpid(), loop, pools, guard),
        ]
    pool = next((pool for pool in pools if pool.calls < _MOST_CALLS), None)
    if pool is None:
        pool = _Pool()
        pools.append(pool)
    pool.calls += 1
    try:
        yield pool.client(_AsyncClient, settings)
    finally:
        pool.calls -= 1


class OwnClients:
    """SDK clients upon a user's own HTTP clients; they go when the model goes that holds this."""

    def __init__(self) -> None:
        self._sync: tuple[ClientSettings, openai.OpenAI] | None = None
        self._async: tuple[ClientSettings, openai.AsyncOpenAI] | None = None

    def sync(self, settings: ClientSettings) -> openai.OpenAI:
        """Return the client for sync calls upon `settings.http_client`."""
        if self._sync is None or self._sync[0] != settings:
            self._sync = settings, _build(_SyncClient, settings, settings.http_client)
        return self._sync[1]

    def of_loop(self, settings: ClientSettings) -> openai.AsyncOpenAI:
        """Return the client for async calls upon `settings.http_async_client`."""
        if self._async is None or self._async[0] != settings:
            self._async = settings, _build(_AsyncClient, settings, settings.http_async_client)
        return self._async[1]

    def __reduce__(self) -> tuple[type[OwnClients], tuple[()]]:
        return OwnClients, ()


_MOST_CLIENTS = 32
"""SDK clients that a pool keeps; the oldest goes when there are more different settings."""

_MOST_CALLS = 64
"""Async calls at a time through one pool, whose time for each grows with its connections."""


class _Pool:
    """Connections of a process, or of an event loop, and the SDK clients that use them.

    One HTTP client serves all settings, as they reach it with each request; to build one is nearly
    all that a client costs.
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        self.http: Any = None
        self.calls = 0
        self._clients: list[tuple[ClientSettings, Any]] = []

    def known(self, settings: ClientSettings) -> Any:
        """The client with these settings, if there is one."""
        for known, client in reversed(self._clients):
            if known == settings:
                return client
        return None

    def client(self, kind: type[_C], settings: ClientSettings) -> _C:
        if (known := self.known(settings)) is not None:
            return cast("_C", known)
        client = _build(kind, settings, self.http)
        self.http = client._client  # noqa: SLF001 - the SDK gives it no other name
        self._clients = [*self._clients[1 - _MOST_CLIENTS :], (settings, client)]
        return client


_PROCESS_POOLS: list[_Pool] = []


@atexit.register
def _close_process_pool() -> None:
    """Close what is open, unless it is a parent process's."""
    for pool in _PROCESS_POOLS:
        if pool.process == os.getpid() and pool.http is not None:
            pool.http.close()


@dataclass(frozen=True)
class _LoopPools:
    process: int
    loop: asyncio.AbstractEventLoop
    pools: list[_Pool]
    guard: AsyncGenerator[None, None]


class _ThreadLoops(threading.local):
    """The pools of this thread's event loops."""

    def __init__(self) -> None:
        self.held: list[_LoopPools] = []

    def in_use(self) -> list[_LoopPools]:
        """Those whose loop is open, and those inherited from a parent process.

        The latter are kept and never touched: to close one would disturb the parent's loop, whose
        selector a forked child shares.
        """
        own = os.getpid()
        return [held for held in self.held if held.process != own or not held.loop.is_closed()]


_LOOP_POOLS = _ThreadLoops()


async def _close_at_shutdown(pools: list[_Pool]) -> AsyncGenerator[None, None]:
    """Close pools when their loop ends: `asyncio.run` closes all open async generators then."""
    try:
        yield
    finally:
        _LOOP_POOLS.held = [held for held in _LOOP_POOLS.held if held.pools is not pools]
        for pool in pools:
            if pool.http is not None:
                await pool.http.aclose()


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
