"""Nodes and routers for the agents that ASI:One names.

The model names agents of Agentverse in `executable_data`. These nodes put them into the state of a
graph, and send the allowed ones to a node::

    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_node(executable_data_node())
    builder.add_node("ask_agent", agent_worker(ask, allow={"agent1q..."}))
    builder.add_edge(START, "model")
    builder.add_edge("model", "executable_data")
    builder.add_conditional_edges("executable_data", send_agents("ask_agent", allow={"agent1q..."}))
    graph = check_graph(builder).compile()

`create_asi_one_graph(model, allow={...})` makes the whole graph, and asks through ASI:One. All
that the nodes write is plain JSON, which every checkpointer can store. An edge that needs only to
know whether an agent was named is one line, for a state that declares the key, such as
`ExecutableDataState`: `lambda state: "review" if state["executable_data"] else END`.
"""

from langchain_asi_one._response import content_blocks as _content_blocks  # noqa: F401 - stored messages need its translator
from langchain_asi_one.langgraph._asi_one_worker import asi_one_worker
from langchain_asi_one.langgraph._check import check_graph
from langchain_asi_one.langgraph._follow_up import follow_up_condition, follow_up_node
from langchain_asi_one.langgraph._graph import create_asi_one_graph
from langchain_asi_one.langgraph._review import review_agents
from langchain_asi_one.langgraph._routable_agents import allow_agents
from langchain_asi_one.langgraph._routing import executable_data_node, send_agents
from langchain_asi_one.langgraph._state import (
    AgentGraphState,
    AgentResult,
    AgentTask,
    ExecutableDataState,
)
from langchain_asi_one.langgraph._workers import agent_worker, report_agents

__all__ = [
    "AgentGraphState",
    "AgentResult",
    "AgentTask",
    "ExecutableDataState",
    "agent_worker",
    "allow_agents",
    "asi_one_worker",
    "check_graph",
    "create_asi_one_graph",
    "executable_data_node",
    "follow_up_condition",
    "follow_up_node",
    "report_agents",
    "review_agents",
    "send_agents",
]
