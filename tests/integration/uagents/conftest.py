"""Real uAgents: one Bureau for all tests of a worker, beside a local Agentverse."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from langchain_asi_one.testing import local_agentverse
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from langchain_asi_one.testing._agentverse.server import LocalAgentverse

ROOT: Final = Path(__file__).parents[3]
MISSING: Final = (
    "no interpreter with uagents: `make test` makes .venv-uagents, if the packages of "
    "requirements/uagents.txt can be had; or set UAGENTS_PYTHON"
)


@dataclass(frozen=True)
class RealAgents:
    """A process of real agents.

    Args:
        agentverse: Where they are registered.
        open: Address of the agent with an endpoint.
        boxed: Address of the agent with a mailbox.
        port: TCP port of the process.
        log: What it prints.
    """

    agentverse: LocalAgentverse
    open: str
    boxed: str
    port: int
    log: Path


def find_interpreter() -> str:
    """Return an interpreter that has `uagents`, or skip the test."""
    named = os.environ.get("UAGENTS_PYTHON")
    found = Path(named) if named else ROOT / ".venv-uagents" / "bin" / "python"
    if not found.exists():
        pytest.skip(MISSING)
    return str(found)


def take_free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="session")
def real_agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAgents]:
    interpreter = find_interpreter()
    with (
        local_agentverse() as agentverse,
        run_agents(interpreter, agentverse, tmp_path_factory.mktemp("uagents")) as agents,
    ):
        yield agents


@pytest.fixture
def more_agents(real_agents: RealAgents, tmp_path: Path) -> Iterator[RealAgents]:
    """Another process of real agents, at the same Agentverse."""
    with run_agents(find_interpreter(), real_agents.agentverse, tmp_path) as agents:
        yield agents


@contextmanager
def run_agents(interpreter: str, agentverse: LocalAgentverse, folder: Path) -> Iterator[RealAgents]:
    """Run a process of real agents."""
    port, log = take_free_port(), folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [interpreter, str(Path(__file__).with_name("bureau.py")), str(port), agentverse.url],
            cwd=folder,  # uAgents writes files where it runs
            env={"PATH": os.environ["PATH"]},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield start(agentverse, process, port, log)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def start(
    agentverse: LocalAgentverse, process: subprocess.Popen[bytes], port: int, log: Path
) -> RealAgents:
    """Wait until both agents are registered, the one with a mailbox by its own `/connect`."""
    deadline = time.monotonic() + PATIENCE
    while len(known := read_addresses(agentverse, log)) < 2:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    connected = httpx.post(
        f"http://127.0.0.1:{port}/connect",
        json={"user_token": agentverse.api_key, "agent_type": "mailbox"},
        timeout=PATIENCE,
        trust_env=False,
    )
    assert connected.json() == {"success": True, "detail": None}, log.read_text()
    return RealAgents(agentverse, known["open"], known["boxed"], port, log)


def read_addresses(agentverse: LocalAgentverse, log: Path) -> dict[str, str]:
    """Return the agents that the Almanac knows, by name."""
    lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
    named: dict[str, str] = json.loads(lines[0]) if lines else {}
    with httpx.Client(base_url=agentverse.url, trust_env=False) as client:
        return {
            name: address
            for name, address in named.items()
            if client.get(f"/v1/almanac/agents/{address}").is_success
        }
