"""Registry of the faults: names, descriptions, options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
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


def faults() -> dict[str, str]:
    """List the faults that the stand-in can simulate.

    Returns:
        Name of each fault and one line that says what it sends. The names between backticks are
        its options.

    Source:
        Faults with a status or a text of the API follow its documentation or a client's report.
        The others are what networks, proxies and broken servers do.

    Example:
        >>> faults()["truncated_stream"]
        'a stream that ends cleanly without finish_reason and [DONE]; else half a JSON body'
    """
    return dict(_descriptions)


def bind_fault(name: str, options: Mapping[str, Any]) -> Callable[[Exchange], Script]:
    """Return the fault of that name with its options set.

    Raises:
        ValueError: There is no such fault or option. The message lists those that there are.
    """
    if name not in _functions:
        msg = f"unknown fault {name!r}; choose one of: {', '.join(sorted(_functions))}"
        raise ValueError(msg)
    function = _functions[name]
    known = _read_option_types(function)
    for option in options:
        if option not in known:
            has = f"its options are: {', '.join(known)}" if known else "it has none"
            msg = f"fault {name!r} has no option {option!r}; {has}"
            raise ValueError(msg)
    return lambda exchange: function(exchange, **options)


def parse_options(name: str, options: Mapping[str, str]) -> dict[str, Any]:
    """Convert the option texts of a ``[fault: …]`` marker to the options' types.

    Raises:
        ValueError: A value does not have the type of the option.
    """
    known = _read_option_types(_functions[name]) if name in _functions else {}
    return {key: _OPTION_TYPES[known.get(key, "str")](value) for key, value in options.items()}


def _read_option_types(function: Fault) -> dict[str, str]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {parameter.name: str(parameter.annotation) for parameter in parameters}


def register_fault(description: str) -> Callable[[Fault], Fault]:
    """Register a function as the fault of its name, without leading underscores."""

    def register(function: Fault) -> Fault:
        name = function.__name__.lstrip("_")
        _functions[name], _descriptions[name] = function, description
        return function

    return register
