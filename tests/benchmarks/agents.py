"""Measures asking real agents: `python -m tests.benchmarks.agents`, or `make bench`.

One process of real uAgents beside a local Agentverse. What `AgentChat` takes is compared with posts
and answers by hand, which the same server takes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import httpx
from uagents_core.contrib.protocols.chat import ChatMessage, TextContent, chat_protocol_spec
from uagents_core.envelope import Envelope
from uagents_core.identity import Identity
from uagents_core.models import Model
from uagents_core.registration import AgentRegistrationAttestation
from uagents_core.types import AgentEndpoint

from langchain_asi_one.agents import AgentChat
from langchain_asi_one.testing import local_agentverse
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from langchain_asi_one.testing._background import BackgroundServer, get_url, open_socket
from tests.benchmarks.crowd import resident_bytes
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
BUREAU = ROOT / "tests" / "integration" / "uagents" / "bureau.py"
RATIO = 1.5
MOST_GROWTH = 50 * 2**20
CHAT = Model.build_schema_digest(ChatMessage)


class ByHand:
    """The least that asking takes: a signed post, and an endpoint of one's own.

    Args:
        agentverse: Where the endpoint is registered.
        url: Where all agents take questions.
    """

    def __init__(self, agentverse: LocalAgentverse, url: str) -> None:
        self._identity = Identity.generate()
        self._url = url
        self._waiting: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Future[bytes]]] = {}
        listener = open_socket("127.0.0.1", 0, allow_remote=False)
        self.server = BackgroundServer(listener, self._take, "by-hand")
        attestation = AgentRegistrationAttestation(
            agent_identifier=f"agent://{self._identity.address}",
            protocols=[chat_protocol_spec.digest],
            endpoints=[AgentEndpoint(url=get_url(listener), weight=1)],
            metadata={},
        )
        attestation.sign(self._identity)
        body = json.loads(attestation.model_dump_json())
        url = f"{agentverse.url}/v1/almanac/agents"
        httpx.post(url, json=body, timeout=PATIENCE).raise_for_status()

    async def _take(self, scope: Any, receive: Any, send: Any) -> None:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})
        envelope = json.loads(body)
        if envelope["schema_digest"] == CHAT:
            loop, answer = self._waiting.pop(envelope["session"])
            loop.call_soon_threadsafe(answer.set_result, bytes(body))

    def seal(self, agent: str, text: str) -> tuple[str, str]:
        """Return a session and an envelope with a question."""
        session: UUID = uuid4()
        envelope = Envelope(
            version=1,
            sender=self._identity.address,
            target=agent,
            session=session,
            schema_digest=CHAT,
            expires=int(time.time()) + 60,
        )
        envelope.encode_payload(ChatMessage([TextContent(text)]).json())
        envelope.sign(self._identity)
        return str(session), envelope.model_dump_json()

    async def post(self, client: httpx.AsyncClient, session: str, body: str) -> Envelope:
        """Post an envelope, and return the one that answers it, unverified."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        self._waiting[session] = loop, answer
        headers = {"content-type": "application/json"}
        (await client.post(self._url, content=body, headers=headers)).raise_for_status()
        return Envelope.model_validate_json(await answer)

    async def ask(self, client: httpx.AsyncClient, agent: str, text: str) -> str:
        """Sign, post, and verify the answer."""
        envelope = await self.post(client, *self.seal(agent, text))
        assert envelope.verify()
        found: str = ChatMessage.parse_raw(envelope.decode_payload()).text()
        return found


@contextmanager
def bureau(agentverse: LocalAgentverse, count: int) -> Iterator[tuple[str, list[str]]]:
    """Run real agents; gives their endpoint and their addresses."""
    python = os.environ.get("UAGENTS_PYTHON") or str(ROOT / ".venv-uagents" / "bin" / "python")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [python, str(BUREAU), str(port), agentverse.url, str(count)],
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if line.startswith("{"))
            drain = threading.Thread(target=process.stdout.read, daemon=True)
            drain.start()
            named = json.loads(line)
            addresses = [one for name, one in named.items() if name.startswith("agent ")]
            deadline = time.monotonic() + PATIENCE
            with httpx.Client(base_url=agentverse.url, timeout=PATIENCE) as client:
                path = f"/v1/almanac/agents/{addresses[-1]}"
                while client.get(path).is_error and time.monotonic() < deadline:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/submit", addresses
        finally:
            process.terminate()
            process.wait(PATIENCE)


@contextmanager
def own_endpoint(agentverse: LocalAgentverse) -> Iterator[AgentChat]:
    listener = open_socket("127.0.0.1", 0, allow_remote=False)
    chat = AgentChat(
        seed="a seed of the benchmark", inbox=f"{get_url(listener)}/in", agentverse=agentverse.url
    )
    with BackgroundServer(listener, chat.app, "own-endpoint"):
        yield chat
        chat.close()


