"""The state of a graph: its keys, their types, and how they are read from any class of state."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, NotRequired, Protocol, TypeGuard, cast

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
)
from langchain_core.messages.utils import convert_to_messages
from langgraph.graph import MessagesState
from typing_extensions import TypedDict

from langchain_asi_one._follow_up.rule import is_deferred
from langchain_asi_one.executable_data import ExecutableEntry

MESSAGES_KEY: Final = "messages"
ENTRIES_KEY: Final = "executable_data"
RESULTS_KEY: Final = "agent_results"

_MISSING: Final = object()


class Node(Protocol):
    """A function that `add_node` takes, for a state of any class."""

    def __call__(self, state: Any) -> dict[str, Any]:
        """Give the update of the state."""


class ExecutableDataState(MessagesState):
    """`MessagesState` with the agents that ASI:One named in this turn. Using it is optional.

    Attributes:
        executable_data: What `executable_data_node` wrote last; it must have no reducer, or agents
            of an earlier turn would route again.

    Example:
        >>> from langgraph.graph import StateGraph
        >>> from langchain_asi_one.langgraph import executable_data_node
        >>> builder = StateGraph(ExecutableDataState).add_node(executable_data_node())
        >>> sorted(builder.channels)
        ['executable_data', 'messages']
    """

    executable_data: NotRequired[list[ExecutableEntry]]


class AgentTask(TypedDict):
    """What the worker of an agent is given: the argument of one `Send` of `send_agents`.

    Attributes:
        agent: The agent; `args` and `tool` are there if ASI:One named a call.
        messages: The last human message, as a list of at most one: what the agent was named for.

    Example:
        >>> entry: ExecutableEntry = {"kind": "agent", "handle": "weather", "raw": {}}
        >>> AgentTask(agent=entry, messages=[HumanMessage("Rain?")])["agent"]["handle"]
        'weather'
    """

    agent: ExecutableEntry
    messages: list[BaseMessage]


class AgentResult(TypedDict):
    """What became of asking one agent. Plain JSON; exactly one of `result` and `error` is there.

    Attributes:
        agent: Its address, or its handle if it was named without an address.
        id: The identifier of the call, if the entry gave one.
        tool: The tool called, if the entry named one.
        result: What the worker returned. Text of an agent: untrusted.
        error: Why there is no result, as `ClassName: message`.

    Example:
        >>> AgentResult(agent="weather", error="TimeoutError: no answer within 5 s")["agent"]
        'weather'
    """

    agent: str
    id: NotRequired[str]
    tool: NotRequired[str]
    result: NotRequired[Any]
    error: NotRequired[str]


def add_agent_results(
    held: list[AgentResult] | None, new: list[AgentResult] | None
) -> list[AgentResult]:
    """Add results to those that the state holds: the reducer of `agent_results`.

    Args:
        held: What the state holds.
        new: The results to add, or `None` to forget those of an earlier turn.

    Returns:
        A new list.

    Example:
        >>> add_agent_results([{"agent": "weather", "result": 21}], None)
        []
    """
    return [] if new is None else [*(held or []), *new]


class AgentGraphState(ExecutableDataState):
    """State of `create_asi_one_graph`.

    Attributes:
        agent_results: What became of the agents asked in this turn.

    Example:
        >>> from langgraph.graph import StateGraph
        >>> sorted(StateGraph(AgentGraphState).channels)
        ['agent_results', 'executable_data', 'messages']
    """

    agent_results: NotRequired[Annotated[list[AgentResult], add_agent_results]]


# Types of the keys, for the annotations that LangGraph reads.
MESSAGES: Final[Any] = list[AnyMessage]
ENTRIES: Final[Any] = list[ExecutableEntry]
RESULTS: Final[Any] = Annotated[list[AgentResult], add_agent_results]


def value_of(state: object, key: str, *, part: str, remedy: str) -> Any:
    """Read a key of a state.

    Args:
        state: A dict, a Pydantic model or a dataclass.
        key: The key.
        part: Who reads, for the error.
        remedy: What to do if the key is not there, for the error.

    Raises:
        ValueError: If the state has no such key.
    """
    if isinstance(state, Mapping):
        value = state.get(key, _MISSING)
        present = sorted(map(str, state))
    else:
        value = getattr(state, key, _MISSING)
        present = sorted(vars(state)) if hasattr(state, "__dict__") else []
    if value is _MISSING:
        shown = ", ".join(present) or "none"
        msg = f"{part}: the state has no key {key!r} (keys with a value: {shown}). {remedy}"
        raise ValueError(msg)
    return value


def messages_of(state: object, key: str, *, part: str) -> list[BaseMessage]:
    """Read the messages of a state, or of a bare list of messages."""
    remedy = "Give it the key that holds the messages: messages_key=..."
    value = state if isinstance(state, list) else value_of(state, key, part=part, remedy=remedy)
    if _are_messages(value):
        return value
    return convert_to_messages(value or [])


def entries_of(state: object, key: str, *, part: str) -> list[ExecutableEntry]:
    """Read the entries that `executable_data_node` wrote."""
    remedy = (
        f"Put executable_data_node(output_key={key!r}) before it, or give it the key that the node "
        "writes: key=..."
    )
    value = value_of(state, key, part=part, remedy=remedy)
    return [cast("ExecutableEntry", entry) for entry in value or [] if isinstance(entry, dict)]


def answers_of_turn(messages: list[BaseMessage]) -> list[AIMessage]:
    """The model's messages after the last human one, oldest first.

    Without ASI:One's stand-ins for an answer that has come since: agents named beside such a one
    were looked at before the wait for the answer.
    """
    turn: list[AIMessage] = []
    for message in reversed(messages):
        if _is_human(message):
            break
        if isinstance(message, AIMessage) and not (turn and is_deferred(message)):
            turn.append(message)
    return turn[::-1]


def question_of_turn(messages: list[BaseMessage]) -> list[BaseMessage]:
    """The last human message, as a list of at most one."""
    found = (message for message in reversed(messages) if _is_human(message))
    return [message for message in [next(found, None)] if message is not None]


def _is_human(message: BaseMessage) -> bool:
    if isinstance(message, ChatMessage):
        return message.role.lower() in ("user", "human")
    return isinstance(message, HumanMessage)


def _are_messages(value: object) -> TypeGuard[list[BaseMessage]]:
    return isinstance(value, list) and all(isinstance(item, BaseMessage) for item in value)
