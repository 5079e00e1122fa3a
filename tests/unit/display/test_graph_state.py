"""The agents of a run, read from a state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from langchain_asi_one.display import card
from langchain_asi_one.display._graph_state import read_state
from langchain_asi_one.langgraph import report_agents
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT
from tests.support.graphs import naming

WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]


def statuses(state: object) -> list[tuple[str, str]]:
    return [(agent.row.name, agent.status) for agent in read_state(state).agents]


def test_agents_of_a_finished_run() -> None:
    state = {
        "messages": [
            HumanMessage("Which?"),
            naming(WEATHER_AGENT, FLIGHT_AGENT, BAD_AGENT, {"handle": "@other", "name": "Other"}),
        ],
        "executable_data": [],
        "agent_results": [
            {"agent": WEATHER, "result": "Rain"},
            {"agent": FLIGHTS, "error": "TimeoutError: no answer within 5 s"},
        ],
    }
    assert statuses(state) == [
        ("Stand-in Weather", "allowed"),
        ("Stand-in Flights", "failed"),
        ("Stand-in Impostor", "refused"),
        ("Other", "refused"),
    ]
    text = str(card(state))
    assert "    answer   Rain\n" in text
    assert "    ! TimeoutError: no answer within 5 s\n" in text


def test_agents_named_after_the_report_were_not_looked_at() -> None:
    results: list[Any] = [{"agent": WEATHER, "result": "Rain"}]
    report = report_agents()({"agent_results": results})["messages"]
    messages = [HumanMessage("?"), naming(WEATHER_AGENT), *report, naming(FLIGHT_AGENT)]
    state = {"messages": messages, "executable_data": [], "agent_results": results}
    assert statuses(state) == [("Stand-in Weather", "allowed"), ("Stand-in Flights", "named")]


def test_agents_of_an_earlier_turn_are_not_of_this_run() -> None:
    messages = [HumanMessage("?"), naming(WEATHER_AGENT), HumanMessage("And?"), AIMessage("No.")]
    assert statuses({"messages": messages, "executable_data": []}) == []


def test_agents_that_no_node_has_looked_at_are_only_named() -> None:
    state = {"messages": [HumanMessage("?"), naming(WEATHER_AGENT)]}
    assert statuses(state) == [("Stand-in Weather", "named")]


@dataclass
class Snapshot:
    """What `get_state` returns, as far as it is read."""

    values: dict[str, Any]
    next: tuple[str, ...] = ("ask_agent",)
    tasks: tuple[Any, ...] = ()


def test_a_run_that_waits() -> None:
    values = {
        "messages": [HumanMessage("?"), naming(WEATHER_AGENT, FLIGHT_AGENT)],
        "executable_data": [{"kind": "agent", "address": WEATHER, "raw": {}}],
    }
    expected = [("(no name)", "pending"), ("Stand-in Flights", "refused")]
    assert statuses(Snapshot(values)) == expected
    assert statuses({**values, "__interrupt__": ["?"]}) == expected
    assert statuses({**values, "follow_up": {"pending": True}}) == expected
    assert [status for _, status in statuses(Snapshot(values, next=()))] == ["refused", "refused"]
    assert "The run has not ended" in card(Snapshot(values))._repr_html_()


def test_a_refused_agent_has_one_reason() -> None:
    handles = ["a", "b", "c", "d"]
    state = {
        "messages": [
            HumanMessage("?"),
            naming(*({"handle": handle} for handle in handles), BAD_AGENT),
        ],
        "executable_data": [],
        "executable_data_refused": [
            {"agent": "a", "reason": "rejected"},
            {"agent": "b", "reason": "over_limit"},
            {"agent": "c", "reason": "not_allowed"},
            {"agent": "", "reason": "not_identified"},
            "text",
        ],
        "agent_results": [],
    }
    assert [dict(agent.row.fields)["status"] for agent in read_state(state).agents] == [
        "✕ refused: a human rejected it",
        "✕ refused: it is beyond the limit of a turn",
        "✕ refused: it is not among the agents that may be asked",
        "✕ refused: not allowed, rejected in review, or beyond the limit",
        "✕ refused: it has no address or handle that holds",
    ]
