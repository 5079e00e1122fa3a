"""Which HTTP client a request gets, without a connection."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_asi_one._transport import client_pool
from langchain_asi_one._transport.client_pool import (
    Pool,
    find_client,
    find_pool,
    require_event_loop,
)
from langchain_asi_one._transport.proxies import Proxy


def test_a_pool_builds_one_client_for_each_proxy() -> None:
    built: list[Proxy | None] = []

    def build(proxy: Proxy | None) -> object:
        built.append(proxy)
        return object()

    pool = Pool(build)
    proxy = Proxy("http://127.0.0.1:1", "HTTP_PROXY")
    assert pool.find_client(None) is pool.find_client(None)
    assert pool.find_client(proxy) is not pool.find_client(None)
    assert built == [None, proxy]


def test_all_threads_share_a_client() -> None:
    assert find_client(None) is find_client(None)


async def test_a_loop_gets_a_further_pool_when_one_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_pool, "_MOST_REQUESTS", 2)
    first = await find_pool()
    first.requests = 1
    assert await find_pool() is first
    first.requests = 2
    second = await find_pool()
    assert second is not first
    first.requests = 0
    assert await find_pool() is first


def test_loops_share_nothing_and_are_forgotten() -> None:
    first, second = (asyncio.run(find_pool()) for _ in range(2))
    assert first is not second
    assert not any(loop.is_closed() for loop in client_pool._PROCESSES[-1].loops)


def test_loops_begin_and_end_in_many_threads_at_once() -> None:
    def run(_: int) -> None:
        for _ in range(60):
            asyncio.run(find_pool())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert [*threads.map(run, range(8))] == [None] * 8
    finally:
        sys.setswitchinterval(interval)


def test_without_a_loop_the_error_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match="With trio, run a sync method in a thread"):
        require_event_loop()
