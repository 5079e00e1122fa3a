"""Numbers that callers give: each is refused by name if it is out of range or none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from langchain_asi_one._json.numbers import is_number
from langchain_asi_one.agents import AgentChat, search_agents
from langchain_asi_one.langgraph import agent_worker, report_agents
from langchain_asi_one.testing import LocalASIOne, fault, raw
from langchain_asi_one.testing._agentverse.server import LocalAgentverse

NONE_OF_THEM: Any = [math.nan, math.inf, -math.inf, -1, True, "5", [], 10**400]
CHAT = AgentChat(seed="a text of thirty-two characters ..")


async def ask(_: Any) -> str:
    return "It rains."


def skew(seconds: Any) -> None:
    server = LocalAgentverse()
    try:
        server.clock_skew = seconds
    finally:
        server.stop()


def add_agent(delay: Any) -> None:
    server = LocalAgentverse()
    try:
        server.agent(delay=delay)
    finally:
        server.stop()


@pytest.mark.parametrize("value", NONE_OF_THEM, ids=lambda value: repr(value)[:8])
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("timeout", lambda value: agent_worker(ask, allow="any", timeout=value)),
        ("max_characters", lambda value: report_agents(max_characters=value)),
        ("limit", lambda value: search_agents("rain", limit=value)),
        ("timeout", lambda value: search_agents("rain", timeout=value)),
        ("timeout", lambda value: CHAT.agent("@weather", timeout=value)),
        ("timeout", lambda value: CHAT.worker(timeout=value)),
        ("poll_interval", lambda value: AgentChat(seed="x" * 32, poll_interval=value)),
        ("quiet", lambda value: AgentChat(seed="x" * 32, quiet=value)),
        ("chunk_delay", lambda value: LocalASIOne(chunk_delay=value)),
        ("port", lambda value: LocalASIOne(port=value)),
        ("port", lambda value: LocalAgentverse(port=value)),
        ("delay", add_agent),
        ("status", lambda value: raw(b"", status=value)),
    ],
)
def test_what_is_no_number_of_the_range_is_refused_by_name(
    name: str, function: Callable[[Any], Any], value: Any
) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        function(value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [math.nan, math.inf, True, "5", 10**400])
def test_a_skew_is_a_number_of_seconds(value: Any) -> None:
    with pytest.raises(ValueError, match="clock_skew"):
        skew(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, True, "soon", 10**400])
def test_an_option_of_a_fault_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match="seconds"):
        fault("stall", seconds=value)


def test_a_session_that_is_none_is_refused_where_an_agent_is_made() -> None:
    with pytest.raises(ValueError, match="session_id"):
        CHAT.agent("@weather", session_id=7)


def test_whole_numbers() -> None:
    assert is_number(2, 1, 3, whole=True)
    assert not is_number(2.0, 1, 3, whole=True)


def test_the_ends_of_a_range_belong_to_it() -> None:
    assert [is_number(value, 1, 3) for value in (0.9, 1, 3, 3.1)] == [False, True, True, False]
