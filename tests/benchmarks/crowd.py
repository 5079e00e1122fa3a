"""Many streams at once on one model: how fast, with how much memory, and nothing lost or mixed."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from urllib.request import Request, urlopen

from tests.benchmarks.peers import LangChainPeer
from tests.benchmarks.processes import raise_file_limit
from tests.benchmarks.wire import Form, Prompt, own_text

_SECONDS = 120


def resident_bytes() -> int:
    """Memory that this process holds now; where the system does not tell, the most it has held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")


def release(url: str) -> None:
    """Let the server send what it holds behind its gate."""
    with urlopen(Request(f"{url}/release", data=b"{}"), timeout=30) as response:
        response.read()


def concurrent(
    peer: LangChainPeer, url: str, runner: asyncio.Runner, *, streams: int, chunks: int, form: Form
) -> dict[str, Any]:
    """Open all streams, read half of each, note the memory, then read the rest.

    Args:
        peer: Whose model; it streams once before, alone, to have its connections built.
        url: Base URL of the server.
        runner: Whose loop they share.
        streams: How many.
        chunks: Of each.
        form: Of the wire.

    Returns:
        `wall` and `cpu` seconds for all, `rest` seconds from the opening of the gate, `bytes` of
        memory for each open stream, and `wrong`, the number of streams that brought another text.
    """
    raise_file_limit()
    return runner.run(_concurrent(peer, url, streams, Prompt("own", chunks, form)))


async def _concurrent(peer: LangChainPeer, url: str, streams: int, of: Prompt) -> dict[str, Any]:
    await peer.astream(str(of))
    half = of.amount // 2
    halves, all_halves, released = 0, asyncio.Event(), 0.0

    async def read(number: int) -> str:
        nonlocal halves
        prompt = Prompt("own", of.amount, of.form, number, half)
        texts = []
        async for text in peer.atexts(str(prompt)):
            texts.append(text)
            if text == own_last(number, half):
                halves += 1
                if halves == streams:
                    all_halves.set()
        return "".join(texts)

    gc.collect()
    before = resident_bytes()
    wall, cpu = perf_counter(), process_time()
    async with asyncio.timeout(_SECONDS), asyncio.TaskGroup() as group:
        tasks = [group.create_task(read(number)) for number in range(streams)]
        await all_halves.wait()
        held = resident_bytes() - before
        released = perf_counter()
        await asyncio.to_thread(release, url)
    end = perf_counter()
    wrong = sum(task.result() != own_text(number, of.amount) for number, task in enumerate(tasks))
    return {
        "wall": end - wall,
        "cpu": process_time() - cpu,
        "rest": end - released,
        "bytes": held / streams,
        "wrong": wrong,
    }


def own_last(number: int, half: int) -> str:
    """The last word before the gate."""
    return own_text(number, half)[len(own_text(number, half - 1)) :]


def threads(
    peer: LangChainPeer,
    url: str,
    runner: asyncio.Runner,
    *,
    workers: int,
    streams: int,
    chunks: int,
) -> dict[str, Any]:
    """Let threads share one model, each reading streams one after the other.

    Args:
        peer: Whose model.
        url: Not used.
        runner: Not used.
        workers: Threads.
        streams: Of each thread.
        chunks: Of each stream.

    Returns:
        `wall` and `cpu` seconds for all, and `wrong`, the streams that brought another text.
    """

    def read(number: int) -> bool:
        prompt = Prompt("own", chunks, "burst", number)
        return "".join(peer.texts(str(prompt))) == own_text(number, chunks)

    with _switching_often(), ThreadPoolExecutor(workers) as pool:
        list(pool.map(read, range(workers)))
        gc.collect()
        wall, cpu = perf_counter(), process_time()
        right = list(pool.map(read, range(workers * streams)))
        wall, cpu = perf_counter() - wall, process_time() - cpu
    return {"wall": wall, "cpu": cpu, "wrong": right.count(False)}


@contextmanager
def _switching_often() -> Iterator[None]:
    """Let threads take turns more often than usual, so that what they could mix up they would."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 5)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
