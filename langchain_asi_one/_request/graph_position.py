"""Where in a LangGraph run a request is made: pure.

It is read from the config of the request.

LangGraph describes the innermost task in `checkpoint_ns` and in the metadata. The key
`__pregel_call` leads to the tasks around it: LangGraph keeps a weak reference to the running task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# The start of a task's path if a `Send`, an agent's tool call or the functional API made the task.
_PUSH = "__pregel_push"
_MAX_DEPTH = 100


def find_position(configurable: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[str]:
    """Return names and branch numbers from the graph's top to the request.

    It has no ids of tasks, as they change with each step. All nodes of a graph have the position of
    their graph; only what runs in a branch of its own has a further name and number. The position
    is empty at the top of a graph and outside of graphs.
    """
    namespace = configurable.get("checkpoint_ns")
    if not isinstance(namespace, str) or not namespace:
        return []
    tasks = {task.id: task for task in list_running_tasks(configurable)}
    paths = {task_id: task.path for task_id, task in tasks.items()}
    segments = [segment.partition(":") for segment in namespace.split("|")]
    if metadata.get("langgraph_checkpoint_ns") == namespace:
        paths.setdefault(segments[-1][2], metadata.get("langgraph_path"))
    position: list[str] = []
    for place, (name, _, task_id) in enumerate(segments):
        path, task = paths.get(task_id), tasks.get(task_id)
        is_last = place == len(segments) - 1
        inner = None if is_last else paths.get(segments[place + 1][2])
        if position and is_last:
            position += _find_agent(metadata)
        elif position and task is not None:
            position += _find_agent(task.config["metadata"])
        if is_last and task_id and not _is_branch(path):
            continue  # a node like the others of its graph
        position.append(name)
        if _is_branch(path):
            position += [_format_branch(path), *_find_tool(task.input if task else None)]
        elif path is None and not _is_call(inner):
            # Better a session per step than one that two branches share.
            position.append(task_id)
    return [part for part in position if part]


def list_running_tasks(configurable: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the LangGraph tasks around a request, the innermost first.

    They are LangGraph's own objects, with `id`, `path`, `input` and `config`. There are none if a
    release of LangGraph keeps them elsewhere.
    """
    for _ in range(_MAX_DEPTH):
        reference, *_ = getattr(configurable.get("__pregel_call"), "args", ()) or (None,)
        task: Any = reference() if callable(reference) else None
        if not all(hasattr(task, name) for name in ("id", "path", "input", "config")):
            return
        yield task
        configurable = task.config.get("configurable") or {}


def _is_branch(path: Any) -> bool:
    return isinstance(path, list | tuple) and bool(path) and path[0] == _PUSH


def _is_call(path: Any) -> bool:
    """Return whether a task is a call of the functional API.

    The path of such a task holds that of its caller.
    """
    return _is_branch(path) and isinstance(path[1], list | tuple)


def _format_branch(path: Any) -> str:
    return ".".join(map(str, _find_numbers(path)))


def _find_numbers(path: Any) -> Iterator[int]:
    for item in path:
        if isinstance(item, list | tuple):
            yield from _find_numbers(item)
        elif isinstance(item, int) and not isinstance(item, bool):
            yield item


def _find_agent(metadata: Mapping[str, Any]) -> list[str]:
    """Return the name that `create_agent` gives to its graph."""
    name = metadata.get("lc_agent_name")
    return [name] if isinstance(name, str) else []


def _find_tool(task_input: Any) -> list[str]:
    """Return the tool's name if a task runs one tool call."""
    call = task_input[0] if isinstance(task_input, list) and len(task_input) == 1 else task_input
    if isinstance(call, Mapping) and isinstance(call.get("tool_call"), Mapping):
        call = call["tool_call"]
    is_call = isinstance(call, Mapping) and call.get("type") == "tool_call"
    return [str(call.get("name"))] if is_call else []
