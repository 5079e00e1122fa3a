"""Reader of `executable_data`, the agents that a response of ASI:One names.

The documentation calls the field "agent manifests and tool calls from the Agentverse marketplace"
and gives its type as a list of objects or null. No filled example has been published. So this
module reads every shape that documents and public clients suggest, keeps the rest in `raw`, and
names each mistake in `problems`. It never raises: a field without a published schema must not end
a run. A model that read untrusted text wrote the entries. They say which agents it named, not which
may be asked: compare them with a list of your own before you act.
"""

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal, NamedTuple, NotRequired, Required, TypeAlias, cast

# Not only for type checkers: runnables read the annotations of the functions that they wrap.
from langchain_core.messages import BaseMessage

# Pydantic refuses typing.TypedDict before Python 3.12, and this type is part of graph states.
from typing_extensions import TypedDict

from langchain_asi_one._agent_address import is_agent_address
from langchain_asi_one._json.safe import loads, make_json_safe

__all__ = ["ExecutableEntry", "get_executable_data", "is_agent_address", "parse_executable_data"]

_Kind: TypeAlias = Literal["agent", "tool_call", "unknown"]


class ExecutableEntry(TypedDict):
    """One agent or tool call that ASI:One named.

    It is plain JSON, so any checkpointer can store it.

    Attributes:
        kind: `"tool_call"` if the entry names a tool and either gives arguments or names no agent;
            else `"agent"` if it has a checked `address` or a `handle`; else `"unknown"`.
            `name` counts as the tool's name only beside arguments and where no agent is named.
        raw: The entry as sent, made safe for JSON and checkpoints.
        address: The agent's address of 65 characters; present only if its checksum is right.
        handle: The agent's Agentverse handle without `@`, 1 to 64 characters. A claim of the
            entry: nothing shows that it belongs to `address`.
        name: The agent's or the tool's name. Chosen by its author: never route on it.
        description: The author's description. Untrusted text.
        id: The identifier of the call or the object.
        tool: The tool to call.
        args: The arguments of the call.
        problems: What is wrong with the entry, one sentence each; absent if nothing is.
        approval: Proof that a human approved this call; `review_agents` adds it. It is the same
            for two answers to one interrupt.

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
    approval: NotRequired[str]


_Path: TypeAlias = tuple[str, ...]
# A field and its value; or what is wrong with the value.
_Reading: TypeAlias = tuple[str, Any] | str

_CONTAINERS: Final = (
    "agent_calls",
    "agents",
    "tool_calls",
    "calls",
    "executable_data",
    "manifests",
)

# Field -> the keys that may hold it, best first. "agent.name" is `name` in an object `agent`.
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
# Keys that hold a text or an object. The object is read by the paths that lead into it.
_OBJECTS: Final = {path[:1] for paths in _PATHS.values() for path in paths if len(path) > 1}
_AGENT_FIELDS: Final = frozenset({"address", "handle"})
_NAMING: Final = _AGENT_FIELDS | {"tool"}
# A second, different value of these in one entry is a problem.
_SINGLE: Final = frozenset({"address", "handle", "tool", "args"})
_MANIFEST_KEYS: Final = frozenset({"metadata", "models", "interactions"})
_SCHEMES: Final = ("test-agent://", "agent://")
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})

_MAX_NESTING: Final = 8
_MAX_PLAN_DEPTH: Final = 32
_MAX_SHOWN: Final = 80

_NOT_ADDRESS: Final = "is not an agent address (bech32, 'agent1' and 59 characters, checksum)"
_NOT_HANDLE: Final = "is not a handle (1 to 64 letters, digits, '-', '_' or '.')"
_LIKE_ADDRESS: Final = "begins like an agent address and is none, so it is no handle either"
_NOT_TEXT: Final = "is not text"
_NOT_ARGS: Final = "is neither an object nor the JSON text of one"
_ARGS_SCHEMA: Final = "describes arguments (a JSON Schema) and gives none"
_NOT_OBJECT: Final = "The entry is not an object, so it names no agent and no tool"
_NAMELESS: Final = "The entry names no agent (address or handle) and no tool; see `raw`."
_MANIFEST: Final = "A protocol manifest describes messages and names no agent; see `raw`."

_HANDLE: Final = re.compile(r"@?([A-Za-z0-9._-]{1,64})")


def parse_executable_data(value: object) -> list[ExecutableEntry]:
    """Read the value of `executable_data`, in any shape. Never raises.

    It reads a list of entries; an object that holds entries under `agent_calls`, `agents`,
    `tool_calls`, `calls`, `executable_data` or `manifests`; one entry; the JSON text of any of
    these; and these inside one another, up to 8 levels. An object that holds entries and names an
    agent or a tool itself is an entry too, and comes first. Null and empty values give nothing.
    Equal entries are given once, in the order of their first appearance.

    Args:
        value: The field's value, from the API or from anywhere else.

    Returns:
        One `ExecutableEntry` for each agent, each tool call, and each value that is neither. All
        of it is plain JSON: string keys, text, bool, null, integers of 64 bits, finite floats,
        lists.

    Source:
        The API reference gives a list of objects or null; that the list may come inside an object
        or as JSON text is what public clients prepare for. No filled example is published.

    Example:
        >>> [entry] = parse_executable_data({"agent_calls": [{"tool_name": "find", "args": "{}"}]})
        >>> entry["kind"], entry["tool"], entry["args"], "problems" in entry
        ('tool_call', 'find', {}, False)
    """
    return _build_entries(_unfold(make_json_safe(value)))


def get_executable_data(message: BaseMessage) -> list[ExecutableEntry]:
    """Read the agents and tool calls that a message names. Never raises.

    Args:
        message: A message of `ChatASIOne`; any other gives an empty list.

    Returns:
        The entries of `additional_kwargs["executable_data"]`, then the agents that a planner run
        reports as `agent_used` anywhere in `additional_kwargs["plan_state"]`, up to 32 levels
        deep. Those agents have been asked already.

    Source:
        https://github.com/fetchai/agentverse/issues/115 shows `agent_used`, without the objects
        around it.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> entry = {"handle": "@weather", "name": "Weather"}
        >>> message = AIMessage("", additional_kwargs={"executable_data": [entry]})
        >>> [(found["kind"], found["handle"]) for found in get_executable_data(message)]
        [('agent', 'weather')]
    """
    kwargs = message.additional_kwargs
    plan = _decode_json(make_json_safe(kwargs.get("plan_state")))
    named = make_json_safe(kwargs.get("executable_data"))
    return _build_entries(_unfold([named, *_find_agents_used(plan)]))


def parse_handle(value: object) -> str | None:
    """Return a handle without its `@`; `None` for anything else.

    A person may take a text that begins like an address for one, so it is no handle.
    """
    match = _HANDLE.fullmatch(value) if isinstance(value, str) else None
    return None if match is None or _is_like_address(match[1]) else match[1]


class IdentifierProblems(NamedTuple):
    """What is wrong with the identifiers in the `raw` of an entry.

    Attributes:
        any: Whether anything is wrong.
        addresses: Whether it names two agents by two right addresses.
    """

    any: bool
    addresses: bool


def find_identifier_problems(entry: ExecutableEntry) -> IdentifierProblems:
    """Check address and handle in the `raw` of an entry."""
    raw = entry.get("raw")
    fields = _read_fields(raw if isinstance(raw, dict) else {}, ("address", "handle"))
    return IdentifierProblems(bool(fields.problems), "address" in fields.conflicts)


def _build_entries(values: Iterator[Any]) -> list[ExecutableEntry]:
    # Keyed by JSON text, because 1, 1.0 and True are equal in Python.
    unique = {json.dumps(raw, sort_keys=True): raw for raw in values}
    return [_build_entry(raw) for raw in unique.values()]


def _unfold(value: Any, level: int = 0) -> Iterator[Any]:
    value = _decode_json(value)
    if value in _EMPTY:
        return
    if isinstance(value, list) and level <= _MAX_NESTING:
        for item in value:
            yield from _unfold(item, level + 1)
    elif isinstance(value, dict) and level <= _MAX_NESTING:
        sent = (value.get(key) for key in _CONTAINERS)
        contents = [_decode_json(inner) for inner in sent if inner is not None]
        contents = [inner for inner in contents if isinstance(inner, list | dict)]
        if not contents or any(next(_find_values(value, field), None) for field in _NAMING):
            yield value
        for inner in contents:
            yield from _unfold(inner, level + 1)
    else:
        yield value


def _decode_json(value: Any) -> Any:
    """Decode JSON text of a list or object; else return the value.

    The text may be encoded twice.
    """
    decoded = value.strip() if isinstance(value, str) else value
    for _ in range(2):
        if isinstance(decoded, str) and decoded:
            try:
                decoded = loads(decoded)
            except ValueError:
                return value
    return decoded if isinstance(decoded, list | dict) or decoded in _EMPTY else value


def _find_agents_used(value: Any, depth: int = 0) -> Iterator[Any]:
    if depth > _MAX_PLAN_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _find_agents_used(item, depth + 1)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "agent_used":
                yield inner
            else:
                yield from _find_agents_used(inner, depth + 1)


def _find_values(raw: dict[str, Any], field: str) -> Iterator[tuple[_Path, Any]]:
    """Yield the values of a field, with their paths.

    Null and blank text count as absent.
    """
    for path in _PATHS[field]:
        value = raw.get(path[0])
        if value is None:
            continue
        if len(path) == 2:
            value = value.get(path[1]) if isinstance(value, dict) else None
        elif path in _OBJECTS and isinstance(value, dict):
            continue
        blank = field != "args" and isinstance(value, str) and not value.strip()
        if value is not None and not blank:
            yield path, value


class _Fields(NamedTuple):
    values: dict[str, Any]
    present: set[str]
    """Fields that the entry has, also those with a wrong value."""
    problems: list[str]
    conflicts: set[str]
    """Fields that the entry gives two different values."""


def _build_entry(raw: Any) -> ExecutableEntry:
    if not isinstance(raw, dict):
        return {"kind": "unknown", "raw": raw, "problems": [f"{_NOT_OBJECT}: {_quote(raw)}."]}
    values, present, problems, _ = _read_fields(raw, _PATHS)
    has_name = "name" in values and values["name"] == raw.get("name")
    if has_name and "args" in present and not present & _NAMING:
        values["tool"] = values["name"]
    kind = _choose_kind(values, has_args="args" in present)
    if kind == "unknown" and raw.keys() >= _MANIFEST_KEYS:
        values |= _read_manifest_name(raw["metadata"])
        problems.append(_MANIFEST)
    elif kind == "unknown":
        problems.append(_NAMELESS)
    entry = {"kind": kind, **values, "raw": raw, **({"problems": problems} if problems else {})}
    return cast("ExecutableEntry", entry)


def _read_fields(raw: dict[str, Any], fields: Iterable[str]) -> _Fields:
    result = _Fields({}, set(), [], set())
    for field in fields:
        for path, value in _find_values(raw, field):
            for reading in _READERS.get(field, _read_text)(field, value):
                if reading != _ARGS_SCHEMA:
                    result.present.add(field)
                problem = reading if isinstance(reading, str) else _add(result, *reading)
                if problem:
                    result.problems.append(f"`{'.'.join(path)}` {problem}: {_quote(value)}.")
    return result


def _choose_kind(values: dict[str, Any], *, has_args: bool) -> _Kind:
    names_agent = not values.keys().isdisjoint(_AGENT_FIELDS)
    if "tool" in values and (has_args or not names_agent):
        return "tool_call"
    return "agent" if names_agent else "unknown"


def _add(result: _Fields, field: str, value: Any) -> str:
    """Keep a field's first value; return a problem if this contradicts it."""
    first = result.values.setdefault(field, value)
    if field not in _SINGLE or first == value:
        return ""
    result.conflicts.add(field)
    return f"names another {field}, not used"


