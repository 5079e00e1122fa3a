"""The state of a graph: its keys, their types and readers."""

from collections.abc import Iterable, Mapping
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

from langchain_asi_one._agent_identity import RefusalReason, identify_agent
from langchain_asi_one._follow_up.pending_rule import is_deferred
from langchain_asi_one.executable_data import ExecutableEntry

MESSAGES_KEY: Final = "messages"
ENTRIES_KEY: Final = "executable_data"
RESULTS_KEY: Final = "agent_results"

MAX_REFUSED: Final = 100

_MISSING: Final = object()


class Node(Protocol):
    """A function that `add_node` takes, for a state of any class."""

    def __call__(self, state: Any) -> dict[str, Any]:
        """Return the update of the state."""


class RefusedAgent(TypedDict):
    """An agent that is not asked, and the reason.

    Attributes:
        agent: Its address or handle; `""` if the entry has neither.
        reason: Why it is not asked.
    """

    agent: str
    reason: RefusalReason


class ExecutableDataState(MessagesState):
    """`MessagesState` with the agents that ASI:One named in this turn; optional.

    Attributes:
        executable_data: The entries that `executable_data_node` wrote last. The key must have no
            reducer, or agents of an earlier turn would route again.
        executable_data_refused: Agents that `executable_data_node` or `review_agents` left out in
            this turn, at most 100, each with a reason: `"not_identified"`, `"not_allowed"`,
            `"over_limit"` or `"rejected"`.

    Example:
        >>> from langgraph.graph import StateGraph
        >>> from langchain_asi_one.langgraph import executable_data_node
        >>> builder = StateGraph(ExecutableDataState).add_node(executable_data_node())
        >>> sorted(builder.channels)
        ['executable_data', 'executable_data_refused', 'messages']
    """

    executable_data: NotRequired[list[ExecutableEntry]]
    executable_data_refused: NotRequired[list[RefusedAgent]]


class AgentTask(TypedDict):
    """The task of an agent's worker: what `send_agents` sends.

    Attributes:
        agent: The agent, with `args` and `tool` if ASI:One named a call.
        messages: The last human message, as a list of at most one.

    Example:
        >>> entry: ExecutableEntry = {"kind": "agent", "handle": "weather", "raw": {}}
        >>> AgentTask(agent=entry, messages=[HumanMessage("Rain?")])["agent"]["handle"]
        'weather'
    """

    agent: ExecutableEntry
    messages: list[BaseMessage]


class AgentResult(TypedDict):
    """Outcome of asking one agent, as plain JSON.

    It has either `result` or `error`.

    Attributes:
        agent: Its address, or its handle if it was named without an address.
        id: The identifier of the call, if the entry gave one.
        tool: The tool called, if the entry named one.
        result: What the worker returned. Text of an agent: untrusted.
        response_metadata: How an `AgentChat` got the answer; see its `ask`. Of an answer through
            ASI:One it has `model_provider` and `session_id`. The model is not told.
        error: Why there is no result, as `ClassName: message`.

    Example:
        >>> AgentResult(agent="weather", error="TimeoutError: no answer within 5 s")["agent"]
        'weather'
    """

    agent: str
    id: NotRequired[str]
    tool: NotRequired[str]
    result: NotRequired[Any]
    response_metadata: NotRequired[dict[str, Any]]
    error: NotRequired[str]


def refuse_agents(entries: Iterable[ExecutableEntry], reason: RefusalReason) -> list[RefusedAgent]:
    """Note for entries why they are not asked."""
    identities = map(identify_agent, entries)
    return [
        RefusedAgent(agent=identity, reason=reason)
        if identity
        else RefusedAgent(agent="", reason="not_identified")
        for identity in identities
    ]


def name_refused_key(key: str) -> str:
    """Return the state key of the refused agents of a key."""
    return f"{key}_refused"


def add_agent_results(
    held: list[AgentResult] | None, new: list[AgentResult] | None
) -> list[AgentResult]:
    """Add results to those in the state; `None` removes these."""
    return [] if new is None else [*(held or []), *new]


class AgentGraphState(ExecutableDataState):
    """State of `create_asi_one_graph`.

    Attributes:
        agent_results: Outcomes of the agents asked in this turn.

    Example:
        >>> from langgraph.graph import StateGraph
        >>> sorted(StateGraph(AgentGraphState).channels)
        ['agent_results', 'executable_data', 'executable_data_refused', 'messages']
    """

    agent_results: NotRequired[Annotated[list[AgentResult], add_agent_results]]


# Types of the keys, for the annotations that LangGraph reads.
MESSAGES: Final[Any] = list[AnyMessage]
ENTRIES: Final[Any] = list[ExecutableEntry]
REFUSED: Final[Any] = list[RefusedAgent]
RESULTS: Final[Any] = Annotated[list[AgentResult], add_agent_results]


def read_key(state: object, key: str, *, reader: str, remedy: str) -> Any:
    """Read a key of a state.

    Args:
        state: A dict, a Pydantic model or a dataclass.
        key: The key.
        reader: The function that reads, for the error.
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
        msg = f"{reader}: the state has no key {key!r} (keys with a value: {shown}). {remedy}"
        raise ValueError(msg)
    return value


def read_list(state: object, key: str) -> list[Any]:
    """Read a key that holds a list; `[]` if there is none."""
    value = state.get(key) if isinstance(state, Mapping) else getattr(state, key, None)
    return value if isinstance(value, list) else []


def read_messages(state: object, key: str, *, reader: str) -> list[BaseMessage]:
    """Read the messages of a state, or a list of messages."""
    remedy = "Give it the key that holds the messages: messages_key=..."
    value = state if isinstance(state, list) else read_key(state, key, reader=reader, remedy=remedy)
    if _are_messages(value):
        return value
    return convert_to_messages(value or [])


def read_entries(state: object, key: str, *, reader: str) -> list[ExecutableEntry]:
    """Read the entries that `executable_data_node` wrote."""
    remedy = (
        f"Put executable_data_node(output_key={key!r}) before it, or give it the key that the node "
        "writes: key=..."
    )
    value = read_key(state, key, reader=reader, remedy=remedy)
    return [cast("ExecutableEntry", entry) for entry in value or [] if isinstance(entry, dict)]


def find_answers(messages: list[BaseMessage]) -> list[AIMessage]:
    """Find the model's messages after the last human one, oldest first.

    A deferred answer ("I've sent the message") counts only while it is the last: agents that it
    named were routed before the wait for the real answer.
    """
    answers: list[AIMessage] = []
    for message in reversed(messages):
        if _is_human(message):
            break
        if isinstance(message, AIMessage) and not (answers and is_deferred(message)):
            answers.append(message)
    return answers[::-1]


def find_question(messages: list[BaseMessage]) -> list[BaseMessage]:
    """Find the last human message, as a list of at most one."""
    found = (message for message in reversed(messages) if _is_human(message))
    return [message for message in [next(found, None)] if message is not None]


def _is_human(message: BaseMessage) -> bool:
    if isinstance(message, ChatMessage):
        return message.role.lower() in ("user", "human")
    return isinstance(message, HumanMessage)


def _are_messages(value: object) -> TypeGuard[list[BaseMessage]]:
    return isinstance(value, list) and all(isinstance(item, BaseMessage) for item in value)
