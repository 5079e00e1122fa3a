"""Starts the processes of a benchmark and talks with them: the server, and one for each peer."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]


def clean_environment() -> dict[str, str]:
    """The environment without what changes what is measured: tracing, keys, proxies, endpoints."""
    unwanted = ("COVERAGE", "COV_", "LANGSMITH_", "LANGCHAIN_", "OPENAI_", "ASI_", "LC_", "PYTHON")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(unwanted) and not name.lower().endswith("_proxy")
    }
    if prefix := os.environ.get("PYTHONPYCACHEPREFIX"):
        kept["PYTHONPYCACHEPREFIX"] = prefix
    # LiteLLM would else fetch its list of prices when it is imported.
    return kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "DO_NOT_TRACK": "1"}


def raise_file_limit() -> None:
    """Allow as many open connections as the system does: a thousand need more than is usual."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _start(python: str, module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, "-m", f"tests.benchmarks.{module}", *arguments],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def server(python: str) -> Iterator[str]:
    """A server in a process of its own; gives its base URL."""
    with _start(python, "server") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.stdin.close()


class Worker:
    """A process that measures one peer.

    Args:
        python: The interpreter that has the peer installed.
        url: Base URL of the server.
    """

    def __init__(self, python: str, url: str) -> None:
        self._process = _start(python, "worker", url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def ask(self, **command: Any) -> dict[str, Any]:
        """Let it do one round of a task.

        Args:
            **command: The task, the peer, and what the task takes.

        Returns:
            What the task measured, or `{"error": …}`.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            return {"error": f"the process ended with status {self._process.wait()}"}
        answer: dict[str, Any] = json.loads(line)
        return answer


_TIMED_IMPORT = """
import json, sys, time
wall, cpu = time.perf_counter(), time.process_time()
{statement}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({{"wall": wall, "cpu": cpu, "langgraph": int("langgraph" in sys.modules)}}))
"""

_VERSIONS = """
import importlib.metadata, json, platform
found = {d.name: d.version for d in importlib.metadata.distributions()}
print(json.dumps({"python": platform.python_version(), **dict(sorted(found.items()))}))
"""


def _run(python: str, code: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-c", code],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def timed_import(python: str, statement: str) -> dict[str, Any]:
    """Run an import in a fresh process; `wall` and `cpu` seconds, and whether langgraph came."""
    return _run(python, _TIMED_IMPORT.format(statement=statement))


def versions(python: str) -> dict[str, str]:
    """Versions of an interpreter and of all that is installed for it."""
    return _run(python, _VERSIONS)
