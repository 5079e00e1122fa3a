"""What may be set on the model and in a call, and in which range: pure checks with clear errors."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from math import isinf, isnan
from typing import Any

from langchain_asi_one._agent_address import is_agent_address

# Names and ranges: wire contract, 1.3. `extra_body` takes what is not documented.
RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
_COUNTS = {"max_tokens": "tokens", "thinking_budget": "tokens"}
_SWITCHES = {"web_search", "planner_mode", "study_mode", "enable_thinking", "parallel_tool_calls"}

_TEXTS = {"model", "agent_address"}

# Fields of ASI:One that the OpenAI base class does not know.
ASI_ONE_FIELDS = (
    "web_search",
    "planner_mode",
    "agents",
    "agent_address",
    "study_mode",
    "enable_thinking",
    "thinking_budget",
)
BODY_FIELDS = {
    "model",
    "stop",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "response_format",
    *RANGES,
    *_COUNTS,
    *_SWITCHES,
    *ASI_ONE_FIELDS,
}
CALL_ARGUMENTS = BODY_FIELDS | {"session_id", "stream_usage", "timeout", "extra_body"}

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_names(
    given: Iterable[str], known: Collection[str], elsewhere: Mapping[str, str], *, where: str
) -> None:
    """Refuse names that nothing is known of.

    Args:
        given: Names that were used.
        known: Names that may be.
        elsewhere: What to do instead, for names that are known not to be taken here.
        where: What takes them, for the error.

    Raises:
        ValueError: Naming the first unknown one and the nearest known ones.
    """
    for name in given:
        if name in elsewhere and name not in known:
            msg = f"{where} has no parameter {name!r}. {elsewhere[name]}"
            raise ValueError(msg)
        if name not in known:
            # The base class's names for fields that have names of their own here.
            names = sorted(name for name in known if not name.startswith("openai_"))
            near = get_close_matches(name, names, n=1, cutoff=0.7)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            msg = (
                f"{where} has no parameter {name!r}.{hint} A field of the API that is not "
                f"documented goes into extra_body={{{name!r}: …}}."
            )
            raise ValueError(msg)


def check_value(name: str, value: Any) -> Any:
    """Check one request field.

    Args:
        name: Its name.
        value: Its value; `None` means not set.

    Returns:
        The value.

    Raises:
        ValueError: Naming field, range and value.

    Example:
        >>> check_value("temperature", 0.5)
        0.5
    """
    if value is None:
        return value
    if name in RANGES:
        low, high = RANGES[name]
        if not _is_number(value) or not low <= value <= high:
            raise _refused(name, value, f"a number from {low:g} to {high:g}")
    elif name in _COUNTS:
        if not _is_number(value) or isinf(value) or int(value) != value or value < 0:
            raise _refused(name, value, f"a whole number of {_COUNTS[name]}, 0 or more")
        return int(value)
    elif name in _SWITCHES and not isinstance(value, bool):
        raise _refused(name, value, "True or False")
    elif name == "agents":
        _check_agents(value)
    elif name in _TEXTS and not (isinstance(value, str) and value.strip()):
        raise _refused(name, value, "a text")
    elif name == "stop" and not _is_stop(value):
        raise _refused(name, value, "a text or a list of texts")
    return value


def check_tool_name(name: object) -> None:
    """Refuse a tool name that the API would refuse: it takes no spaces or special characters.

    Args:
        name: The tool's name.

    Raises:
        ValueError: Naming it and what is allowed.
    """
    if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
        msg = (
            f"{name!r} is not a tool name that ASI:One takes: 1 to 64 letters, digits, "
            f"underscores and hyphens. Rename the tool."
        )
        raise ValueError(msg)


def _is_stop(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)
    )


def _check_agents(value: object) -> None:
    if isinstance(value, str) or not isinstance(value, Collection):
        raise _refused("agents", value, "a list of agent addresses")
    for address in value:
        if not is_agent_address(address):
            raise _refused(
                "agents",
                address,
                "a list of agent addresses (agent1…, 65 characters with a valid checksum)",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value)


def _refused(name: str, value: object, wanted: str) -> ValueError:
    shown = repr(value)
    shown = shown if len(shown) <= 100 else f"{shown[:100]}…"
    return ValueError(f"{name} must be {wanted}; got {shown}.")
