"""Tools and response formats of a request: pure checks and conversions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import is_dataclass
from difflib import get_close_matches
from inspect import cleandoc
from types import FunctionType
from typing import Any, Final
from weakref import WeakKeyDictionary

from langchain_core.tools import BaseTool, create_schema_from_function
from langchain_core.utils.function_calling import convert_to_openai_function
from pydantic import BaseModel, TypeAdapter
from typing_extensions import is_typeddict

from langchain_asi_one._request.fields import fit_name
from langchain_asi_one._request.schemas import close_objects, resolve_references
from langchain_asi_one._request.typed_dicts import make_model

_WEB_SEARCH: Final = {"web_search", "web_search_preview"}
_CHOICES: Final = {"auto", "required", "none"}
_NOTHING: Final = {"type": "object", "properties": {}, "additionalProperties": False}
_FORMATS: Final = ("json_object", "json_schema", "text")


# Functions as tools, with what they were made from. Reading a signature takes milliseconds, and
# graphs bind the same tools in each turn.
_FUNCTIONS: WeakKeyDictionary[FunctionType, tuple[list[Any], dict[str, Any]]] = WeakKeyDictionary()


def convert_tools(tools: Sequence[Any], *, strict: bool | None = None) -> list[Any]:
    """Return tools in wire form, as new dicts.

    What is in wire form already stays, but for `strict`: whether arguments must follow the schema
    exactly. `None` leaves that to each tool.

    Raises:
        TypeError: If `tools` is one tool instead of a list.
        ValueError: If a schema refers to what it does not hold, or cannot be strict.
    """
    given: Any = tools
    if not isinstance(given, Iterable) or isinstance(given, (BaseModel, Mapping, str)):
        msg = f"tools must be a list, such as [tool]; got one {type(given).__name__}."
        raise TypeError(msg)
    converted = []
    for tool in tools:
        if isinstance(tool, Mapping) and tool.get("type") != "function" and "type" in tool:
            is_schema = "title" in tool or "name" in tool
            converted.append(_wrap(tool, strict) if is_schema else dict(tool))
        elif isinstance(tool, Mapping) and isinstance(tool.get("function"), Mapping):
            converted.append({**tool, "function": _apply_strict(tool["function"], strict)})
        else:
            converted.append(_wrap(tool, strict))
    return converted


def list_undescribed(tools: Sequence[Any]) -> list[str]:
    """Return the names of Python functions without a docstring."""
    return [
        tool.__name__
        for tool in tools
        if isinstance(tool, FunctionType) and not (tool.__doc__ or "").strip()
    ]


def _wrap(tool: Any, strict: bool | None) -> dict[str, Any]:
    return {"type": "function", "function": convert_function(tool, strict=strict)}


def convert_function(tool: Any, *, strict: bool | None = None) -> dict[str, Any]:
    """Return name, description and parameters of a tool or schema.

    LangChain's converter leaves out what a recursive schema says below its first level, and does
    not close what stands in `oneOf`. So the parameters come from the source itself.

    Raises:
        ValueError: If the schema refers to what it does not hold, or cannot be strict.
    """
    if isinstance(tool, Mapping) and isinstance(tool.get("function"), Mapping):
        tool = tool["function"]  # in wire form
    if isinstance(tool, FunctionType):
        function = _convert_python_function(tool)
    elif isinstance(tool, BaseTool) and tool.args_schema:
        function = _describe(tool.tool_call_schema, tool.name, tool.description)
    elif isinstance(tool, type) and issubclass(tool, BaseModel):
        function = _describe(tool, tool.model_config.get("title") or tool.__name__)
    elif is_typeddict(tool):
        function = _describe(make_model(tool), tool.__name__)
    elif isinstance(tool, type) and is_dataclass(tool):
        text = cleandoc(tool.__doc__ or "")
        # Without a docstring, Python writes the signature there.
        text = "" if text.startswith(f"{tool.__name__}(") else text
        function = _describe(TypeAdapter(tool).json_schema(), tool.__name__, text)
    elif isinstance(tool, Mapping) and "title" in tool and "name" not in tool:
        function = _describe(tool, tool["title"])
    else:
        function = convert_to_openai_function(tool)
        if isinstance(parameters := function.get("parameters"), Mapping):
            function["parameters"] = resolve_references(parameters)
    return _apply_strict(function, strict)


def _apply_strict(function: Mapping[str, Any], strict: bool | None) -> dict[str, Any]:
    """Add `strict` to a function or schema that lacks it."""
    if strict is None:
        return dict(function)
    if function.get("strict", strict) != strict:
        msg = (
            f"{function.get('name')!r} has strict={function['strict']}, which strict={strict} "
            f"contradicts. Leave one of them out."
        )
        raise ValueError(msg)
    applied = {**function, "strict": strict}
    for name in ("parameters", "schema"):
        if strict and isinstance(function.get(name), Mapping):
            applied[name] = close_objects(function[name], str(function.get("name")))
    return applied


def _convert_python_function(function: FunctionType) -> dict[str, Any]:
    """Return a Python function as a tool; each is read once."""
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
    known = _FUNCTIONS.get(function)
    # By identity: a default may be anything, also what cannot be compared.
    if known is None or [*map(id, known[0])] != [*map(id, source)]:
        model = create_schema_from_function(
            function.__name__,
            function,
            filter_args=(),
            parse_docstring=True,
            error_on_invalid_docstring=False,
            include_injected=False,
        )
        converted = _describe(model, function.__name__, model.__doc__)
        known = _FUNCTIONS[function] = source, converted
    return deepcopy(known[1])


def _describe(schema: Any, name: str, description: str | None = None) -> dict[str, Any]:
    """Return a schema, or the class of one, as a function."""
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        schema = schema.model_json_schema()
    elif not isinstance(schema, Mapping):
        function = convert_to_openai_function(schema)  # a class of Pydantic 1
        return {**function, "name": name, "description": description or function["description"]}
    parameters = resolve_references(schema)
    described = parameters.pop("description", "")
    return {"name": name, "description": description or described, "parameters": parameters}


def split_web_search(tools: Sequence[Any]) -> tuple[list[dict[str, Any]], bool]:
    """Separate the caller's functions from ASI:One's own web search.

    The result is the functions, and whether `{"type": "web_search"}` was among the tools.

    Raises:
        ValueError: If a tool is neither, or two names are the same to the API.
    """
    functions: list[dict[str, Any]] = []
    web_search = False
    for tool in tools:
        kind = tool.get("type") if isinstance(tool, Mapping) else type(tool)
        if kind in _WEB_SEARCH:
            web_search = True
        elif kind == "function" and isinstance(tool.get("function"), Mapping):
            functions.append(dict(tool))
        else:
            msg = (
                f"ASI:One takes function tools and {{'type': 'web_search'}}; got a tool of type "
                f"{kind!r}. Pass functions, Pydantic classes or BaseTools to bind_tools."
            )
            raise ValueError(msg)
    find_fitted_names(functions)
    return functions, web_search


def find_fitted_names(tools: Iterable[Any]) -> dict[str, str]:
    """Return the caller's names that the API refuses, by those sent.

    Raises:
        ValueError: If nothing is left of a name, or two become the same.
    """
    by_sent: dict[str, str] = {}
    for tool in tools:
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if isinstance(function, Mapping):
            name = function.get("name")
            if by_sent.setdefault(fit_name(name), str(name)) != name:
                msg = (
                    f"The tools {by_sent[fit_name(name)]!r} and {name!r} have one name to ASI:One."
                )
                raise ValueError(msg)
    return {sent: name for sent, name in by_sent.items() if sent != name}


def fit_tools(body: dict[str, Any]) -> None:
    """Rename a body's tools and tool choice as the API takes them."""
    choice = body.get("tool_choice")
    if isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        body["tool_choice"] = {**choice, "function": _fit_function(choice["function"])}
    body["tools"] = [
        {**tool, "function": _fit_function(tool["function"])} for tool in body["tools"]
    ]