async def time_it(work: Callable[[], Awaitable[Any]]) -> tuple[float, float, Any]:
    """Return seconds of wall and of this process, and what came of it."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    found = await work()
    return time.perf_counter() - wall, time.process_time() - cpu, found


async def compare_one(chat: AgentChat, hand: ByHand, agents: list[str]) -> bool:
    """One question after the other: `aask`, and a ready envelope with its unverified answer."""
    ours, theirs = [], []
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        for agent in agents:
            await chat.aask(agent, "echo warm")  # looked up, and connected
            sealed = hand.seal(agent, "echo x")
            theirs.append((await time_it(lambda: hand.post(client, *sealed)))[0])  # noqa: B023
            ours.append((await time_it(lambda: chat.aask(agent, "echo x")))[0])  # noqa: B023
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    print(f"ask, own endpoint             {median(ours) * 1e3:8.1f} ms")
    print(f"raw post with its answer      {median(theirs) * 1e3:8.1f} ms")
    return judge("ask over a raw post with its answer", ratio, RATIO)


async def compare_crowd(chat: AgentChat, hand: ByHand, agents: list[str], rounds: int) -> bool:
    """All agents at once: `aask`, and signed and verified by hand."""
    texts = [f"echo {number}" for number in range(len(agents))]
    right = [f"echo: {number}" for number in range(len(agents))]
    walls, mixed = [], 0
    limits = httpx.Limits(max_connections=len(agents), max_keepalive_connections=len(agents))
    async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as client:
        for _ in range(rounds):

            async def by_hand() -> list[str]:
                asked = zip(agents, texts, strict=True)
                return await asyncio.gather(*(hand.ask(client, a, t) for a, t in asked))

            async def by_chat() -> list[str]:
                asked = zip(agents, texts, strict=True)
                found = await asyncio.gather(*(chat.aask(a, t, timeout=600) for a, t in asked))
                return [str(message.content) for message in found]

            one, cpu, answers = await time_it(by_chat)
            other, other_cpu, others = await time_it(by_hand)
            assert others == right
            mixed += sum(a != b for a, b in zip(answers, right, strict=True))
            walls.append(one / other)
            print(f"{len(agents)} at once                   {one:8.2f} s, CPU {cpu:.2f} s")
            print(f"the same by hand              {other:8.2f} s, CPU {other_cpu:.2f} s")
    is_fast = judge(f"{len(agents)} at once over the same by hand", median(walls), RATIO)
    return judge("answers that are lost or mixed", mixed, 0) and is_fast


async def watch_memory(chat: AgentChat, agentverse: LocalAgentverse, count: int) -> bool:
    """Many questions, with the memory after the first tenth and at the end."""
    agent, at_first = agentverse.agent("echo"), 0
    for number in range(0, count, 20):
        await asyncio.gather(*(chat.aask(agent, "x", timeout=600) for _ in range(20)))
        agentverse.clear()
        if number + 20 >= count // 10 and not at_first:
            gc.collect()
            at_first = resident_bytes()
    gc.collect()
    return judge(
        f"growth over {count:,} questions, bytes", resident_bytes() - at_first, MOST_GROWTH
    )


async def watch_idle(agentverse: LocalAgentverse, seconds: float) -> bool:
    """An object with a mailbox that nobody waits for."""
    chat = AgentChat(
        seed="an idle seed of the benchmark",
        api_key=agentverse.api_key,
        agentverse=agentverse.url,
        poll_interval=0.05,
    )
    await chat.aask(agentverse.agent("echo"), "x", timeout=600)
    await asyncio.sleep(2)  # what is owed is sent
    agentverse.clear()
    _, cpu, _ = await time_it(lambda: asyncio.sleep(seconds))
    is_quiet = judge("requests while idle", len(agentverse.requests), 0)
    return judge("processor time while idle, of a second", cpu / seconds, 0.01) and is_quiet


def judge(text: str, value: float, limit: float) -> bool:
    word = "pass" if value <= limit else "FAIL"
    print(f"{word}  {text}: {value:,.4g}, at most {limit:,g}", flush=True)
    return value <= limit


async def measure(given: argparse.Namespace) -> bool:
    with local_agentverse() as agentverse:
        with (
            bureau(agentverse, given.agents) as (url, agents),
            own_endpoint(agentverse) as chat,
            (hand := ByHand(agentverse, url)).server,
        ):
            reached = [
                await compare_one(chat, hand, agents[:60]),
                await compare_crowd(chat, hand, agents, given.rounds),
                await watch_memory(chat, agentverse, given.questions),
            ]
        # Without real agents, which read their mailbox all the time.
        reached.append(await watch_idle(agentverse, 5))
    return all(reached)


def main() -> int:
    """Measure all, and say which bars were reached."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.agents")
    parser.add_argument("--agents", type=int, default=100, help="real agents")
    parser.add_argument("--questions", type=int, default=10_000, help="for the growth of memory")
    parser.add_argument("--rounds", type=int, default=3, help="of all agents at once")
    return int(not asyncio.run(measure(parser.parse_args())))


if __name__ == "__main__":
    sys.exit(main())
