"""The whole graph, wired from the public functions.

It is also the example for a graph of your own.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Checkpointer

from langchain_asi_one._request.fields import AGENTIC_FIELDS
from langchain_asi_one.langgraph._asi_one_worker import asi_one_worker
from langchain_asi_one.langgraph._check import check_graph
from langchain_asi_one.langgraph._review import review_agents
from langchain_asi_one.langgraph._routable_agents import Allow, allow_agents, require_allow
from langchain_asi_one.langgraph._routing import executable_data_node, send_agents
from langchain_asi_one.langgraph._state import AgentGraphState
from langchain_asi_one.langgraph._workers import agent_worker, report_agents

_MAX_ENTRIES: Final = 100


@require_allow
def create_asi_one_graph(  # noqa: PLR0913 - each is a choice that only the caller can make
    model: BaseChatModel,
    *,
    tools: Sequence[BaseTool | Callable[..., Any]] = (),
    allow: Allow,
    worker: Callable[..., Any] | Runnable[Any, Any] | None = None,
    checkpointer: Checkpointer = None,
    review: bool = False,
    limit: int = 8,
    timeout: float | None = None,
    recursion_limit: int = 25,
) -> "CompiledStateGraph[AgentGraphState, Any, Any, Any]":
    """Make a graph that asks a model, then the agents it names.

    ::

        model ──tool calls──> tools ──> model
          └──> executable_data ──> [review_agents] ──> ask_agent (one per agent) | END
                                                         └──> report_agents ──> answer ──> END

    After agents were asked, `answer` asks the model once more, without `planner_mode` and `agents`:
    the request holds the agents' words, which must not set off agents. Agents that this answer
    names are not asked, so the run ends.

    Args:
        model: A `ChatASIOne`, or another chat model that gives `executable_data`.
        tools: Local tools, which the model may call before it answers.
        allow: The agents that may be asked; see `allow_agents`. The router and the worker check it.
        worker: Asks one agent; see `agent_worker`. By default `asi_one_worker(model)`, which asks
            through ASI:One.
        checkpointer: Keeps the thread between turns and during a review.
        review: Whether a human must approve (or edit, or reject) the allowed agents first. Needs a
            checkpointer, here or from the server that runs the graph.
        limit: Most agents asked in one turn, 1 or more.
        timeout: Seconds for one agent, more than 0; see `agent_worker`.
        recursion_limit: Most steps of one run, 1 or more: the guard against endless tool calls.

    Returns:
        The compiled graph, `messages` in; `messages`, `executable_data`,
        `executable_data_refused` and `agent_results` out.

    Raises:
        TypeError: If `allow` or `worker` is of a wrong kind, or missing; only a `ChatASIOne` needs
            no worker.
        ValueError: If an argument is out of range, or a plain worker has a timeout.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> def ask(task):
        ...     return f"{task['agent']['name']} was asked."
        >>> with local_asi_one() as server:
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
        ...     graph = create_asi_one_graph(model, allow="any", worker=ask)
        ...     state = graph.invoke({"messages": [("user", "Which agent knows the weather?")]})
        >>> [result["result"] for result in state["agent_results"]]
        ['Stand-in Weather was asked.', 'Stand-in Flights was asked.']
    """
    with_tools = model.bind_tools(tools) if tools else model
    ask: Any = worker if worker is not None else _make_worker(model)

    builder = StateGraph(AgentGraphState)
    builder.add_node("model", itemgetter("messages") | with_tools | _write_first_answer)
    keep = allow_agents(allow)  # before the bound, so that no refused agent takes a place
    # A human sees how many agents are left out.
    max_entries = max(limit, _MAX_ENTRIES) if review else limit
    builder.add_node("executable_data", executable_data_node(keep=keep, max_entries=max_entries))
    worker_node = agent_worker(ask, allow=allow, review=review, timeout=timeout)
    builder.add_node("ask_agent", worker_node)
    builder.add_node("report_agents", report_agents())
    builder.add_node("answer", itemgetter("messages") | _drop_agents(model) | _write_last_answer)

    builder.add_edge(START, "model")
    if tools:
        builder.add_node("tools", ToolNode(tools))
        builder.add_edge("tools", "model")
        path_map: dict[Hashable, str] = {"tools": "tools", END: "executable_data"}
        builder.add_conditional_edges("model", tools_condition, path_map)
    else:
        builder.add_edge("model", "executable_data")
    source = "executable_data"
    if review:
        builder.add_node(review_agents(limit=limit))
        builder.add_edge("executable_data", source := "review_agents")
    builder.add_conditional_edges(source, send_agents("ask_agent", allow=allow, limit=limit))
    builder.add_edge("ask_agent", "report_agents")
    builder.add_edge("report_agents", "answer")
    builder.add_edge("answer", END)

    graph = check_graph(builder).compile(checkpointer, name="asi_one")
    return graph.with_config(recursion_limit=recursion_limit)


def _make_worker(model: Any) -> Runnable[Any, Any]:
    if not hasattr(model, "with_follow_up"):
        msg = (
            f"worker is missing: only ChatASIOne can ask agents by itself, not "
            f"{type(model).__name__}; give a function of an AgentTask"
        )
        raise TypeError(msg)
    return asi_one_worker(model)


def _drop_agents(model: Any) -> Any:
    """Return a model whose requests let no agent act."""
    if isinstance(model, RunnableBinding):
        update = {"bound": _drop_agents(model.bound), "kwargs": _drop_fields(model.kwargs)}
        return model.model_copy(update=update)
    if not getattr(type(model), "model_fields", {}).keys() >= AGENTIC_FIELDS:
        return model
    extra_body = _drop_fields(model.extra_body or {})
    return model.model_copy(update={**dict.fromkeys(AGENTIC_FIELDS), "extra_body": extra_body})


def _drop_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what makes agents act from request fields and their `extra_body`."""
    kept = {name: value for name, value in fields.items() if name not in AGENTIC_FIELDS}
    if extra_body := kept.get("extra_body"):
        kept["extra_body"] = _drop_fields(extra_body)
    return kept


def _write_first_answer(message: BaseMessage) -> dict[str, Any]:
    return {"messages": [message], "agent_results": None}  # those of an earlier turn are forgotten


def _write_last_answer(message: BaseMessage) -> dict[str, Any]:
    return {"messages": [message]}
