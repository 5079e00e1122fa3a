"""`ExecutableDataMiddleware`: the agents that ASI:One names, for users of `create_agent`."""

from typing import Any, NotRequired

from langchain_asi_one._version import make_missing_error

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState
except ImportError as _missing:
    raise make_missing_error("langchain_asi_one.middleware", "langchain", _missing) from _missing

# Not only for type checkers: LangGraph reads the annotations of hooks and states.
from langgraph.runtime import Runtime

from langchain_asi_one.executable_data import ExecutableEntry
from langchain_asi_one.langgraph import allow_agents, executable_data_node
from langchain_asi_one.langgraph._routable_agents import Allow, require_allow
from langchain_asi_one.langgraph._state import RefusedAgent

__all__ = ["ExecutableDataMiddleware"]


class _State(AgentState[Any]):
    executable_data: NotRequired[list[ExecutableEntry]]
    executable_data_refused: NotRequired[list[RefusedAgent]]


class ExecutableDataMiddleware(AgentMiddleware[_State, Any, Any]):
    """Put the allowed agents that ASI:One named into the state.

    It does so after each answer of the model.

    The state key `executable_data` then holds the agents named after the last human message, or
    `[]`. Another middleware, a tool or the caller reads them there.

    Args:
        allow: The agents to put there: a set of addresses and handles, a predicate, or `"any"`;
            see `langchain_asi_one.langgraph.allow_agents`.
        max_entries: Most agents to put there, 0 or more, or `None` for any number. The number of
            those left out is logged.

    Raises:
        ImportError: On import, if `langchain` is not installed.
        TypeError: If `allow` is missing or of another kind.
        ValueError: If an address or handle in `allow`, or `max_entries`, is wrong.

    Example:
        >>> from langchain.agents import create_agent
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
        ...     agent = create_agent(model, middleware=[ExecutableDataMiddleware(allow="any")])
        ...     state = agent.invoke({"messages": [("user", "Which agent knows the weather?")]})
        >>> [entry["name"] for entry in state["executable_data"]]
        ['Stand-in Weather', 'Stand-in Flights']
    """

    state_schema = _State

    @require_allow
    def __init__(self, *, allow: Allow, max_entries: int | None = 32) -> None:
        super().__init__()
        self._node = executable_data_node(keep=allow_agents(allow), max_entries=max_entries)

    def after_model(self, state: _State, runtime: Runtime[Any]) -> dict[str, Any] | None:  # noqa: ARG002
        """Read the agents of this turn; `create_agent` calls it.

        Args:
            state: The agent's state, with its messages.
            runtime: Not used.

        Returns:
            The update of the state, with the keys `executable_data` and `executable_data_refused`.
        """
        return self._node(state)
