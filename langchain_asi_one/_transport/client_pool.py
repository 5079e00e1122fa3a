"""HTTP clients: one for each process, event loop and proxy.

They belong to the process and the loop, not to a model. Models are made for a single request; one
that is dropped would leave no time to close connections before its loop ends. A connection must
not outlive the loop that opened it, and a forked child must not use its parent's.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

from langchain_asi_one._transport.clients import build_async_client, build_client, preload
from langchain_asi_one._transport.proxies import Proxy

_MOST_REQUESTS = 64
"""Async requests at a time through one pool; its time for each grows with its connections."""


class Pool:
    """The HTTP clients of threads or of an event loop, by proxy."""

    def __init__(self, build: Callable[[Proxy | None], Any]) -> None:
        self.requests = 0
        """Async requests that are under way."""
        self.clients: dict[Proxy | None, Any] = {}
        self._build = build

    def find_client(self, proxy: Proxy | None) -> Any:
        """Return the client for a proxy; build it if there is none."""
        client = self.clients.get(proxy)
        if client is None:
            client = self.clients[proxy] = self._build(proxy)
        return client


class _Process:
    """The pools of one process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.threads = Pool(build_client)
        self.loops: dict[asyncio.AbstractEventLoop, tuple[list[Pool], AsyncGenerator[None]]] = {}
        self.preloaded = False


# The last is that of this process. A parent's stay: dropped, they would close what the parent uses.
_PROCESSES = [_Process()]
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _PROCESSES.append(_Process()))


def find_client(proxy: Proxy | None) -> Any:
    """Return this process's client for sync requests; any thread may use it."""
    process = _PROCESSES[-1]
    client = process.threads.clients.get(proxy)
    if client is None:
        with process.lock:
            client = process.threads.find_client(proxy)
    return client


async def find_pool() -> Pool:
    """Return a pool of the running event loop.

    Count each request in its `requests`. Its clients close when the loop shuts down.
    """
    loop = asyncio.get_running_loop()
    process = _PROCESSES[-1]
    if not process.preloaded:
        # Not in the loop, which other tasks share.
        await asyncio.to_thread(preload)
        process.preloaded = True
    held = process.loops.get(loop)
    if held is None:
        pools: list[Pool] = []
        guard = _close_at_shutdown(process, loop, pools)
        await anext(guard)
        for other in list(process.loops):  # loops of other threads come and go meanwhile
            if other.is_closed():
                process.loops.pop(other, None)
        process.loops[loop] = pools, guard
    else:
        pools = held[0]
    pool = next((pool for pool in pools if pool.requests < _MOST_REQUESTS), None)
    if pool is None:
        pool = Pool(build_async_client)
        pools.append(pool)
    return pool


def require_event_loop() -> None:
    """Raise a RuntimeError with advice if no asyncio event loop runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        msg = (
            "ChatASIOne's async methods need a running asyncio event loop. With trio, run a sync "
            "method in a thread: await trio.to_thread.run_sync(model.invoke, messages)."
        )
        raise RuntimeError(msg) from None


async def _close_at_shutdown(
    process: _Process, loop: asyncio.AbstractEventLoop, pools: list[Pool]
) -> AsyncGenerator[None]:
    """Close a loop's pools when it ends.

    `asyncio.run` then closes all async generators.
    """
    try:
        yield
    finally:
        process.loops.pop(loop, None)
        for pool in pools:
            for client in list(pool.clients.values()):
                await client.aclose()


@atexit.register
def _close_clients() -> None:
    """Close the connections of this process's threads."""
    for client in list(_PROCESSES[-1].threads.clients.values()):
        client.close()
