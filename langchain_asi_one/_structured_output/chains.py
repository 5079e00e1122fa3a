"""The chains that `with_structured_output` returns: a model and a parser of its answers."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.output_parsers import BaseOutputParser, PydanticToolsParser
from langchain_core.runnables import Runnable, RunnableLambda, RunnableMap
from langchain_core.utils.pydantic import is_basemodel_subclass

from langchain_asi_one._structured_output.parsers import JSONTextParser, ToolCallParser


def parse_json_text(
    model: Runnable[LanguageModelInput, Any], schema: Any, *, include_raw: bool
) -> Runnable[LanguageModelInput, Any]:
    """Put a parser of JSON text behind a model.

    Args:
        model: A model that was asked for JSON.
        schema: Pydantic class to validate against; anything else gives plain JSON.
        include_raw: Whether to return `{raw, parsed, parsing_error}` and raise nothing.

    Returns:
        The chain of both.
    """
    validates = isinstance(schema, type) and is_basemodel_subclass(schema)
    return _chain(model, JSONTextParser(pydantic_class=schema if validates else None), include_raw)


def parse_tool_call(
    model: Runnable[LanguageModelInput, Any], calls: BaseOutputParser[Any], *, include_raw: bool
) -> Runnable[LanguageModelInput, Any]:
    """Put a parser of the call of one tool, the schema, behind a model.

    LangChain's parsers complete cut arguments by guessing when streamed, and return `None`
    otherwise.

    Args:
        model: A model with that tool as its only one.
        calls: LangChain's parser of such calls.
        include_raw: Whether to return `{raw, parsed, parsing_error}` and raise nothing.

    Returns:
        The chain of both.
    """
    if isinstance(calls, PydanticToolsParser):
        schema: Any = calls.tools[0]
        config = getattr(schema, "model_config", {})
        parser = ToolCallParser(
            calls=calls, tool=config.get("title") or schema.__name__, pydantic_class=schema
        )
    else:
        parser = ToolCallParser(calls=calls, tool=getattr(calls, "key_name", ""))
    return _chain(model, parser, include_raw)


def _chain(
    model: Runnable[LanguageModelInput, Any],
    parser: BaseOutputParser[Any],
    include_raw: bool,
) -> Runnable[LanguageModelInput, Any]:
    return keep_raw(model, parser) if include_raw else model | parser


def keep_raw(
    model: Runnable[LanguageModelInput, Any], parser: Runnable[Any, Any]
) -> Runnable[LanguageModelInput, Any]:
    """Return a model's answer beside the parser's result.

    LangChain's own composition raises when streamed: it catches errors only before the first chunk.

    Args:
        model: Any model.
        parser: Parser of its answers.

    Returns:
        A chain that gives `{raw, parsed, parsing_error}`; streamed, in one chunk at the end.
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

    return RunnableMap(raw=model) | RunnableLambda(parse, aparse, name="with_raw")
