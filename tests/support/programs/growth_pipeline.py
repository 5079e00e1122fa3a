"""A pipeline of five nodes that ends in a report.

The shape is that of the LangGraph example that Fetch.ai publishes for ASI:One
(twitch-growth-agent in github.com/fetchai/innovation-lab-examples): a line of nodes, three of which
ask the model, in a state that they fill in. It is written for any chat model.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, StateGraph


class GrowthState(TypedDict):
    channel_name: str
    channel_stats: dict[str, Any] | None
    niche: str | None
    competitors: list[dict[str, str]] | None
    gaps: list[str] | None
    final_report: str | None


EMPTY: GrowthState = {
    "channel_name": "chess-at-noon",
    "channel_stats": None,
    "niche": None,
    "competitors": None,
    "gaps": None,
    "final_report": None,
}


def build_graph(llm: BaseChatModel) -> Any:
    def analyze_channel(state: GrowthState) -> GrowthState:
        state["channel_stats"] = {
            "name": state["channel_name"],
            "tags": ["chess"],
            "is_live": False,
        }
        return state

    def research_content(state: GrowthState) -> GrowthState:
        prompt = f"Name the niche of this channel in a short phrase.\n\n{state['channel_stats']}"
        state["niche"] = str(llm.invoke(prompt).content).strip()
        return state

    def benchmark_competitors(state: GrowthState) -> GrowthState:
        state["competitors"] = [{"title": "Blitz daily", "snippet": f"Also {state['niche']}"}]
        return state

    def identify_gaps(state: GrowthState) -> GrowthState:
        others = "\n".join(
            f"- {one['title']}: {one['snippet']}" for one in state["competitors"] or []
        )
        response = llm.invoke(f"List what is missing.\nNiche: {state['niche']}\nOthers:\n{others}")
        lines = str(response.content).strip().splitlines()
        state["gaps"] = [line.strip() for line in lines if line.strip()]
        return state

    def generate_strategy(state: GrowthState) -> GrowthState:
        gaps = "\n".join(state["gaps"] or [])
        response = llm.invoke(f"Write the report on {state['channel_name']}.\nGaps:\n{gaps}")
        state["final_report"] = str(response.content).strip()
        return state

    graph = StateGraph(GrowthState)
    nodes = (
        ("channel_analyzer", analyze_channel),
        ("content_researcher", research_content),
        ("competitor_benchmarker", benchmark_competitors),
        ("gap_identifier", identify_gaps),
        ("strategy_generator", generate_strategy),
    )
    for name, node in nodes:
        graph.add_node(name, node)
    graph.set_entry_point("channel_analyzer")
    for (before, _), (after, _) in pairwise(nodes):
        graph.add_edge(before, after)
    graph.add_edge("strategy_generator", END)
    return graph.compile()
