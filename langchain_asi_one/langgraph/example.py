"""The example graph, which `langgraph.json` names: `langgraph dev` opens it.

It asks the API if `ASI_ONE_API_KEY` or `ASI1_API_KEY` is set. Otherwise it asks the local stand-in,
which it starts inside the process (extra `testing`), and logs that.

Only the agents in `ALLOW` are asked, and each only after a human has approved it. The one agent
there is the stand-in's, so with a key no agent is asked until you put the addresses of agents that
you trust into a copy of this file.
"""

import asyncio
import logging
from functools import cache
from typing import Any, Final

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Checkpointer

from langchain_asi_one._environment import API_KEY_VARIABLE, has_api_key
from langchain_asi_one.chat_models import ChatASIOne
from langchain_asi_one.langgraph._graph import create_asi_one_graph
from langchain_asi_one.langgraph._routable_agents import Allow
from langchain_asi_one.langgraph._state import AgentGraphState, AgentTask

__all__ = ["ALLOW", "example_graph", "make_graph"]

logger = logging.getLogger(__name__)

ALLOW: Final = frozenset({"agent1q2s25dz79wlykf8kczjw0333y9ru5dl42vflyks9tvrz4qcny7gucd0pk92"})
"""The agents that may be asked: the weather agent of the local stand-in."""

_SECONDS_PER_AGENT: Final = 120


def example_graph(
    model: ChatASIOne,
    *,
    allow: Allow = ALLOW,
    worker: Runnable[AgentTask, AIMessage] | None = None,
    checkpointer: Checkpointer = None,
) -> "CompiledStateGraph[AgentGraphState, Any, Any, Any]":
    """Make a graph that asks a model, then agents a human approves.

    It asks each agent through the model, see `asi_one_worker`, or as the worker does.

    Args:
        model: The model to ask.
        allow: The agents that may be asked; see `allow_agents`.
        worker: Asks one agent, such as `AgentChat(…).worker()`.
        checkpointer: Keeps the thread while it waits for the human. A LangGraph server brings its
            own.

    Returns:
        The compiled graph. It has a timeout for each agent, so it runs with `ainvoke` or `astream`.

    Raises:
        TypeError: If `allow` is of a wrong kind.
        ValueError: If an element of `allow` is neither an address nor a handle.

    Example:
        >>> graph = example_graph(ChatASIOne(api_key="any"))
        >>> sorted(name for name in graph.get_graph().nodes if "agent" in name)
        ['ask_agent', 'report_agents', 'review_agents']
    """
    return create_asi_one_graph(
        model,
        allow=allow,
        worker=worker,
        checkpointer=checkpointer,
        review=True,
        timeout=_SECONDS_PER_AGENT,
    )


async def make_graph() -> "CompiledStateGraph[AgentGraphState, Any, Any, Any]":
    """Return the example graph for a LangGraph server.

    The server asks for it again for each request.

    Returns:
        One and the same graph for the whole process, without a checkpointer.

    Raises:
        ImportError: If there is no key and the extra `testing` is not installed.

    Example:
        >>> graph = asyncio.run(make_graph())  # starts the stand-in if there is no key
        >>> graph.name
        'asi_one'
    """
    # Reading certificates and starting a server take a while, which a server's loop must not wait.
    return await asyncio.to_thread(_open_graph)


@cache
def _open_graph() -> "CompiledStateGraph[AgentGraphState, Any, Any, Any]":
    if has_api_key():
        model = ChatASIOne()
        logger.info("Asking the API at %s", model.base_url)
        return example_graph(model)
    # Whoever asks the API does not need the extra.
    from langchain_asi_one.testing import LocalASIOne  # noqa: PLC0415

    url = LocalASIOne().start().base_url
    logger.warning(
        "%s is not set: asking the local stand-in, not the API, at %s", API_KEY_VARIABLE, url
    )
    return example_graph(ChatASIOne(base_url=url, api_key="no-key-needed"))
