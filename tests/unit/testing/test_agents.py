"""The made-up agents: valid but for the one that is meant not to be."""

from __future__ import annotations

from langchain_asi_one import is_agent_address
from langchain_asi_one.testing._agents import (
    BAD_AGENT,
    FLIGHT_AGENT,
    WEATHER_AGENT,
    list_agents,
    make_plan_snapshots,
)


def test_one_address_only_is_wrong() -> None:
    agents = list_agents(with_bad=True)
    assert agents == [WEATHER_AGENT, FLIGHT_AGENT, BAD_AGENT]
    assert [is_agent_address(agent["address"]) for agent in agents] == [True, True, False]
    assert list_agents(with_bad=False) == agents[:2]


def test_what_a_caller_changes_is_the_callers_own() -> None:
    list_agents(with_bad=False)[0]["system_wide_tags"].append("changed")
    assert WEATHER_AGENT["system_wide_tags"] == ["weather"]


def test_a_plan_grows_until_it_is_completed() -> None:
    address = FLIGHT_AGENT["address"]
    snapshots = make_plan_snapshots("Fly?", [address, "agent1unknown"], "Yes.")
    assert [snapshot["status"] for snapshot in snapshots] == [
        "planning",
        *["running"] * 4,
        "completed",
    ]
    assert [len(snapshot["tasks"]) for snapshot in snapshots] == [0, 1, 1, 2, 2, 2]
    first, second = snapshots[-1]["tasks"]
    assert first["agent_used"]["agent_address"] == address
    assert (first["status"], first["agent_response"]) == ("completed", "Yes.")
    assert second["agent_used"]["agent_name"] == "Unknown agent"
