"""Reads `executable_data`, the agents and tool calls that ASI:One names in an answer.

The documentation calls the field "agent manifests and tool calls from the Agentverse marketplace"
and gives its type as a list of objects or null. No filled example has been published, so every
shape that documents and public clients suggest is read, what is not understood stays in `raw`,
and what is wrong is said in `problems`. Nothing here raises: a run must not die of a field whose
schema is unpublished. The entries were written by a model that read untrusted text, so they
say what was named, never what may be done: check them against a list of your own before acting.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, NotRequired, Required, TypeAlias, cast

# Not only for type checkers: runnables read the annotations of the functions that they wrap.
from langchain_core.messages import BaseMessage

# Pydantic refuses typing.TypedDict before Python 3.12, and this type is part of graph states.
from typing_extensions import TypedDict

from langchain_asi_one._agent_address import is_agent_address
from langchain_asi_one._json.safe import json_safe, loads

__all__ = ["ExecutableEntry", "get_executable_data", "is_agent_address", "parse_executable_data"]

_Kind: TypeAlias = Literal["agent", "tool_call", "unknown"]


class ExecutableEntry(TypedDict):
    """One agent or tool call that ASI:One named. Plain JSON, so that any checkpointer holds it.

    Attributes:
        kind: `"tool_call"` if the entry names a tool and either gives arguments or names no agent;
            else `"agent"` if it has a checked `address` or a `handle`; else `"unknown"`.
            `name` counts as the tool's name only beside arguments and where no agent is named.
        raw: The entry as sent, made safe for JSON and checkpoints.
        address: The agent's address of 65 characters; present only if its checksum is right.
        handle: The agent's Agentverse handle without `@`, 1 to 64 characters. A claim of the
            entry: nothing here shows that it belongs to `address`.
        name: The agent's or the tool's name. Chosen by its author: never route on it.
        description: The author's description. Untrusted text.
        id: The identifier of the call or the object.
        tool: The tool to call.
        args: The arguments of the call.
        problems: What is wrong with the entry, one sentence each; absent if nothing is.

    Source:
        ASI:One's documentation and API reference, which publish no schema; key names of
        Agentverse's agent object, its planner's `agent_used`, and public clients.

    Example:
        >>> [entry] = parse_executable_data({"agent_address": "agent1nobody", "handle": "@weather"})
        >>> entry["kind"], entry["handle"], entry["problems"][0][:42]
        ('agent', 'weather', '`agent_address` is not an agent address (b')
    """

    kind: Required[_Kind]
    raw: Required[Any]
    address: NotRequired[str]
    handle: NotRequired[str]
    name: NotRequired[str]
    description: NotRequired[str]
    id: NotRequired[str]
    tool: NotRequired[str]
    args: NotRequired[dict[str, Any]]
    problems: NotRequired[list[str]]


_Path: TypeAlias = tuple[str, ...]
# The field that a value gives, and how it reads; or what is wrong with the value.
_Reading: TypeAlias = tuple[str, Any] | str

_CONTAINERS: Final = (
    "agent_calls",
    "agents",
    "tool_calls",
    "calls",
    "executable_data",
    "manifests",
)

# field -> where it is looked for, best first; "agent.name" is the name inside an object `agent`.
_KEYS: Final[dict[str, str]] = {
    "address": "address agent_address agent"
    " agent.address agent.agent_address agent_used.agent_address agent_used.address",
    "handle": "handle agent_handle"
    " agent.handle agent.agent_handle agent_used.agent_handle agent_used.handle",
    "name": "name agent_name title"
    " agent.name agent.agent_name agent.title agent_used.agent_name agent_used.name",
    "description": "description short_description agent.description agent.short_description",
    "id": "id call_id tool_call_id",
    "tool": "tool tool_name function function.name",
    "args": "args arguments parameters function.arguments",
}
_PATHS: Final[dict[str, tuple[_Path, ...]]] = {
    field: tuple(tuple(key.split(".")) for key in keys.split()) for field, keys in _KEYS.items()
}
# Keys that hold a string or an object; the object is read through the paths that go inside it.
_OBJECTS: Final = {path[:1] for paths in _PATHS.values() for path in paths if len(path) > 1}
_AGENT_FIELDS: Final = frozenset({"address", "handle"})
_NAMING: Final = _AGENT_FIELDS | {"tool"}
# Two different values of these in one entry are suspicious; of the other fields they are ordinary.
_SINGLE: Final = frozenset({"address", "handle", "tool", "args"})
_MANIFEST_KEYS: Final = frozenset({"metadata", "models", "interactions"})
_SCHEMES: Final = ("test-agent://", "agent://")
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})

_MAX_NESTING: Final = 8
_MAX_PLAN_DEPTH: Final = 32
_MAX_SHOWN: Final = 80

_NOT_ADDRESS: Final = "is not an agent address (bech32, 'agent1' and 59 characters, checksum)"
_NOT_HANDLE: Final = "is not a handle (1 to 64 letters, digits, '-', '_' or '.')"
_NOT_TEXT: Final = "is not text"
_NOT_ARGS: Final = "is neither an object nor the JSON text of one"
_ARGS_SCHEMA: Final = "describes arguments (a JSON Schema) and gives none"
_NOT_OBJECT: Final = "The entry is not an object, so it names no agent and no tool"
_NAMELESS: Final = "The entry names no agent (address or handle) and no tool; see `raw`."
_MANIFEST: Final = "A protocol manifest describes messages and names no agent; see `raw`."

_HANDLE: Final = re.compile(r"@?([A-Za-z0-9._-]{1,64})")


def parse_executable_data(value: object) -> list[ExecutableEntry]:
    """Reads the value of `executable_data`, in whatever shape it came. Never raises.

    Read are a list of entries; an object that holds entries under `agent_calls`, `agents`,
    `tool_calls`, `calls`, `executable_data` or `manifests`; one entry; the JSON text of any of
    these; and these inside one another, up to 8 levels. An object that holds entries and also
    names an agent or a tool itself is an entry too and comes first. Null and empty values give
    nothing. Equal entries are given once, in the order of their first appearance.

    Args:
        value: The field's value, from the API or from anywhere else.

    Returns:
        One `ExecutableEntry` for each agent, call or thing not understood. All of it is plain
        JSON: string keys, text, bool, null, integers of 64 bits, finite floats, lists.

    Source:
        The API reference gives a list of objects or null; that the list may come inside an object
        or as JSON text is what public clients prepare for. No filled example is published.

    Example:
        >>> [entry] = parse_executable_data({"agent_calls": [{"tool_name": "find", "args": "{}"}]})
        >>> entry["kind"], entry["tool"], entry["args"], "problems" in entry
        ('tool_call', 'find', {}, False)
    """
    return _distinct(_unfold(json_safe(value)))


def get_executable_data(message: BaseMessage) -> list[ExecutableEntry]:
    """Reads the agents and tool calls that a message names. Never raises.

    Args:
        message: A message of `ChatASIOne`; any other gives an empty list.

    Returns:
        The entries of `additional_kwargs["executable_data"]`, then the agents that a planner run
        reports as `agent_used` anywhere in `additional_kwargs["plan_state"]`, up to 32 levels
        deep. Those agents have been asked already.

    Source:
        `agent_used` is told of in https://github.com/fetchai/agentverse/issues/115, without the
        nesting around it.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> entry = {"handle": "@weather", "name": "Weather"}
        >>> message = AIMessage("", additional_kwargs={"executable_data": [entry]})
        >>> [(found["kind"], found["handle"]) for found in get_executable_data(message)]
        [('agent', 'weather')]
    """
    kwargs = message.additional_kwargs
    plan = _decoded(json_safe(kwargs.get("plan_state")))
    return _distinct(_unfold([json_safe(kwargs.get("executable_data")), *_agents_used(plan)]))


def _distinct(entries: Iterator[Any]) -> list[ExecutableEntry]:
    # Keyed by JSON text, because Python holds 1, 1.0 and True for equal.
    unique = {json.dumps(raw, sort_keys=True): raw for raw in entries}
    return [_entry(raw) for raw in unique.values()]


def _unfold(value: Any, level: int = 0) -> Iterator[Any]:
    value = _decoded(value)
    if value in _EMPTY:
        return
    if isinstance(value, list) and level <= _MAX_NESTING:
        for item in value:
            yield from _unfold(item, level + 1)
    elif isinstance(value, dict) and level <= _MAX_NESTING:
        held = [_decoded(value.get(key)) for key in _CONTAINERS]
        held = [inner for inner in held if isinstance(inner, list | dict)]
        if not held or any(next(_values(value, field), None) for field in _NAMING):
            yield value
        for inner in held:
            yield from _unfold(inner, level + 1)
    else:
        yield value


def _decoded(value: Any) -> Any:
    """The list or object in a JSON text, also one encoded twice; else the value itself."""
    decoded = value.strip() if isinstance(value, str) else value
    for _ in range(2):
        if isinstance(decoded, str) and decoded:
            try:
                decoded = loads(decoded)
            except ValueError:
                return value
    return decoded if isinstance(decoded, list | dict) or decoded in _EMPTY else value


def _agents_used(value: Any, depth: int = 0) -> Iterator[Any]:
    if depth > _MAX_PLAN_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _agents_used(item, depth + 1)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "agent_used":
                yield inner
            else:
                yield from _agents_used(inner, depth + 1)


def _values(raw: dict[str, Any], field: str) -> Iterator[tuple[_Path, Any]]:
    """What an entry gives for a field, with where; null and blank text count as not given."""
    for path in _PATHS[field]:
        value = raw.get(path[0])
        if len(path) == 2:
            value = value.get(path[1]) if isinstance(value, dict) else None
        elif path in _OBJECTS and isinstance(value, dict):
            continue
        blank = field != "args" and isinstance(value, str) and not value.strip()
        if value is not None and not blank:
            yield path, value


def _entry(raw: Any) -> ExecutableEntry:
    if not isinstance(raw, dict):
        return {"kind": "unknown", "raw": raw, "problems": [f"{_NOT_OBJECT}: {_shown(raw)}."]}
    found: dict[str, Any] = {}
    given: set[str] = set()
    problems: list[str] = []
    for field in _PATHS:
        for path, value in _values(raw, field):
            for reading in _READERS.get(field, _text)(field, value):
                if reading != _ARGS_SCHEMA:
                    given.add(field)
                problem = reading if isinstance(reading, str) else _put(found, *reading)
                if problem:
                    problems.append(f"`{'.'.join(path)}` {problem}: {_shown(value)}.")
    named = "name" in found and found["name"] == raw.get("name")
    if named and "args" in given and not given & _NAMING:
        found["tool"] = found["name"]
    kind = _kind(found, called="args" in given)
    if kind == "unknown" and raw.keys() >= _MANIFEST_KEYS:
        found |= _manifest_name(raw["metadata"])
        problems.append(_MANIFEST)
    elif kind == "unknown":
        problems.append(_NAMELESS)
    entry = {"kind": kind, **found, "raw": raw, **({"problems": problems} if problems else {})}
    return cast("ExecutableEntry", entry)


def _kind(found: dict[str, Any], *, called: bool) -> _Kind:
    agent = not found.keys().isdisjoint(_AGENT_FIELDS)
    if "tool" in found and (called or not agent):
        return "tool_call"
    return "agent" if agent else "unknown"


def _put(found: dict[str, Any], field: str, value: Any) -> str:
    """Keeps the first value of a field, and says so where a later one contradicts it."""
    first = found.setdefault(field, value)
    return f"names another {field}, not used" if field in _SINGLE and first != value else ""


def _text(field: str, value: Any) -> Iterator[_Reading]:
    yield (field, value) if isinstance(value, str) else _NOT_TEXT


def _handle(field: str, value: Any) -> Iterator[_Reading]:
    match = _HANDLE.fullmatch(value) if isinstance(value, str) else None
    yield (field, match[1]) if match else _NOT_HANDLE


def _identifier(field: str, value: Any) -> Iterator[_Reading]:
    """An address, `agent://` address, `handle/` address, or `@handle`."""
    if not isinstance(value, str):
        yield _NOT_TEXT
        return
    bare = value
    for scheme in _SCHEMES:
        bare = bare.removeprefix(scheme)
    handle, slash, address = bare.rpartition("/")
    if is_agent_address(address):
        yield field, address
        if slash:
            yield from _handle("handle", handle)
    elif address.startswith("@") and not slash:
        yield from _handle("handle", address)
    else:
        yield _NOT_ADDRESS


def _arguments(field: str, value: Any) -> Iterator[_Reading]:
    args = {} if isinstance(value, str) and not value.strip() else _decoded(value)
    if not isinstance(args, dict):
        yield _NOT_ARGS
    elif args.get("type") == "object" and isinstance(args.get("properties"), dict):
        yield _ARGS_SCHEMA
    else:
        yield field, copy.deepcopy(args)  # who edits the arguments must not edit `raw`


_READERS: Final[dict[str, Callable[[str, Any], Iterator[_Reading]]]] = {
    "address": _identifier,
    "handle": _handle,
    "args": _arguments,
}


def _manifest_name(metadata: Any) -> dict[str, str]:
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return {"name": name} if isinstance(name, str) and name.strip() else {}


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return repr(text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…")
