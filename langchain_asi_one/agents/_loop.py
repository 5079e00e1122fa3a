"""The event loop that questions run on, one in each process.

Callers are sync or async, in any thread, on any event loop. The answers of all of them arrive in
one inbox, with one set of connections, so they need one loop. A forked child starts its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")


class _Process:
    """The loop of one process; its thread starts on first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def find_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                run = self._loop.run_forever
                threading.Thread(target=run, name="asi-one-agents", daemon=True).start()
            return self._loop


# The last is that of this process. A parent's stay: dropped, they would close what it uses.
_PROCESSES = [_Process()]
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _PROCESSES.append(_Process()))


def find_loop() -> asyncio.AbstractEventLoop:
    """Return this process's loop for questions."""
    return _PROCESSES[-1].find_loop()


def submit(coroutine: Coroutine[Any, Any, _T]) -> Future[_T]:
    """Start a coroutine on that loop."""
    return asyncio.run_coroutine_threadsafe(coroutine, find_loop())


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine on that loop; an interrupt cancels it."""
    future = submit(coroutine)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def arun(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Async version of `run`; a cancellation of the wait cancels it."""
    return await asyncio.wrap_future(submit(coroutine))
