"""Rules for the agents that may be asked."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one import parse_executable_data
from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one.langgraph import (
    allow_agents,
    send_agents,
)
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT

WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]


def test_an_async_predicate_is_refused() -> None:
    async def allow(entry: Any) -> bool:
        return True

    class Rule:
        async def __call__(self, entry: Any) -> bool:
            return True

    for rule in (allow, Rule()):
        with pytest.raises(TypeError, match="allow must be a plain function, not async"):
            send_agents("ask", allow=rule)  # type: ignore[arg-type]


def test_the_allow_rule_is_usable_by_itself() -> None:
    rule = allow_agents({WEATHER})
    entries = parse_executable_data([WEATHER_AGENT, FLIGHT_AGENT, BAD_AGENT])

    assert [rule(entry) for entry in entries] == [True, False, False]
    forged = {**entries[2], "address": BAD_AGENT["address"]}
    assert identify_agent(forged) is None  # type: ignore[arg-type]
