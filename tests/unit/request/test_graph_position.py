"""The position of a request in a graph, read from configs as LangGraph makes them.

`tests/integration/langgraph/test_sessions.py` has the same with LangGraph itself.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from langchain_asi_one._request.graph_position import find_position, list_running_tasks

PULL, PUSH = "__pregel_pull", "__pregel_push"


def config_of(*tasks: Any, **metadata: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The config inside of tasks (name, path, input, agent), the outermost first."""
    configurable: dict[str, Any] = {}
    namespace: list[str] = []
    for number, (name, path, task_input, agent) in enumerate(tasks):
        task_id = f"id-{number}"
        inherited = {"lc_agent_name": agent} if agent else {}
        task = SimpleNamespace(
            id=task_id,
            path=path,
            input=task_input,
            config={"configurable": configurable, "metadata": inherited},
        )
        namespace.append(f"{name}:{task_id}")
        configurable = {"__pregel_call": partial(print, lambda task=task: task)}
        metadata = {**metadata, **inherited}
    return {**configurable, "checkpoint_ns": "|".join(namespace)}, metadata


NODE: Any = ("node", (PULL, "node"), {}, None)
SEND = ("ask", (PUSH, 2, False), {"topic": "bees"}, None)
CALL = {"name": "look_up", "args": {}, "id": "c1", "type": "tool_call"}
TOOL = ("tools", (PUSH, 1, False), [CALL], "main")
OLDER_TOOL = ("tools", (PUSH, 1, False), {"tool_call": CALL, "state": {}}, "main")
INNER: Any = ("model", (PULL, "model"), {}, "expert")


@pytest.mark.parametrize(
    ("tasks", "position"),
    [
        ([], []),
        ([NODE], []),
        ([SEND], ["ask", "2"]),
        ([NODE, NODE], ["node"]),
        ([NODE, NODE, NODE], ["node", "node"]),
        ([SEND, NODE], ["ask", "2"]),
        ([NODE, SEND], ["node", "ask", "2"]),
        ([TOOL], ["tools", "1", "look_up"]),
        ([OLDER_TOOL], ["tools", "1", "look_up"]),
        ([TOOL, INNER], ["tools", "1", "look_up", "expert"]),
        ([NODE, INNER], ["node", "expert"]),
    ],
)
def test_position(tasks: list[Any], position: list[str]) -> None:
    assert find_position(*config_of(*tasks)) == position


def test_a_call_of_the_functional_api_has_the_numbers_of_its_callers() -> None:
    # LangGraph shows the task of the call, not that of its caller.
    path = (PUSH, (PUSH, 3, (PULL, "flow")), 1, True)
    configurable, metadata = config_of(("work", path, {}, None))
    configurable["checkpoint_ns"] = "flow:id-9|work:id-0"
    assert find_position(configurable, metadata) == ["flow", "work", "3.1"]


def test_what_runs_in_such_a_call_adds_no_id_of_its_caller() -> None:
    path = (PUSH, (PUSH, 3, (PULL, "flow")), 1, True)
    configurable, metadata = config_of(("work", path, {}, None), INNER)
    configurable["checkpoint_ns"] = "flow:id-9|work:id-0|model:id-1"
    assert find_position(configurable, metadata) == ["flow", "work", "3.1", "expert"]


def test_metadata_are_enough_for_the_innermost_task() -> None:
    namespace = "ask:id-0"
    metadata = {"langgraph_checkpoint_ns": namespace, "langgraph_path": [PUSH, 4, False]}
    assert find_position({"checkpoint_ns": namespace}, metadata) == ["ask", "4"]
    assert find_position({"checkpoint_ns": "ask:id-1"}, metadata) == []


def test_an_unknown_task_keeps_its_id_so_that_no_two_branches_share() -> None:
    positions = [find_position({"checkpoint_ns": f"ask:{n}|model:x"}, {}) for n in (1, 2)]
    assert positions == [["ask", "1"], ["ask", "2"]]


def test_namespaces_without_ids_and_numbers_of_subgraphs_count() -> None:
    configurable, metadata = config_of(NODE, INNER)
    configurable["checkpoint_ns"] = "node:id-0|1|model:id-1"
    assert find_position(configurable, metadata) == ["node", "1", "expert"]
    assert find_position({"checkpoint_ns": "team|model:x"}, {}) == ["team"]


@pytest.mark.parametrize("call", [None, 1, partial(print), partial(print, 1), partial(print, dict)])
def test_what_langgraph_may_keep_elsewhere_one_day_is_no_error(call: Any) -> None:
    assert list(list_running_tasks({"__pregel_call": call})) == []
    assert find_position({"__pregel_call": call, "checkpoint_ns": "node:id"}, {}) == []


@pytest.mark.parametrize("namespace", [None, "", 5, ["a"]])
def test_outside_of_a_graph_there_is_no_position(namespace: Any) -> None:
    assert find_position({"checkpoint_ns": namespace}, {}) == []
