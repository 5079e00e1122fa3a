"""The batch of the guide on a cluster of two machines, which are processes of this one."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
import ray
from ray.cluster_utils import Cluster

from langchain_asi_one.testing import LocalASIOne, fault
from tests.recipes.conftest import Project


@pytest.fixture
def cluster(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Two machines with one processor each."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    running = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        running.add_node(num_cpus=1)
        running.wait_for_nodes()
        project.environment["RAY_ADDRESS"] = running.address
        yield running
    finally:
        ray.shutdown()
        running.shutdown()


def test_a_batch_on_two_machines(cluster: Cluster, project: Project, server: LocalASIOne) -> None:
    # A limit and a failure that pass are tried again; a refusal is a row.
    server.enqueue(fault("http_429", retry_after=0), fault("http_500"), fault("http_400_empty"))
    assert project.run("python", "ask_all.py").splitlines()[-1] == "20 rows, 1 failed"
    table = pd.read_parquet(project.folder / "answers")
    assert sorted(table["question"]) == sorted(f"What is {n} times {n}?" for n in range(20))
    for row in table.itertuples():
        assert (f'You said: "{row.question}"' in row.answer) != ("400" in row.error)
    assert len(server.requests) == 20 + 2
    cluster.connect()
    actors = [
        one for one in ray._private.state.actors().values() if "Asker" in one["ActorClassName"]
    ]
    assert len({one["Address"]["NodeID"] for one in actors}) == 2
