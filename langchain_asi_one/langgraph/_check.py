"""Mistakes in the wiring of a graph, found before a run.

LangGraph lets them pass, or explains too little.
"""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, TypeVar

from langgraph.channels import BinaryOperatorAggregate
from langgraph.graph import END, StateGraph

from langchain_asi_one.langgraph._contract import NodeContract, find_contract, is_own_schema

_GraphT = TypeVar("_GraphT", bound="StateGraph[Any, Any, Any, Any]")


def check_graph(builder: _GraphT) -> _GraphT:
    """Check the wiring of this package's nodes before the graph is compiled.

    LangGraph drops undeclared keys and ends a run at unknown nodes, often without an error.

    Args:
        builder: The graph, with all nodes and edges.

    Returns:
        The same graph, as in `graph = check_graph(builder).compile()`.

    Raises:
        ValueError: If a node or router reads a key that no schema declares and no node of this
            package writes; a router leads to a node that is not there, or that its `path_map`
            lacks; the key of `executable_data_node` has a reducer, so that old agents would route
            again; or the key of a worker has none, so that parallel workers could not write it.

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
    nodes = {name: _read_contract(spec.runnable) for name, spec in builder.nodes.items()}
    known = {key for own, keys in builder.schemas.items() if not is_own_schema(own) for key in keys}
    known.update(*(contract.writes + contract.gathers for contract in nodes.values()))
    for name, contract in nodes.items():
        _check_keys(f"node {name!r}", contract, known)
        _check_reducers(builder, name, contract)
    for where, contract, ends in _list_routers(builder):
        _check_keys(where, contract, known)
        _check_path_map(where, contract, ends)
        _check_targets(where, [*ends.values(), *contract.sends], builder.nodes)
    return builder


def _read_contract(runnable: Any) -> NodeContract:
    return find_contract(getattr(runnable, "func", None) or getattr(runnable, "afunc", None))


def _list_routers(
    builder: "StateGraph[Any, Any, Any, Any]",
) -> Iterator[tuple[str, NodeContract, Mapping[Hashable, str]]]:
    for source, branches in builder.branches.items():
        for name, branch in branches.items():
            yield f"{name} behind {source!r}", _read_contract(branch.path), branch.ends or {}


def _check_keys(where: str, contract: NodeContract, known: set[str]) -> None:
    for key in contract.reads:
        if key not in known:
            msg = (
                f"{where} reads the state key {key!r}, which no schema declares and no node "
                "writes: correct the name (it is an argument of the function that made it), or "
                f"declare the key; keys: {', '.join(sorted(known))}"
            )
            raise ValueError(msg)


def _check_path_map(where: str, contract: NodeContract, ends: Mapping[Hashable, str]) -> None:
    for target in contract.targets:
        if target not in ends:
            msg = (
                f"{where} may lead to {target!r}, which its path_map lacks: add it, or leave "
                "path_map out, as the router names its targets; it has: "
                f"{', '.join(sorted(map(str, ends))) or 'empty'}"
            )
            raise ValueError(msg)


def _check_targets(where: str, targets: list[str], nodes: Mapping[str, Any]) -> None:
    # A Send is not looked up in a path_map, so LangGraph does not check its node.
    for target in targets:
        if target != END and target not in nodes:
            msg = (
                f"{where} leads to {target!r}, which is no node of this graph: add it with "
                f"add_node({target!r}, ...), or correct the name; nodes: {', '.join(sorted(nodes))}"
            )
            raise ValueError(msg)


def _check_reducers(
    builder: "StateGraph[Any, Any, Any, Any]", name: str, contract: NodeContract
) -> None:
    for key in contract.gathers:
        if not isinstance(builder.channels.get(key), BinaryOperatorAggregate):
            msg = (
                f"the worker {name!r} writes the state key {key!r}, which has no reducer, so "
                "workers that run side by side cannot write it: declare it as AgentGraphState "
                "does, or not at all"
            )
            raise ValueError(msg)  # noqa: TRY004 - the wiring is wrong, not a type
    for key in contract.writes:
        if isinstance(builder.channels.get(key), BinaryOperatorAggregate):
            msg = (
                f"node {name!r} writes the state key {key!r}, which has a reducer, so agents of "
                "earlier turns would route again: declare it without one, or not at all"
            )
            raise ValueError(msg)  # noqa: TRY004 - as above
