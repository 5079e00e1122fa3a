"""Contracts of nodes: what LangGraph and `check_graph` read of a function."""

from __future__ import annotations

import asyncio
from typing import Any, get_type_hints

from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_asi_one.langgraph._contract import (
    NodeContract,
    declare,
    find_contract,
    is_own_schema,
    make_schema,
    make_two_way_node,
)


def test_a_function_carries_its_keys_and_targets() -> None:
    def router(state: Any) -> Any:
        return END

    contract = NodeContract(reads=("found",), targets=("ask", END, "ask"))
    assert declare(router, {"found": list[int]}, contract) is router
    assert find_contract(router) is contract
    hints = get_type_hints(router)
    assert hints["state"].__annotations__ == {"found": list[int]}
    assert hints["return"].__args__ == ("ask", END)


def test_a_function_of_somebody_else_has_an_empty_contract() -> None:
    def foreign() -> None: ...

    foreign.contract = "of the user"  # type: ignore[attr-defined]
    assert find_contract(foreign) == find_contract(None) == NodeContract()


def test_a_schema_made_here_is_known_from_the_users() -> None:
    assert is_own_schema(make_schema({"key": int}))
    assert not is_own_schema(MessagesState)


def test_a_two_way_node_runs_both_ways_and_adds_its_key() -> None:
    def run(state: Any, config: Any) -> dict[str, Any]:
        return {"way": "sync", "thread": config["configurable"]["thread_id"]}

    async def arun(state: Any, config: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"way": "async", "thread": config["configurable"]["thread_id"]}

    keys = {"way": str, "thread": str}
    node = make_two_way_node("both", run, arun, keys, NodeContract(writes=("way", "thread")))
    builder: StateGraph[Any] = StateGraph(MessagesState)
    builder.add_node(node.get_name(), node).add_edge(START, "both")
    graph = builder.compile()
    config: Any = {"configurable": {"thread_id": "t"}}

    [update] = graph.stream({"messages": []}, config)
    assert update == {"both": {"way": "sync", "thread": "t"}}

    async def stream() -> list[Any]:
        return [update async for update in graph.astream({"messages": []}, config)]

    assert asyncio.run(stream()) == [{"both": {"way": "async", "thread": "t"}}]
