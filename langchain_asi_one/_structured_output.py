"""Reads the JSON of a structured answer, complete or not at all."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from functools import reduce
from operator import add
from typing import Any

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers import BaseCumulativeTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda, RunnableMap
from langchain_core.utils.json import parse_json_markdown
from langchain_core.utils.pydantic import is_basemodel_subclass

from langchain_asi_one._json_safe import loads

# json_object answers have been recorded inside a code fence (wire contract, 5.1).
_FENCES = [
    re.compile(rf"```(?:json)?({some})```", re.DOTALL | re.IGNORECASE) for some in (".*?", ".*")
]


def read_json(text: str) -> Any:
    """Read the JSON of an answer, which may stand in a code fence.

    Args:
        text: The answer's text.

    Returns:
        The JSON value.

    Raises:
        OutputParserException: If it is not complete JSON. LangChain's own parsers complete a
            truncated one by guessing.
    """
    # The shortest fence first; then the longest, as a text in the JSON may hold fences too.
    fenced = [found[1] for fence in _FENCES if (found := fence.search(text))]
    for candidate in (text, *fenced):
        try:
            return loads(candidate.strip())
        except ValueError:
            continue
    msg = (
        f"The answer is not complete JSON: {text[:500]!r}. If it was cut off, raise max_tokens; "
        f"if it is prose, use method='function_calling'."
    )
    raise OutputParserException(msg, llm_output=text)


class StrictParser(BaseCumulativeTransformOutputParser[Any]):
    """Streams what can be read of an answer, and ends only on complete JSON.

    Attributes:
        validates: Pydantic class (also of `pydantic.v1`) that the JSON must fit; without one, plain
            JSON is returned.
    """

    validates: type[Any] | None = None

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Parse an answer.

        Args:
            result: The answer, or what there is of it.
            partial: Whether more is to come.

        Returns:
            The value; `None` for a part that cannot be read yet, and where tools are called.

        Raises:
            OutputParserException: If a whole answer is not complete JSON of the schema, or the
                model refused.
        """
        if _calls_tools(result[0]):
            return None
        if refusal := _refusal(result[0]):
            msg = f"ASI:One refused to answer: {refusal}"
            raise OutputParserException(msg, llm_output=refusal)
        value = _read_partial(result[0].text) if partial else read_json(result[0].text)
        if self.validates is None:
            return value
        validate = getattr(self.validates, "model_validate", None) or self.validates.parse_obj
        try:
            return validate(value)
        except ValueError as error:  # of which pydantic's and pydantic.v1's errors are kinds
            if partial:
                return None
            msg = f"The answer does not fit {self.validates.__name__}: {error}"
            raise OutputParserException(msg, llm_output=result[0].text) from error

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:  # noqa: A002
        seen: list[str | BaseMessage] = []

        def noted() -> Iterator[str | BaseMessage]:
            for piece in input:
                seen.append(piece)
                yield piece

        value = None
        for value in super()._transform(noted()):
            yield value
        yield from self._rest(seen, value)

    async def _atransform(
        self,
        input: AsyncIterator[str | BaseMessage],  # noqa: A002
    ) -> AsyncIterator[Any]:
        seen: list[str | BaseMessage] = []

        async def noted() -> AsyncIterator[str | BaseMessage]:
            async for piece in input:
                seen.append(piece)
                yield piece

        value = None
        async for value in super()._atransform(noted()):
            yield value
        for rest in self._rest(seen, value):
            yield rest

    def _rest(self, seen: list[str | BaseMessage], value: Any) -> list[Any]:
        """Parse the whole answer at its end, as no part of it was: strictly."""
        pieces = [piece for piece in seen if isinstance(piece, BaseMessage)]
        if pieces:
            whole = self.parse_result([ChatGeneration(message=reduce(add, pieces))])
        else:
            whole = self.parse("".join(map(str, seen)))
        return [] if whole is None or whole == value else [whole]

    def parse(self, text: str) -> Any:
        """Parse a whole answer; see `parse_result`."""
        return self.parse_result([Generation(text=text)])


def _calls_tools(generation: Generation) -> bool:
    """Whether an answer calls a tool instead of answering."""
    message = getattr(generation, "message", None)
    return isinstance(message, AIMessage) and bool(message.tool_calls or message.invalid_tool_calls)


def _refusal(generation: Generation) -> str | None:
    message = getattr(generation, "message", None)
    refusal = message.additional_kwargs.get("refusal") if isinstance(message, AIMessage) else None
    return str(refusal) if refusal else None


def _read_partial(text: str) -> Any:
    try:
        return parse_json_markdown(text.strip())
    except ValueError:
        return None


def structured_output(
    model: Runnable[LanguageModelInput, Any], schema: Any, *, include_raw: bool
) -> Runnable[LanguageModelInput, Any]:
    """Let a model's JSON answer be parsed.

    Args:
        model: A model that was asked for JSON.
        schema: Pydantic class to validate against; anything else gives plain JSON.
        include_raw: Whether to return `{raw, parsed, parsing_error}` and raise nothing.

    Returns:
        The chain of both.
    """
    validates = isinstance(schema, type) and is_basemodel_subclass(schema)
    parser = StrictParser(validates=schema if validates else None)
    return with_raw(model, parser) if include_raw else model | parser


def whole_calls() -> Runnable[AIMessage, AIMessage]:
    """Pass messages on, and end with an error if the only calls in them were cut off.

    LangChain's parsers of calls complete the arguments by guessing where they stream, and where
    they do not they return `None`.

    Returns:
        What goes between a model and such a parser; raises `OutputParserException`.
    """
    return RunnableGenerator(_whole_calls, _awhole_calls)


def _whole_calls(messages: Iterator[AIMessage]) -> Iterator[AIMessage]:
    seen = []
    for message in messages:
        seen.append(message)
        yield message
    _refuse_cut_calls(seen)


async def _awhole_calls(messages: AsyncIterator[AIMessage]) -> AsyncIterator[AIMessage]:
    seen = []
    async for message in messages:
        seen.append(message)
        yield message
    _refuse_cut_calls(seen)


def _refuse_cut_calls(messages: list[AIMessage]) -> None:
    whole: Any = reduce(add, messages) if messages else AIMessage("")
    if whole.tool_calls or not whole.invalid_tool_calls:
        return
    call = whole.invalid_tool_calls[0]
    msg = (
        f"The arguments of the call of {call['name']!r} are not complete JSON: "
        f"{(call['args'] or '')[:500]!r}. If they were cut off, raise max_tokens."
    )
    raise OutputParserException(msg, llm_output=call["args"])


def with_raw(
    model: Runnable[LanguageModelInput, Any], parser: Runnable[Any, Any]
) -> Runnable[LanguageModelInput, Any]:
    """Return a model's answer beside what a parser makes of it.

    LangChain's own composition falls back on an error only before the first chunk, and so raises
    when it is streamed.

    Args:
        model: Any model.
        parser: Parser of its answers.

    Returns:
        A chain that gives `{raw, parsed, parsing_error}`; streamed, in one chunk at the end.
    """

    def read(answer: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**answer, "parsed": parser.invoke(answer["raw"]), "parsing_error": None}
        except Exception as error:  # noqa: BLE001 - validators of a schema may raise anything
            return {**answer, "parsed": None, "parsing_error": error}

    async def aread(answer: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**answer, "parsed": await parser.ainvoke(answer["raw"]), "parsing_error": None}
        except Exception as error:  # noqa: BLE001 - as above
            return {**answer, "parsed": None, "parsing_error": error}

    return RunnableMap(raw=model) | RunnableLambda(read, aread, name="with_raw")
