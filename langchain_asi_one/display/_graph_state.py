"""What became of the agents that ASI:One named in a run, read from the state of its graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.utils import convert_to_messages

from langchain_asi_one._agent_identity import identify_agent, is_report
from langchain_asi_one.display._agent_status import AGENTS, STATUSES, Agent, Status
from langchain_asi_one.display._view import Item, Part, Turn, entry_item, short, turn_of
from langchain_asi_one.executable_data import ExecutableEntry, get_executable_data


@dataclass(frozen=True, slots=True)
class Run:
    """The state of a graph, as far as it concerns people.

    Attributes:
        messages: All of them.
        agents: Those named in the last turn.
        waiting: Whether the run has not ended.
    """

    messages: tuple[BaseMessage, ...]
    agents: tuple[Agent, ...]
    waiting: bool

    @property
    def turns(self) -> list[Turn]:
        """What is read, in order."""
        return [*map(turn_of, self.messages), *self.closing]

    @property
    def closing(self) -> list[Turn]:
        """What the run itself has to say."""
        parts = [Part(AGENTS, "named", tuple(agent.item for agent in self.agents))]
        parts = [part for part in parts if part.items]
        return [Turn("run", AGENTS, tuple(parts), self.waiting)] if parts or self.waiting else []


def run_of(state: object) -> Run:
    """Read a state: a mapping, a snapshot of `get_state`, or an object with `messages`."""
    values = getattr(state, "values", None)
    waiting = False
    if not isinstance(state, Mapping) and isinstance(values, Mapping):
        waiting = bool(getattr(state, "next", ()))
    elif isinstance(state, Mapping):
        values = state
    else:
        values = vars(state)
    follow_up = values.get("follow_up")
    waiting = waiting or bool(values.get("__interrupt__"))
    waiting = waiting or (isinstance(follow_up, Mapping) and bool(follow_up.get("pending")))
    messages = tuple(convert_to_messages(values.get("messages") or []))
    return Run(messages, tuple(_agents(messages, values, waiting=waiting)), waiting)


def is_state(value: object) -> bool:
    """Whether `run_of` can read a value."""
    if isinstance(value, Mapping):
        return not value.keys().isdisjoint(("messages", "executable_data", "agent_results"))
    if isinstance(getattr(value, "values", None), Mapping) and hasattr(value, "next"):
        return True
    return isinstance(getattr(value, "messages", None), list) and hasattr(value, "__dict__")


def _agents(
    messages: tuple[BaseMessage, ...], values: Mapping[str, Any], *, waiting: bool
) -> Iterator[Agent]:
    results = [one for one in values.get("agent_results") or [] if isinstance(one, Mapping)]
    kept = [one for one in values.get("executable_data") or [] if isinstance(one, Mapping)]
    kept_identities = {identify_agent(_entry(entry)) for entry in kept}
    routed = values.get("agent_results") is not None or "executable_data" in values
    named = [(entry, True) for entry in map(_entry, kept)]
    named += [*_named_in_turn(messages)]
    seen: set[str] = set()
    for entry, before in named:
        identity = identify_agent(entry)
        _, item = entry_item(entry)
        key = identity or item.name
        if key in seen or (identity is None and entry.get("kind") == "unknown"):
            continue
        seen.add(key)
        own = [one for one in results if identity and one.get("agent") == identity]
        status = _status(
            own,
            in_reach=identity in kept_identities and identity is not None,
            routed=routed and before,
            waiting=waiting,
        )
        yield Agent(identity or "", status, _told(item, status, own))


def _entry(value: Any) -> ExecutableEntry:
    return value  # type: ignore[no-any-return]


def _status(
    results: list[Mapping[str, Any]], *, in_reach: bool, routed: bool, waiting: bool
) -> Status:
    if any("error" in one for one in results):
        return "failed"
    if results:
        return "allowed"
    if not routed:
        return "named"
    return "pending" if waiting and in_reach else "refused"


def _told(item: Item, status: Status, results: list[Mapping[str, Any]]) -> Item:
    sign, meaning = STATUSES[status]
    fields: list[tuple[str | None, str]] = [("status", f"{sign} {meaning}")]
    kept = ("handle", "address", "tool", "arguments")
    fields += [(label, text) for label, text in item.fields if label in kept]
    fields += [("answer", short(one["result"])) for one in results if "result" in one]
    problems = [short(one["error"]) for one in results if "error" in one]
    return Item(tuple(fields), item.name, (*item.problems, *problems), status)


def _named_in_turn(messages: tuple[BaseMessage, ...]) -> Iterator[tuple[ExecutableEntry, bool]]:
    """The entries of the last turn; whether each was named before the agents had answered."""
    turn: list[tuple[AIMessage, bool]] = []
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            if not is_report(message):
                break
            turn = [(answer, False) for answer, _ in turn]
        elif isinstance(message, AIMessage):
            turn.append((message, True))
    for answer, before in reversed(turn):
        for entry in get_executable_data(answer):
            yield entry, before
