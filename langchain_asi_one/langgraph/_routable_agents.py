"""Which agents are routed: those of the developer's rule, each call once.

No text of the model decides.
"""

import functools
import inspect
import json
import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, Literal, ParamSpec, TypeAlias, TypeVar

from langchain_asi_one._agent_identity import identify_agent, make_call_key
from langchain_asi_one._json.printable import describe_error
from langchain_asi_one.executable_data import ExecutableEntry, is_agent_address, parse_handle
from langchain_asi_one.langgraph._log import log_places

logger = logging.getLogger(__name__)

Allow: TypeAlias = Collection[str] | Callable[[ExecutableEntry], bool] | Literal["any"]
"""A set of addresses and handles, a predicate, or `"any"`.

Example:
    >>> def has_address(entry: ExecutableEntry) -> bool:
    ...     return "address" in entry
    >>> rules: list[Allow] = [{"@weather"}, has_address, "any"]
    >>> [allow_agents(rule)({"kind": "agent", "handle": "weather", "raw": {}}) for rule in rules]
    [True, False, True]
"""

_P = ParamSpec("_P")
_R = TypeVar("_R")
_CHOICES: Final = (
    "a set of agent addresses (a handle counts only for an entry without an address), a function "
    'from entry to bool, or "any" to let the model choose among all of Agentverse'
)


def allow_agents(allow: Allow) -> Callable[[ExecutableEntry], bool]:
    """Make a predicate from a rule, for `keep=` or your own router.

    Args:
        allow: A set (or list) of addresses and handles: an entry with an address matches by its
            address only, another by its handle. Or a predicate over entries; an exception in it
            refuses the agent, and is logged. Or `"any"`.

    Returns:
        A function that never raises. Whatever the rule, it refuses an entry without a checked
        address or a sound handle.

    Raises:
        TypeError: If `allow` is of another kind, or the predicate is async.
        ValueError: If an element is neither an address nor a handle.

    Example:
        >>> rule = allow_agents({"@weather"})
        >>> rule({"kind": "agent", "handle": "weather", "raw": {}})
        True
    """
    accepts = _build_rule(allow)

    def is_allowed(entry: ExecutableEntry) -> bool:
        identity = identify_agent(entry)
        return identity is not None and accepts(identity, entry)

    return is_allowed


def require_allow(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make a function say why `allow` is required, where it is missing."""

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if "allow" not in kwargs:
            name = function.__qualname__.removesuffix(".__init__")
            msg = (
                f"{name}() needs allow=, which has no default: a model that read untrusted text "
                f"chose the agents. Give {_CHOICES}"
            )
            raise TypeError(msg)
        return function(*args, **kwargs)

    return call


def collect_identifiers(allow: Allow) -> frozenset[str] | None:
    """Return the identifiers of a rule; `None` if it is no collection."""
    if isinstance(allow, str) or callable(allow):
        return None
    return frozenset(require_identifier(item, "allow") for item in allow)


def require_identifier(value: object, argument: str) -> str:
    """Return the developer's address, or handle without its `@`.

    Raises:
        ValueError: If it is neither; the message names the value and the argument.
    """
    if isinstance(value, str) and is_agent_address(value):
        return value
    handle = parse_handle(value)
    if handle is not None:
        return handle
    msg = (
        f"{argument} holds {_quote(value)}, which is neither an agent address (bech32, 'agent1' "
        "and 59 characters, checksum) nor a handle (1 to 64 letters, digits, '-', '_' or '.'). "
        "Copy the address from the agent's page on Agentverse."
    )
    raise ValueError(msg)


def apply_predicate(
    rule: Callable[[ExecutableEntry], Any], entry: ExecutableEntry, argument: str
) -> bool:
    """Apply a developer's predicate to an entry.

    An exception or an awaitable refuses the entry, and is logged.
    """
    try:
        verdict = rule(entry)
        if inspect.isawaitable(verdict):
            if inspect.iscoroutine(verdict):
                verdict.close()
            logger.error("The %s predicate is async: refused. Make it a plain function.", argument)
            return False
        return bool(verdict)
    except Exception as error:  # noqa: BLE001 - in an edge it would end the run
        text = describe_error(error)
        logger.error("The %s predicate raised %s: the agent is refused.", argument, text)  # noqa: TRY400 - no text of the model in a traceback
        log_places(logger, error)
        return False


def require_predicate(rule: object, argument: str) -> None:
    """Refuse a predicate of a wrong kind.

    Raises:
        TypeError: If it is not callable, or async (its result would be true for every entry).
    """
    if not callable(rule):
        msg = f"{argument} must be a function from entry to bool, not {_quote(rule)}"
        raise TypeError(msg)
    if inspect.iscoroutinefunction(rule) or inspect.iscoroutinefunction(type(rule).__call__):
        msg = f"{argument} must be a plain function, not async: edges are decided without waiting"
        raise TypeError(msg)


def drop_repeated_calls(entries: Iterable[ExecutableEntry]) -> list[ExecutableEntry]:
    """Return the entries without repetitions, in their order.

    An entry repeats another if it names the same agent with the same tool and the same arguments.
    Without an identity it repeats one that was sent as the same JSON.
    """
    unique: dict[tuple[bool, str], ExecutableEntry] = {}
    for entry in entries:
        identified = identify_agent(entry) is not None
        key = make_call_key(entry) if identified else _make_raw_key(entry)
        unique.setdefault((identified, key), entry)
    return list(unique.values())


def _build_rule(allow: Allow) -> Callable[[str, ExecutableEntry], bool]:
    if isinstance(allow, str):
        if allow == "any":
            return lambda _identity, _entry: True
        msg = f"allow must be {_CHOICES}; got the text {_quote(allow)}: put it into a set"
        raise TypeError(msg)
    if callable(allow):
        require_predicate(allow, "allow")
        return lambda _identity, entry: apply_predicate(allow, entry, "allow")
    given: object = allow
    if not isinstance(given, Collection) or isinstance(given, bytes | bytearray):
        msg = f"allow must be {_CHOICES}; got {_quote(allow)}"
        raise TypeError(msg)
    identifiers = collect_identifiers(allow) or frozenset()
    return lambda identity, _entry: identity in identifiers


def _quote(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:99]}…"


def _make_raw_key(entry: ExecutableEntry) -> str:
    return json.dumps(entry.get("raw"), sort_keys=True, default=repr)
