"""The agents of a run and their status, read from the state of its graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.utils import convert_to_messages

from langchain_asi_one._agent_identity import identify_agent, is_report
from langchain_asi_one.display._agent_status import AGENTS, REFUSALS, STATUSES, Agent, Status
from langchain_asi_one.display._sections import MessageView, Row, Section, shorten
from langchain_asi_one.display._view import describe_entry, view_message
from langchain_asi_one.executable_data import ExecutableEntry, get_executable_data, parse_handle


@dataclass(frozen=True, slots=True)
class RunState:
    """The parts of a graph's state that are shown.

    Attributes:
        messages: All of them.
        agents: Those named in the last turn.
        waiting: Whether the run has not ended.
    """

    messages: tuple[BaseMessage, ...]
    agents: tuple[Agent, ...]
    waiting: bool

    @property
    def views(self) -> list[MessageView]:
        """The views of all messages, and of the run."""
        return [*map(view_message, self.messages), *self.closing]

    @property
    def closing(self) -> list[MessageView]:
        """The view of the run: its agents, and whether it waits."""
        if not self.agents and not self.waiting:
            return []
        rows = tuple(agent.row for agent in self.agents)
        sections = (Section(AGENTS, "named", rows),) if rows else ()
        return [MessageView("run", AGENTS, sections, self.waiting)]


def read_state(state: object) -> RunState:
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
    return RunState(messages, tuple(_list_agents(messages, values, waiting=waiting)), waiting)


def is_state(value: object) -> bool:
    """Return whether `read_state` can read a value."""
    if isinstance(value, Mapping):
        return not value.keys().isdisjoint(("messages", "executable_data", "agent_results"))
    if isinstance(getattr(value, "values", None), Mapping) and hasattr(value, "next"):
        return True
    return isinstance(getattr(value, "messages", None), list) and hasattr(value, "__dict__")


def _list_agents(
    messages: tuple[BaseMessage, ...], values: Mapping[str, Any], *, waiting: bool
) -> Iterator[Agent]:
    results = [one for one in values.get("agent_results") or [] if isinstance(one, Mapping)]
    kept = [one for one in values.get("executable_data") or [] if isinstance(one, Mapping)]
    kept_identities = {identify_agent(_entry(entry)) for entry in kept}
    refusals = {
        one.get("agent"): str(one.get("reason"))
        for one in values.get("executable_data_refused") or []
        if isinstance(one, Mapping)
    }
    routed = values.get("agent_results") is not None or "executable_data" in values
    named = [(entry, True) for entry in map(_entry, kept)]
    named += [*_list_turn_entries(messages)]
    seen: set[str] = set()
    for entry, before in named:
        identity = identify_agent(entry)
        _, row = describe_entry(entry)
        key = identity or row.name
        if key in seen or (identity is None and entry.get("kind") == "unknown"):
            continue
        seen.add(key)
        own = [one for one in results if identity and one.get("agent") == identity]
        status = _judge(
            own,
            in_reach=identity in kept_identities and identity is not None,
            routed=routed and before,
            waiting=waiting,
        )
        address = identity if identity and identity == entry.get("address") else ""
        handle = _read_handle(entry)
        reason = refusals.get(identity, "") if identity else "not_identified"
        yield Agent(address, handle, status, _make_agent_row(row, status, own, reason))


def _read_handle(entry: ExecutableEntry) -> str:
    handle = parse_handle(entry.get("handle"))
    return f"@{handle}" if handle and not entry.get("problems") else ""


def _entry(value: Any) -> ExecutableEntry:
    return value  # type: ignore[no-any-return]


def _judge(
    results: list[Mapping[str, Any]], *, in_reach: bool, routed: bool, waiting: bool
) -> Status:
    if any("error" in one for one in results):
        return "failed"
    if results:
        return "allowed"
    if not routed:
        return "named"
    return "pending" if waiting and in_reach else "refused"


def _make_agent_row(row: Row, status: Status, results: list[Mapping[str, Any]], reason: str) -> Row:
    sign, meaning = STATUSES[status]
    if status == "refused":
        meaning = REFUSALS.get(reason, meaning)
    fields: list[tuple[str | None, str]] = [("status", f"{sign} {meaning}")]
    kept = ("handle", "address", "tool", "arguments")
    fields += [(label, text) for label, text in row.fields if label in kept]
    fields += [("answer", shorten(one["result"])) for one in results if "result" in one]
    problems = [shorten(one["error"]) for one in results if "error" in one]
    return Row(tuple(fields), row.name, (*row.problems, *problems), status)


def _list_turn_entries(messages: tuple[BaseMessage, ...]) -> Iterator[tuple[ExecutableEntry, bool]]:
    """Yield the entries of the last turn, and whether each was named before agents answered."""
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
