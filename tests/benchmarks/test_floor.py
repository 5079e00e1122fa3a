"""Guards the speed of streams by their ratio to the floor, which the machine has little part in."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.benchmarks.processes import Worker, server
from tests.benchmarks.wire import Prompt
from tests.support.patience import least_times

# `make bench` holds the bar of 1.25; here the machine is busy, and only a step back should fail.
MOST_TIMES_THE_FLOOR = 1.6


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with server(sys.executable) as url, Worker(sys.executable, url) as started:
        yield started


def _cpu_seconds(worker: Worker, task: str, peer: str) -> float:
    prompt = str(Prompt("text", 2_000))
    answer = worker.ask(task=task, peer=peer, prompt=prompt, seconds=0)
    assert "error" not in answer, answer["error"]
    return float(answer["cpu"])


@pytest.mark.parametrize("task", ["stream", "astream"])
def test_streams_cost_little_more_than_the_floor(worker: Worker, task: str) -> None:
    def measure() -> tuple[float, ...]:
        return tuple(_cpu_seconds(worker, task, peer) for peer in ("ours", "raw", "empty"))

    def is_near(ours: float, raw: float, empty: float) -> bool:
        return ours <= MOST_TIMES_THE_FLOOR * (raw + empty)

    measure()  # the first round imports, and fills caches
    times = least_times(measure, is_near)
    assert is_near(*times), (
        f"{task} takes more than {MOST_TIMES_THE_FLOOR} times the CPU time of the floor (ours, "
        f"reading, LangChain: {times}); `python -m tests.benchmarks.flame` shows where it goes"
    )
