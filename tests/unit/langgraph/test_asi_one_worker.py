"""What the ASI:One worker sends for an agent.

That it is sent is tested in `tests/integration/langgraph/test_graph.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one import ChatASIOne, parse_executable_data
from langchain_asi_one._request.session import make_thread_session
from langchain_asi_one.langgraph import AgentTask, asi_one_worker
from langchain_asi_one.langgraph._asi_one_worker import _build_options
from langchain_asi_one.testing._agents import WEATHER_AGENT
from tests.support.model import API_KEY

WEATHER = WEATHER_AGENT["address"]


def options_for(raw: Any, configurable: dict[str, Any] | None = None) -> dict[str, Any]:
    [entry] = parse_executable_data([raw])
    task = AgentTask(agent=entry, messages=[])
    return _build_options(ChatASIOne(api_key=API_KEY), task, {"configurable": configurable or {}})


def test_only_the_address_of_an_entry_is_sent() -> None:
    raw = {**WEATHER_AGENT, "tool": "pay", "args": {"to": "x"}, "session_id": "y"}
    options = options_for(raw, {"thread_id": "t"})
    session = options.pop("session_id")
    assert options == {"planner_mode": True, "agents": [WEATHER]}
    assert session != make_thread_session("t")


@pytest.mark.parametrize("configurable", [{}, {"thread_id": ""}, {"thread_id": None}])
def test_without_a_thread_each_request_has_a_fresh_session(configurable: dict[str, Any]) -> None:
    sessions = {options_for(WEATHER_AGENT, configurable)["session_id"] for _ in range(3)}
    assert len(sessions) == 3


def test_a_session_follows_from_thread_and_call() -> None:
    calls = [WEATHER_AGENT, {**WEATHER_AGENT, "args": {"day": 1}}]
    threads: list[dict[str, Any]] = [{"thread_id": "t"}, {"thread_id": "u"}, {"session_id": 42}]
    for _ in range(2):
        sessions = [options_for(c, t)["session_id"] for c in calls for t in threads]
        assert len({*sessions}) == 6
    again = [options_for(c, t)["session_id"] for c in calls for t in threads]
    assert again == sessions


def test_an_agent_without_an_address_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="the agent was named without an address"):
        options_for({"handle": "weather"})


def test_bounds_of_the_wait_are_checked_when_it_is_made() -> None:
    model = ChatASIOne(api_key=API_KEY)
    for arguments in ({"interval": 0}, {"max_polls": 0}):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            asi_one_worker(model, **arguments)
