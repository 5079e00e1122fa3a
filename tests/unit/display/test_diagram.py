"""A graph and the agents of a run, before they are drawn."""

from __future__ import annotations

from langchain_asi_one.display._agent_status import Agent
from langchain_asi_one.display._diagram import Diagram, find_workers
from langchain_asi_one.display._sections import Row
from langchain_asi_one.langgraph import agent_worker
from tests.support.graphs import make_graph, small_graph


def test_labels_are_short_and_ends_have_names_of_their_own() -> None:
    long = "a" * 40
    diagram = Diagram(make_graph([("", long), (long, "")]).get_graph())
    assert diagram.labels == {"__start__": "start", "__end__": "end", long: f"{'a' * 27}…"}
    assert diagram.ends == {"__start__", "__end__"}
    assert diagram.edges == [("__start__", long, False), (long, "__end__", False)]


def test_agents_without_an_identity_are_not_drawn_and_no_more_than_twenty() -> None:
    agents = [Agent("", "", "refused", Row())]
    agents += [Agent("", f"@agent{number}", "answered", Row()) for number in range(30)]
    diagram = Diagram(small_graph().get_graph(), ("a",), tuple(agents))
    assert [agent.handle for agent in diagram.identified] == [f"@agent{n}" for n in range(20)]
    lines = diagram.mermaid.splitlines()
    assert '\tasi_one_agent_0["✓ answered: @agent0"]:::asi1Answered' in lines
    assert "\ta -.- asi_one_agent_19;" in lines
    assert sum("classDef asi1" in line for line in lines) == 1


def test_the_workers_of_a_graph_are_found_by_their_contract() -> None:
    builder = small_graph().builder
    builder.add_node("ask", agent_worker(lambda task: "", allow="any"))
    assert find_workers(builder.compile()) == ("ask",)
    assert find_workers(object()) == ()
