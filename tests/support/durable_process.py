"""A graph that asks an agent durably, in processes that are killed at a step.

::

    python -m tests.support.durable_process AGENTVERSE BASE_URL SEED AGENT CHECKPOINTS

For each line of the standard input it forks a child, which goes on where the checkpoints end. The
child kills itself at its first step that is not among those that the line names. Then its status is
printed, and the steps that it has made, as a line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from langgraph.checkpoint.base import BaseCheckpointSaver

from langchain_asi_one import ChatASIOne
from langchain_asi_one.agents import AgentChat, _almanac, _conversations
from langchain_asi_one.agents._endpoints import exchange
from langchain_asi_one.agents._envelope import Kind
from langchain_asi_one.langgraph import create_asi_one_graph
from tests.support.waiting_process import CONFIG, checkpoints


class Steps:
    """Notes the steps of a process, and kills it at the first that is not spared."""

    def __init__(self, spared: list[str], pipe: int) -> None:
        self._spared = {*spared}
        self._pipe = pipe
        self._times: Counter[str] = Counter()
        self._lock = threading.RLock()  # threads store checkpoints; the last step noted kills

    def note(self, step: str) -> None:
        """Note a step: each request twice at most, for there are as many polls as it takes."""
        with self._lock:
            self._times[step] += 1
            name = f"{step} #{min(self._times[step], 2)}"
            os.write(self._pipe, f"{name}\n".encode())
            # What the graph does before and after it asks the agent is tested elsewhere.
            is_of_graph = "of the graph" in step and "agent_results,branch:to:report" not in step
            if name not in self._spared and not is_of_graph:
                os.kill(os.getpid(), signal.SIGKILL)

    async def exchange(self, client: Any, method: str, url: str, **arguments: Any) -> Any:
        """Send a request, with a step before it and one after it."""
        content = arguments.get("content") or b"{}"
        digest = json.loads(content).get("schema_digest")
        name = f"{method} of {Kind(digest).name}" if digest else method
        self.note(f"before {name}")
        response = await exchange(client, method, url, **arguments)
        self.note(f"after {name}")
        return response

    @contextmanager
    def watch(self, saver: BaseCheckpointSaver[Any]) -> Iterator[None]:
        """Note what is sent and what is stored."""
        put, put_writes = saver.put, saver.put_writes

        def note_put(config: Any, checkpoint: Any, metadata: Any, versions: Any) -> Any:
            name = f"checkpoint {metadata['step']} of {_name(config)}"
            self.note(f"before {name}")
            with self._lock:  # what is stored is noted
                result = put(config, checkpoint, metadata, versions)
                self.note(f"after {name}")
            return result

        def note_writes(config: Any, writes: Any, *others: Any) -> None:
            name = f"writes of {','.join(sorted({one[0] for one in writes}))} of {_name(config)}"
            self.note(f"before {name}")
            with self._lock:
                put_writes(config, writes, *others)
                self.note(f"after {name}")

        with (
            patch.object(saver, "put", note_put),
            patch.object(saver, "put_writes", note_writes),
            patch.object(_almanac, "exchange", self.exchange),
            patch.object(_conversations, "exchange", self.exchange),
        ):
            yield


def _name(config: Any) -> str:
    return str(config["configurable"].get("checkpoint_ns", "")).partition(":")[0] or "the graph"


def run(steps: Steps, agentverse: str, base_url: str, seed: str, agent: str, place: str) -> Any:
    """Run the graph to its end, or to the step that kills it."""
    chat = AgentChat(seed=seed, agentverse=agentverse, poll_interval=0.02, quiet=3_600)
    model = ChatASIOne(base_url=base_url, api_key="any", max_retries=0)
    with checkpoints(place) as saver, steps.watch(saver):
        worker = chat.durable_worker(timeout=3_600)
        graph = create_asi_one_graph(model, allow={agent}, worker=worker, checkpointer=saver)
        begun = graph.get_state(CONFIG).values
        given: Any = None if begun else {"messages": [("user", "Rain?")]}
        state = graph.invoke(given, CONFIG, durability="sync")
    return state["agent_results"]


def main(arguments: list[str]) -> None:
    """Fork a child for each line."""
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            try:
                steps = Steps(json.loads(line), writing)
                results = run(steps, *arguments)
                os.write(writing, f"{json.dumps(results)}\n".encode())
                os._exit(0)
            except BaseException as error:  # noqa: BLE001 - the child must end here
                os.write(writing, f"error {error!r}\n".encode())
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            made = pipe.read().splitlines()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"status": status, "steps": made}), flush=True)  # noqa: T201 - that is the protocol


if __name__ == "__main__":
    main(sys.argv[1:])
