"""Ask many questions in all ways at once, with faults; count what came back.

`python -m tests.trust.soak --requests 100000` prints one line of JSON: how many answers were right,
how many questions ended in a typed error, and how many in anything else.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import openai
from langchain_openai import ChatOpenAI

from langchain_asi_one import ChatASIOne
from tests.trust.echo_server import FAULTS, PERMANENT, SEPARATOR

PEERS: Final = ("ChatASIOne", "ChatOpenAI")
_SHARE: Final = 0.05
_TIMEOUT: Final = 1.5
_AT_ONCE: Final = 100
COUNTS: Final = (
    *("asked", "with a fault", "right", "typed", "typed without a fault"),
    *("raw", "mixed", "doubled", "lost", "hung"),
)


def make_model(
    peer: str, url: str, timeout: float = _TIMEOUT, retries: int = 2
) -> ChatASIOne | ChatOpenAI:
    """Make the model of a peer, by default with three tries."""
    options: dict[str, Any] = {"model": "asi1", "base_url": url, "api_key": "any"}
    options |= {"timeout": timeout, "max_retries": retries}
    if peer == "ChatASIOne":
        return ChatASIOne(**options)
    return ChatOpenAI(**options, stream_chunk_timeout=timeout)


class Soak:
    """One client process: threads that call, and event loops that await."""

    def __init__(self, peer: str, url: str, requests: int, seed: int) -> None:
        self.model = make_model(peer, url)
        self.requests, self.seed = requests, seed
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.examples: list[str] = []
        self.lock = threading.Lock()

    def question(self) -> tuple[str, str]:
        """Return a question that nobody else asks, and the fault that it asks for."""
        with self.lock:
            self.counts["asked"] += 1
            fault = self.random.choice(FAULTS) if self.random.random() < _SHARE else ""
            number = self.counts["asked"]
            self.counts["with a fault"] += bool(fault)
        return f"{self.seed}-{number}" + (SEPARATOR + fault if fault else ""), fault

    def judge(self, question: str, fault: str, outcome: str | Exception) -> None:
        """Count one outcome."""
        wanted = f"<{question}>"
        if isinstance(outcome, openai.APIError):
            kind = "typed" if fault else "typed without a fault"
        elif isinstance(outcome, Exception):
            kind = "raw"
        elif outcome == wanted:
            kind = "mixed" if fault in PERMANENT else "right"
        elif outcome.count(wanted) > 1:
            kind = "doubled"
        else:
            kind = "lost" if wanted.startswith(outcome) else "mixed"
        with self.lock:
            self.counts[kind] += 1
            if kind not in {"right", "typed"}:
                self.examples.append(f"{kind}: {question}: {outcome!r:.120}")

    def call(self, count: int) -> None:
        for number in range(count):
            question, fault = self.question()
            outcome: str | Exception
            try:
                if number % 2:
                    outcome = self.model.invoke(question).text
                else:
                    outcome = "".join(chunk.text for chunk in self.model.stream(question))
            except Exception as error:  # noqa: BLE001 - whatever comes is what is counted
                outcome = error
            self.judge(question, fault, outcome)

    async def acall(self, count: int) -> None:
        limit = asyncio.Semaphore(_AT_ONCE)

        async def ask(number: int) -> None:
            async with limit:
                question, fault = self.question()
                outcome: str | Exception
                try:
                    if number % 2:
                        outcome = (await self.model.ainvoke(question)).text
                    else:
                        chunks = [chunk.text async for chunk in self.model.astream(question)]
                        outcome = "".join(chunks)
                except Exception as error:  # noqa: BLE001 - as above
                    outcome = error
                self.judge(question, fault, outcome)

        await asyncio.gather(*map(ask, range(count)))

    def run(self) -> dict[str, Any]:
        """Ask everything: four threads, and two threads with two event loops each."""
        share = self.requests // 8
        threads = [threading.Thread(target=self.call, args=(share,)) for _ in range(4)]
        for _ in range(2):
            loops = [lambda: asyncio.run(self.acall(share))] * 2
            threads.append(threading.Thread(target=lambda loops=loops: [one() for one in loops]))
        # The first tenth is warm-up: what grows after it grows with the requests.
        before: dict[str, int] = {}
        watch = threading.Thread(
            target=self._measure_at, args=(self.requests // 10, before), daemon=True
        )
        for thread in (*threads, watch):
            thread.daemon = True
            thread.start()
        for thread in threads:
            thread.join(600)
        self.counts["hung"] = sum(thread.is_alive() for thread in threads)
        gc.collect()
        return {
            **{name: self.counts[name] for name in COUNTS},
            "before": before,
            "after": measure(),
            "examples": self.examples[:5],
        }

    def _measure_at(self, count: int, into: dict[str, int]) -> None:
        while self.counts["asked"] < count:
            time.sleep(0.05)
        into |= measure()


def measure() -> dict[str, int]:
    """Return what this process holds: memory in MiB, open descriptors."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {
        "MiB": pages * resource.getpagesize() // 2**20,
        "descriptors": len([*Path("/proc/self/fd").iterdir()]),
    }


def start_server(port: int = 0) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-m", "tests.trust.echo_server", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def soak(peer: str, requests: int, processes: int, *, restart: bool = False) -> dict[str, Any]:
    """Run client processes against one server.

    Args:
        peer: One of `PEERS`.
        requests: How many questions in all.
        processes: How many client processes share them.
        restart: Kill the server after some seconds and start it again.

    Returns:
        `COUNTS` summed, and under `processes` each one's memory and descriptors.
    """
    server, port = start_server()
    url = f"http://127.0.0.1:{port}/v1"
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.trust.soak", "--peer", peer, "--url", url]
    command += ["--requests", str(requests // processes)]
    clients = [
        subprocess.Popen([*command, "--seed", str(seed)], stdout=subprocess.PIPE, text=True)
        for seed in range(processes)
    ]
    try:
        if restart:
            time.sleep(5)
            server.kill()
            server.wait()
            server, _ = start_server(port)
        results = [json.loads(client.communicate()[0].splitlines()[-1]) for client in clients]
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()
    return {
        "peer": peer,
        "seconds": round(time.monotonic() - started),
        **{name: sum(result[name] for result in results) for name in COUNTS},
        "processes": [
            {key: one[key] for key in ("before", "after", "examples")} for one in results
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=PEERS, default=PEERS[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--restart", action="store_true")
    parser.add_argument("--url", help="of a server; without one, the whole soak is run")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.url:
        client = Soak(options.peer, options.url, options.requests, options.seed)
        print(json.dumps(client.run()), flush=True)
        os._exit(0)  # threads that hang are counted, not waited for
    result = soak(options.peer, options.requests, options.processes, restart=options.restart)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
