"""The worker that asks a named agent through ASI:One itself."""

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from langchain_asi_one._agent_identity import make_call_key
from langchain_asi_one._follow_up.pending_rule import INTERVAL, MAX_POLLS
from langchain_asi_one._request.session import make_agent_session
from langchain_asi_one.langgraph._state import AgentTask

if TYPE_CHECKING:
    from langchain_asi_one.chat_models import ChatASIOne


def asi_one_worker(
    model: "ChatASIOne", *, interval: float = INTERVAL, max_polls: int = MAX_POLLS
) -> Runnable[AgentTask, AIMessage]:
    """Make a worker that asks the named agent through ASI:One.

    It sends the user's question with `planner_mode` and the agent's address, and nothing else of
    the entry. The agent has a session of its own in the thread, the same in each turn, so that
    agents that are asked at once never get each other's deferred answers. A deferred answer is
    waited for. An error, or an answer that does not come in time, becomes the agent's `error`.

    Args:
        model: The model to ask through.
        interval: Seconds between an answer and the next poll, above 0 and up to 86,400.
        max_polls: Most polls for one question, 1 to 1,000.

    Returns:
        A Runnable for `agent_worker` and `create_asi_one_graph`, sync and async.

    Raises:
        ValueError: If `interval` or `max_polls` is out of range.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.langgraph import create_asi_one_graph
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
        ...     worker = asi_one_worker(model, interval=2.0)
        ...     graph = create_asi_one_graph(model, allow="any", worker=worker)
        ...     state = graph.invoke({"messages": [("user", "Which agent knows the weather?")]})
        >>> [result["result"].split(",")[0] for result in state["agent_results"]]
        ['[local stand-in] Stand-in Weather', '[local stand-in] Stand-in Flights']
    """
    patient = model.with_follow_up(interval=interval, max_polls=max_polls, on_pending="raise")

    def ask(task: AgentTask, config: RunnableConfig) -> AIMessage:
        return patient.invoke(task["messages"], **_build_options(model, task, config))

    async def ask_async(task: AgentTask, config: RunnableConfig) -> AIMessage:
        return await patient.ainvoke(task["messages"], **_build_options(model, task, config))

    return RunnableLambda(ask, afunc=ask_async, name="ask_agent")


def _build_options(model: "ChatASIOne", task: AgentTask, config: RunnableConfig) -> dict[str, Any]:
    agent = task["agent"]
    if "address" not in agent:
        msg = "the agent was named without an address, which ASI:One needs to ask it"
        raise ValueError(msg)
    session = make_agent_session(
        config.get("configurable") or {},
        field=model.session_id,
        from_thread=model.session_from_thread,
        call=make_call_key(agent),
    )
    return {"planner_mode": True, "agents": [agent["address"]], "session_id": session}
