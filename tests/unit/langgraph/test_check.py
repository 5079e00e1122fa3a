"""Mistakes in the wiring, found when the graph is built."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import END, MessagesState, StateGraph

from langchain_asi_one.langgraph import (
    AgentResult,
    agent_worker,
    check_graph,
    report_agents,
    send_agents,
)
from langchain_asi_one.testing._agents import FLIGHT_AGENT, WEATHER_AGENT
from tests.support.graphs import answer_with_node, build_routing

WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]


def answer(_: object) -> AIMessage:
    return AIMessage("Here.")


def test_a_route_to_a_missing_node_is_an_error_when_the_graph_is_built() -> None:
    router = send_agents("ask", allow="any", routes={WEATHER: "forecast"})
    builder = build_routing(answer, router, "ask")

    with pytest.raises(ValueError, match="'send_agents' branch found unknown target 'forecast'"):
        builder.compile()
    with pytest.raises(
        ValueError,
        match=r"leads to 'forecast', which is no node of this graph: add it with add_node",
    ):
        check_graph(builder)


def test_a_path_map_that_lacks_a_target_is_an_error_when_the_graph_is_built() -> None:
    def built(router: Any, path_map: Any) -> Any:
        builder = build_routing(answer, send_agents("ask", allow="any"), "ask")
        return builder.add_conditional_edges("ask", router, path_map)

    default = send_agents("ask", allow="any", default="nobody")
    lacks = "may lead to {} which its path_map lacks: add it"
    with pytest.raises(ValueError, match=lacks.format("'nobody',")):
        check_graph(built(default, ["ask", END]))
    to_weather = send_agents("ask", allow="any", routes={WEATHER: "weather"})
    with pytest.raises(ValueError, match=lacks.format("'weather',")):
        check_graph(built(to_weather, ["ask", END]))
    with pytest.raises(ValueError, match="leads to 'gone', which is no node"):
        check_graph(built(send_agents("gone", allow="any"), {"gone": "ask", END: END}))
    complete = built(send_agents("ask", allow="any"), ["ask", END])
    assert check_graph(complete) is complete


def test_a_misspelt_key_is_an_error_when_the_graph_is_built() -> None:
    wrong: list[tuple[Any, str]] = [
        (send_agents("ask", allow="any", key="executable_date"), "'executable_date'"),
        (send_agents("ask", allow="any", messages_key="mesages"), "'mesages'"),
    ]
    for router, key in wrong:
        with pytest.raises(ValueError, match=f"reads the state key {key}, which no schema"):
            check_graph(build_routing(answer, router, "ask"))
    builder = build_routing(answer, send_agents("ask", allow="any"), "ask")
    assert check_graph(builder) is builder
    builder.add_node("report", report_agents(key="results"))
    with pytest.raises(ValueError, match="node 'report' reads the state key 'results'"):
        check_graph(builder)


def test_a_reducer_on_the_key_is_an_error_when_the_graph_is_built() -> None:
    class Adding(MessagesState):
        executable_data: Annotated[list[Any], operator.add]

    builder = build_routing(answer, send_agents("ask", allow="any"), "ask", state=Adding)
    with pytest.raises(ValueError, match="has a reducer, so agents of earlier turns would route"):
        check_graph(builder)


def test_results_without_a_reducer_are_an_error_when_the_graph_is_built() -> None:
    class Last(MessagesState):
        agent_results: list[AgentResult]

    builder: StateGraph[Any] = StateGraph(Last)
    with pytest.raises(ValueError, match="Channel 'agent_results' already exists with a different"):
        builder.add_node("ask", agent_worker(answer_with_node("ask"), allow="any"))


def test_a_worker_whose_key_has_no_reducer_is_an_error() -> None:
    class Last(MessagesState):
        agent_results: list[AgentResult]

    builder: StateGraph[Any] = StateGraph(Last)
    builder.add_node("ask", agent_worker(answer_with_node("ask"), allow="any"), input_schema=Last)
    with pytest.raises(ValueError, match="'agent_results', which has no reducer, so workers that"):
        check_graph(builder)
