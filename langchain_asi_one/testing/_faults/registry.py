"""Register of the faults: names, descriptions, options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langchain_asi_one.testing._responses import Script

if TYPE_CHECKING:
    from langchain_asi_one.testing._requests import Exchange

Fault = Callable[..., Script]

_OPTION_TYPES: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "str | None": lambda text: None if text == "none" else text,
    "bool": lambda text: text.lower() in ("1", "true", "yes"),
}

_functions: dict[str, Fault] = {}
_descriptions: dict[str, str] = {}

FAULTS: Mapping[str, str] = MappingProxyType(_descriptions)
"""Name of each fault and what it does on the wire, in one line.

Source:
    Those with a status or a text of the API follow what its documentation or a client reports; the
    others are what networks, proxies and broken servers do.

Example:
    >>> FAULTS["truncated_stream"]
    'a stream that ends cleanly without finish_reason and [DONE]; else half a JSON body'
"""


def named_fault(name: str, options: Mapping[str, Any]) -> Callable[[Exchange], Script]:
    """The fault of that name with its options set.

    Raises:
        ValueError: No such fault, or an option that it does not have; the message lists what is.
    """
    if name not in _functions:
        msg = f"unknown fault {name!r}; choose one of: {', '.join(sorted(_functions))}"
        raise ValueError(msg)
    function = _functions[name]
    known = _option_types(function)
    for option in options:
        if option not in known:
            has = f"its options are: {', '.join(known)}" if known else "it has none"
            msg = f"fault {name!r} has no option {option!r}; {has}"
            raise ValueError(msg)
    return lambda exchange: function(exchange, **options)


def options_from_text(name: str, options: Mapping[str, str]) -> dict[str, Any]:
    """Options of a ``[fault: …]`` marker with their values turned into the right types.

    Raises:
        ValueError: A value does not have the type of the option.
    """
    known = _option_types(_functions[name]) if name in _functions else {}
    return {key: _OPTION_TYPES[known.get(key, "str")](value) for key, value in options.items()}


def _option_types(function: Fault) -> dict[str, str]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {parameter.name: str(parameter.annotation) for parameter in parameters}


def named(description: str) -> Callable[[Fault], Fault]:
    """Enter a function under its name (without underscores before it) with that description."""

    def register(function: Fault) -> Fault:
        name = function.__name__.lstrip("_")
        _functions[name], _descriptions[name] = function, description
        return function

    return register
