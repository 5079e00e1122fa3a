"""The chains of `with_structured_output`: a model and a parser."""

from __future__ import annotations

import json
from typing import Annotated, Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.runnables import Runnable, RunnableLambda, RunnableMap
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, WithJsonSchema
from typing_extensions import TypedDict

from langchain_asi_one._request.tools import convert_function, make_response_format
from langchain_asi_one._structured_output.parsers import (
    AnswerParser,
    JSONTextParser,
    ToolCallParser,
)

_METHODS = ("function_calling", "json_schema", "json_mode")


def build_chain(
    model: Any,
    schema: Any,
    *,
    method: str = "function_calling",
    include_raw: bool = False,
    strict: bool | None = None,
    tools: list[Any] | None = None,
    **kwargs: Any,
) -> Runnable[LanguageModelInput, Any]:
    """Put a parser behind a model that answers with a schema's data.

    The model is a `ChatASIOne`, or a binding of one. All else is as for
    `ChatASIOne.with_structured_output`.

    Raises:
        ValueError: If arguments do not go together.
    """
    _check_arguments(schema, method, strict, tools)
    # LangChain's converter, which traces use, fails on a TypedDict that refers to itself.
    is_plain = isinstance(schema, type) and not issubclass(schema, BaseModel)
    shown = convert_function(schema) if is_plain else schema
    traced = {"kwargs": {"method": method, "strict": strict}, "schema": shown}
    kwargs["ls_structured_output_format"] = traced
    parser: AnswerParser
    if method == "function_calling":
        model = _bind_schema(model, schema, strict, kwargs)
        parser = ToolCallParser(tool=_read_tool_name(model))
    else:
        wire: dict[str, Any] = {"type": "json_object"}
        if method == "json_schema":
            wire = make_response_format(schema, strict=strict)
        model = model.bind_tools(tools, strict=strict) if tools else model
        model = model.bind(response_format=wire).bind(**kwargs)
        parser = JSONTextParser(may_call="tools" in model.kwargs)
    is_class = isinstance(schema, type) and is_basemodel_subclass(schema)
    parser.pydantic_class = schema if is_class else None
    parser.output_type = _make_output_type(schema, Any if is_class else dict[str, Any])
    return keep_raw(model, parser) if include_raw else model | parser


def _check_arguments(
    schema: Any, method: str, strict: bool | None, tools: list[Any] | None
) -> None:
    if method not in _METHODS:
        msg = f"method must be 'function_calling', 'json_schema' or 'json_mode'; got {method!r}."
    elif tools and method != "json_schema":
        msg = f"tools= goes with method='json_schema' only; got method={method!r}."
    elif strict is not None and method == "json_mode":
        msg = "strict= does not go with method='json_mode', which sends no schema."
    elif schema is None and method != "json_mode":
        msg = f"method={method!r} needs a schema; only 'json_mode' goes without."
    elif isinstance(schema, str):
        msg = f"schema must be a class, a function or a JSON Schema, not a name; got {schema!r}."
    else:
        return
    raise ValueError(msg)


def _bind_schema(model: Any, schema: Any, strict: bool | None, kwargs: dict[str, Any]) -> Any:
    """Return the model with the schema as its only tool, always called."""
    options = {"parallel_tool_calls": False, **kwargs}
    bound = model.bind_tools([schema], strict=strict, **options)
    functions = bound.kwargs.get("tools") or []
    if len(functions) != 1:
        msg = f"method='function_calling' needs the schema of a function; got {schema!r}."
        raise ValueError(msg)
    if "tool_choice" in options:
        return bound
    chosen = {"name": _read_tool_name(bound)}
    return bound.bind(tool_choice={"type": "function", "function": chosen})


def _read_tool_name(bound: Any) -> str:
    """Return the name of the only tool that `bind_tools` has bound."""
    tool = bound.kwargs["tools"][0]
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if isinstance(name, str):
        return name
    msg = (
        "method='function_calling' needs the tools that bind_tools of ChatASIOne binds, "
        "{'type': 'function', 'function': {'name': …}}, but the bind_tools of this class bound "
        f"{tool!r:.200}: leave them so, or use method='json_schema'."
    )
    raise ValueError(msg)


def _make_output_type(schema: Any, plain: Any) -> Any:
    """Return the data's type; LangChain makes the output schema from it."""
    if schema is None or (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return schema
    json_schema = make_response_format(schema).get("json_schema", {}).get("schema")
    # Pydantic resolves no reference of a schema that it did not make.
    if not json_schema or '"$ref"' in json.dumps(json_schema, default=str):
        return plain
    return Annotated[plain, WithJsonSchema(json_schema)]


def keep_raw(
    model: Runnable[LanguageModelInput, Any], parser: AnswerParser
) -> Runnable[LanguageModelInput, Any]:
    """Return a chain that gives `{raw, parsed, parsing_error}`.

    LangChain's own composition raises when streamed: it catches errors only before the first chunk.
    This one gives one chunk at the end.
    """

    def parse(answer: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**answer, "parsed": parser.invoke(answer["raw"]), "parsing_error": None}
        except Exception as error:  # noqa: BLE001 - validators of a schema may raise anything
            return {**answer, "parsed": None, "parsing_error": error}

    async def aparse(answer: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**answer, "parsed": await parser.ainvoke(answer["raw"]), "parsing_error": None}
        except Exception as error:  # noqa: BLE001 - as above
            return {**answer, "parsed": None, "parsing_error": error}

    named: Runnable[Any, Any] = RunnableLambda(parse, aparse, name="with_raw")
    return RunnableMap(raw=model) | named.with_types(output_type=_make_raw_type(parser.OutputType))


def _make_raw_type(parsed: Any) -> Any:
    make: Any = TypedDict  # type checkers want its fields to be known
    return make("StructuredAnswer", {"raw": Any, "parsed": parsed | None, "parsing_error": Any})
