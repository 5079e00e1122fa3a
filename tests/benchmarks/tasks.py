"""One round of each kind of work, timed, in the process of a peer."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time
from typing import Any

from tests.benchmarks import checks, crowd
from tests.benchmarks.peers import LangChainPeer, Peer, make_peer
from tests.benchmarks.requests_made import conversation, twenty_tools

_MOST_CALLS = 20_000


class Tasks:
    """The tasks of a worker process.

    Args:
        url: Base URL of the server.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._peers: dict[str, Peer] = {}
        self._calls: dict[str, int] = {}
        self._runner = asyncio.Runner()

    def run(self, task: str, peer: str = "", **given: Any) -> dict[str, Any]:
        """Do one round.

        Args:
            task: Name of a task.
            peer: Who does it.
            **given: What the task takes; with `seconds`, as many calls as take about so long;
                with `gc` false, the garbage collector is off meanwhile; with `warm_up`, no more
                than it takes to find out how many calls that are.

        Returns:
            `wall` and `cpu`, in seconds for one call, or what else the task finds.
        """
        if task in _SPECIAL:
            if given.pop("warm_up", False):
                return {}
            return _SPECIAL[task](self._peer(peer), self._url, self._runner, **given)
        seconds, collects = given.pop("seconds", 0.0), given.pop("gc", True)
        warm_up = given.pop("warm_up", False)
        key = json.dumps([task, peer, given])
        work = getattr(self, f"_{task}")(self._peer(peer), **given)
        calls = self._calls.get(key)
        if calls is None:
            once = self._timed(work, 1, collects=collects)
            if once["wall"] < seconds:
                once = self._timed(work, 1, collects=collects)
            calls = max(1, min(_MOST_CALLS, round(seconds / once["wall"])))
            self._calls[key] = calls
            if warm_up:
                return once
        return self._timed(work, calls, collects=collects)

    def _peer(self, name: str) -> Peer:
        if name not in self._peers:
            self._peers[name] = make_peer(name, self._url)
        return self._peers[name]

    def _timed(self, work: Callable[[], Any], calls: int, *, collects: bool) -> dict[str, Any]:
        gc.collect()
        if not collects:
            gc.disable()
        try:
            wall, cpu = perf_counter(), process_time()
            if asyncio.iscoroutinefunction(work):
                self._runner.run(_repeat(work, calls))
            else:
                for _ in range(calls):
                    work()
            wall, cpu = perf_counter() - wall, process_time() - cpu
        finally:
            gc.enable()
        return {"wall": wall / calls, "cpu": cpu / calls, "calls": calls}

    # --- What is timed: each gives the work of one call. ---

    def _stream(self, peer: Peer, prompt: str, how: str = "plain") -> Callable[[], Any]:
        return lambda: peer.stream(prompt, how)

    def _astream(self, peer: Peer, prompt: str, how: str = "plain") -> Callable[[], Any]:
        async def work() -> None:
            await peer.astream(prompt, how)

        return work

    def _invoke(self, peer: Peer, prompt: str) -> Callable[[], Any]:
        return lambda: peer.invoke(prompt)

    def _construct(self, peer: Peer) -> Callable[[], Any]:
        made: Callable[[], Any] = peer.construct  # type: ignore[attr-defined]  # all but LiteLLM
        return made

    def _payload(self, peer: LangChainPeer, messages: int) -> Callable[[], Any]:
        build = peer.model._get_request_payload
        history = conversation(messages)
        return lambda: build(history)

    def _bind_tools(self, peer: LangChainPeer) -> Callable[[], Any]:
        tools = twenty_tools()
        return lambda: peer.model.bind_tools(tools)


async def _repeat(work: Callable[[], Awaitable[Any]], calls: int) -> None:
    for _ in range(calls):
        await work()


_SPECIAL: dict[str, Callable[..., dict[str, Any]]] = {
    "concurrent": crowd.concurrent,
    "threads": crowd.threads,
    "memory": checks.memory,
    "first": checks.first_chunk,
    "afirst": checks.first_chunk_async,
    "kept": checks.kept,
}
