"""Tools and response formats of a request: pure checks and conversions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from langchain_core.utils.function_calling import convert_to_openai_function

from langchain_asi_one._request.parameters import check_tool_name

_WEB_SEARCH = {"web_search", "web_search_preview"}
_CHOICES = {"auto", "required", "none"}


# Schemas of functions, with what they were made from. Reading a signature takes milliseconds, and
# graphs bind the same tools in each turn.
_SCHEMAS: WeakKeyDictionary[FunctionType, tuple[list[Any], dict[str, Any]]] = WeakKeyDictionary()


def read_once(tools: Sequence[Any]) -> list[Any]:
    """Replace Python functions among tools by their schemas, each read from its function once.

    Args:
        tools: What `bind_tools` takes.

    Returns:
        The tools; of functions new dicts, in the form that LangChain takes for tools.
    """
    return [_schema(tool) if isinstance(tool, FunctionType) else tool for tool in tools]


def _schema(function: FunctionType) -> dict[str, Any]:
    keywords = function.__kwdefaults__ or {}
    source = [
        function.__name__,
        function.__doc__,
        *function.__annotations__,
        *function.__annotations__.values(),
        *(function.__defaults__ or ()),
        *keywords,
        *keywords.values(),
    ]
    known = _SCHEMAS.get(function)
    # By identity: a default may be anything, also what cannot be compared.
    if known is None or [*map(id, known[0])] != [*map(id, source)]:
        known = _SCHEMAS[function] = source, convert_to_openai_function(function)
    return deepcopy(known[1])


def split_tools(tools: Sequence[Any]) -> tuple[list[dict[str, Any]], bool]:
    """Separate the caller's functions from ASI:One's own web search.

    Args:
        tools: Tools in wire form.

    Returns:
        The functions, and whether `{"type": "web_search"}` was among the tools.

    Raises:
        ValueError: If a tool is neither, or has a name that the API refuses.
    """
    functions: list[dict[str, Any]] = []
    web_search = False
    for tool in tools:
        kind = tool.get("type") if isinstance(tool, Mapping) else type(tool)
        if kind in _WEB_SEARCH:
            web_search = True
        elif kind == "function" and isinstance(tool.get("function"), Mapping):
            check_tool_name(tool["function"].get("name"))
            functions.append(dict(tool))
        else:
            msg = (
                f"ASI:One takes function tools and {{'type': 'web_search'}}; got a tool of type "
                f"{kind!r}. Pass functions, Pydantic classes or BaseTools to bind_tools."
            )
            raise ValueError(msg)
    return functions, web_search


def check_tool_choice(choice: Any, functions: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a `tool_choice` that no bound tool answers to.

    Args:
        choice: The wire form: `"auto"`, `"required"`, `"none"`, or a dict naming a function.
        functions: The bound functions in wire form.

    Raises:
        ValueError: Naming the choice and what may be chosen.
    """
    names = sorted(function["function"]["name"] for function in functions)
    function = choice.get("function") if isinstance(choice, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    if choice in _CHOICES if isinstance(choice, str) else name in names:
        return
    shown = name if name is not None else choice
    near = get_close_matches(str(shown), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    msg = (
        f"tool_choice {shown!r} is neither a bound tool ({', '.join(names) or 'none is bound'}) "
        f"nor 'auto', 'any', 'required' or 'none'.{hint}"
    )
    raise ValueError(msg)


def parameter_schemas(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Give the parameter schemas of the functions that an answer may call.

    Args:
        body: The request body.

    Returns:
        JSON schemas by name; empty where calling was ruled out.
    """
    if body.get("tool_choice") == "none":
        return {}
    return {
        tool["function"]["name"]: tool["function"].get("parameters") or {}
        for tool in body.get("tools") or ()
    }


def response_format(schema: Any, *, strict: bool | None = None) -> dict[str, Any]:
    """Write a schema as the API's `response_format` (wire contract, 5.1).

    Args:
        schema: Pydantic class, TypedDict, JSON schema, `{name, schema}`, or the wire form itself.
        strict: Whether the answer must follow the schema exactly; `None` leaves it to the API.

    Returns:
        `{"type": "json_schema", "json_schema": {name, schema, …}}`, or the wire form given.
    """
    if isinstance(schema, Mapping):
        if schema.get("type") in {"json_object", "json_schema", "text"} and "title" not in schema:
            return dict(schema)
        if "name" in schema and "schema" in schema:
            return {"type": "json_schema", "json_schema": dict(schema)}
    function = convert_to_openai_function(schema, strict=strict)
    function["schema"] = function.pop("parameters")
    return {"type": "json_schema", "json_schema": function}