def _fit_function(function: Mapping[str, Any]) -> dict[str, Any]:
    return {**function, "name": fit_name(function.get("name"))}


def check_tool_choice(choice: Any, functions: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a `tool_choice` in wire form that names no bound function.

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


def list_parameter_schemas(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the schemas of functions that an answer may call, by name.

    There are none where calling was ruled out.
    """
    if body.get("tool_choice") == "none":
        return {}
    return {
        tool["function"]["name"]: tool["function"].get("parameters") or {}
        for tool in body.get("tools") or ()
    }


def make_response_format(schema: Any, *, strict: bool | None = None) -> dict[str, Any]:
    """Write a schema as the API's `response_format` (docs/wire-format.md, 5.1).

    Args:
        schema: Pydantic class, TypedDict, JSON schema, `{name, schema}`, or the wire form itself.
        strict: Whether the answer must follow the schema exactly; `None` leaves it to the API.

    Returns:
        `{"type": "json_schema", "json_schema": {name, schema, …}}`, or the wire form given.

    Raises:
        ValueError: If `strict` contradicts the wire form, or the schema cannot be strict.
    """
    if isinstance(schema, Mapping):
        if schema.get("type") in _FORMATS and "title" not in schema:
            if schema["type"] == "json_schema":
                return {**schema, "json_schema": _complete_format(schema["json_schema"], strict)}
            if strict is not None:
                msg = f"strict={strict} does not go with {schema['type']!r}, which has no schema."
                raise ValueError(msg)
            return dict(schema)
        if "name" in schema and "schema" in schema:
            return {"type": "json_schema", "json_schema": _complete_format(schema, strict)}
    function = convert_function(schema, strict=strict)
    function["schema"] = function.pop("parameters", dict(_NOTHING))
    return {"type": "json_schema", "json_schema": _fit_function(function)}


def _complete_format(schema: Mapping[str, Any], strict: bool | None) -> dict[str, Any]:
    return _fit_function(_apply_strict(schema, strict))
