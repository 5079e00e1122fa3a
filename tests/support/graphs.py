"""Small graphs, and messages that name agents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypedDict

from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one.langgraph import agent_worker, executable_data_node


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


def build_routing(
    ask: Callable[[Any], AIMessage], router: Any, *nodes: str, state: Any = MessagesState
) -> Any:
    """Build a graph whose router leads to workers, each of which names its node and its agent."""
    builder: StateGraph[Any] = StateGraph(state)
    builder.add_node("model", lambda state: {"messages": [ask(state["messages"])]})
    builder.add_node(executable_data_node())
    for node in nodes:
        builder.add_node(node, agent_worker(answer_with_node(node), allow="any"))
    builder.add_edge(START, "model").add_edge("model", "executable_data")
    builder.add_conditional_edges("executable_data", router)
    return builder


def answer_with_node(node: str) -> Callable[[Any], str]:
    """Return a worker that names its node and the agent of its task."""
    return lambda task: f"{node}: {identify_agent(task['agent'])}"
