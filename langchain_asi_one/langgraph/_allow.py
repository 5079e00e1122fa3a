"""Which agents may be asked: the developer's rule, never the model's text."""

import inspect
import json
import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, Literal, TypeAlias

from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one.executable_data import HANDLE, ExecutableEntry, is_agent_address

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

_CHOICES: Final = (
    'a set of agent addresses and handles, a function from entry to bool, or "any" to let the '
    "model choose among all of Agentverse"
)


def allow_agents(allow: Allow) -> Callable[[ExecutableEntry], bool]:
    """Make the predicate of an allow rule, for `keep=` or a router of your own.

    Args:
        allow: A set (or list) of addresses and handles, of which an entry with an address matches
            by address only and one without by handle; a predicate over entries, of which an
            exception counts as refusal and is logged; or `"any"`.

    Returns:
        A function that never raises. It refuses every entry that identifies no agent by a checked
        address or a sound handle, whatever the rule.

    Raises:
        TypeError: If `allow` is none of these, or the predicate is async.
        ValueError: If an element is neither an address nor a handle.

    Example:
        >>> rule = allow_agents({"@weather"})
        >>> rule({"kind": "agent", "handle": "weather", "raw": {}})
        True
    """
    accepts = _acceptance(allow)

    def allowed(entry: ExecutableEntry) -> bool:
        identity = identify_agent(entry)
        return identity is not None and accepts(identity, entry)

    return allowed


def allowed_identifiers(allow: Allow) -> frozenset[str] | None:
    """The addresses and handles of an allow rule, `None` if it is no collection."""
    if isinstance(allow, str) or callable(allow):
        return None
    return frozenset(checked_identifier(item, "allow") for item in allow)


def checked_identifier(value: object, argument: str) -> str:
    """Check an address or handle that the developer wrote.

    Raises:
        ValueError: If it is neither; the message names the value and the argument.
    """
    if isinstance(value, str):
        if is_agent_address(value):
            return value
        match = HANDLE.fullmatch(value)
        if match is not None and not match[1].startswith("agent1"):
            return match[1]
    msg = (
        f"{argument} holds {_shown(value)}, which is neither an agent address (bech32, 'agent1' "
        "and 59 characters, checksum) nor a handle (1 to 64 letters, digits, '-', '_' or '.'). "
        "Copy the address from the agent's page on Agentverse."
    )
    raise ValueError(msg)


def distinct_agents(entries: Iterable[ExecutableEntry]) -> list[ExecutableEntry]:
    """The entries without those that ask the same of the same agent, in their order.

    Calls of one agent differ by tool and arguments, also where arguments come without a tool. For
    entries that have an identity: all others count as one agent.
    """
    unique: dict[str, ExecutableEntry] = {}
    for entry in entries:
        is_call = entry.get("kind") == "tool_call" or entry.get("args")
        call = [entry.get("tool"), entry.get("args")] if is_call else []
        asked = [identify_agent(entry), *call]
        unique.setdefault(json.dumps(asked, sort_keys=True, default=repr), entry)
    return list(unique.values())


def judged(rule: Callable[[ExecutableEntry], Any], entry: ExecutableEntry, argument: str) -> bool:
    """What a developer's predicate says; an exception or an awaitable is a refusal, and logged."""
    try:
        verdict = rule(entry)
        if inspect.isawaitable(verdict):
            if inspect.iscoroutine(verdict):
                verdict.close()
            logger.error("The %s predicate is async: refused. Make it a plain function.", argument)
            return False
        return bool(verdict)
    except Exception:
        # An exception in an edge would end the run, and any entry can be made to provoke one.
        logger.exception("The %s predicate raised: the agent is refused.", argument)
        return False


def checked_predicate(rule: object, argument: str) -> None:
    """Refuse a predicate that cannot be one.

    Raises:
        TypeError: If it is not callable, or async (its result would be true for every entry).
    """
    if not callable(rule):
        msg = f"{argument} must be a function from entry to bool, not {_shown(rule)}"
        raise TypeError(msg)
    if inspect.iscoroutinefunction(rule) or inspect.iscoroutinefunction(type(rule).__call__):
        msg = f"{argument} must be a plain function, not async: edges are decided without waiting"
        raise TypeError(msg)


def _acceptance(allow: Allow) -> Callable[[str, ExecutableEntry], bool]:
    if isinstance(allow, str):
        if allow == "any":
            return lambda _identity, _entry: True
        msg = f"allow must be {_CHOICES}; got the text {_shown(allow)}: put it into a set"
        raise TypeError(msg)
    if callable(allow):
        checked_predicate(allow, "allow")
        return lambda _identity, entry: judged(allow, entry, "allow")
    given: object = allow
    if not isinstance(given, Collection) or isinstance(given, bytes | bytearray):
        msg = f"allow must be {_CHOICES}; got {_shown(allow)}"
        raise TypeError(msg)
    identifiers = allowed_identifiers(allow) or frozenset()
    return lambda identity, _entry: identity in identifiers


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:99]}…"
