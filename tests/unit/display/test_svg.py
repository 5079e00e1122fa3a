"""A graph as an image, and the text for Mermaid."""

from __future__ import annotations

import re

from langchain_core.messages import HumanMessage

from langchain_asi_one import ChatASIOne
from langchain_asi_one.display import card
from langchain_asi_one.langgraph import create_asi_one_graph
from langchain_asi_one.testing._agents import WEATHER_AGENT
from tests.support.graphs import make_graph, naming, small_graph

WEATHER = WEATHER_AGENT["address"]


def test_every_way_of_a_graph_is_drawn_and_within_it() -> None:
    graph = make_graph(
        [("", "model"), ("model", "wait")], {"wait": ["wait", "report"], "report": ["model", ""]}
    )
    drawing = card(graph)._repr_html_().partition("<svg")[2].partition("</svg>")[0]
    assert drawing.count("<path") == 2 * 6  # a way and its head: the loop of `wait` is one of six
    left, _, width, _ = map(float, re.findall(r'viewBox="([^"]*)"', drawing)[0].split())
    xs = [
        float(x)
        for path in re.findall(r' d="([^"]*)"', drawing)
        for x in re.findall(r"(-?[\d.]+) -?[\d.]+", path)
    ]
    assert left <= min(xs)
    assert max(xs) <= left + width
    # Where a page strips the drawing, its words still stand apart.
    words = re.sub("<[^>]*>", "", drawing.partition(">")[2]).split()
    assert words == ["start", "model", "wait", "report", "end"]


def test_marks_in_a_graph() -> None:
    state = {
        "messages": [HumanMessage("?"), naming(WEATHER_AGENT)],
        "agent_results": [{"agent": WEATHER, "result": "Rain"}],
    }
    bundle = card(small_graph(), state)._repr_mimebundle_()
    label = f"✓ answered: @stand-in-weather {WEATHER}"
    assert f'\tasi_one_agent_0["{label}"]:::asi1Answered\n' in bundle["text/vnd.mermaid"]
    # Whole: another address can begin and end like it.
    assert ">✓ answered @stand-in-weather</text>" in bundle["text/html"]
    assert f">{WEATHER}</text>" in bundle["text/html"]


def test_a_drawing_says_what_it_shows() -> None:
    told = "Graph: __start__ to a; a to __end__ or b; b to a."
    assert (
        f'<svg class="asi1-graph" role="img" aria-label="{told}"'
        in card(small_graph())._repr_html_()
    )


def test_agents_are_drawn_beside_the_node_that_asks_them() -> None:
    model = ChatASIOne(base_url="http://127.0.0.1:1/v1", api_key="any")
    graph = create_asi_one_graph(model, allow="any", worker=lambda task: "")
    state = {"messages": [HumanMessage("?"), naming(WEATHER_AGENT)], "agent_results": []}
    bundle = card(graph, state)._repr_mimebundle_()
    assert "\task_agent -.- asi_one_agent_0;\n" in bundle["text/vnd.mermaid"]
    assert bundle["text/html"].count('stroke-dasharray="1 3"') == 1