def _read_text(field: str, value: Any) -> Iterator[_Reading]:
    yield (field, value) if isinstance(value, str) else _NOT_TEXT


def _read_handle(field: str, value: Any) -> Iterator[_Reading]:
    handle = parse_handle(value)
    if handle is not None:
        yield field, handle
    elif isinstance(value, str) and _is_like_address(value.removeprefix("@")):
        yield _LIKE_ADDRESS
    else:
        yield _NOT_HANDLE


def _is_like_address(text: str) -> bool:
    return text.casefold().startswith("agent1")


def _read_identifier(field: str, value: Any) -> Iterator[_Reading]:
    """Read an address, `agent://address`, `handle/address` or `@handle`."""
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
            yield from _read_handle("handle", handle)
    elif address.startswith("@") and not slash:
        yield from _read_handle("handle", address)
    else:
        yield _NOT_ADDRESS


def _read_arguments(field: str, value: Any) -> Iterator[_Reading]:
    args = {} if isinstance(value, str) and not value.strip() else _decode_json(value)
    if not isinstance(args, dict):
        yield _NOT_ARGS
    elif args.get("type") == "object" and isinstance(args.get("properties"), dict):
        yield _ARGS_SCHEMA
    else:
        yield field, copy.deepcopy(args)  # an edit of the arguments must not change `raw`


_READERS: Final[dict[str, Callable[[str, Any], Iterator[_Reading]]]] = {
    "address": _read_identifier,
    "handle": _read_handle,
    "args": _read_arguments,
}


def _read_manifest_name(metadata: Any) -> dict[str, str]:
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return {"name": name} if isinstance(name, str) and name.strip() else {}


def _quote(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return repr(text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…")
