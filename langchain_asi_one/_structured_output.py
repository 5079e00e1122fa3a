"""Reads the JSON of a structured answer, complete or not at all."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from functools import reduce
from operator import add
from typing import Any, Protocol

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import BaseOutputParser, PydanticToolsParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda, RunnableMap
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import SkipValidation
from typing_extensions import override

from langchain_asi_one._json.partial import PartialJSON
from langchain_asi_one._json.safe import loads
from langchain_asi_one._response.chunk_sum import sum_of_chunks

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


class _Part:
    """A piece of an answer on its way to a parser.

    LangChain adds up the input of each step of a chain for its traces, in pairs. What cannot be
    added it leaves alone, and tells the last item: the whole answer, which is added up once.
    """

    __slots__ = ("piece",)

    def __init__(self, piece: str | BaseMessage) -> None:
        self.piece = piece


class _Reader(Protocol):
    """Reads an answer while it arrives."""

    def read(self, piece: str | BaseMessage) -> Any:
        """Take a piece; return what can be read so far, or `None`."""


class AnswerParser(BaseOutputParser[Any]):
    """Streams what can be read of an answer, and ends only on a whole one.

    Each piece is read once, so that the time for an answer grows with its length.
    """

    @abstractmethod
    def _reader(self) -> _Reader:
        """Return what reads the pieces of one answer."""

    @override
    def transform(
        self,
        input: Iterator[str | BaseMessage],
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Parse an answer while it arrives; see `langchain_core.runnables.Runnable.transform`."""
        yield from self._transform_stream_with_config(
            _parts(input), self._transform, config, run_type="parser"
        )

    @override
    async def atransform(
        self,
        input: AsyncIterator[str | BaseMessage],
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Do as `transform`, in the running event loop."""
        async for value in self._atransform_stream_with_config(
            _aparts(input), self._atransform, config, run_type="parser"
        ):
            yield value

    def _transform(self, parts: Iterator[_Part | str | BaseMessage]) -> Iterator[Any]:
        read = self._new_values()
        for part in parts:
            if (value := read(part)) is not None:
                yield value

    async def _atransform(
        self, parts: AsyncIterator[_Part | str | BaseMessage]
    ) -> AsyncIterator[Any]:
        read = self._new_values()
        async for part in parts:
            if (value := read(part)) is not None:
                yield value

    def _new_values(self) -> Callable[[_Part | str | BaseMessage], Any]:
        reader, last = self._reader(), None

        def read(part: _Part | str | BaseMessage) -> Any:
            nonlocal last
            value = reader.read(part.piece) if isinstance(part, _Part) else self._whole(part)
            if value is None or value == last:
                return None
            last = value
            return value

        return read

    def _whole(self, answer: str | BaseMessage) -> Any:
        if isinstance(answer, BaseMessage):
            return self.parse_result([ChatGeneration(message=answer)])
        return self.parse_result([Generation(text=answer)])

    def parse(self, text: str) -> Any:
        """Parse a whole answer; see `parse_result`."""
        return self.parse_result([Generation(text=text)])


def _parts(pieces: Iterator[str | BaseMessage]) -> Iterator[Any]:
    seen = []
    for piece in pieces:
        seen.append(piece)
        yield _Part(piece)
    yield _sum(seen)


async def _aparts(pieces: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
    seen = []
    async for piece in pieces:
        seen.append(piece)
        yield _Part(piece)
    yield _sum(seen)


def _sum(pieces: list[str | BaseMessage]) -> str | BaseMessage:
    messages = [piece for piece in pieces if isinstance(piece, BaseMessage)]
    if not messages:
        return "".join(map(str, pieces))
    chunks = [message for message in messages if isinstance(message, AIMessageChunk)]
    return sum_of_chunks(chunks) if len(chunks) == len(messages) else reduce(add, messages)


class JSONParser(AnswerParser):
    """Parses an answer that is JSON text.

    Attributes:
        validates: Pydantic class (also of `pydantic.v1`) that the JSON must fit; without one, plain
            JSON is returned.
    """

    validates: type[Any] | None = None

    @override
    def _reader(self) -> _Reader:
        return _JSONReader(self._fitting)

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Parse an answer.

        Args:
            result: The answer.
            partial: Not used: what is read of a stream is read by `transform`.

        Returns:
            The value; `None` where tools are called.

        Raises:
            OutputParserException: If the answer is not complete JSON of the schema, or the model
                refused.
        """
        if _calls_tools(result[0]):
            return None
        if refusal := _refusal(result[0]):
            msg = f"ASI:One refused to answer: {refusal}"
            raise OutputParserException(msg, llm_output=refusal)
        value = read_json(result[0].text)
        try:
            return self._validated(value)
        except ValueError as error:  # of which pydantic's and pydantic.v1's errors are kinds
            name = getattr(self.validates, "__name__", "")
            msg = f"The answer does not fit {name}: {error}"
            raise OutputParserException(msg, llm_output=result[0].text) from error

    def _validated(self, value: Any) -> Any:
        if self.validates is None:
            return value
        validate = getattr(self.validates, "model_validate", None) or self.validates.parse_obj
        return validate(value)

    def _fitting(self, value: Any) -> Any:
        try:
            return self._validated(value)
        except ValueError:
            return None


_FENCE = re.compile(r"```(?:json)?\s*(?=[{\[])", re.IGNORECASE)
_LONGEST_FENCE = 40


class _JSONReader:
    def __init__(self, fitting: Callable[[Any], Any]) -> None:
        self._fitting = fitting
        self._json = PartialJSON()
        self._before = ""
        self._begun = self._prose = self._calls = False

    def read(self, piece: str | BaseMessage) -> Any:
        if isinstance(piece, AIMessage):
            self._calls = self._calls or bool(piece.tool_calls or piece.invalid_tool_calls)
        text = piece if isinstance(piece, str) else str(piece.text)
        if self._calls or not text:
            return None
        if not self._begun:
            text = self._begin(text)
        self._json.feed(text)
        value = self._json.value
        return None if value is None else self._fitting(value)

    def _begin(self, text: str) -> str:
        """Find the JSON: at the beginning, or in a code fence, which prose may precede."""
        self._before += text
        start = self._before.lstrip()
        fence = _FENCE.search(self._before)
        self._prose = self._prose or start[:1] not in ("", "{", "[")
        self._begun = bool(fence) or (start != "" and not self._prose)
        if self._begun:
            return self._before[fence.end() :] if fence else start
        self._before = self._before[-_LONGEST_FENCE:]
        return ""


class CallParser(AnswerParser):
    """Parses an answer that is the call of one tool, the schema.

    Attributes:
        calls: LangChain's parser of whole calls.
        tool: The tool's name.
        validates: Pydantic class that the arguments must fit; without one, they are returned.
    """

    calls: SkipValidation[BaseOutputParser[Any]]
    tool: str
    validates: type[Any] | None = None

    @override
    def _reader(self) -> _Reader:
        return _CallReader(self.tool, self.validates)

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Parse an answer.

        Args:
            result: The answer.
            partial: Not used: what is read of a stream is read by `transform`.

        Returns:
            The value; `None` if no tool is called.

        Raises:
            OutputParserException: If the only call was cut off, or is of another tool.
            ValidationError: If the arguments do not fit the schema.
        """
        _refuse_cut_calls(result[0])
        return self.calls.parse_result(result)


class _CallReader:
    def __init__(self, tool: str, validates: type[Any] | None) -> None:
        self._tool = tool
        self._validates = validates
        self._names: dict[int | None, str] = {}
        self._arguments: dict[int | None, PartialJSON] = {}

    def read(self, piece: str | BaseMessage) -> Any:
        chunks = piece.tool_call_chunks if isinstance(piece, AIMessageChunk) else []
        for chunk in chunks:
            index = chunk["index"]
            self._names[index] = self._names.get(index, "") + (chunk["name"] or "")
            self._arguments.setdefault(index, PartialJSON()).feed(chunk["args"] or "")
        if not chunks:
            return None
        for index, arguments in self._arguments.items():
            value = arguments.value
            if self._names[index] == self._tool and (value is None or isinstance(value, dict)):
                return self._fitting(value or {})
        return None

    def _fitting(self, value: dict[str, Any]) -> Any:
        if self._validates is None:
            return value
        try:
            return self._validates(**value)
        except (TypeError, ValueError):
            return None


def _calls_tools(generation: Generation) -> bool:
    """Whether an answer calls a tool instead of answering."""
    message = getattr(generation, "message", None)
    return isinstance(message, AIMessage) and bool(message.tool_calls or message.invalid_tool_calls)


def _refusal(generation: Generation) -> str | None:
    message = getattr(generation, "message", None)
    refusal = message.additional_kwargs.get("refusal") if isinstance(message, AIMessage) else None
    return str(refusal) if refusal else None


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
    parser = JSONParser(validates=schema if validates else None)
    return with_raw(model, parser) if include_raw else model | parser


def called_output(
    model: Runnable[LanguageModelInput, Any], calls: BaseOutputParser[Any], *, include_raw: bool
) -> Runnable[LanguageModelInput, Any]:
    """Let a model's call of the schema, bound as its only tool, be parsed.

    LangChain's parsers of calls complete cut arguments by guessing where they stream, and return
    `None` where they do not.

    Args:
        model: A model that was told to call it.
        calls: LangChain's parser of such calls.
        include_raw: Whether to return `{raw, parsed, parsing_error}` and raise nothing.

    Returns:
        The chain of both.
    """
    if isinstance(calls, PydanticToolsParser):
        schema: Any = calls.tools[0]
        config = getattr(schema, "model_config", {})
        parser = CallParser(
            calls=calls, tool=config.get("title") or schema.__name__, validates=schema
        )
    else:
        parser = CallParser(calls=calls, tool=getattr(calls, "key_name", ""))
    return with_raw(model, parser) if include_raw else model | parser


def _refuse_cut_calls(generation: Generation) -> None:
    message = getattr(generation, "message", None)
    if not isinstance(message, AIMessage) or message.tool_calls or not message.invalid_tool_calls:
        return
    call = message.invalid_tool_calls[0]
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
