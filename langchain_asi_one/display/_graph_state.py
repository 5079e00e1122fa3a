"""The agents of a run and their status, from a graph's state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.utils import convert_to_messages

from langchain_asi_one._agent_identity import identify_agent, is_report
from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one.display._agent_answer import list_agent_fields
from langchain_asi_one.display._agent_status import (
    AGENTS,
    ANSWERED,
    FAILED,
    NOT_ASKED,
    NOT_KNOWN,
    PENDING,
    REFUSALS,
    TOO_LATE,
    Agent,
    Status,
)
from langchain_asi_one.display._card_content import (
    MAX_ROWS,
    UNSHOWN,
    describe_entry,
    limit_rows,
    view_message,
)
from langchain_asi_one.display._sections import MessageView, Row, Section, shorten
from langchain_asi_one.executable_data import ExecutableEntry, get_executable_data, parse_handle


@dataclass(frozen=True, slots=True)
class RunState:
    """The parts of a graph's state that are shown.

    Attributes:
        messages: All of them.
        entries: What the last turn's answers name, by their places among the messages.
        agents: Those named in the last turn.
        waiting: What the run waits for; `""` if it has ended.
    """

    messages: tuple[BaseMessage, ...]
    entries: Mapping[int, list[ExecutableEntry]]
    agents: tuple[Agent, ...]
    waiting: str

    @property
    def views(self) -> list[MessageView]:
        """The views of all messages, and of the run."""
        views = [
            view_message(message, self.entries.get(place))
            for place, message in enumerate(self.messages)
        ]
        return [*views, *self.closing]

    @property
    def closing(self) -> list[MessageView]:
        """The view of the run: its agents, and what it waits for."""
        if not self.agents and not self.waiting:
            return []
        rows = tuple(limit_rows(agent.row for agent in self.agents))
        sections = (Section(AGENTS, "named", rows),) if rows else ()
        return [MessageView("run", AGENTS, sections, self.waiting)]


def read_state(state: object) -> RunState:
    """Read what is shown of a state.

    A state is a mapping, a snapshot of `get_state`, or an object with `messages`.
    """
    values = state if isinstance(state, Mapping) else getattr(state, "values", None)
    if not isinstance(values, Mapping):
        values = vars(state)
    waiting = _describe_waiting(state, values)
    messages = tuple(convert_to_messages(values.get("messages") or []))
    turn = _list_turn(messages)
    # Read once, for the views as well: an answer may name any number of agents.
    entries = {place: get_executable_data(messages[place]) for place, _ in turn}
    named = ((entry, before) for place, before in turn for entry in entries[place])
    agents = tuple(_list_agents(named, values, waiting=bool(waiting)))
    return RunState(messages, entries, agents, waiting)


def _describe_waiting(state: object, values: Mapping[str, Any]) -> str:
    """Return what a run waits for; `""` if it has ended."""
    following = () if isinstance(state, Mapping) else tuple(getattr(state, "next", ()))
    tasks = () if isinstance(state, Mapping) else getattr(state, "tasks", ())
    interrupted = any(getattr(task, "interrupts", ()) for task in tasks)
    if values.get("__interrupt__") or interrupted:
        return "The run has not ended: it waits for a person, whose decision resumes it."
    follow_up = values.get("follow_up")
    if isinstance(follow_up, Mapping) and follow_up.get("pending"):
        return "The run has not ended: it waits for an answer that ASI:One gives later."
    if following:
        names = make_one_line(", ".join(map(str, following)))
        return f"The run has not ended: it goes on with {names}."
    return ""


def is_state(value: object) -> bool:
    """Return whether `read_state` can read a value."""
    if isinstance(value, Mapping):
        return not value.keys().isdisjoint(("messages", "executable_data", "agent_results"))
    if isinstance(getattr(value, "values", None), Mapping) and hasattr(value, "next"):
        return True
    return isinstance(getattr(value, "messages", None), list) and hasattr(value, "__dict__")


def _list_agents(
    named: Iterable[tuple[ExecutableEntry, bool]], values: Mapping[str, Any], *, waiting: bool
) -> Iterator[Agent]:
    """Yield the agents that a state keeps or its last turn names."""
    results: dict[str, list[Mapping[str, Any]]] = {}
    for one in _list_mappings(values.get("agent_results")):
        results.setdefault(str(one.get("agent")), []).append(one)
    kept = cast("list[ExecutableEntry]", _list_mappings(values.get("executable_data")))
    identified = [(entry, identify_agent(entry), True) for entry in kept]
    kept_identities = {identity for _, identity, _ in identified}
    refused = _list_mappings(values.get("executable_data_refused"))
    refusals = {str(one.get("agent")): str(one.get("reason")) for one in refused}
    identified += [(entry, _identify_read(entry), before) for entry, before in named]
    seen: set[str] = set()
    for entry, identity, before in identified:
        is_shown = len(seen) < MAX_ROWS
        row = describe_entry(entry)[1] if is_shown or identity is None else UNSHOWN
        key = identity or row.name
        if key in seen or (identity is None and entry.get("kind") == "unknown"):
            continue
        seen.add(key)
        own = results.get(identity or "", [])
        status, meaning = _judge(
            own,
            values,
            is_kept=identity is not None and identity in kept_identities,
            before=before,
            waiting=waiting,
        )
        if status == "refused":
            reason = refusals.get(identity, "") if identity else "not_identified"
            meaning = REFUSALS.get(reason, meaning)
        address = identity if identity and identity == entry.get("address") else ""
        shown = _make_agent_row(row, status, meaning, own) if is_shown else UNSHOWN
        yield Agent(address, _read_handle(entry), status, shown)


def _list_mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _identify_read(entry: ExecutableEntry) -> str | None:
    """Identify the agent of an entry that was just read."""
    if "problems" in entry:
        return identify_agent(entry)
    return entry.get("address") or entry.get("handle")


def _read_handle(entry: ExecutableEntry) -> str:
    handle = parse_handle(entry.get("handle"))
    return f"@{handle}" if handle and not entry.get("problems") else ""


def _judge(
    results: list[Mapping[str, Any]],
    values: Mapping[str, Any],
    *,
    is_kept: bool,
    before: bool,
    waiting: bool,
) -> tuple[Status, str]:
    """Return what became of an agent, as far as the state says."""
    if results:
        failed = any("error" in one for one in results)
        return ("failed", FAILED) if failed else ("answered", ANSWERED)
    if not before:
        return "named", TOO_LATE
    if is_kept and waiting:
        return "pending", PENDING
    routed = "executable_data" in values
    if values.get("agent_results") is None and (is_kept or not routed):
        return "named", NOT_KNOWN
    return "refused", NOT_ASKED


def _make_agent_row(
    row: Row, status: Status, meaning: str, results: list[Mapping[str, Any]]
) -> Row:
    kept = ("handle", "address", "tool", "arguments")
    fields = [(label, text) for label, text in row.fields if label in kept]
    for one in results:
        if "result" in one:
            fields += [("answer", shorten(one["result"]))]
            fields += list_agent_fields(one.get("response_metadata"))
    problems = [shorten(one["error"]) for one in results if "error" in one]
    return Row(tuple(fields), row.name, (*row.problems, *problems), status, meaning)


def _list_turn(messages: tuple[BaseMessage, ...]) -> list[tuple[int, bool]]:
    """Return places of the turn's answers; whether agents answered later."""
    turn: list[tuple[int, bool]] = []
    for place, message in reversed([*enumerate(messages)]):
        if isinstance(message, HumanMessage):
            if not is_report(message):
                break
            turn = [(earlier, False) for earlier, _ in turn]
        elif isinstance(message, AIMessage):
            turn.append((place, True))
    return turn[::-1]
