"""Identity of agents, their calls and reports, for routing and display."""

import json
from typing import Final, Literal, TypeAlias

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_asi_one.executable_data import (
    ExecutableEntry,
    find_identifier_problems,
    is_agent_address,
    parse_handle,
)

_MARK: Final = "asi_one"
_REPORT: Final = "agent_report"

RefusalReason: TypeAlias = Literal["not_identified", "not_allowed", "over_limit", "rejected"]
"""Why an agent was not asked: it has no sound identifier, the rule does not allow it, others took
its place, or a human rejected it."""


def identify_agent(entry: ExecutableEntry) -> str | None:
    """Return the address or handle that identifies the agent of an entry.

    The entry may have been edited since it was parsed. The address counts if its checksum is right
    and the entry names no second one. Without an address, the handle (without `@`) counts if
    nothing is wrong with the entry's identifiers. Else the result is `None`.

    Example:
        >>> identify_agent({"kind": "agent", "handle": "weather", "raw": {}})
        'weather'
    """
    problems = find_identifier_problems(entry)
    if "address" in entry:
        address = entry["address"]
        return None if problems.addresses or not is_agent_address(address) else address
    return None if problems.any else parse_handle(entry.get("handle"))


def make_call_key(entry: ExecutableEntry) -> str:
    """Return a key that is equal for equal calls of one agent.

    The arguments count even if the entry names no tool.
    """
    is_call = entry.get("kind") == "tool_call" or entry.get("args")
    call = [entry.get("tool"), entry.get("args")] if is_call else []
    return json.dumps([identify_agent(entry), *call], sort_keys=True, default=repr)


def build_report(text: str) -> HumanMessage:
    """Build the message that reports agents' results.

    Its mark is not sent to the API.
    """
    return HumanMessage(text, additional_kwargs={_MARK: _REPORT})


def is_report(message: BaseMessage) -> bool:
    """Return whether `build_report` made a message."""
    return message.additional_kwargs.get(_MARK) == _REPORT
