"""Steps and plans as rows.

What failed is marked. Values are shown without JSON where they can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one.display._sections import Mark, Row, shorten
from langchain_asi_one.executable_data import ExecutableEntry, parse_executable_data

# No plan has been published whole: names that its parts have, or are likely to have.
_TITLES: Final = ("task", "title", "name", "description", "goal", "objective", "query", "action")
_STATUSES: Final = ("status", "state")
_RESPONSES: Final = ("agent_response", "response", "answer", "result", "output")
_MARKS: Final[tuple[tuple[Mark, str], ...]] = (
    (
        "failed",
        r"incomplet|unsucc|fail|error|cancel|abort|reject|refus|time.?out|timed.?out|denied",
    ),
    ("done", r"complet|done|succe|finish|ok$"),
    ("running", r"progress|running|pending|wait|start|plan"),
)
_MAX_DEPTH: Final = 4


def list_step_rows(values: Iterable[object]) -> Iterator[Row]:
    """Yield a row for each step of an answer."""
    for number, value in enumerate(values, start=1):
        if isinstance(value, Mapping) and value:
            # The API may number its steps itself.
            fields = {k: v for k, v in value.items() if (k, v) != ("step", number)}
            texts = tuple(
                (make_one_line(str(key)), shorten(field)) for key, field in fields.items()
            )
            mark, label = _read_mark(value)
            yield Row(texts, mark=mark, mark_label=label)
        else:
            yield Row(((None, shorten(value)),))


def read_plan(value: object) -> tuple[tuple[tuple[str, str], ...], list[Row]]:
    """Return the fields of a plan, and its tasks as rows."""
    fields, tasks = _split(value)
    shown = tuple(
        (make_one_line(key), shorten(field)) for key, field in fields.items() if field != ""
    )
    return shown, [_make_task_row(number, task) for number, task in enumerate(tasks, start=1)]


def _split(value: object, depth: int = 0) -> tuple[dict[str, Any], list[Any]]:
    """Split a plan into its own fields and its tasks.

    The tasks may be nested.
    """
    if isinstance(value, list):
        return {}, value
    if not isinstance(value, dict):
        return {}, [] if value in (None, "") else [value]
    if isinstance(value.get("agent_used"), dict):
        return {}, [value]
    for key, inner in value.items():
        rest = {name: field for name, field in value.items() if name != key}
        if isinstance(inner, list) and all(isinstance(one, dict) for one in inner):
            return rest, inner
        if isinstance(inner, dict) and depth < _MAX_DEPTH:
            fields, tasks = _split(inner, depth + 1)
            if tasks:
                return {**rest, **fields}, tasks
    return value, []


def _make_task_row(number: int, task: object) -> Row:
    if not isinstance(task, Mapping):
        return Row(name=shorten(task))
    left = {key: value for key, value in task.items() if value not in (None, "", [], {})}
    if left.get("task_id") == number:
        del left["task_id"]
    agent = _read_agent(left)
    title = next((left.pop(key) for key in _TITLES if isinstance(left.get(key), str)), None)
    status = next((left.pop(key) for key in _STATUSES if key in left), None)
    response = next((left.pop(key) for key in _RESPONSES if key in left), None)
    name = agent.get("name")
    fields = {
        "status": status,
        "agent": name if title else None,
        "handle": f"@{agent['handle']}" if "handle" in agent else None,
        "address": agent.get("address"),
        "answer": response,
        **{make_one_line(str(key)): value for key, value in left.items()},
    }
    known = tuple((label, shorten(value)) for label, value in fields.items() if value is not None)
    problems = tuple(map(shorten, agent.get("problems", [])))
    mark, label = _read_mark(task)
    return Row(
        known,
        shorten(title or name or f"Task {number}"),
        problems,
        mark=mark,
        mark_label=label and "status",
    )


def _read_agent(task: dict[str, Any]) -> ExecutableEntry:
    """Remove the agent of a task, and return what identifies it."""
    used = task.pop("agent_used", None)
    entries = parse_executable_data({"agent_used": used}) if used else []
    if not entries:
        return {"kind": "unknown", "raw": None}
    if entries[0]["kind"] != "agent":
        task["agent_used"] = used
        return {"kind": "unknown", "raw": None}
    return entries[0]


def _read_mark(step: Mapping[Any, Any]) -> tuple[Mark, str]:
    """Return what became of a step, and which field says so."""
    label = next((key for key in _STATUSES if isinstance(step.get(key), str)), "")
    if step.get("error") or step.get("success") is False:
        return "failed", label
    for mark, words in _MARKS:
        if label and re.search(words, step[label], re.IGNORECASE):
            return mark, label
    return "", ""
