"""Steps and plans as numbered rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_asi_one.display import card, format_message
from langchain_asi_one.display._steps import list_step_rows, read_plan
from langchain_asi_one.testing._agents import BAD_AGENT, WEATHER_AGENT, make_plan_snapshots

WEATHER = WEATHER_AGENT["address"]


def test_a_plan_is_its_tasks() -> None:
    *_, plan = make_plan_snapshots("Rain?", [WEATHER], "Yes.")
    assert format_message(AIMessage("It rains.", additional_kwargs={"plan_state": plan})) == (
        "Plan\n  status  completed\n  goal    Rain?\n\n"
        "Tasks of the plan\n"
        "  1. Stand-in Weather\n"
        "     status   completed\n"
        f"     address  {WEATHER}\n"
        "     answer   Yes.\n\n"
        "Answer\n  It rains.\n\n"
        f"Agents named\n  Stand-in Weather\n    address  {WEATHER}"
    )


USED = {"agent_name": "Weather", "agent_address": WEATHER}


@pytest.mark.parametrize(
    "plan",
    [
        [{"agent_used": USED, "status": "completed", "task": "Look"}],
        {"tasks": [{"agent_used": USED, "status": "completed", "task": "Look"}]},
        {"plan": {"id": 1, "steps": [{"agent_used": USED, "status": "completed", "task": "Look"}]}},
        {"agent_used": USED, "status": "completed", "task": "Look"},
    ],
)
def test_tasks_are_found_wherever_they_are_nested(plan: Any) -> None:
    _, [task] = read_plan(plan)
    assert (task.name, task.mark) == ("Look", "done")
    assert task.fields == (("status", "completed"), ("agent", "Weather"), ("address", WEATHER))


@pytest.mark.parametrize("plan", [None, "", [], {}, {"tasks": []}])
def test_an_empty_plan_has_no_tasks(plan: Any) -> None:
    assert read_plan(plan)[1] == []


def test_what_is_no_task_is_shown_too() -> None:
    fields, tasks = read_plan({"status": "running", "budget": {"left": 3}})
    assert (fields, tasks) == ((("status", "running"), ("budget", '{"left": 3}')), [])
    assert [row.name for row in read_plan(["Look", 7])[1]] == ["Look", "7"]


def test_a_wrong_address_in_a_plan_is_a_problem() -> None:
    used = {"agent_name": "Impostor", "agent_address": BAD_AGENT["address"]}
    _, [task] = read_plan([{"agent_used": used}])
    shown = json.dumps([task.fields, task.problems])
    assert BAD_AGENT["address"] in shown
    assert not any(label == "address" for label, _ in task.fields)


@pytest.mark.parametrize(
    ("step", "mark", "label"),
    [
        ({"status": "completed"}, "done", "status"),
        ({"status": "SUCCESS"}, "done", "status"),
        ({"status": "in_progress"}, "running", "status"),
        ({"status": "Failed: no answer"}, "failed", "status"),
        ({"state": "timed_out"}, "failed", "state"),
        ({"status": "completed", "error": "none of them answered"}, "failed", "status"),
        ({"success": False}, "failed", ""),
        ({"status": "incomplete"}, "failed", "status"),
        ({"status": "unsuccessful"}, "failed", "status"),
        ({"status": "not_started"}, "running", "status"),
        ({"status": 7}, "", ""),
        ({"action": "failed"}, "", ""),
    ],
)
def test_what_became_of_a_step(step: dict[str, Any], mark: str, label: str) -> None:
    [row] = list_step_rows([step])
    assert (row.mark, row.mark_label) == (mark, label)


def test_a_failed_step_looks_failed() -> None:
    steps = [{"action": "search", "status": "completed"}, {"action": "ask", "status": "failed"}]
    message = AIMessage("x", additional_kwargs={"intermediate_steps": steps})
    assert "1. action  search\n     status  completed\n" in format_message(message)
    assert "2. action    ask\n     ! status  failed\n" in format_message(message)
    html = card(message)._repr_html_()
    assert '<span class="asi1-badge asi1-done">✓ completed</span>' in html
    assert '<span class="asi1-badge asi1-failed">! failed</span>' in html


def test_many_steps_are_folded_and_say_how_many_failed() -> None:
    steps = [{"action": f"step {n}", "status": "failed" if n == 7 else "ok"} for n in range(8)]
    html = card(AIMessage("x", additional_kwargs={"intermediate_steps": steps}))._repr_html_()
    assert html.index("step 2<") < html.index("<summary>5 more, 1 failed</summary>")
    assert html.index("<summary>5 more, 1 failed</summary>") < html.index("step 3<")
