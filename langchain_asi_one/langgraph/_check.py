"""Mistakes in the wiring that LangGraph lets pass or explains too little, found before a run."""

from collections.abc import Hashable, Mapping
from typing import Any, TypeVar, get_args

from langgraph.channels import BinaryOperatorAggregate
from langgraph.graph import END, StateGraph

from langchain_asi_one.langgraph._state import is_own_schema

_Graph = TypeVar("_Graph", bound="StateGraph[Any, Any, Any, Any]")


def check_graph(builder: _Graph) -> _Graph:
    """Check how the parts of this package are wired, before the graph is compiled.

    LangGraph drops undeclared keys and ends a run at unknown nodes, often without an error.

    Args:
        builder: The graph, with all nodes and edges.

    Returns:
        The same graph, as in `graph = check_graph(builder).compile()`.

    Raises:
        ValueError: If a part reads a key that neither a schema declares nor a part writes; a
            router leads to a node that is not there, or to one that its `path_map` lacks; the key
            of `executable_data_node` has a reducer, so that old agents would route again; or the
            key of a worker has none, so that parallel workers could not write it.

    Example:
        >>> from langgraph.graph import START, MessagesState
        >>> from langchain_asi_one.langgraph import executable_data_node, send_agents
        >>> builder = StateGraph(MessagesState).add_node(executable_data_node())
        >>> builder = builder.add_edge(START, "executable_data").add_conditional_edges(
        ...     "executable_data", send_agents("ask", allow="any"))
        >>> check_graph(builder)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        ValueError: send_agents behind 'executable_data' leads to 'ask', which is no node...
    """
    nodes = {name: _function(spec.runnable) for name, spec in builder.nodes.items()}
    known = {key for own, keys in builder.schemas.items() if not is_own_schema(own) for key in keys}
    known |= {key for part in nodes.values() for key in getattr(part, "writes", ())}
    for name, part in nodes.items():
        _check_keys(f"node {name!r}", part, known)
        _check_reducers(builder, name, part)
    for source, branches in builder.branches.items():
        for name, branch in branches.items():
            where = f"{name} behind {source!r}"
            part = _function(branch.path)
            _check_keys(where, part, known)
            _check_path_map(where, part, branch.ends or {})
            for target in [*(branch.ends or {}).values(), *getattr(part, "sends", ())]:
                if target != END and target not in builder.nodes:
                    msg = (
                        f"{where} leads to {target!r}, which is no node of this graph: add it with "
                        f"add_node({target!r}, ...), or correct the name; nodes: "
                        f"{', '.join(sorted(builder.nodes))}"
                    )
                    raise ValueError(msg)
    return builder


def _function(runnable: Any) -> Any:
    return getattr(runnable, "func", None) or getattr(runnable, "afunc", None)


def _check_path_map(where: str, part: Any, ends: Mapping[Hashable, str]) -> None:
    # Only the parts of this package name all their targets for certain.
    targets = get_args(part.__annotations__.get("return")) if hasattr(part, "reads") else ()
    for target in targets:
        if target not in ends:
            msg = (
                f"{where} may lead to {target!r}, which its path_map lacks: add it, or leave "
                "path_map out, as the router names its targets; it has: "
                f"{', '.join(sorted(map(str, ends))) or 'empty'}"
            )
            raise ValueError(msg)


def _check_keys(where: str, part: Any, known: set[str]) -> None:
    for key in getattr(part, "reads", ()):
        if key not in known:
            msg = (
                f"{where} reads the state key {key!r}, which no schema declares and no node "
                "writes: correct the name (it is an argument of the part), or declare it; keys: "
                f"{', '.join(sorted(known))}"
            )
            raise ValueError(msg)


def _check_reducers(builder: "StateGraph[Any, Any, Any, Any]", name: str, part: Any) -> None:
    gathers = getattr(part, "gathers", None)
    for key in getattr(part, "writes", ()):
        reduced = isinstance(builder.channels.get(key), BinaryOperatorAggregate)
        if key == gathers and not reduced:
            msg = (
                f"the worker {name!r} writes the state key {key!r}, which has no reducer, so "
                "workers that run side by side cannot write it: declare it as "
                "Annotated[list[AgentResult], add_agent_results], or not at all"
            )
            raise ValueError(msg)
        if key != gathers and reduced:
            msg = (
                f"node {name!r} writes the state key {key!r}, which has a reducer, so agents of "
                "earlier turns would route again: declare it without one, or not at all"
            )
            raise ValueError(msg)
