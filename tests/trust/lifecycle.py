"""Use a model from forks, threads and event loops, leave it and end with it; count what is right.

`python -m tests.trust.lifecycle --peer ChatOpenAI` prints one line of JSON: for each row how many
were tried and how many were right.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from tests.support.patience import PATIENCE
from tests.trust.soak import PEERS, make_model, measure, start_server

_SLOW: Final = "|slow"
_HUNG: Final = 30.0
"""Seconds; three tries of a model end long before."""
# Each ends with a stream still open, and must print nothing.
_EXITS: Final = {
    "sync stream": "held = model.stream('1|slow'); next(held)",
    "async stream": (
        "import asyncio\n"
        "async def main():\n"
        "    global held\n"
        "    held = model.astream('1|slow')\n"
        "    await anext(held)\n"
        "asyncio.run(main())"
    ),
    "cancelled task": (
        "import asyncio\n"
        "async def main():\n"
        "    task = asyncio.ensure_future(model.ainvoke('1|stall'))\n"
        "    await asyncio.sleep(0.1)\n"
        "    task.cancel()\n"
        "asyncio.run(main())"
    ),
    "loop closed by hand": (
        "import asyncio, gc\n"
        "for _ in range(3):\n"
        "    loop = asyncio.new_event_loop()\n"
        "    loop.run_until_complete(model.ainvoke('1'))\n"
        "    loop.close()\n"
        "    gc.collect()"
    ),
    "daemon thread": (
        "import threading, time\n"
        "threading.Thread(target=lambda: model.invoke('1|stall'), daemon=True).start()\n"
        "time.sleep(0.2)"
    ),
    "forked child": (
        "import os\n"
        "held = model.stream('1|slow'); next(held)\n"
        "if (child := os.fork()):\n"
        "    os.waitpid(child, 0)"
    ),
}


def is_right(model: Any, question: str) -> bool:
    """Ask, and say whether the answer belongs to the question."""
    with suppress(Exception):
        return bool(model.invoke(question).text == f"<{question}>")
    return False


async def is_right_async(model: Any, question: str) -> bool:
    """Async version of `is_right`."""
    with suppress(Exception):
        return bool((await model.ainvoke(question)).text == f"<{question}>")
    return False


def ask_in_forks(model: Any, rounds: int = 50) -> list[bool]:
    """Ask in a parent and its child at once; a child that hangs is killed."""
    found = [is_right(model, "first")]
    for number in range(rounds):
        reader, writer = os.pipe()
        if not (child := os.fork()):
            os.write(writer, b"y" if is_right(model, f"child-{number}") else b"n")
            os._exit(0)
        os.close(writer)
        found.append(is_right(model, f"parent-{number}"))
        if not select.select([reader], [], [], _HUNG)[0]:
            os.kill(child, signal.SIGKILL)
        found.append(os.read(reader, 1) == b"y")
        os.close(reader)
        os.waitpid(child, 0)
    return found


def ask_in_loops(model: Any, threads: int = 24, calls: int = 10) -> list[bool]:
    """Ask in threads, in an event loop for each call."""
    found: list[bool] = []

    def work(thread: int) -> None:
        found.extend(
            asyncio.run(is_right_async(model, f"{thread}-{call}")) for call in range(calls)
        )

    workers = [threading.Thread(target=work, args=(one,), daemon=True) for one in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    return found + [False] * (threads * calls - len(found))


def leave(model: Any, times: int = 200) -> list[bool]:
    """Leave streams and cancel calls; each must give back what it held."""
    found = [is_right(model, "before")]
    gc.collect()
    before = measure()["descriptors"]
    for number in range(times):
        found.append(False)
        with suppress(Exception):
            stream: Iterator[Any] = model.stream(f"{number}{_SLOW}")
            found[-1] = bool(next(stream))
            del stream

    async def cancel(turn: int) -> None:
        # The server stalls on the first request of each question only.
        tasks = [asyncio.ensure_future(model.ainvoke(f"{turn}-{n}|stall")) for n in range(20)]
        await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        found.extend(isinstance(one, asyncio.CancelledError) for one in done)

    for turn in range(times // 20):
        asyncio.run(cancel(turn))
    gc.collect()
    found.append(measure()["descriptors"] <= before + 2)
    return [*found, is_right(model, "after")]


def end(peer: str, url: str) -> list[bool]:
    """End processes with something left open; each must print nothing, and end."""
    begin = f"from tests.trust.soak import make_model\nmodel = make_model({peer!r}, {url!r})\n"
    found = []
    for code in _EXITS.values():
        finished = subprocess.run(
            [sys.executable, "-c", begin + code],
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        found.append(not finished.returncode and not finished.stderr and not finished.stdout)
    return found


def count_outcomes(peer: str) -> dict[str, Any]:
    """Run all rows for one peer.

    Args:
        peer: One of `PEERS`.

    Returns:
        For each row a pair: how many were right, and how many were tried.
    """
    warnings.simplefilter("ignore")
    server, port = start_server()
    url = f"http://127.0.0.1:{port}/v1"
    rows: dict[str, Callable[[], list[bool]]] = {
        "forks": lambda: ask_in_forks(make_model(peer, url, PATIENCE)),
        "loops in threads": lambda: ask_in_loops(make_model(peer, url, PATIENCE)),
        "left and cancelled": lambda: leave(make_model(peer, url, PATIENCE)),
        "ends in silence": lambda: end(peer, url),
    }
    try:
        counted = {name: row() for name, row in rows.items()}
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()
    return {"peer": peer, **{name: [sum(one), len(one)] for name, one in counted.items()}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=PEERS, default=PEERS[0])
    print(json.dumps(count_outcomes(parser.parse_args().peer)), flush=True)
    os._exit(0)
