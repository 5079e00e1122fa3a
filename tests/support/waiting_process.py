"""A graph that waits for a deferred answer, as a process of its own that a test may kill.

::

    python -m tests.support.waiting_process BASE_URL CHECKPOINTS INTERVAL [QUESTION]

Without a question it goes on where the checkpoints of the thread end, and prints the last message.
Its clock is ahead by the seconds in the variable `CLOCK_AHEAD`: so long no process has run.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_asi_one import ChatASIOne
from langchain_asi_one.langgraph import check_graph, follow_up_condition, follow_up_node

CONFIG: Any = {"configurable": {"thread_id": "ada@example.org"}}


def waiting_graph(model: ChatASIOne, interval: float) -> StateGraph[Any, Any, Any, Any]:
    """Ask, then wait: the wiring that the documentation of `follow_up_node` shows."""

    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_node("follow_up", follow_up_node(model, interval=interval))
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "follow_up")
    builder.add_conditional_edges("follow_up", follow_up_condition)
    return check_graph(builder)


@contextmanager
def checkpoints(place: str) -> Iterator[BaseCheckpointSaver[Any]]:
    """Open the checkpoints in a file, or in PostgreSQL if the place is an address."""
    if place.startswith("postgresql:"):
        with PostgresSaver.from_conn_string(place) as postgres:
            postgres.setup()
            yield postgres
    else:
        with SqliteSaver.from_conn_string(place) as sqlite:
            yield sqlite


def main(base_url: str, place: str, interval: str, question: str = "") -> None:
    """Run the graph to its end."""
    model = ChatASIOne(base_url=base_url, api_key="any", max_retries=0)
    with checkpoints(place) as saver:
        graph = waiting_graph(model, float(interval)).compile(checkpointer=saver)
        given: Any = {"messages": [("user", question)]} if question else None
        state = graph.invoke(given, CONFIG, durability="sync")
    sys.stdout.write(str(state["messages"][-1].text))


if __name__ == "__main__":
    clock, ahead = time.time, float(os.environ.get("CLOCK_AHEAD", "0"))
    time.time = lambda: clock() + ahead
    main(*sys.argv[1:])
