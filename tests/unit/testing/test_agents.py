"""The made-up agents: valid but for the one that is meant not to be."""

from __future__ import annotations

import pytest

from langchain_asi_one import is_agent_address
from langchain_asi_one.testing._agents import (
    BAD_AGENT,
    FLIGHT_AGENT,
    WEATHER_AGENT,
    list_agents,
    make_entries,
    make_plan_snapshots,
    make_search_steps,
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


def test_other_agents_take_the_place_of_the_made_up_ones() -> None:
    entries = make_entries([FLIGHT_AGENT["address"], {"address": "agent1", "name": "Entry"}])
    assert list_agents(entries, with_bad=True) == [*entries, BAD_AGENT]
    assert entries[0]["address"] == FLIGHT_AGENT["address"]
    assert make_search_steps("?", entries)[1]["output"] == ["Agent g9vrl7", "Entry"]
    tasks = make_plan_snapshots("?", [], "Yes.", entries)[-1]["tasks"]
    assert [task["agent_used"]["agent_address"] for task in tasks] == [
        FLIGHT_AGENT["address"],
        "agent1",
    ]


def test_a_text_that_is_no_address_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'agent1x' in agents is not an agent's address"):
        make_entries(["agent1x"])
