"""Registry of the faults: names, descriptions, options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from langchain_asi_one.testing._responses import Script

if TYPE_CHECKING:
    from langchain_asi_one.testing._requests import Exchange

Fault = Callable[..., Script]

_LARGEST = 10_000_000
_SWITCHES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

_functions: dict[str, Fault] = {}
_descriptions: dict[str, str] = {}


def list_faults() -> dict[str, str]:
    """List the faults that the stand-in can simulate.

    Returns:
        Name of each fault and one line that says what it sends. The names between backticks are
        its options.

    Source:
        Faults with a status or a text of the API follow its documentation or a client's report.
        The others are what networks, proxies and broken servers do.

    Example:
        >>> list_faults()["truncated_stream"]
        'a stream that ends cleanly without finish_reason and [DONE]; else half a JSON body'
    """
    return dict(_descriptions)


def bind_fault(name: str, options: Mapping[str, Any]) -> Callable[[Exchange], Script]:
    """Return the fault of that name with its options set.

    A value may be a text too, as in a ``[fault: …]`` marker, or a number where a text is sent.

    Raises:
        ValueError: There is no such fault or option, or a value does not fit. The message lists
            those that there are, or names the value.
    """
    if name not in _functions:
        near = get_close_matches(name, _functions, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        msg = f"unknown fault {name!r}.{hint} There are: {', '.join(sorted(_functions))}"
        raise ValueError(msg)
    function = _functions[name]
    known = _read_option_types(function)
    values = {}
    for option, value in options.items():
        if option not in known:
            has = f"its options are: {', '.join(known)}" if known else "it has none"
            msg = f"fault {name!r} has no option {option!r}; {has}"
            raise ValueError(msg)
        try:
            values[option] = _convert(option, known[option], value)
        except (TypeError, ValueError) as cause:
            msg = f"fault {name!r}: {option} must be {cause}, not {value!r}"
            raise ValueError(msg) from None
    return lambda exchange: function(exchange, **values)


def _read_option_types(function: Fault) -> dict[str, str]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {parameter.name: str(parameter.annotation) for parameter in parameters}


def _convert(option: str, kind: str, value: Any) -> Any:
    """Return a value as an option's type.

    Raises:
        ValueError: It does not fit. The text says what would.
    """
    if kind == "bool":
        return _to_switch(value)
    if kind.startswith("str"):
        return _to_text(value, may_be_none=kind == "str | None")
    least, most = (200, 599) if option == "status" else (0, _LARGEST)
    expected = f"{'a whole' if kind == 'int' else 'a'} number from {least} to {most:,}"
    try:
        number = int(str(value)) if kind == "int" else float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(expected) from None
    if isinstance(value, bool) or not least <= number <= most:
        raise ValueError(expected)
    return number


def _to_switch(value: Any) -> bool:
    text = str(value).lower()
    if text not in _SWITCHES:
        msg = "true or false"
        raise ValueError(msg)
    return _SWITCHES[text]


def _to_text(value: Any, *, may_be_none: bool) -> str | None:
    if may_be_none and value in (None, "none"):
        return None
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    text = str(value)
    if is_plain and text.isascii() and text.isprintable():
        return text
    msg = "a text of printable ASCII characters, or a number"
    raise ValueError(msg)


def register_fault(description: str) -> Callable[[Fault], Fault]:
    """Register a function as the fault of its name, without leading underscores."""

    def register(function: Fault) -> Fault:
        name = function.__name__.lstrip("_")
        _functions[name], _descriptions[name] = function, description
        return function

    return register
