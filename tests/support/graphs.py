"""Small graphs, and messages that name agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from langchain_core.messages import AIMessage
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    """A state."""

    messages: list[Any]


def make_graph(
    edges: Iterable[tuple[str, str]], conditions: Mapping[str, Sequence[str]] | None = None
) -> Any:
    """Compile a graph of nodes that do nothing, named by its edges; "" is start or end."""
    conditions = conditions or {}
    builder = StateGraph(State)
    pairs = [*edges, *((source, one) for source, ends in conditions.items() for one in ends)]
    for name in dict.fromkeys(name for pair in pairs for name in pair if name):
        builder.add_node(name, lambda state: {})
    for source, target in edges:
        builder.add_edge(source or START, target or END)
    for source, targets in conditions.items():
        builder.add_conditional_edges(source, lambda state: END, [one or END for one in targets])
    return builder.compile()


def small_graph() -> Any:
    """Compile a graph with a loop and a condition."""
    return make_graph([("", "a"), ("b", "a")], {"a": ["b", ""]})


def naming(*agents: dict[str, Any], text: str = "Ask them.") -> AIMessage:
    """Return an answer that names agents."""
    return AIMessage(text, additional_kwargs={"executable_data": list(agents)})
